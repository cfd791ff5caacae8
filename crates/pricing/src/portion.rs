//! The part of a line's rest that a credit takes. No part is larger than its rest, and parts of one line add up. And parts of
//! what was sold, as they are invoiced one after the other.

use std::collections::BTreeMap;

use trato_types::Minor;

use crate::{
    Amounts, Creditable, Portion, Prices, PricingError, Quantity, TaxAmount, WithheldAmount,
    exact::{Share, amount, apportion, divide, minor, minus, rounded_sum, sum, wide},
    trace::{Datum, Rule, Subject, Trace},
};

impl Quantity {
    /// What this part of a whole is of the whole's amount, when `before` of it was taken already: parts that are taken one after
    /// the other add up to the amount.
    pub fn part_of(self, amount: Minor, before: Self, whole: Self) -> Result<Minor, PricingError> {
        let until = |quantity: i128| match whole.millionths() {
            0 => Ok(0),
            whole => wide(amount)
                .checked_mul(quantity)
                .map(|product| divide(product * whole.signum(), whole.abs()))
                .ok_or(PricingError::TooLarge),
        };
        minor(until(before.millionths() + self.millionths())? - until(before.millionths())?)
    }
}

/// A checked wish: which line, and which share of its rest.
pub(crate) struct Claim<'a> {
    pub(crate) at: usize,
    left: &'a Creditable,
    quantity: Quantity,
    rule: Rule,
    asked: Datum,
    /// The share of the rest, `part` of `whole`; the whole is above zero.
    part: i128,
    whole: i128,
    fixed: Fixed,
}

/// The amount that is rounded by itself; the taxes are shared by group, and the third amount follows.
#[derive(Clone, Copy)]
enum Fixed {
    Net(Minor),
    Gross(Minor),
}

impl<'a> Claim<'a> {
    pub(crate) fn new(
        at: usize,
        left: &'a Creditable,
        portion: Portion,
        prices: Prices,
    ) -> Result<Self, PricingError> {
        let amounts = &left.amounts;
        let (rule, asked, part, whole) = match portion {
            Portion::Rest => (Rule::CreditRest, Datum::Quantity(left.quantity), 1, 1),
            Portion::Quantity(quantity) => (
                Rule::CreditQuantity,
                Datum::Quantity(quantity),
                quantity.millionths(),
                left.quantity.millionths(),
            ),
            Portion::Net(net) => (Rule::CreditAmount, Datum::Money(net), wide(net), wide(amounts.net)),
            Portion::Gross(gross) => {
                (Rule::CreditAmount, Datum::Money(gross), wide(gross), wide(amounts.gross))
            }
        };
        if whole == 0 && part != 0 {
            return Err(PricingError::CreditExceedsRest);
        }
        let (part, whole) = (part * whole.signum(), whole.abs());
        if part < 0 || part > whole {
            return Err(PricingError::CreditExceedsRest);
        }
        let whole = whole.max(1);
        let share = |of: Minor| amount(wide(of) * part, whole);
        let fixed = match (portion, prices) {
            (Portion::Net(net), _) => Fixed::Net(net),
            (Portion::Gross(gross), _) => Fixed::Gross(gross),
            (_, Prices::Net) => Fixed::Net(share(amounts.net)?),
            (_, Prices::TaxInclusive) => Fixed::Gross(share(amounts.gross)?),
        };
        let quantity = match portion {
            Portion::Rest => left.quantity,
            Portion::Quantity(quantity) => quantity,
            Portion::Net(_) | Portion::Gross(_) => Quantity::ZERO,
        };
        Ok(Self { at, left, quantity, rule, asked, part, whole, fixed })
    }

    fn share(&self, of: Minor) -> Share {
        Share::of(wide(of) * self.part, self.whole)
    }

    fn key(&self) -> &str {
        &self.left.amounts.key
    }
}

