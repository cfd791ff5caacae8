//! A number series, its periods, and how its numbers are written.

use trato_types::{
    Date, DisplayName, Id, Result,
    id::Collection,
    numbering::{Period, Prefix},
};

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

impl NumberSeries {
    /// The period a day belongs to, as it stands in numbers: `2026`, or nothing where the series has no periods.
    /// INVALID_ARGUMENT `REQUIRED` when there are periods and no day.
    pub fn period_of(&self, date: Option<Date>) -> Result<String> {
        self.period.of(date)
    }

    /// The number of this place in a period, from 1, as it stands on the document: `F2026-0001`.
    pub fn number(&self, period: &str, ordinal: i64) -> String {
        self.prefix.number(period, self.padding, ordinal)
    }
}
