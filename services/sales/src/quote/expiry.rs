//! Expiry: quotes that are still sent after their last day, found by the clock.
//!
//! The days are those of UTC, as validity is. A run takes what is due in batches, each of one tenant in one transaction with its
//! events. Who is being accepted at this moment is left to the next run, and what another run has taken is not taken again.

use std::{collections::BTreeMap, time::Duration};

use sqlx::{Arguments as _, postgres::PgArguments};
use trato_platform::{
    App,
    db::{
        Database, Facts, NewEvent, Record, Tx, from_sqlx,
        statement::{Statements, bind_scope},
    },
};
use trato_types::{Context, Error, Result, Timestamp, time::to_microseconds};
use uuid::Uuid;

use super::model::Quote;

/// Name of the job.
pub const NAME: &str = "expire-quotes";
/// Time from one run to the next.
pub const PERIOD: Duration = Duration::from_secs(60);
/// Most quotes of one batch.
const BATCH: i64 = 500;

/// One run of the job.
pub async fn run(app: App) -> Result<()> {
    expire(&app.database, to_microseconds(chrono::Utc::now())).await.map(drop)
}

/// Lets everything expire that is due at a time, and answers how much that was.
pub async fn expire(database: &Database, now: Timestamp) -> Result<usize> {
    let statements = Statements::of::<Quote>();
    let (mut expired, mut outcome) = (0, Ok(()));
    loop {
        let due = find_due(database, now).await?;
        let found: usize = due.values().map(Vec::len).sum();
        let mut done = 0;
        for (tenant, ids) in due {
            // A tenant that fails holds none of the others up; the run has failed then, and is repeated.
            match expire_of(database, &statements, tenant, ids, now).await {
                Ok(count) => done += count,
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        expired += done;
        // What somebody holds is found again and again; the next run looks at it.
        if done < found || found == 0 {
            return outcome.map(|()| expired);
        }
    }
}

async fn find_due(database: &Database, now: Timestamp) -> Result<BTreeMap<Uuid, Vec<Uuid>>> {
    let mut connection = database.system.begin().await.map_err(from_sqlx)?;
    let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(include_str!("../../sql/find_expired_quotes.sql"))
        .bind(now.date_naive())
        .bind(BATCH)
        .fetch_all(&mut connection)
        .await
        .map_err(from_sqlx)?;
    connection.roll_back().await.map_err(from_sqlx)?;
    let mut due: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
    for (tenant, id) in rows {
        due.entry(tenant).or_default().push(id);
    }
    Ok(due)
}

async fn expire_of(
    database: &Database,
    statements: &Statements,
    tenant: Uuid,
    ids: Vec<Uuid>,
    now: Timestamp,
) -> Result<usize> {
    let cx = Context::of_system(tenant, NAME, now);
    let mut tx = Tx::of(database, &cx).await?;
    let locked: Vec<Uuid> = sqlx::query_scalar(include_str!("../../sql/lock_expired_quotes.sql"))
        .bind(tenant)
        .bind(ids)
        .bind(now.date_naive())
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    let (mut records, mut events) = (Vec::with_capacity(locked.len()), Vec::with_capacity(locked.len()));
    for before in read(&mut tx, statements, locked).await? {
        let mut quote = before.value.clone();
        if quote.expire(now).is_none() {
            continue;
        }
        let facts = Facts::of(&quote.expired()).at(quote.decision_time);
        let after = before.next(&cx, quote);
        events.push(NewEvent::with_facts(&cx, "expired", Some(&before), &after, facts));
        records.push(after);
    }
    if !records.is_empty() {
        tx.save_all(statements, &records.iter().collect::<Vec<_>>(), events).await?;
    }
    tx.commit().await?;
    Ok(records.len())
}

/// Reads locked records, in no order.
async fn read(tx: &mut Tx, statements: &Statements, ids: Vec<Uuid>) -> Result<Vec<Record<Quote>>> {
    let cx = tx.cx().clone();
    let mut arguments = PgArguments::default();
    arguments.add(cx.tenant.to_string()).map_err(Error::internal)?;
    arguments.add(ids).map_err(Error::internal)?;
    bind_scope(&cx, &mut arguments)?;
    let rows = sqlx::query_with(statements.get_many(cx.scope), arguments)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    rows.iter().map(Record::read).collect()
}
