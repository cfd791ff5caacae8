//! What an address is and when it is one. Pure.

use serde::{Deserialize, Serialize};
use trato_types::error::FieldError;

/// Where a company or a person is. Each part may be empty, but not all of them.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Address {
    /// Street and the like, at most `MAX_LINES`; empty ones were left out.
    pub lines: Vec<String>,
    /// Town.
    pub locality: String,
    /// State or province.
    pub region: String,
    /// Postal code.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2, or empty.
    pub country_code: String,
}

/// Most lines of an address.
pub const MAX_LINES: usize = 5;

/// Why a part of an address was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AddressError {
    /// Not two capital letters.
    #[error("must be two capital letters (ISO 3166-1 alpha-2)")]
    CountryCode,
}

impl FieldError for AddressError {
    fn reason(&self) -> &'static str {
        match self {
            Self::CountryCode => "INVALID_COUNTRY_CODE",
        }
    }
}

impl Address {
    /// True when nothing is known, which is no address.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Checks a country code; the empty text is none. Whether the country exists is not asked: the list changes.
pub fn country_code(text: &str) -> Result<String, AddressError> {
    match text.as_bytes() {
        [] => Ok(String::new()),
        [a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Ok(text.to_owned()),
        _ => Err(AddressError::CountryCode),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_two_capital_letters_or_none() {
        assert_eq!(country_code("ES"), Ok("ES".to_owned()));
        assert_eq!(country_code(""), Ok(String::new()));
        for wrong in ["es", "ESP", "E", "E1", "Ñ", " ES"] {
            assert_eq!(country_code(wrong), Err(AddressError::CountryCode), "{wrong:?}");
        }
    }

    #[test]
    fn an_address_without_content_is_empty() {
        assert!(Address::default().is_empty());
        assert!(!Address { country_code: "ES".to_owned(), ..Address::default() }.is_empty());
    }
}
