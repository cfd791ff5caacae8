//! Postal addresses. An address is a value: it has no name and no history.

use serde::{Deserialize, Serialize};

use crate::{Violations, error::FieldError, text::line};

/// Where a company or a person is. Each part may be empty, but not all of them.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Address {
    /// Street and the like, at most `MAX_LINES` of at most 200 characters; empty ones are left out.
    pub lines: Vec<String>,
    /// Town, at most 100 characters.
    pub locality: String,
    /// State or province, at most 100 characters.
    pub region: String,
    /// Postal code, at most 20 characters.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2, or empty.
    pub country_code: String,
}

impl Address {
    /// Most lines.
    pub const MAX_LINES: usize = 5;

    /// Takes an address as it was sent; violations name its parts below `field`. One without content is none.
    pub fn checked(sent: Option<Self>, field: &str, violations: &mut Violations) -> Option<Self> {
        let sent = sent?;
        let mut text = |part: &str, text: &str, max| {
            violations.keep(&format!("{field}.{part}"), line(text, max)).unwrap_or_default()
        };
        let mut lines = Vec::new();
        // A million lines may be a million faults.
        if sent.lines.len() <= Self::MAX_LINES {
            let texts = sent.lines.iter().enumerate();
            lines.extend(texts.map(|(index, line)| text(&format!("lines[{index}]"), line, 200)));
            lines.retain(|line| !line.is_empty());
        }
        let mut address = Self {
            lines,
            locality: text("locality", &sent.locality, 100),
            region: text("region", &sent.region, 100),
            postal_code: text("postal_code", &sent.postal_code, 20),
            country_code: String::new(),
        };
        if sent.lines.len() > Self::MAX_LINES {
            let message = format!("must have at most {} items", Self::MAX_LINES);
            violations.add(format!("{field}.lines"), "TOO_MANY", message);
        }
        if !sent.country_code.is_empty() {
            let country_code = country_code(&sent.country_code);
            address.country_code =
                violations.keep(&format!("{field}.country_code"), country_code).unwrap_or_default();
        }
        if address == Self::default() { None } else { Some(address) }
    }
}

/// A text that is no country code.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be two capital letters (ISO 3166-1 alpha-2)")]
pub struct CountryCodeError;

impl FieldError for CountryCodeError {
    fn reason(&self) -> &'static str {
        "INVALID_COUNTRY_CODE"
    }
}

/// Checks a country code. Whether the country exists is not asked: the list changes.
pub fn country_code(text: &str) -> Result<String, CountryCodeError> {
    match text.as_bytes() {
        [a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Ok(text.to_owned()),
        _ => Err(CountryCodeError),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(address: Address) -> (Option<Address>, Vec<(String, &'static str)>) {
        let mut violations = Violations::new();
        let address = Address::checked(Some(address), "address", &mut violations);
        let faults = violations.into_result::<()>(None).expect_err("a value is missing at least");
        let faults = faults.violations().iter().map(|one| (one.field.clone(), one.reason));
        (address, faults.collect())
    }

    #[test]
    fn a_country_is_two_capital_letters() {
        assert_eq!(country_code("ES"), Ok("ES".to_owned()));
        for wrong in ["", "es", "ESP", "E", "E1", "Ñ", " ES"] {
            assert_eq!(country_code(wrong), Err(CountryCodeError), "{wrong:?}");
        }
    }

    #[test]
    fn an_address_without_content_is_none() {
        let blank = Address { lines: vec![" ".to_owned()], ..Address::default() };
        let mut violations = Violations::new();
        assert_eq!(Address::checked(Some(blank), "address", &mut violations), None);
        assert_eq!(Address::checked(None, "address", &mut violations), None);
        assert!(violations.is_empty());
    }

    #[test]
    fn every_wrong_part_of_an_address_is_named() {
        let (_, faults) = checked(Address {
            lines: vec!["x".repeat(201)],
            locality: "x".repeat(101),
            region: "a\nb".to_owned(),
            postal_code: "x".repeat(21),
            country_code: "es".to_owned(),
        });
        let fields: Vec<_> = faults.iter().map(|(field, _)| field.as_str()).collect();
        let parts = ["lines[0]", "locality", "region", "postal_code", "country_code"];
        assert_eq!(fields, parts.map(|part| format!("address.{part}")));

        let many = Address { lines: vec!["a".to_owned(); Address::MAX_LINES + 1], ..Address::default() };
        assert_eq!(checked(many).1, [("address.lines".to_owned(), "TOO_MANY")]);
    }
}
