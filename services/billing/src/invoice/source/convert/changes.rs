//! What the amount of a line is changed by, beside its price: taken off it as discounts, or put on it as charges. Pure.

use trato_pricing::PricingError;
use trato_proto::{
    billing::v1::invoice::{Charge, Discount},
    wire,
};
use trato_types::{Currency, Minor, Result};

use crate::invoice::content::{self, Discounts};

/// Amounts below zero that are taken off a line, and amounts above zero that are put on it, with their reasons.
#[derive(Debug, Default)]
pub struct Changes<'a> {
    off: Vec<(Minor, &'a str)>,
    on: Vec<(Minor, &'a str)>,
}

impl<'a> Changes<'a> {
    /// Notes one of them; nothing is no change.
    pub fn add(&mut self, amount: Minor, reason: &'a str) {
        match amount {
            Minor(0) => {}
            Minor(..0) => self.off.push((amount, reason)),
            _ => self.on.push((amount, reason)),
        }
    }

    /// Has a line that comes to `own` by itself come to what was agreed on. Shares are rounded one by one, and so is so much at a price:
    /// takes off what the line has too much then, and puts on what it lacks, after less is taken off.
    pub fn settle(&mut self, own: Minor, agreed: Minor) -> Result<(), PricingError> {
        let mut changes = self.off.iter().chain(&self.on);
        let comes_to = changes.try_fold(own.0, |sum, (amount, _)| sum.checked_add(amount.0));
        let difference = comes_to.and_then(|sum| agreed.0.checked_sub(sum)).ok_or(PricingError::TooLarge)?;
        if difference < 0 {
            self.add(Minor(difference), "");
            return Ok(());
        }
        let mut lacking = difference;
        for (amount, _) in &mut self.off {
            let less = lacking.min(-amount.0);
            *amount = Minor(amount.0 + less);
            lacking -= less;
        }
        self.off.retain(|(amount, _)| *amount != Minor(0));
        self.add(Minor(lacking), "");
        Ok(())
    }

    /// All that is taken off, as discounts.
    pub fn discounts(&self, currency: Currency) -> Result<Vec<Discount>> {
        let discount = |(amount, reason): (Minor, &str)| Discount {
            amount: Some(wire::money(Minor(amount.0.saturating_neg()), currency)),
            reason: reason.to_owned(),
            ..Default::default()
        };
        Ok(at_most(&self.off, Discounts::MAX)?.into_iter().map(discount).collect())
    }

    /// All that is put on, as charges.
    pub fn charges(&self, currency: Currency) -> Result<Vec<Charge>> {
        let charge = |(amount, reason): (Minor, &str)| Charge {
            amount: Some(wire::money(amount, currency)),
            reason: reason.to_owned(),
            ..Default::default()
        };
        Ok(at_most(&self.on, content::Charge::MAX)?.into_iter().map(charge).collect())
    }
}

/// Documents of sales may have more of them than lines of invoices: those at the end become one.
fn at_most<'a>(changes: &[(Minor, &'a str)], most: usize) -> Result<Vec<(Minor, &'a str)>, PricingError> {
    let alone = if changes.len() > most { most - 1 } else { changes.len() };
    let (alone, together) = changes.split_at(alone);
    let mut kept = alone.to_vec();
    if !together.is_empty() {
        let sum = together.iter().try_fold(0_i64, |sum, (amount, _)| sum.checked_add(amount.0));
        kept.push((Minor(sum.ok_or(PricingError::TooLarge)?), ""));
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use trato_proto::google::value::Money;

    use super::*;

    /// DOC-07: however many discounts and charges a line was sold with, it can be invoiced, and comes to the same.
    #[test]
    fn what_is_beyond_what_an_invoice_holds_becomes_one() {
        let currency = Currency::parse("EUR").expect("a currency");
        let cents = |amount: &Option<Money>| {
            wire::parse_money(amount.as_ref().expect("an amount")).expect("an amount").0.0
        };
        for count in [0, 1, 10, 11, 20, 21, 70] {
            let mut changes = Changes::default();
            for _ in 0..count {
                changes.add(Minor(-125), "Spring");
                changes.add(Minor(250), "Rush");
            }

            let discounts = changes.discounts(currency).expect("discounts");
            let charges = changes.charges(currency).expect("charges");

            let expected = (count.min(Discounts::MAX), count.min(content::Charge::MAX));
            assert_eq!((discounts.len(), charges.len()), expected);
            let count = i64::try_from(count).expect("a few");
            assert_eq!(discounts.iter().map(|one| cents(&one.amount)).sum::<i64>(), 125 * count);
            assert_eq!(charges.iter().map(|one| cents(&one.amount)).sum::<i64>(), 250 * count);
        }
    }

    /// DOC-07: what a line lacks is taken off less, and put on it where nothing is taken off; what it has too much is taken off.
    #[test]
    fn a_difference_is_made_up_for() {
        let settled = |difference: i64| {
            let mut changes = Changes::default();
            changes.add(Minor(-2), "Spring");
            changes.add(Minor(5), "Rush");
            changes.settle(Minor(100), Minor(103 + difference)).expect("it is small");
            (changes.off, changes.on)
        };

        assert_eq!(settled(0), (vec![(Minor(-2), "Spring")], vec![(Minor(5), "Rush")]));
        assert_eq!(settled(-1), (vec![(Minor(-2), "Spring"), (Minor(-1), "")], vec![(Minor(5), "Rush")]));
        assert_eq!(settled(1), (vec![(Minor(-1), "Spring")], vec![(Minor(5), "Rush")]));
        assert_eq!(settled(3), (Vec::new(), vec![(Minor(5), "Rush"), (Minor(1), "")]));
    }
}
