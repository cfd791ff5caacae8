//! Fields that several resources of billing have: codes, countries, currencies and percentages. Pure.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use trato_pricing::{PricingError, Quantity};
use trato_types::{
    Currency,
    error::FieldError,
    money::MoneyError,
    text::{TextError, line},
};

/// What people call a thing in short: 1 to 40 letters, digits or `._-`, such as `ES-S`.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Code(String);

impl Code {
    /// Most characters.
    pub const MAX_LENGTH: usize = 40;
}

impl FromStr for Code {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        let text = text.trim();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(FormError::Code)
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a short text was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FormError {
    /// Not a code.
    #[error("must be 1 to 40 letters, digits or ._-")]
    Code,
    /// Not two capital letters.
    #[error("must be two capital letters (ISO 3166-1 alpha-2)")]
    CountryCode,
}

impl FieldError for FormError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Code => "INVALID_CODE",
            Self::CountryCode => "INVALID_COUNTRY_CODE",
        }
    }
}

/// Checks a country code. Whether the country exists is not asked: the list changes.
pub fn country_code(text: &str) -> Result<String, FormError> {
    match text.as_bytes() {
        [a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Ok(text.to_owned()),
        _ => Err(FormError::CountryCode),
    }
}

/// Checks a text of one line that must not be empty: at most `max` characters.
pub fn word(text: &str, max: usize) -> Result<String, TextError> {
    let text = line(text, max)?;
    if text.is_empty() { Err(TextError::Empty) } else { Ok(text) }
}

/// Checks that a quantity is more than zero.
pub fn positive(quantity: Quantity) -> Result<Quantity, PricingError> {
    if quantity > Quantity::ZERO { Ok(quantity) } else { Err(PricingError::NotPositive) }
}

/// Why a currency was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CurrencyError {
    /// Not three capital letters.
    #[error(transparent)]
    Form(#[from] MoneyError),
    /// None of the currencies that documents are made out in.
    #[error(transparent)]
    Unknown(PricingError),
}

impl FieldError for CurrencyError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Form(error) => error.reason(),
            Self::Unknown(error) => error.reason(),
        }
    }
}

/// Reads the code of a currency that exists.
pub fn currency(code: &str) -> Result<Currency, CurrencyError> {
    let currency = Currency::parse(code)?;
    if currency.exists() { Ok(currency) } else { Err(CurrencyError::Unknown(PricingError::UnknownCurrency)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_letters_digits_dots_dashes_and_underscores() {
        for right in ["ES-S", "30D", "v1.2_a", &"x".repeat(40)] {
            assert!(right.parse::<Code>().is_ok(), "{right:?}");
        }
        for wrong in ["", " ", "a b", "ñ", "a/b", "a\u{0}", &"x".repeat(41)] {
            assert_eq!(wrong.parse::<Code>(), Err(FormError::Code), "{wrong:?}");
        }
    }

    #[test]
    fn a_currency_must_exist() {
        assert_eq!(currency("EUR").map(|currency| currency.to_string()), Ok("EUR".to_owned()));
        assert_eq!(currency("eur").map_err(|error| error.reason()), Err("INVALID_CURRENCY"));
        assert_eq!(currency("ABC").map_err(|error| error.reason()), Err("UNKNOWN_CURRENCY"));
    }

    #[test]
    fn a_country_is_two_capital_letters() {
        assert_eq!(country_code("ES"), Ok("ES".to_owned()));
        for wrong in ["", "es", "ESP", "E1", "Ñ"] {
            assert_eq!(country_code(wrong), Err(FormError::CountryCode), "{wrong:?}");
        }
    }
}
