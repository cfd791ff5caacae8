//! How far a series has come: the one row that all issuers of a series wait for, for as short a time as can be.

use trato_platform::db::{Constraint, Tx, constrained, from_sqlx};
use trato_types::{Date, Error, Id, Result};

use crate::{chain::Hash, number_series::NumberSeries};

const CONSTRAINTS: &[Constraint] = &[Constraint::missing(
    "series_counter_series_living",
    "SERIES_NOT_FOUND",
    "there is no such number series",
)];

/// A number that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Period of the series.
    pub period: String,
    /// Place in the period, from 1.
    pub ordinal: i64,
    /// Day of issue: never before that of the number before it.
    pub issue_date: Date,
    /// Hash of the document that has the number before it; none before the first, and in a plain series.
    pub previous_hash: Option<Hash>,
}

/// Takes the next number of a period. The row stays locked until the transaction ends, so this comes last of what can be
/// waited for.
pub async fn take(tx: &mut Tx, series: Id<NumberSeries>, period: String, today: Date) -> Result<Taken> {
    let tenant = tx.cx().tenant;
    let (ordinal, hash, issue_date): (i64, Option<Vec<u8>>, Date) =
        sqlx::query_as(include_str!("../sql/take_number.sql"))
            .bind(tenant)
            .bind(series.uuid())
            .bind(&period)
            .bind(today)
            .fetch_one(tx.connection())
            .await
            .map_err(|error| constrained(error, CONSTRAINTS))?;
    let previous_hash = hash.map(Hash::try_from).transpose()?;
    Ok(Taken { period, ordinal, issue_date, previous_hash })
}

/// Makes the hash of the document that took the last number what the next one follows on. Once only for each number.
pub async fn seal(tx: &mut Tx, series: Id<NumberSeries>, period: &str, hash: Hash) -> Result<()> {
    let tenant = tx.cx().tenant;
    let done = sqlx::query(
        "update series_counter set last_hash = $4 where tenant_id = $1 and series = $2 and period = $3",
    )
    .bind(tenant)
    .bind(series.uuid())
    .bind(period)
    .bind(hash.0.to_vec())
    .execute(tx.connection())
    .await
    .map_err(from_sqlx)?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::internal("the series has no counter")) }
}
