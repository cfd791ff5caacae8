//! How number series are stored: columns, fields to filter by, the constraints that speak to clients, and how far each has
//! come.

use trato_platform::{
    choice_column, columns,
    db::{Constraint, Database, from_sqlx, recorded},
};
use trato_query::{Field, boolean, choice, reference, text};
use trato_types::{Context, Kind, Result, numbering::Period};
use uuid::Uuid;

use super::model::{DocumentKind, NumberSeries};

columns!(NumberSeries { display_name, legal_entity, document_kind, prefix, period, padding, gap_free });

choice_column!(DocumentKind { Invoice = "INVOICE", CreditNote = "CREDIT_NOTE" });

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    text("display_name").sortable().searchable(),
    reference("legal_entity", "legalEntities"),
    choice("document_kind", DocumentKind::NAMES),
    text("prefix"),
    choice("period", Period::NAMES),
    boolean("gap_free"),
];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::taken(
        "number_series_prefix_key",
        "SERIES_PREFIX_TAKEN",
        "another series of the legal entity has this prefix",
    ),
    Constraint::taken(
        "number_series_prefix_ambiguous",
        "SERIES_PREFIX_AMBIGUOUS",
        "another series of the legal entity would come to give the same number",
    ),
    Constraint::missing(
        "number_series_legal_entity_living",
        "LEGAL_ENTITY_NOT_FOUND",
        "there is no such legal entity",
    ),
    Constraint {
        name: "number_series_in_use",
        kind: Kind::Precondition,
        reason: "SERIES_IN_USE",
        message: "the series has given numbers",
    },
];

/// Place of the last number that a series has given in a period; 0 before the first.
pub async fn last_ordinal(database: &Database, cx: &Context, series: Uuid, period: &str) -> Result<i64> {
    let read = async {
        let row: Option<(i64,)> = sqlx::query_as(include_str!("../../sql/read_last_ordinal.sql"))
            .bind(cx.tenant.to_string())
            .bind(series)
            .bind(period)
            .fetch_optional(&database.pool)
            .await
            .map_err(from_sqlx)?;
        Ok(row.map_or(0, |(last,)| last))
    };
    recorded(cx, "select", "series_counter", read).await
}
