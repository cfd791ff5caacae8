//! How number series are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{choice_column, columns, db::Constraint};
use trato_query::{Field, boolean, choice, text};
use trato_types::{Kind, numbering::Period};

use super::model::{DocumentKind, NumberSeries};

columns!(NumberSeries { display_name, document_kind, prefix, period, padding, is_default });

choice_column!(DocumentKind {
    Quote = "QUOTE",
    Order = "ORDER",
    DeliveryNote = "DELIVERY_NOTE",
    Return = "RETURN",
});

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    text("display_name").sortable().searchable(),
    choice("document_kind", DocumentKind::NAMES),
    text("prefix"),
    choice("period", Period::NAMES),
    boolean("is_default"),
];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::taken("number_series_prefix_key", "SERIES_PREFIX_TAKEN", "another series has this prefix"),
    Constraint::taken(
        "number_series_prefix_ambiguous",
        "SERIES_PREFIX_AMBIGUOUS",
        "another series would come to give the same number",
    ),
    Constraint::taken(
        "number_series_is_default_key",
        "DEFAULT_TAKEN",
        "another series is the default of the kind of document",
    ),
    Constraint {
        name: "number_series_in_use",
        kind: Kind::Precondition,
        reason: "SERIES_IN_USE",
        message: "the series has given numbers",
    },
];
