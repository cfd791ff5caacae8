//! Payments of which nobody knows for too long what became of them, for the alarm: counted every minute over all tenants, and told
//! by the process that counted last.

use std::time::Duration;

use trato_platform::{
    App,
    db::{Database, from_sqlx},
    telemetry::metrics::metrics,
};
use trato_types::{Result, Timestamp, id::Collection as _, time::to_microseconds};

use super::model::Payment;

/// Name of the job.
pub const NAME: &str = "count-unsettled-payments";
/// Time from one run to the next.
pub const PERIOD: Duration = Duration::from_secs(60);
/// How long a count holds: another process may count next, and this one must not go on telling what it knew.
const VALID: Duration = Duration::from_secs(180);
/// Days that a payment may be under way, counted from the day it is meant for: a transfer over a weekend, a direct debit.
const PENDING_DAYS: i64 = 5;
/// Days within which somebody finds out what became of one.
const UNKNOWN_DAYS: i64 = 1;

/// One run of the job.
pub async fn run(app: App) -> Result<()> {
    let counts = count_at(&app.database, to_microseconds(chrono::Utc::now())).await?;
    let collection = Payment::COLLECTION;
    metrics().resources_overdue(collection, &counts, VALID);
    Ok(())
}

/// How many payments of all tenants are unsettled past their time, by state.
pub async fn count_at(database: &Database, now: Timestamp) -> Result<Vec<(String, i64)>> {
    let mut connection = database.system.begin().await.map_err(from_sqlx)?;
    let counts = sqlx::query_as(
        "select state, count(*)
         from payment
         where (state = 'PENDING' and update_time < $1 and (date is null or date < $1::date))
           or (state = 'UNKNOWN' and update_time < $2)
         group by state
         order by state",
    )
    .bind(now - chrono::Duration::days(PENDING_DAYS))
    .bind(now - chrono::Duration::days(UNKNOWN_DAYS))
    .fetch_all(&mut connection)
    .await
    .map_err(from_sqlx)?;
    connection.roll_back().await.map_err(from_sqlx)?;
    Ok(counts)
}
