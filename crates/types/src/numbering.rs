//! How the numbers of documents are written: a prefix, the period they count in, and the place in it.

use std::{fmt, str::FromStr};

use chrono::Datelike as _;

use crate::{
    error::{Error, FieldError, Result},
    time::Date,
};

/// When numbers begin again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Period {
    /// Never.
    None,
    /// With each year.
    Year,
}

impl Period {
    /// All names, as stored and filtered by.
    pub const NAMES: &'static [&'static str] = &["NONE", "YEAR"];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Year => "YEAR",
        }
    }

    /// The period of a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::None, Self::Year].into_iter().find(|period| period.as_str() == name)
    }

    /// The one that a day belongs to, as it stands in numbers: `2026`, or nothing where there are none. INVALID_ARGUMENT
    /// `REQUIRED` when there are periods and no day.
    pub fn of(self, date: Option<Date>) -> Result<String> {
        match (self, date) {
            (Self::None, _) => Ok(String::new()),
            (Self::Year, Some(date)) => Ok(format!("{:04}", date.year())),
            (Self::Year, None) => Err(Error::invalid("date", "REQUIRED", "the series has periods")),
        }
    }
}

/// What a number begins with: 1 to 20 letters, digits or `._/-`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Prefix(String);

impl Prefix {
    /// The number of this place in a period, from 1, as it stands on the document: `F2026-0001`. It has `padding` digits at
    /// least.
    pub fn number(&self, period: &str, padding: i32, ordinal: i64) -> String {
        let width = usize::try_from(padding).unwrap_or_default();
        let separator = if period.is_empty() { "" } else { "-" };
        format!("{}{period}{separator}{ordinal:0width$}", self.0)
    }
}

impl FromStr for Prefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
        if (1..=20).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PrefixError)
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no prefix.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be 1 to 20 letters, digits or ._/-")]
pub struct PrefixError;

impl FieldError for PrefixError {
    fn reason(&self) -> &'static str {
        "INVALID_PREFIX"
    }
}

/// A number of digits that is out of range.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be 0 to 12")]
pub struct PaddingError;

impl FieldError for PaddingError {
    fn reason(&self) -> &'static str {
        "OUT_OF_RANGE"
    }
}

/// Takes how many digits a number has at least: 0 to 12.
pub fn padding(number: i32) -> Result<i32, PaddingError> {
    if (0..=12).contains(&number) { Ok(number) } else { Err(PaddingError) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XTR-05: a number says its period, and has as many digits as it needs.
    #[test]
    fn a_number_is_prefix_period_and_place() {
        let prefix: Prefix = "F".parse().expect("a prefix");
        let day = Date::from_ymd_opt(2026, 11, 30);
        for (period, padding, ordinal, number) in [
            (Period::Year, 4, 1, "F2026-0001"),
            (Period::Year, 0, 12, "F2026-12"),
            (Period::None, 6, 12, "F000012"),
            (Period::None, 2, 12_345, "F12345"),
        ] {
            let period = period.of(day).expect("a period");
            assert_eq!(prefix.number(&period, padding, ordinal), number);
        }
    }

    #[test]
    fn a_series_with_periods_needs_a_day() {
        assert!(Period::Year.of(None).is_err());
        assert_eq!(Period::None.of(None).expect("no period"), "");
    }

    #[test]
    fn a_period_is_found_by_its_name() {
        for name in Period::NAMES {
            assert_eq!(Period::from_name(name).map(Period::as_str), Some(*name));
        }
        assert_eq!(Period::from_name("MONTH"), None);
    }

    #[test]
    fn a_prefix_is_letters_digits_and_signs_that_stand_in_numbers() {
        for right in ["F", "A/2", "INV-", &"x".repeat(20)] {
            assert!(right.parse::<Prefix>().is_ok(), "{right:?}");
        }
        for wrong in ["", " F", "F ", "ñ", "F\n", &"x".repeat(21)] {
            assert_eq!(wrong.parse::<Prefix>(), Err(PrefixError), "{wrong:?}");
        }
    }
}
