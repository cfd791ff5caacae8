//! The run of each hour: every tenant that has a policy, or dunning to clear, as of today where its legal entities are.

use std::collections::HashSet;

use futures::{FutureExt as _, future::BoxFuture};
use trato_platform::{
    App,
    db::{Database, from_sqlx},
};
use trato_types::{Context, Error, Kind, Ref, Result, Timestamp, error::chain, time::to_microseconds};
use uuid::Uuid;

use super::run::{Asked, Runner};
use crate::parked_task::{Attempt, ParkedTask};

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
/// account is parked, and does not keep others from being done; nor does a tenant that fails, whose error is answered in the end.
pub async fn run_at(database: &Database, now: Timestamp) -> Result<usize> {
    let runner = Runner::new(database);
    let (mut count, mut failed) = (0, None);
    let mut after = None;
    loop {
        let tenants = find_tenants(database, after).await?;
        let Some(last) = tenants.last().copied() else { break };
        after = Some(last);
        for tenant in tenants {
            match run_of(&runner, tenant, now).await {
                Ok(outcomes) => count += outcomes,
                // No other tenant would fare better.
                Err(error) if is_away(&error) => return Err(error),
                Err(error) => {
                    let job = NAME;
                    tracing::warn!(job, %tenant, error = %chain(&error), "the job {job} failed for a tenant; others follow");
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
    /// Tries one account, as the job does.
    fn attempt<'a>(&'a self, cx: &'a Context, task: &'a ParkedTask) -> BoxFuture<'a, Result<()>> {
        async move {
            let account = Ref::parse(&task.subject).map_err(Error::internal)?;
            self.run_one(cx, account).await
        }
        .boxed()
    }
}

async fn run_of(runner: &Runner, tenant: Uuid, now: Timestamp) -> Result<usize> {
    let cx = Context::of_system(tenant, NAME, now);
    let mut asked = Asked { size: PAGE, ..Asked::default() };
    // What is parked later, by another run, is not this one's to finish.
    let parked = runner.parking.open(&cx).await?;
    let (mut count, mut left) = (0, HashSet::new());
    loop {
        let page = runner.run(&cx, &asked).await?;
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
            for account in parked.difference(&left) {
                runner.parking.finish(&cx, account).await?;
            }
            return Ok(count);
        }
    }
}

/// True where the database is away, or has nothing left to give. A conflict is one tenant's.
fn is_away(error: &Error) -> bool {
    let is_conflict = error.reason() == "DATABASE_CONFLICT";
    error.kind() == Kind::Unavailable && !is_conflict
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
