//! A number series.

use trato_types::{
    DisplayName, DomainError,
    id::Collection,
    numbering::{Period, Prefix},
};

/// Gives documents of one kind their numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct NumberSeries {
    /// What people call it.
    pub display_name: DisplayName,
    /// What it numbers.
    pub document_kind: DocumentKind,
    /// What each number begins with; unique among the living.
    pub prefix: Prefix,
    /// When the numbers begin again.
    pub period: Period,
    /// Digits a number has at least, 0 to 12.
    pub padding: i32,
    /// It numbers what names no series; one of a kind among the living.
    pub is_default: bool,
}

impl Collection for NumberSeries {
    const COLLECTION: &'static str = "salesNumberSeries";
}

/// Kind of document that is numbered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DocumentKind {
    /// Quotes.
    Quote,
    /// Orders.
    Order,
    /// Delivery notes.
    DeliveryNote,
    /// Returns.
    Return,
}

/// Why a document gets no number.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SeriesError {
    /// It names no series, and there is no default one of its kind.
    #[error("no number series is the default of {}; name one, or make one the default", .0.people())]
    Missing(DocumentKind),
    /// The series that is named is not there, or is deleted.
    #[error("there is no such number series")]
    NotFound,
    /// The series that is named is of another kind of document.
    #[error("the number series is of other documents")]
    Unsuited,
}

impl DomainError for SeriesError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Missing(_) => "SERIES_MISSING",
            Self::NotFound => "SERIES_NOT_FOUND",
            Self::Unsuited => "SERIES_UNSUITED",
        }
    }
}

impl DocumentKind {
    /// What people call documents of the kind.
    pub const fn people(self) -> &'static str {
        match self {
            Self::Quote => "quotes",
            Self::Order => "orders",
            Self::DeliveryNote => "delivery notes",
            Self::Return => "returns",
        }
    }
}
