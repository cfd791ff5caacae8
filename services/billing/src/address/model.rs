//! What an address is and when it is one. Pure.

use serde::{Deserialize, Serialize};

use crate::fields::{self, FormError};

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

impl Address {
    /// True when nothing is known, which is no address.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Checks a country code; the empty text is none.
pub fn country_code(text: &str) -> Result<String, FormError> {
    if text.is_empty() { Ok(String::new()) } else { fields::country_code(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_two_capital_letters_or_none() {
        assert_eq!(country_code("ES"), Ok("ES".to_owned()));
        assert_eq!(country_code(""), Ok(String::new()));
        assert_eq!(country_code("es"), Err(FormError::CountryCode));
    }

    #[test]
    fn an_address_without_content_is_empty() {
        assert!(Address::default().is_empty());
        assert!(!Address { country_code: "ES".to_owned(), ..Address::default() }.is_empty());
    }
}
