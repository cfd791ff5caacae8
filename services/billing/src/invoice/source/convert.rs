//! What was sold as lines of an invoice, at the prices that were agreed on: discounts and charges are taken over as amounts, a
//! part of a line has its part of them, and parts that are invoiced one after the other add up. Pure.

use std::collections::HashMap;

use rust_decimal::Decimal;
use trato_pricing::{PricingError, Quantity, line_amount};
use trato_proto::{
    billing::v1::{self as pb, invoice::Discount},
    google::value::Money,
    sales::v1::{self as sales, price_document_response as priced},
    wire,
};
use trato_types::{Currency, Error, Kind, Minor, Result};

use super::sold::Sold;
use crate::invoice::content::Discounts;

/// Longest description of a line.
const LONGEST: usize = 1000;

/// How much of a line is invoiced.
#[derive(Debug)]
pub struct Part<'a> {
    /// Its key in the document that is invoiced.
    pub source_line: &'a str,
    /// Key of the line or charge that has its price.
    pub priced: &'a str,
    /// How much of it was invoiced before.
    pub before: Quantity,
    /// How much is invoiced now.
    pub quantity: Quantity,
}

/// The lines of an invoice, and whether their prices include taxes.
pub struct Converter<'a> {
    currency: Currency,
    lines: HashMap<&'a str, &'a sales::sales_document::Line>,
    charges: HashMap<&'a str, (&'a str, &'a priced::Charge)>,
    /// Names of tax codes by code.
    tax_codes: &'a HashMap<String, String>,
    tax_inclusive: bool,
    written: Vec<pb::invoice::Line>,
}

impl<'a> Converter<'a> {
    /// For the lines of what was sold; tax codes are known by their codes.
    pub fn new(sold: &'a Sold, tax_codes: &'a HashMap<String, String>) -> Result<Self> {
        let document = &sold.document;
        let lines = document.lines.iter().chain(&document.given_lines);
        let charges = document.charges.iter().zip(&document.charge_amounts);
        Ok(Self {
            currency: Currency::parse(&document.currency_code).map_err(Error::internal)?,
            lines: lines.map(|line| (line.key.as_str(), line)).collect(),
            charges: charges
                .map(|(charge, amounts)| (charge.key.as_str(), (charge.tax_class.as_str(), amounts)))
                .collect(),
            tax_codes,
            tax_inclusive: document.applied_prices() == sales::price_list::Prices::TaxInclusive,
            written: Vec::new(),
        })
    }

    /// Codes of all taxes of what was sold.
    pub fn tax_classes(sold: &Sold) -> Vec<String> {
        let document = &sold.document;
        let lines = document.lines.iter().chain(&document.given_lines);
        let lines = lines.map(|line| line.applied_tax_class.clone());
        lines.chain(document.charges.iter().map(|charge| charge.tax_class.clone())).collect()
    }

    /// Writes a part of a line.
    pub fn write(&mut self, part: &Part<'_>) -> Result<()> {
        if let Some(line) = self.lines.get(part.priced).copied() {
            return self.write_line(part, line);
        }
        let (tax_class, amounts) = self.charges.get(part.priced).copied().ok_or_else(|| {
            Error::new(Kind::Precondition, "SOURCE_NOT_READY", "a line has no price")
                .with("line", part.source_line)
        })?;
        let amount = if self.tax_inclusive { &amounts.gross } else { &amounts.net };
        let amount = part.quantity.part_of(self.minor(amount)?, part.before, Quantity::ONE)?;
        let description = if amounts.reason.is_empty() { part.priced } else { &amounts.reason };
        self.write_amount(part.source_line, description, amount, tax_class)
    }

    /// All lines, and whether their prices include taxes.
    pub fn finish(self) -> (Vec<pb::invoice::Line>, bool) {
        (self.written, self.tax_inclusive)
    }

