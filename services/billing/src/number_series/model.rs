//! A number series, its periods, and how its numbers are written.

use std::{fmt, str::FromStr};

use chrono::Datelike as _;
use trato_types::{Date, DisplayName, Error, Id, Result, error::FieldError, id::Collection};

use crate::legal_entity::LegalEntity;

/// Gives documents of one kind and legal entity their numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct NumberSeries {
    /// What people call it.
    pub display_name: DisplayName,
    /// Whose documents it numbers.
    pub legal_entity: Id<LegalEntity>,
    /// What it numbers.
    pub document_kind: DocumentKind,
    /// What each number begins with; unique among the living of the legal entity.
    pub prefix: Prefix,
    /// When the numbers begin again.
    pub period: Period,
    /// Digits a number has at least, 0 to 12.
    pub padding: i32,
    /// No number may be left out.
    pub gap_free: bool,
}

impl Collection for NumberSeries {
    const COLLECTION: &'static str = "numberSeries";
}

/// A number that a document got, and where it is in its series.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The series.
    pub number_series: Id<NumberSeries>,
    /// Period of the series.
    pub period: String,
    /// Place in the period, from 1.
    pub ordinal: i64,
    /// As it stands on the document.
    pub number: String,
    /// Day of issue.
    pub issue_date: Date,
}

/// Kind of document that is numbered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DocumentKind {
    /// Invoices.
    Invoice,
    /// Credit notes.
    CreditNote,
}

/// When the numbers begin again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Period {
    /// Never.
    None,
    /// With each year.
    Year,
}

impl NumberSeries {
    /// The period a day belongs to, as it stands in numbers: `2026`, or nothing where the series has no periods.
    /// INVALID_ARGUMENT `REQUIRED` when there are periods and no day.
    pub fn period_of(&self, date: Option<Date>) -> Result<String> {
        match (self.period, date) {
            (Period::None, _) => Ok(String::new()),
            (Period::Year, Some(date)) => Ok(format!("{:04}", date.year())),
            (Period::Year, None) => Err(Error::invalid("date", "REQUIRED", "the series has periods")),
        }
    }

    /// The number of this place in a period, from 1, as it stands on the document: `F2026-0001`.
    pub fn number(&self, period: &str, ordinal: i64) -> String {
        let width = usize::try_from(self.padding).unwrap_or_default();
        let separator = if period.is_empty() { "" } else { "-" };
        format!("{}{period}{separator}{ordinal:0width$}", self.prefix)
    }
}

/// What a number begins with: 1 to 20 letters, digits or `._/-`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Prefix(String);

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

/// Checks a number of digits.
pub fn padding(number: i32) -> Result<i32, PaddingError> {
    if (0..=12).contains(&number) { Ok(number) } else { Err(PaddingError) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(period: Period, padding: i32) -> NumberSeries {
        NumberSeries {
            display_name: "Invoices".parse().expect("a name"),
            legal_entity: Id::from_uuid(Default::default()),
            document_kind: DocumentKind::Invoice,
            prefix: "F".parse().expect("a prefix"),
            period,
            padding,
            gap_free: true,
        }
    }

    /// XTR-05: a number says its period, and has as many digits as it needs.
    #[test]
    fn a_number_is_prefix_period_and_place() {
        let day = Date::from_ymd_opt(2026, 11, 30);
        for (period, padding, ordinal, number) in [
            (Period::Year, 4, 1, "F2026-0001"),
            (Period::Year, 0, 12, "F2026-12"),
            (Period::None, 6, 12, "F000012"),
            (Period::None, 2, 12_345, "F12345"),
        ] {
            let series = series(period, padding);
            let period = series.period_of(day).expect("a period");
            assert_eq!(series.number(&period, ordinal), number);
        }
    }

    #[test]
    fn a_series_with_periods_needs_a_day() {
        assert!(series(Period::Year, 0).period_of(None).is_err());
        assert_eq!(series(Period::None, 0).period_of(None).expect("no period"), "");
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
