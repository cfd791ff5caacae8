//! Promised days that pass while something has not arrived: found by a job, told once for each line.

use std::{sync::Arc, time::Duration};

use futures::{FutureExt as _, future::BoxFuture};
use trato_platform::{
    App,
    db::{Database, Facts, NewEvent, Tx, from_sqlx, statement::Statements},
};
use trato_types::{Actor, Context, Id, Result, Scope, Timestamp, time::to_microseconds};
use uuid::Uuid;

use super::{model::Order, render::render_broken};

/// Name of the job.
pub const JOB: &str = "find-broken-promises";
/// Time between two runs: a day that is over is told within it.
pub const PERIOD: Duration = Duration::from_secs(300);
/// Most orders that one run tells of; the next run tells of the others.
const MOST: i64 = 1_000;

/// The job: tells of every line whose promised day is over, in UTC, and that has not all arrived.
pub fn find_broken_promises() -> impl Fn(App) -> BoxFuture<'static, Result<()>> + Send + Sync + 'static {
    let statements = Statements::of::<Order>();
    move |app: App| async move { find(&app.database, &statements).await }.boxed()
}

async fn find(database: &Database, statements: &Statements) -> Result<()> {
    let now = to_microseconds(chrono::Utc::now());
    let due: Vec<(Uuid, Uuid)> = sqlx::query_as(include_str!("../../sql/find_broken_promises.sql"))
        .bind(now.date_naive())
        .bind(MOST)
        .fetch_all(&database.system)
        .await
        .map_err(from_sqlx)?;
    let mut outcome = Ok(());
    for (tenant, order) in due {
        // One that fails holds none of the others up; the run has failed then, and is repeated.
        let told = tell(database, statements, tenant, Id::from_uuid(order), now).await;
        outcome = outcome.and(told);
    }
    outcome
}

async fn tell(
    database: &Database,
    statements: &Statements,
    tenant: Uuid,
    order: Id<Order>,
    now: Timestamp,
) -> Result<()> {
    let cx = Context {
        tenant,
        actor: Actor::System(JOB.into()),
        scope: Scope::All,
        teams: Arc::default(),
        method: JOB.into(),
        now,
        traceparent: None,
        cause: None,
    };
    let mut tx = Tx::of(database, &cx).await?;
    let before = tx.lock::<Order>(statements, &order.name()).await?;
    let mut value = before.value.clone();
    let broken = value.break_promises(now.date_naive());
    // Somebody may have delivered it meanwhile.
    if broken.is_empty() {
        return tx.roll_back().await;
    }
    let after = before.next(&cx, value);
    let facts = Facts::of(&render_broken(&after.value, &broken));
    let event = NewEvent::with_facts(&cx, "promise_broken", Some(&before), &after, facts);
    tx.save(statements, &after, event).await?;
    tx.commit().await
}
