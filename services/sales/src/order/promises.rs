//! Promised days that pass while something has not arrived: found by a job, told once for each line.

use std::{sync::OnceLock, time::Duration};

use chrono::TimeDelta;
use trato_platform::{
    App,
    db::{Database, Facts, NewEvent, Tx, from_sqlx, statement::Statements},
    telemetry::propagate::traced,
};
use trato_types::{Context, Date, Id, Result, Timestamp, time::to_microseconds};
use uuid::Uuid;

use super::{model::Order, render::render_broken};

/// Name of the job.
pub const JOB: &str = "find-broken-promises";
/// Time between two runs: a day that is over is told within it.
pub const PERIOD: Duration = Duration::from_secs(300);
/// Hours after the end of a day, in UTC, until it is told: what arrived in time is recorded in them.
const GRACE_HOURS: i64 = 12;
/// Most orders that one run tells of; the next run tells of the others.
const MOST: i64 = 1_000;

/// One run of the job.
pub async fn watch_promises(app: App) -> Result<()> {
    break_promises(&app.database, to_microseconds(chrono::Utc::now())).await.map(drop)
}

/// Tells of every line whose promised day is over at a time, in UTC and by the hours of grace, and that has not all arrived;
/// answers of how many orders.
pub async fn break_promises(database: &Database, now: Timestamp) -> Result<usize> {
    static STATEMENTS: OnceLock<Statements> = OnceLock::new();
    let statements = STATEMENTS.get_or_init(Statements::of::<Order>);
    let due: Vec<(Uuid, Uuid)> = sqlx::query_as(include_str!("../../sql/find_broken_promises.sql"))
        .bind(judged_day(now))
        .bind(MOST)
        .fetch_all(&database.system)
        .await
        .map_err(from_sqlx)?;
    let (mut count, mut outcome) = (0, Ok(()));
    for (tenant, order) in due {
        // One that fails holds none of the others up; the run has failed then, and is repeated.
        match tell(database, statements, tenant, Id::from_uuid(order), now).await {
            Ok(is_told) => count += usize::from(is_told),
            Err(error) => outcome = outcome.and(Err(error)),
        }
    }
    outcome.map(|()| count)
}

/// The day before which everything that was promised should have arrived, and been recorded.
fn judged_day(now: Timestamp) -> Date {
    (now - TimeDelta::hours(GRACE_HOURS)).date_naive()
}

async fn tell(
    database: &Database,
    statements: &Statements,
    tenant: Uuid,
    order: Id<Order>,
    now: Timestamp,
) -> Result<bool> {
    let cx = traced(Context::of_system(tenant, JOB, now));
    let mut tx = Tx::of(database, &cx).await?;
    let before = tx.lock::<Order>(statements, &order.name()).await?;
    let mut value = before.value.clone();
    let broken = value.break_promises(judged_day(now));
    // Somebody may have delivered it meanwhile.
    if broken.is_empty() {
        tx.roll_back().await?;
        return Ok(false);
    }
    let after = before.next(&cx, value);
    let facts = Facts::of(&render_broken(&after.value, &broken));
    let event = NewEvent::with_facts(&cx, "promise_broken", Some(&before), &after, facts);
    tx.save(statements, &after, event).await?;
    tx.commit().await?;
    Ok(true)
}
