//! The run of each hour: every tenant that has a policy, or dunning to clear, as of today where its legal entities are.

use std::collections::HashSet;

use futures::{FutureExt as _, future::BoxFuture};
use trato_platform::{
    App,
    db::{Database, from_sqlx},
    telemetry::propagate::traced,
};
use trato_types::{Context, Error, Kind, Ref, Result, Timestamp, error::chain, time::to_microseconds};
use uuid::Uuid;

use super::run::{Asked, Runner, is_conflict};
use crate::parked_task::{Attempt, By, ParkedTask};

/// Name of the job.
pub const NAME: &str = "run-dunning";
/// Time from one run to the next: a day begins at another hour in each zone, and the run after it is soon enough.
pub const PERIOD: std::time::Duration = std::time::Duration::from_secs(3_600);
/// Accounts of a page.
const PAGE: usize = 500;
/// Tenants of a page.
const TENANTS: i64 = 500;

/// One run of the job.
pub async fn run(app: App) -> Result<()> {
    run_at(&app.database, to_microseconds(chrono::Utc::now())).await.map(drop)
}

/// Brings the dunning of all tenants to the day that it is at a time, and answers how many outcomes there were. What fails for an
/// account is parked, and does not keep others from being done; nor does a tenant that fails, which is parked as a whole. Both are
/// tried again by the next run. Only what could not be parked is answered in the end, so that the job is tried again sooner.
pub async fn run_at(database: &Database, now: Timestamp) -> Result<usize> {
    let runner = Runner::new(database);
    let (mut count, mut failed) = (0, None);
    let mut after = None;
    loop {
        let tenants = find_tenants(database, after).await?;
        let Some(last) = tenants.last().copied() else { break };
        after = Some(last);
        for tenant in tenants {
            let cx = traced(Context::of_system(tenant, NAME, now));
            match run_or_park(&runner, &cx).await {
                Ok(outcomes) => count += outcomes,
                // No other tenant would fare better.
                Err(error) if is_away(&error) => return Err(error),
                Err(error) => {
                    let job = NAME;
                    tracing::warn!(job, %tenant, error = %chain(&error), "that the job {job} failed for a tenant could not be parked; others follow");
                    failed.get_or_insert(error);
                }
            }
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(count),
    }
}

impl Attempt for Runner {
    /// Tries what is parked, as the job does: one account, or the whole tenant.
    fn attempt<'a>(&'a self, (cx, _): By<'a>, task: &'a ParkedTask) -> BoxFuture<'a, Result<()>> {
        async move {
            if task.subject == whole(cx) {
                return run_of(self, cx).await.map(drop);
            }
            let account = Ref::parse(&task.subject).map_err(Error::internal)?;
            self.run_one(cx, account).await
        }
        .boxed()
    }
}

/// Runs for a tenant, once more where somebody was in the way, and parks it as a whole where it fails all the same.
async fn run_or_park(runner: &Runner, cx: &Context) -> Result<usize> {
    let mut tried = run_of(runner, cx).await;
    if tried.as_ref().is_err_and(is_conflict) {
        tried = run_of(runner, cx).await;
    }
    match tried {
        Err(error) if !is_away(&error) => {
            // A defect is logged where it is parked.
            if error.kind() != Kind::Internal {
                let (job, tenant) = (NAME, cx.tenant);
                tracing::warn!(job, %tenant, error = %chain(&error), "the job {job} failed for a tenant and is parked; others follow");
            }
            runner.parking.park(cx, &whole(cx), &error).await.map(|()| 0)
        }
        tried => tried,
    }
}

/// What is parked when the run of a tenant fails, and not that of an account.
fn whole(cx: &Context) -> String {
    format!("tenants/{}", cx.tenant)
}

async fn run_of(runner: &Runner, cx: &Context) -> Result<usize> {
    let mut asked = Asked { size: PAGE, ..Asked::default() };
    // What is parked later, by another run, is not this one's to finish.
    let parked = runner.parking.open(cx).await?;
    let (mut count, mut left) = (0, HashSet::new());
    loop {
        let page = runner.run(cx, &asked).await?;
        for (account, done) in page.done {
            match done {
                Ok(outcomes) => count += outcomes.len(),
                Err(_) => {
                    left.insert(account.name());
                }
            }
        }
        left.extend(page.passed_over.iter().map(|account| account.name()));
        asked.after = page.next;
        if page.next.is_none() {
            // What was parked and did not fail now is done, or the account owes nothing any more.
            for subject in parked.difference(&left) {
                runner.parking.finish(cx, subject).await?;
            }
            return Ok(count);
        }
    }
}

/// True where the database is away, or has nothing left to give. A conflict is one tenant's.
fn is_away(error: &Error) -> bool {
    error.kind() == Kind::Unavailable && !is_conflict(error)
}

async fn find_tenants(database: &Database, after: Option<Uuid>) -> Result<Vec<Uuid>> {
    let mut connection = database.system.begin().await.map_err(from_sqlx)?;
    let tenants = sqlx::query_scalar(include_str!("../../sql/find_dunning_tenants.sql"))
        .bind(after)
        .bind(TENANTS)
        .bind(NAME)
        .fetch_all(&mut connection)
        .await
        .map_err(from_sqlx)?;
    connection.roll_back().await.map_err(from_sqlx)?;
    Ok(tenants)
}
