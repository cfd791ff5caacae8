//! Takes numbers: the one row that all who number by a series wait for, for as short a time as can be.

use sqlx::Row as _;
use trato_platform::db::{Columns as _, Constraint, Tx, constrained, from_sqlx};
use trato_types::{Date, Error, Id, Result, error::FieldError as _};

use super::model::{DocumentKind, NumberSeries, SeriesError};

const CONSTRAINTS: &[Constraint] = &[Constraint::missing(
    "series_counter_series_living",
    "SERIES_NOT_FOUND",
    "there is no such number series",
)];

/// A number that a document got.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbered {
    /// The series.
    pub number_series: Id<NumberSeries>,
    /// As it stands on the document.
    pub number: String,
    /// Day of the document: a later number has no earlier day, however its transaction and its clock went.
    pub day: Date,
}

/// Takes the next number for a document of this kind and day: of the series that is named, or, where the name is
/// empty, of the one that is the default. The counter stays locked until the transaction ends, so this comes last of what can
/// be waited for; what takes a number asks for a `request_id`, so that an answer that got lost costs no second one.
///
/// FAILED_PRECONDITION `SERIES_MISSING`, `SERIES_NOT_FOUND` or `SERIES_UNSUITED`.
pub async fn take(tx: &mut Tx, kind: DocumentKind, named: &str, day: Date) -> Result<Numbered> {
    let named = Id::parse_optional(named)
        .map_err(|error| Error::invalid("number_series", error.reason(), error.to_string()))?;
    let (id, series) = find(tx, kind, named).await?;
    if series.document_kind != kind {
        return Err(Error::from(SeriesError::Unsuited).with("number_series", id.name()));
    }
    let period = series.period.of(Some(day))?;
    let tenant = tx.cx().tenant;
    let (ordinal, day): (i64, Date) = sqlx::query_as(include_str!("../../sql/take_number.sql"))
        .bind(tenant)
        .bind(id.uuid())
        .bind(&period)
        .bind(day)
        .fetch_one(tx.connection())
        .await
        .map_err(|error| constrained(error, CONSTRAINTS))?;
    let number = series.prefix.number(&period, series.padding, ordinal);
    Ok(Numbered { number_series: id, number, day })
}

async fn find(
    tx: &mut Tx,
    kind: DocumentKind,
    named: Option<Id<NumberSeries>>,
) -> Result<(Id<NumberSeries>, NumberSeries)> {
    let tenant = tx.cx().tenant;
    let row = sqlx::query(include_str!("../../sql/find_number_series.sql"))
        .bind(tenant)
        .bind(named.map(Id::uuid))
        .bind(kind.as_str())
        .fetch_optional(tx.connection())
        .await
        .map_err(from_sqlx)?;
    let row = row.ok_or_else(|| match named {
        Some(named) => Error::from(SeriesError::NotFound).with("number_series", named.name()),
        None => Error::from(SeriesError::Missing(kind)).with("document_kind", kind.as_str()),
    })?;
    Ok((Id::from_uuid(row.try_get(0).map_err(from_sqlx)?), NumberSeries::read(&row, 1)?))
}