    fn write_line(&mut self, part: &Part<'_>, line: &sales::sales_document::Line) -> Result<()> {
        let amounts = line.amounts.as_ref().ok_or_else(|| Error::internal("a line without amounts"))?;
        let whole: Quantity = amounts.quantity.parse().map_err(Error::internal)?;
        let share = |money: &Option<Money>| -> Result<Minor> {
            Ok(part.quantity.part_of(self.minor(money)?, part.before, whole)?)
        };
        let unit_price = price_of_one(&amounts.unit_price, &amounts.per)?;
        let (mut taken, mut charges) = (Vec::new(), Vec::new());
        for adjustment in &amounts.adjustments {
            match share(&adjustment.amount)? {
                Minor(0) => {}
                amount @ Minor(..0) => taken.push((amount, adjustment.reason.as_str())),
                amount => charges.push((amount, adjustment.reason.clone())),
            }
        }
        // The line's shares of the discounts of the whole: what is not invoiced yet keeps its own.
        for discount in &amounts.discounts {
            let amount = share(&Some(discount.clone()))?;
            if amount != Minor(0) {
                taken.push((Minor(-amount.0.abs()), ""));
            }
        }
        // A price with fractions of a cent is rounded on each invoice; together they come to what was agreed on.
        let own = line_amount(part.quantity, unit_price.parse().map_err(Error::internal)?, self.currency)?;
        let lacking = round(Minor(share(&amounts.base)?.0 - own.0), &mut taken);
        if lacking != Minor(0) {
            charges.push((lacking, String::new()));
        }
        let description =
            if line.description.is_empty() { &line.product_display_name } else { &line.description };
        let tax_codes = vec![self.tax_code(&line.applied_tax_class)?];
        self.push(pb::invoice::Line {
            product: line.product.clone(),
            description: description.clone(),
            quantity: part.quantity.to_string(),
            unit: amounts.unit_code.clone(),
            unit_price,
            discounts: discounts(&taken, self.currency)?,
            tax_codes,
            source_line: part.source_line.to_owned(),
            ..Default::default()
        });
        for (amount, reason) in charges {
            let description = if reason.is_empty() { description } else { &reason };
            // Its quantity is that of the line, which has been counted.
            self.write_amount("", description, amount, &line.applied_tax_class)?;
        }
        Ok(())
    }

    /// Writes an amount as a line of its own.
    fn write_amount(
        &mut self,
        source_line: &str,
        description: &str,
        amount: Minor,
        tax_class: &str,
    ) -> Result<()> {
        let tax_codes = vec![self.tax_code(tax_class)?];
        let unit_price = Decimal::new(amount.0, self.currency.exponent()).to_string();
        self.push(pb::invoice::Line {
            description: description.to_owned(),
            quantity: "1".to_owned(),
            unit_price,
            tax_codes,
            source_line: source_line.to_owned(),
            ..Default::default()
        });
        Ok(())
    }

    fn push(&mut self, mut line: pb::invoice::Line) {
        line.key = (self.written.len() + 1).to_string();
        line.description.truncate(line.description.floor_char_boundary(LONGEST));
        self.written.push(line);
    }

    fn tax_code(&self, code: &str) -> Result<String> {
        self.tax_codes.get(code).cloned().ok_or_else(|| {
            let message = format!("there is no tax code {code}, by which a line was priced");
            Error::new(Kind::Precondition, "TAX_CODE_NOT_FOUND", message).with("tax_code", code)
        })
    }

    fn minor(&self, money: &Option<Money>) -> Result<Minor> {
        let Some(money) = money else { return Ok(Minor(0)) };
        wire::parse_money(money).map(|(amount, _)| amount).map_err(Error::internal)
    }
}

/// The price of one where a price of several was agreed on; refused where it has no end within six decimals.
fn price_of_one(price: &str, per: &str) -> Result<String> {
    let price: Decimal = price.parse().map_err(Error::internal)?;
    let per: Decimal = if per.is_empty() { Decimal::ONE } else { per.parse().map_err(Error::internal)? };
    let one = price.checked_div(per).map(|one| one.round_dp(6).normalize());
    let exact = one.filter(|one| one.checked_mul(per) == Some(price));
    exact.map(|one| one.to_string()).ok_or_else(|| {
        let message = format!("a price of {price} for {per} cannot be told for one within six decimals");
        Error::new(Kind::Precondition, "PRICE_TOO_FINE", message)
    })
}

/// Puts on a line what it has too much of, as a discount, or what it lacks, by taking less off; answers what it lacks then.
fn round(difference: Minor, taken: &mut Vec<(Minor, &str)>) -> Minor {
    if difference < Minor(0) {
        taken.push((difference, ""));
        return Minor(0);
    }
    let mut lacking = difference.0;
    for (amount, _) in taken.iter_mut() {
        let less = lacking.min(-amount.0);
        *amount = Minor(amount.0 + less);
        lacking -= less;
    }
    taken.retain(|(amount, _)| *amount != Minor(0));
    Minor(lacking)
}

