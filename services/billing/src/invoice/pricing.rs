//! Prices an invoice by `trato-pricing`: the taxes of the day of supply are put on its lines, and the amounts beside them.
//! Pure; what an invoice refers to is looked up before (`references.rs`).

use std::collections::HashMap;

use trato_pricing::{
    Adjustment, Document, DocumentDiscount, PricedLine, Prices, Quantity, Tax, TaxKey, Trace, Withholding,
};
use trato_types::{Date, DomainError, Error, Minor, Result};
use uuid::Uuid;

use super::{
    content::{Amounts, AppliedTax, Discount, Line, LineTax},
    model::Invoice,
};
use crate::{
    legal_entity::{LegalEntity, TaxRounding},
    tax_code::TaxCode,
};

/// What is looked up to price an invoice.
pub struct Basis<'a> {
    /// In whose name it is made out.
    pub legal_entity: &'a LegalEntity,
    /// The living tax codes of its lines.
    pub tax_codes: &'a HashMap<Uuid, TaxCode>,
    /// The day it is recorded, in the zone of the legal entity.
    pub today: Date,
}

/// Why a line cannot be taxed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TaxError {
    /// The code is not there, or is deleted.
    #[error("there is no such tax code")]
    CodeNotFound,
    /// The code has no rate on the day.
    #[error("the tax code has no rate on the day of supply")]
    RateNotFound,
    /// The code may not be within prices.
    #[error("prices cannot include this tax")]
    NotInclusive,
}

impl DomainError for TaxError {
    fn reason(&self) -> &'static str {
        match self {
            Self::CodeNotFound => "TAX_CODE_NOT_FOUND",
            Self::RateNotFound => "TAX_RATE_NOT_FOUND",
            Self::NotInclusive => "TAX_NOT_INCLUSIVE",
        }
    }
}

impl Invoice {
    /// Puts taxes and amounts in, and says how they came about. Violations are named by the fields of the invoice.
    pub fn price(&mut self, basis: &Basis<'_>) -> Result<Trace> {
        let supply_date = *self.supply_date.get_or_insert(basis.today);
        self.tax_rounding = self.agreed_tax_rounding.unwrap_or(basis.legal_entity.tax_rounding);
        for (at, line) in self.lines.0.iter_mut().enumerate() {
            for (number, tax) in line.taxes.iter_mut().enumerate() {
                let applied = applied(tax.tax_code, supply_date, self.tax_inclusive, basis);
                tax.applied = Some(applied.map_err(|error| {
                    let field = format!("invoice.lines[{at}].tax_codes[{number}]");
                    Error::from(error).with("field", field).with("date", supply_date)
                })?);
            }
        }
        let mut priced = self.document().price()?;
        let trace =
            std::mem::replace(&mut priced.trace, Trace { currency: self.currency_code, steps: Vec::new() });
        self.gross = priced.totals.gross;
        self.due = priced.totals.due;
        self.amounts = Amounts(Some(priced));
        Ok(trace)
    }

    fn document(&self) -> Document {
        let mut document = Document::new(self.currency_code);
        document.prices = if self.tax_inclusive { Prices::TaxInclusive } else { Prices::Net };
        document.tax_rounding = match self.tax_rounding {
            TaxRounding::Group => trato_pricing::TaxRounding::Group,
            TaxRounding::Line => trato_pricing::TaxRounding::Line,
        };
        document.smallest_payment = self.smallest_payment.unwrap_or(document.smallest_payment);
        document.lines = self.lines.0.iter().map(line).collect();
        document.discounts = self.discounts.0.iter().map(discount).collect();
        document
    }
}

fn applied(
    tax_code: Uuid,
    day: Date,
    tax_inclusive: bool,
    basis: &Basis<'_>,
) -> Result<AppliedTax, TaxError> {
    let code = basis.tax_codes.get(&tax_code).ok_or(TaxError::CodeNotFound)?;
    if tax_inclusive && !code.inclusive_allowed && code.category.of_line().is_some() {
        return Err(TaxError::NotInclusive);
    }
    let percent = code.rates.on(day).ok_or(TaxError::RateNotFound)?;
    Ok(AppliedTax {
        code: code.code.clone(),
        tax: code.tax.clone(),
        category: code.category,
        percent,
        legal_note: code.legal_note.clone(),
    })
}

fn line(line: &Line) -> trato_pricing::Line {
    let charges = line.charges.iter().map(|charge| Adjustment::charge(charge.value, &charge.reason));
    let discounts =
        line.discounts.iter().map(|discount| Adjustment::discount(discount.value, &discount.reason));
    trato_pricing::Line {
        key: line.key.as_str().into(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        per: Quantity::ONE,
        // Charges first: what is taken off may be more than the price alone.
        adjustments: charges.chain(discounts).collect(),
        taxes: line.taxes.iter().filter_map(LineTax::of_line).collect(),
        withheld: line.taxes.iter().filter_map(LineTax::withheld).collect(),
    }
}

fn discount(discount: &Discount) -> DocumentDiscount {
    DocumentDiscount { value: discount.value, reason: discount.reason.as_str().into(), lines: Vec::new() }
}

impl Line {
    /// What its charges put on, and what its discounts take off, as it was priced.
    pub fn changes<'a>(&self, priced: &'a PricedLine) -> (&'a [Minor], &'a [Minor]) {
        priced.adjustments.split_at(self.charges.len().min(priced.adjustments.len()))
    }
}

impl LineTax {
    /// What `trato-pricing` knows of it, if it is a tax of the line.
    pub fn of_line(&self) -> Option<Tax> {
        let applied = self.applied.as_ref()?;
        let category = applied.category.of_line()?;
        let key = TaxKey { code: applied.tax.to_string().into(), category, rate: applied.percent };
        let reason = category.needs_reason().then(|| applied.legal_note.as_str().into());
        Some(Tax { key, reason })
    }

    /// What `trato-pricing` knows of it, if it is withheld.
    pub fn withheld(&self) -> Option<Withholding> {
        let applied = self.applied.as_ref()?;
        if applied.category.of_line().is_some() {
            return None;
        }
        Some(Withholding { code: applied.tax.to_string().into(), rate: applied.percent })
    }
}
