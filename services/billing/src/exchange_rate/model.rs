//! An exchange rate and what makes one valid.

use trato_types::{Currency, Date, Violations, id::Collection};

use crate::fields::Code;

/// What a unit of one currency was worth in another on a day. With day and pair, the origin is unique among the living.
#[derive(Clone, Debug, PartialEq)]
pub struct ExchangeRate {
    /// Day it is of.
    pub date: Date,
    /// Currency of which one unit is told the worth.
    pub from_currency_code: Currency,
    /// Currency it is told in.
    pub to_currency_code: Currency,
    /// Units of the second for one of the first.
    pub rate: Rate,
    /// Who says so.
    pub origin: Code,
}

impl Collection for ExchangeRate {
    const COLLECTION: &'static str = "exchangeRates";
}

/// The number of an exchange rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate(pub trato_pricing::ExchangeRate);

impl ExchangeRate {
    /// Notes a rate from a currency into itself.
    pub fn check(&self, violations: &mut Violations) {
        if self.from_currency_code == self.to_currency_code {
            violations.add("to_currency_code", "SAME_CURRENCY", "must be another currency");
        }
    }
}