/// What was taken off, in amounts below zero, as discounts. Documents of sales have more of them than lines of invoices:
/// those at the end become one.
fn discounts(taken: &[(Minor, &str)], currency: Currency) -> Result<Vec<Discount>> {
    let alone = if taken.len() > Discounts::MAX { Discounts::MAX - 1 } else { taken.len() };
    let (alone, together) = taken.split_at(alone);
    let mut discounts: Vec<(Minor, &str)> = alone.to_vec();
    if !together.is_empty() {
        let sum = together.iter().try_fold(0_i64, |sum, (amount, _)| sum.checked_add(amount.0));
        discounts.push((Minor(sum.ok_or(PricingError::TooLarge)?), ""));
    }
    let discount = |(amount, reason): (Minor, &str)| Discount {
        amount: Some(wire::money(Minor(amount.0.saturating_neg()), currency)),
        reason: reason.to_owned(),
        ..Default::default()
    };
    Ok(discounts.into_iter().map(discount).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EUR: &str = "EUR";

    fn cents(money: &Money) -> i64 {
        wire::parse_money(money).expect("an amount").0.0
    }

    fn decimal(millionths: i64) -> String {
        Decimal::new(millionths, 6).normalize().to_string()
    }

    /// A line of so much at a price, from which a discount is taken, as sales tells it.
    fn sold(quantity: &str, unit_price: &str, base: Minor, discount: Minor) -> Sold {
        let currency = Currency::parse(EUR).expect("a currency");
        let adjustment = priced::AppliedAdjustment {
            amount: Some(wire::money(Minor(-discount.0), currency)),
            ..Default::default()
        };
        let amounts = priced::Line {
            quantity: quantity.to_owned(),
            unit_price: unit_price.to_owned(),
            base: Some(wire::money(base, currency)),
            adjustments: vec![adjustment],
            ..Default::default()
        };
        let line = sales::sales_document::Line {
            key: "1".to_owned(),
            amounts: Some(amounts),
            applied_tax_class: "VAT".to_owned(),
            ..Default::default()
        };
        let document =
            sales::SalesDocument { currency_code: EUR.to_owned(), lines: vec![line], ..Default::default() };
        Sold {
            name: String::new(),
            account: String::new(),
            bill_to: None,
            document,
            lines: Vec::new(),
            billables: Vec::new(),
            order: None,
        }
    }

    /// What the lines of an invoice come to, each rounded by itself.
    fn total(lines: &[pb::invoice::Line]) -> i64 {
        let currency = Currency::parse(EUR).expect("a currency");
        let net = |line: &pb::invoice::Line| {
            let (quantity, price) = (line.quantity.parse(), line.unit_price.parse());
            let own = line_amount(quantity.expect("a quantity"), price.expect("a price"), currency);
            let taken = line.discounts.iter().filter_map(|discount| discount.amount.as_ref()).map(cents);
            own.expect("an amount").0 - taken.sum::<i64>()
        };
        lines.iter().map(net).sum()
    }

    proptest! {
        /// DOC-07: parts that are invoiced one after the other come to what was agreed on, also at prices with fractions of a
        /// cent.
        #[test]
        fn parts_at_a_fine_price_add_up(
            price in 0_i64..5_000_000,
            parts in prop::collection::vec(1_i64..4_000_000, 1..6),
            percent in 0_i64..=100,
        ) {
            let currency = Currency::parse(EUR).expect("a currency");
            let exact = |millionths: i64| decimal(millionths).parse::<Quantity>().expect("a quantity");
            let (whole, unit_price) = (decimal(parts.iter().sum()), decimal(price));
            let of = (whole.parse().expect("a quantity"), unit_price.parse().expect("a price"));
            let base = line_amount(of.0, of.1, currency).expect("an amount");
            let discount = Minor(base.0 * percent / 100);
            let sold = sold(&whole, &unit_price, base, discount);
            let tax_codes = HashMap::from([("VAT".to_owned(), "taxCodes/1".to_owned())]);

            let (mut before, mut sum) = (0, 0);
            for part in &parts {
                let mut converter = Converter::new(&sold, &tax_codes).expect("a converter");
                let (before_it, quantity) = (exact(before), exact(*part));
                let part_of = Part { source_line: "1", priced: "1", before: before_it, quantity };
                converter.write(&part_of).expect("a line");
                sum += total(&converter.finish().0);
                before += part;
            }

            prop_assert_eq!(sum, base.0 - discount.0);
        }
    }

    /// DOC-07: however many discounts a line was sold with, it can be invoiced, and comes to the same.
    #[test]
    fn discounts_beyond_what_an_invoice_holds_become_one() {
        let currency = Currency::parse("EUR").expect("a currency");
        for count in [0, 1, 10, 11, 70] {
            let taken = vec![(Minor(-125), "Spring"); count];
            let discounts = discounts(&taken, currency).expect("discounts");
            let amount = |discount: &Discount| {
                wire::parse_money(discount.amount.as_ref().expect("an amount")).expect("an amount").0.0
            };
            assert_eq!(discounts.len(), count.min(Discounts::MAX));
            assert_eq!(discounts.iter().map(amount).sum::<i64>(), 125 * i64::try_from(count).expect("a few"));
        }
    }
}