/// What the claims come to. Taxes are shared by group of the credit, as they are in a document.
pub(crate) fn take(claims: &[Claim<'_>], trace: &mut Trace) -> Result<Vec<Creditable>, PricingError> {
    let taxes = shares(claims, |amounts| amounts.taxes.iter().map(|tax| (&tax.key, tax.amount)).collect())?;
    let withheld =
        shares(claims, |amounts| amounts.withheld.iter().map(|one| (&one.key, one.amount)).collect())?;
    let mut credited = Vec::with_capacity(claims.len());
    for ((claim, taxes), withheld) in claims.iter().zip(taxes).zip(withheld) {
        let left = &claim.left.amounts;
        let mut part = Amounts {
            key: left.key.clone(),
            net: Minor(0),
            taxes: left
                .taxes
                .iter()
                .zip(taxes)
                .map(|(tax, amount)| TaxAmount { key: tax.key.clone(), amount })
                .collect(),
            gross: Minor(0),
            withheld: left
                .withheld
                .iter()
                .zip(withheld)
                .map(|(one, amount)| WithheldAmount { key: one.key.clone(), amount })
                .collect(),
        };
        let tax = sum(part.taxes.iter().map(|tax| tax.amount))?;
        match claim.fixed {
            Fixed::Net(net) => (part.net, part.gross) = (net, sum([net, tax])?),
            Fixed::Gross(gross) => {
                (part.net, part.gross) = (minus(gross, tax)?, gross);
                keep_net_within(&mut part, left)?;
            }
        }
        keep_withheld_within(&mut part, left)?;
        let inputs = [("left", Datum::Money(left.gross)), ("asked", claim.asked.clone())];
        trace.step(claim.rule, Subject::Line(left.key.clone()), inputs, Datum::Money(part.gross));
        credited.push(Creditable { quantity: claim.quantity, amounts: part });
    }
    Ok(credited)
}

/// By claim: the shares of its amounts that `parts_of` names, each rounded by group over all claims.
fn shares<'a, K: Ord + 'a>(
    claims: &'a [Claim<'_>],
    parts_of: impl Fn(&'a Amounts) -> Vec<(&'a K, Minor)>,
) -> Result<Vec<Vec<Minor>>, PricingError> {
    let mut groups: BTreeMap<&K, Vec<(usize, usize, Minor)>> = BTreeMap::new();
    let mut taken: Vec<Vec<Minor>> = Vec::with_capacity(claims.len());
    for (number, claim) in claims.iter().enumerate() {
        let parts = parts_of(&claim.left.amounts);
        taken.push(vec![Minor(0); parts.len()]);
        for (place, (key, amount)) in parts.into_iter().enumerate() {
            groups.entry(key).or_default().push((number, place, amount));
        }
    }
    for members in groups.into_values() {
        let shares: Vec<_> = members
            .iter()
            .map(|(number, _, amount)| (claims[*number].share(*amount), claims[*number].key()))
            .collect();
        for ((number, place, _), part) in members.iter().zip(apportion(rounded_sum(&shares)?, &shares)?) {
            taken[*number][*place] = part;
        }
    }
    Ok(taken)
}

/// Where gross and tax were rounded apart, the net between them may be a unit more than there is, or less than nothing;
/// the taxes of the line then give or take that unit.
fn keep_net_within(part: &mut Amounts, left: &Amounts) -> Result<(), PricingError> {
    let net = within(part.net, left.net);
    let mut excess = minus(part.net, net)?;
    for (tax, left) in part.taxes.iter_mut().zip(&left.taxes) {
        let moved = within(sum([tax.amount, excess])?, left.amount);
        excess = sum([excess, minus(tax.amount, moved)?])?;
        tax.amount = moved;
    }
    part.net = sum([net, excess])?;
    Ok(())
}

/// Where net and what is withheld were rounded apart, a unit may be withheld of a part without any net, or of the rest: then less
/// than nothing would be given back. What is withheld of the line then gives or takes that unit.
fn keep_withheld_within(part: &mut Amounts, left: &Amounts) -> Result<(), PricingError> {
    let sign = if left.net < Minor(0) { -1 } else { 1 };
    let withheld = |of: &Amounts| of.withheld.iter().map(|one| wide(one.amount) * sign).sum::<i128>();
    let (whole, taken) = (withheld(left), withheld(part));
    let (net, rest) = (wide(part.net) * sign, (wide(left.net) - wide(part.net)) * sign);
    let (least, most) = ((whole - rest).max(0), whole.min(net));
    // More is withheld of the line than it comes to, so that of its parts there is no telling.
    if least > most {
        return Ok(());
    }
    let mut excess = minor((taken - taken.clamp(least, most)) * sign)?;
    for (one, left) in part.withheld.iter_mut().zip(&left.withheld) {
        let kept = within(minus(one.amount, excess)?, left.amount);
        excess = minus(excess, minus(one.amount, kept)?)?;
        one.amount = kept;
    }
    Ok(())
}

/// As much of an amount as there is.
fn within(amount: Minor, left: Minor) -> Minor {
    Minor(amount.0.clamp(left.0.min(0), left.0.max(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DOC-07: parts of what was sold add up to it, however they are cut.
    #[test]
    fn parts_that_are_taken_one_after_the_other_add_up() {
        let whole = Quantity::whole(7).expect("a quantity");
        for amount in [Minor(100), Minor(-100), Minor(1), Minor(0), Minor(i64::MAX)] {
            let (mut before, mut sum) = (Quantity::ZERO, 0);
            for part in ["1", "2.5", "0.000001", "3.499999"] {
                let part: Quantity = part.parse().expect("a quantity");
                sum += part.part_of(amount, before, whole).expect("an amount").0;
                before = before.plus(part).expect("a quantity");
            }
            assert_eq!((before, sum), (whole, amount.0));
        }
    }
}
