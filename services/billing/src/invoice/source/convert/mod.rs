//! What was sold as lines of an invoice, at the prices that were agreed on: discounts and charges are taken over as amounts, a
//! part of a line has its part of them, and parts that are invoiced one after the other add up. Each line has all that belongs to it,
//! for it is credited, and invoiced again, as a whole. Pure.

mod changes;

use std::collections::HashMap;

use rust_decimal::{Decimal, RoundingStrategy};
use trato_pricing::{PricingError, Quantity, line_amount};
use trato_proto::{
    billing::v1 as pb,
    google::value::Money,
    sales::v1::{self as sales, price_document_request::Charge, price_document_response as priced},
    wire,
};
use trato_types::{Currency, Error, Kind, Minor, Result};

use self::changes::Changes;
use super::sold::Sold;

/// Most characters of a line's description.
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
    charges: HashMap<&'a str, (&'a Charge, &'a priced::Charge)>,
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
            charges: charges.map(|(charge, amounts)| (charge.key.as_str(), (charge, amounts))).collect(),
            tax_codes,
            tax_inclusive: document.applied_prices() == sales::price_list::Prices::TaxInclusive,
            written: Vec::new(),
        })
    }

    /// Codes of all taxes of what was sold, and of what is withheld of it.
    pub fn tax_classes(sold: &Sold) -> Vec<String> {
        let document = &sold.document;
        let lines = document.lines.iter().chain(&document.given_lines);
        let lines = lines.map(|line| (&line.applied_tax_class, &line.withheld_tax_classes));
        let charges = document.charges.iter().map(|charge| (&charge.tax_class, &charge.withheld_tax_classes));
        lines
            .chain(charges)
            .flat_map(|(class, withheld)| std::iter::once(class).chain(withheld))
            .cloned()
            .collect()
    }

    /// Writes a part of a line.
    pub fn write(&mut self, part: &Part<'_>) -> Result<()> {
        if let Some(line) = self.lines.get(part.priced).copied() {
            return self.write_line(part, line);
        }
        let (charge, amounts) = self.charges.get(part.priced).copied().ok_or_else(|| {
            Error::new(Kind::Precondition, "SOURCE_NOT_READY", "a line has no price")
                .with("line", part.source_line)
        })?;
        let whole = if self.tax_inclusive { &amounts.gross } else { &amounts.net };
        let description = if amounts.reason.is_empty() { part.priced } else { &amounts.reason };
        let tax_codes = self.tax_codes(&charge.tax_class, &charge.withheld_tax_classes)?;
        self.write_charge(part, description, self.minor(whole.as_ref())?, tax_codes)
    }

    /// All lines, and whether their prices include taxes.
    pub fn finish(self) -> (Vec<pb::invoice::Line>, bool) {
        (self.written, self.tax_inclusive)
    }

    fn write_line(&mut self, part: &Part<'_>, line: &sales::sales_document::Line) -> Result<()> {
        let amounts = line.amounts.as_ref().ok_or_else(|| Error::internal("a line without amounts"))?;
        let whole: Quantity = amounts.quantity.parse().map_err(Error::internal)?;
        let unit_price = price_of_one(&amounts.unit_price, &amounts.per)?;
        let own = self.line_amount(part.quantity, &unit_price)?;
        let share = |of: Minor| part.quantity.part_of(of, part.before, whole);
        let mut changes = Changes::default();
        let mut agreed = self.minor(amounts.base.as_ref())?;
        for (change, reason) in self.changed(amounts)? {
            agreed = agreed.0.checked_add(change.0).map(Minor).ok_or(PricingError::TooLarge)?;
            changes.add(share(change)?, reason);
        }
        changes.settle(own, share(agreed)?)?;
        // With what was chosen, or as it was described, or by its name.
        let said = [&line.applied_description, &line.description, &line.product_display_name];
        let description = said.into_iter().find(|said| !said.is_empty()).cloned().unwrap_or_default();
        let tax_codes = self.tax_codes(&line.applied_tax_class, &line.withheld_tax_classes)?;
        self.push(pb::invoice::Line {
            product: line.product.clone(),
            description,
            quantity: part.quantity.to_string(),
            unit: amounts.unit_code.clone(),
            unit_price,
            charges: changes.charges(self.currency)?,
            discounts: changes.discounts(self.currency)?,
            tax_codes,
            source_line: part.source_line.to_owned(),
            ..Default::default()
        });
        Ok(())
    }

    /// Writes a part of a charge of the whole, of which there is one at this price.
    fn write_charge(
        &mut self,
        part: &Part<'_>,
        description: &str,
        whole: Minor,
        tax_codes: Vec<String>,
    ) -> Result<()> {
        let unit_price = self.decimal(whole);
        let agreed = part.quantity.part_of(whole, part.before, Quantity::ONE)?;
        let mut changes = Changes::default();
        changes.settle(self.line_amount(part.quantity, &unit_price)?, agreed)?;
        self.push(pb::invoice::Line {
            description: description.to_owned(),
            quantity: part.quantity.to_string(),
            unit_price,
            charges: changes.charges(self.currency)?,
            discounts: changes.discounts(self.currency)?,
            tax_codes,
            source_line: part.source_line.to_owned(),
            ..Default::default()
        });
        Ok(())
    }

    /// What a line was changed by: by what stands on it, and by its shares of the discounts of the whole, so that what is not invoiced
    /// yet keeps its own.
    fn changed<'b>(&self, amounts: &'b priced::Line) -> Result<Vec<(Minor, &'b str)>> {
        let own =
            amounts.adjustments.iter().map(|one| Ok((self.minor(one.amount.as_ref())?, one.reason.as_str())));
        let of_the_whole =
            amounts.discounts.iter().map(|one| Ok((Minor(-self.minor(Some(one))?.0.abs()), "")));
        own.chain(of_the_whole).collect()
    }

    /// What so much comes to on an invoice, where it is rounded by itself.
    fn line_amount(&self, quantity: Quantity, unit_price: &str) -> Result<Minor> {
        Ok(line_amount(quantity, unit_price.parse().map_err(Error::internal)?, self.currency)?)
    }

    fn decimal(&self, amount: Minor) -> String {
        Decimal::new(amount.0, self.currency.exponent()).to_string()
    }

    fn push(&mut self, mut line: pb::invoice::Line) {
        line.key = (self.written.len() + 1).to_string();
        if let Some((end, _)) = line.description.char_indices().nth(LONGEST) {
            line.description.truncate(end);
        }
        self.written.push(line);
    }

    /// How something is taxed, and what is withheld of it.
    fn tax_codes(&self, class: &str, withheld: &[String]) -> Result<Vec<String>> {
        std::iter::once(class)
            .chain(withheld.iter().map(String::as_str))
            .map(|code| self.tax_code(code))
            .collect()
    }

    fn tax_code(&self, code: &str) -> Result<String> {
        self.tax_codes.get(code).cloned().ok_or_else(|| {
            let message = format!("there is no tax code {code}, by which a line was priced");
            Error::new(Kind::Precondition, "TAX_CODE_NOT_FOUND", message).with("tax_code", code)
        })
    }

    fn minor(&self, money: Option<&Money>) -> Result<Minor> {
        let Some(money) = money else { return Ok(Minor(0)) };
        wire::parse_money(money).map(|(amount, _)| amount).map_err(Error::internal)
    }
}

/// The price of one where a price of several was agreed on. One that has no end within six decimals is rounded up: what a line then
/// has too much is a discount of it.
fn price_of_one(price: &str, per: &str) -> Result<String> {
    let price: Decimal = price.parse().map_err(Error::internal)?;
    let per: Decimal = if per.is_empty() { Decimal::ONE } else { per.parse().map_err(Error::internal)? };
    let one = price.checked_div(per).ok_or(PricingError::TooLarge)?;
    Ok(one.round_dp_with_strategy(6, RoundingStrategy::AwayFromZero).normalize().to_string())
}

#[cfg(test)]
mod tests;
