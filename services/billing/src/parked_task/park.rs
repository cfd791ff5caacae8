//! Parks what a job could not do, and notes that it was done after all: each in a transaction of its own, for that of the task
//! was rolled back.

use std::collections::HashSet;

use trato_platform::db::{
    Database, NewEvent, Record, Tx, from_sqlx,
    statement::{Statements, column_list},
};
use trato_types::{Context, Error, Kind, Result, error::chain};

use super::model::{ParkedTask, State};

/// Most parked tasks of a kind that are looked at in one run.
const MOST: i64 = 10_000;

/// Parks tasks of one kind.
#[derive(Clone, Debug)]
pub struct Parking {
    database: Database,
    statements: Statements,
    kind: &'static str,
}

/// True for a failure that is parked: trying again soon, without anybody's help, would not mend it. A database that is away
/// parks nothing; the job fails and is tried again. A statement that takes too long does so for what the task is about.
pub fn is_parked(error: &Error) -> bool {
    match error.kind() {
        Kind::Unavailable => false,
        Kind::DeadlineExceeded => error.reason() == "STATEMENT_TIMEOUT",
        _ => true,
    }
}

impl Parking {
    /// Parks tasks of the job of this name.
    pub fn new(database: &Database, kind: &'static str) -> Self {
        Self { database: database.clone(), statements: Statements::of::<ParkedTask>(), kind }
    }

    /// Notes that the task failed. One that is parked already counts one more try, at most once a day while the reason stays: each
    /// is a revision and an event. One that was given up for the same reason stays so.
    pub async fn park(&self, cx: &Context, subject: &str, error: &Error) -> Result<()> {
        if error.kind() == Kind::Internal {
            let (kind, tenant) = (self.kind, cx.tenant);
            tracing::error!(kind, %tenant, subject, error = %chain(error), "{kind} of {subject} failed and is parked");
        }
        let mut tx = Tx::of(&self.database, cx).await?;
        tx.take_turn("parked", &format!("{} {subject}", self.kind)).await?;
        match self.latest(&mut tx, subject).await? {
            Some(latest) if latest.value.is_given_up_for(error) => {}
            Some(latest) if latest.value.is_known_for(error, cx.now) => {}
            Some(latest) if latest.value.state == State::Parked => {
                let mut value = latest.value.clone();
                value.fail(error, cx.now)?;
                let after = latest.next(cx, value);
                let event = NewEvent::of(cx, "parked", Some(&latest), &after);
                tx.save(&self.statements, &after, event).await?;
            }
            _ => {
                let after = Record::new(cx, ParkedTask::new(self.kind, subject, error, cx.now), None);
                let event = NewEvent::of(cx, "parked", None, &after);
                tx.insert(&self.statements, &[&after], vec![event]).await?;
            }
        }
        tx.commit().await
    }

    /// The subjects of which a task is parked.
    pub async fn open(&self, cx: &Context) -> Result<HashSet<String>> {
        let mut tx = Tx::of(&self.database, cx).await?;
        let parked: Vec<String> = sqlx::query_scalar(
            "select subject from parked_task
             where tenant_id = $1 and kind = $2 and state = 'PARKED'
             order by subject
             limit $3",
        )
        .bind(cx.tenant)
        .bind(self.kind)
        .bind(MOST)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
        tx.roll_back().await?;
        Ok(parked.into_iter().collect())
    }

    /// Notes that the task of a subject is done, or that nothing is left of it to do. Nothing where none is parked.
    pub async fn finish(&self, cx: &Context, subject: &str) -> Result<()> {
        let mut tx = Tx::of(&self.database, cx).await?;
        tx.take_turn("parked", &format!("{} {subject}", self.kind)).await?;
        let parked = self.latest(&mut tx, subject).await?;
        let Some(before) = parked.filter(|task| task.value.state == State::Parked) else {
            return tx.roll_back().await;
        };
        let mut value = before.value.clone();
        value.finish(cx.now)?;
        let after = before.next(cx, value);
        let event = NewEvent::of(cx, "done", Some(&before), &after);
        tx.save(&self.statements, &after, event).await?;
        tx.commit().await
    }

    /// The task of a subject that was last parked, locked.
    async fn latest(&self, tx: &mut Tx, subject: &str) -> Result<Option<Record<ParkedTask>>> {
        let tenant = tx.cx().tenant;
        // Only names that the service itself lists.
        let sql = format!(
            "select {} from parked_task task
             where tenant_id = $1 and kind = $2 and subject = $3
             order by id desc
             limit 1
             for update",
            column_list::<ParkedTask>("task")
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(tenant)
            .bind(self.kind)
            .bind(subject)
            .fetch_optional(tx.connection())
            .await
            .map_err(from_sqlx)?;
        row.as_ref().map(Record::read).transpose()
    }
}
