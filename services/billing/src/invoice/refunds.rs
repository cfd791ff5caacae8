//! Refunds that are owed: of invoices that were paid and then credited. Where nobody gives the money back for days, the chain from
//! quote to cash stands still; they are counted for the alarm, over all tenants, and told by the process that counted last.

use std::time::Duration;

use trato_platform::{
    App,
    db::{Database, from_sqlx},
    telemetry::metrics::metrics,
};
use trato_types::{Result, Timestamp, time::to_microseconds};

/// Name of the job.
pub const NAME: &str = "count-owed-refunds";
/// Time from one run to the next: what stands still for days is soon enough told in minutes.
pub const PERIOD: Duration = Duration::from_secs(300);
/// How long a count holds: another process may count next, and this one must not go on telling what it knew.
const VALID: Duration = Duration::from_secs(900);
/// What the chain waits for.
const REFUND: &str = "REFUND";
/// Days without a change of the invoice, as long as chains stand still in sales unless it is set otherwise.
const DAYS: i64 = 3;

/// One run of the job.
pub async fn run(app: App) -> Result<()> {
    let count = count_at(&app.database, to_microseconds(chrono::Utc::now())).await?;
    let counts: Vec<_> = (count > 0).then(|| (REFUND.to_owned(), count)).into_iter().collect();
    metrics().chains_stalled(&counts, VALID);
    Ok(())
}

/// How many invoices of all tenants have owed a refund for too long at a time.
pub async fn count_at(database: &Database, now: Timestamp) -> Result<i64> {
    let mut connection = database.system.begin().await.map_err(from_sqlx)?;
    let count = sqlx::query_scalar("select count(*) from invoice where open < 0 and update_time < $1")
        .bind(now - chrono::Duration::days(DAYS))
        .fetch_one(&mut connection)
        .await
        .map_err(from_sqlx)?;
    connection.roll_back().await.map_err(from_sqlx)?;
    Ok(count)
}
