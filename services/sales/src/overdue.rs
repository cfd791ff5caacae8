//! What is overdue: found by the clock, whoever's it is, and changed in the name of a job.
//!
//! A run takes what is due in batches, each of one tenant in one transaction with its events. What somebody holds at this
//! moment is left to the next run, and what another run has taken is not taken again.

use std::collections::BTreeMap;

use sqlx::{Arguments as _, postgres::PgArguments};
use trato_platform::{
    db::{
        Database, NewEvent, Record, Resource, Tx, from_sqlx,
        statement::{Statements, bind_scope},
    },
    telemetry::propagate::traced,
};
use trato_types::{Context, Error, Result, Timestamp};
use uuid::Uuid;

/// Most resources of one batch.
const BATCH: i64 = 500;

/// How resources that are overdue are found.
pub struct Overdue {
    /// Name of the job.
    pub job: &'static str,
    /// Statements of the resource.
    pub statements: &'static Statements,
    /// Finds tenant and identifier of those that are due at `$1`, those of a tenant together; at most `$2`.
    pub find: &'static str,
    /// Locks those of the resources `$2` of tenant `$1` that are still due at `$3`, but those that somebody holds; answers
    /// their identifiers.
    pub lock: &'static str,
    /// At which time they are due.
    pub at: Timestamp,
}

/// What becomes of a resource, and the event that tells of it; nothing where it is not due after all.
pub type Change<T> = Option<(Record<T>, NewEvent)>;

impl Overdue {
    /// Changes all that is due, at this moment; answers how much that was.
    pub async fn change_all<T: Resource>(
        &self,
        database: &Database,
        now: Timestamp,
        change: impl Fn(&Context, &Record<T>) -> Change<T> + Send + Sync,
    ) -> Result<usize> {
        let (mut changed, mut outcome) = (0, Ok(()));
        loop {
            let due = self.find_due(database).await?;
            let found: usize = due.values().map(Vec::len).sum();
            let mut done = 0;
            for (tenant, ids) in due {
                let cx = traced(Context::of_system(tenant, self.job, now));
                // A tenant that fails holds none of the others up; the run has failed then, and is repeated.
                match self.change_of(database, &cx, ids, &change).await {
                    Ok(count) => done += count,
                    Err(error) => outcome = outcome.and(Err(error)),
                }
            }
            changed += done;
            // What somebody holds is found again and again; the next run looks at it.
            if done < found || found == 0 {
                return outcome.map(|()| changed);
            }
        }
    }

    async fn find_due(&self, database: &Database) -> Result<BTreeMap<Uuid, Vec<Uuid>>> {
        let mut connection = database.system.begin().await.map_err(from_sqlx)?;
        let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(self.find)
            .bind(self.at)
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

    async fn change_of<T: Resource>(
        &self,
        database: &Database,
        cx: &Context,
        ids: Vec<Uuid>,
        change: &(impl Fn(&Context, &Record<T>) -> Change<T> + Send + Sync),
    ) -> Result<usize> {
        let mut tx = Tx::of(database, cx).await?;
        let locked: Vec<Uuid> = sqlx::query_scalar(self.lock)
            .bind(cx.tenant)
            .bind(ids)
            .bind(self.at)
            .fetch_all(tx.connection())
            .await
            .map_err(from_sqlx)?;
        let before = read::<T>(&mut tx, self.statements, locked).await?;
        let (records, events): (Vec<_>, Vec<_>) =
            before.iter().filter_map(|before| change(cx, before)).unzip();
        if !records.is_empty() {
            tx.save_all(self.statements, &records.iter().collect::<Vec<_>>(), events).await?;
        }
        tx.commit().await?;
        Ok(records.len())
    }
}

/// Reads locked records, in no order.
async fn read<T: Resource>(tx: &mut Tx, statements: &Statements, ids: Vec<Uuid>) -> Result<Vec<Record<T>>> {
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
