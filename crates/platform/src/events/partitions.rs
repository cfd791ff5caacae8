//! Upkeep of the log, the inbox, the access records and the requests: partitions ahead of time, and what may be forgotten,
//! a batch or a month at a time.

use std::{sync::Arc, time::Duration};

use futures::FutureExt as _;
use sqlx::Row as _;
use trato_types::{Result, Timestamp};

use super::relay;
use crate::{
    App, Job,
    db::{Pool, from_sqlx},
};

/// Rows looked at or deleted by one statement: short enough that nobody waits for it.
const BATCH: i64 = 2_000;

/// The platform's own periodic work.
pub fn jobs() -> Vec<Job> {
    vec![
        job("extend-partitions", 12, |app| async move {
            let months = app.settings().events.partitions_ahead_months;
            extend(&app.database.system, "event", months).await?;
            extend(&app.database.system, "access_record", months).await.map(|_| ())
        }),
        job("forget-old-events", 6, |app| async move {
            let before = days_ago(app.settings().events.retention_days);
            forget_events(&app.database.system, before).await?;
            forget_inbox(&app.database.system, before).await.map(|_| ())
        }),
        job("forget-old-access-records", 6, |app| async move {
            let before = days_ago(app.settings().access.retention_days);
            forget_access_records(&app.database.system, before).await.map(|_| ())
        }),
        job("forget-old-requests", 1, |app| async move {
            let before = days_ago(app.settings().requests.retention_days);
            forget_requests(&app.database.system, before).await.map(|_| ())
        }),
    ]
}

fn job<F>(name: &'static str, hours: u64, run: impl Fn(App) -> F + Send + Sync + 'static) -> Job
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    Job { name, period: Duration::from_secs(hours * 3_600), run: Arc::new(move |app: App| run(app).boxed()) }
}

fn days_ago(days: u32) -> Timestamp {
    super::now() - chrono::Duration::days(i64::from(days))
}

/// Makes the partitions of a table of the schema `platform`, for this month and `months` ahead; answers how many were new.
pub async fn extend(system: &Pool, parent: &str, months: u32) -> Result<i32> {
    let made: i32 = sqlx::query_scalar("select platform.extend_partitions($1, $2)")
        .bind(parent)
        .bind(i32::try_from(months).unwrap_or(24))
        .fetch_one(system)
        .await
        .map_err(from_sqlx)?;
    if made > 0 {
        tracing::info!(parent, made, "platform.{parent} has {made} new partitions");
    }
    Ok(made)
}

/// Deletes published events recorded before `before`, but keeps the newest of each aggregate that is not deleted: read
/// models can still be made anew. Answers how many went.
pub async fn forget_events(system: &Pool, before: Timestamp) -> Result<u64> {
    let mut position = 0_i64;
    let mut gone = 0;
    loop {
        let row = sqlx::query(include_str!("../../sql/delete_old_events.sql"))
            .bind(before)
            .bind(position)
            .bind(BATCH)
            .bind(relay::LEASE)
            .fetch_one(system)
            .await
            .map_err(from_sqlx)?;
        let last: Option<i64> = row.try_get("last").map_err(from_sqlx)?;
        gone += row.try_get::<i64, _>("gone").map_err(from_sqlx)?.unsigned_abs();
        match last {
            Some(last) => position = last,
            None => break,
        }
    }
    if gone > 0 {
        tracing::info!(gone, "{gone} events recorded before {before} were forgotten");
    }
    Ok(gone)
}

/// Deletes what the inbox remembers of events that came in before `before` and are settled; parked ones stay.
pub async fn forget_inbox(system: &Pool, before: Timestamp) -> Result<u64> {
    let sql = "with old as (
                 select tenant_id, consumer, event_id
                 from platform.inbox
                 where state in ('DONE', 'DROPPED') and create_time < $1
                 order by create_time
                 limit $2
               )
               delete from platform.inbox inbox
               using old
               where inbox.tenant_id = old.tenant_id and inbox.consumer = old.consumer and inbox.event_id = old.event_id";
    delete_in_batches(system, sql, before).await
}

/// Drops the months of access records that had ended `before`; answers how many.
pub async fn forget_access_records(system: &Pool, before: Timestamp) -> Result<i32> {
    let gone: i32 = sqlx::query_scalar("select platform.forget_access_records($1)")
        .bind(before)
        .fetch_one(system)
        .await
        .map_err(from_sqlx)?;
    if gone > 0 {
        tracing::info!(gone, "{gone} months of access records that ended before {before} were dropped");
    }
    Ok(gone)
}

/// Deletes request ids stored before `before`.
pub async fn forget_requests(system: &Pool, before: Timestamp) -> Result<u64> {
    let sql = "with old as (
                 select tenant_id, actor, method, request_id
                 from platform.request
                 where create_time < $1
                 order by create_time
                 limit $2
               )
               delete from platform.request request
               using old
               where request.tenant_id = old.tenant_id and request.actor = old.actor
                 and request.method = old.method and request.request_id = old.request_id";
    delete_in_batches(system, sql, before).await
}

async fn delete_in_batches(system: &Pool, sql: &'static str, before: Timestamp) -> Result<u64> {
    let mut gone = 0;
    loop {
        let deleted = sqlx::query(sql)
            .bind(before)
            .bind(BATCH)
            .execute(system)
            .await
            .map_err(from_sqlx)?
            .rows_affected();
        gone += deleted;
        if deleted < BATCH.unsigned_abs() {
            return Ok(gone);
        }
    }
}
