//! How far a series has come: the one row that all issuers of a series wait for, for as short a time as can be.

use trato_platform::db::{Tx, from_sqlx};
use trato_types::{Date, Id, Result};

use crate::{chain::Hash, number_series::NumberSeries};

/// A number that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Period of the series.
    pub period: String,
    /// Place in the period, from 1.
    pub ordinal: i64,
    /// Day of issue: never before that of the number before it.
    pub issue_date: Date,
    /// What the invoice follows on.
    pub previous_hash: Hash,
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
            .map_err(from_sqlx)?;
    let previous_hash = hash.and_then(|bytes| bytes.try_into().ok()).map_or(Hash::START, Hash);
    Ok(Taken { period, ordinal, issue_date, previous_hash })
}

/// Makes the hash of the invoice that took the last number what the next one follows on.
pub async fn seal(tx: &mut Tx, series: Id<NumberSeries>, period: &str, hash: Hash) -> Result<()> {
    let tenant = tx.cx().tenant;
    sqlx::query(
        "update series_counter set last_hash = $4 where tenant_id = $1 and series = $2 and period = $3",
    )
    .bind(tenant)
    .bind(series.uuid())
    .bind(period)
    .bind(hash.0.to_vec())
    .execute(tx.connection())
    .await
    .map_err(from_sqlx)?;
    Ok(())
}
