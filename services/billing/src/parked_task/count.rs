//! How much is parked, for the alarm: counted every minute over all tenants, and told by the process that counted last.

use std::time::Duration;

use trato_platform::{App, db::from_sqlx, telemetry::metrics::metrics};
use trato_types::Result;

/// Name of the job.
pub const NAME: &str = "count-parked-tasks";
/// Time from one run to the next.
pub const PERIOD: Duration = Duration::from_secs(60);
/// How long a count holds: another process may count next, and this one must not go on telling what it knew.
const VALID: Duration = Duration::from_secs(180);

/// One run of the job.
pub async fn run(app: App) -> Result<()> {
    let mut connection = app.database.system.begin().await.map_err(from_sqlx)?;
    let counts: Vec<(String, String, i64)> = sqlx::query_as(
        "select kind, reason, count(*)
         from parked_task
         where state = 'PARKED'
         group by kind, reason
         order by kind, reason
         limit 1000",
    )
    .fetch_all(&mut connection)
    .await
    .map_err(from_sqlx)?;
    connection.roll_back().await.map_err(from_sqlx)?;
    metrics().tasks_parked(&counts, VALID);
    Ok(())
}
