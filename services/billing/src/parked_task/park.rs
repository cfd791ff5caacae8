//! Parks what could not be done, and notes that it was done after all. What a job tried is noted in a transaction of its own, for
//! that of the task was rolled back; what a call brought, in the transaction of the call.

use std::collections::{HashMap, HashSet};

use trato_platform::db::{
    Database, NewEvent, Record, Tx, from_sqlx,
    statement::{Statements, column_list},
};
use trato_types::{Context, Error, Kind, Result, error::chain};

use super::model::{Asked, ParkedTask, State};
use crate::bank_statement::BankEntry;

/// Most parked tasks of a kind that are looked at in one run.
const MOST: i64 = 10_000;
/// Most tasks of a subject that are looked through for a request.
const LAST: i64 = 50;

/// Parks tasks of one kind.
#[derive(Clone, Debug)]
pub struct Parking {
    database: Database,
    statements: Statements,
    kind: &'static str,
}

/// Something that could not be done.
#[derive(Debug)]
pub struct Failure<'a> {
    /// What it was about.
    pub subject: &'a str,
    /// Why.
    pub error: &'a Error,
    /// The entry of a bank statement that it takes to try it again.
    pub bank_entry: Option<BankEntry>,
    /// The request that it takes to try it again.
    pub asked: Option<Asked>,
}

/// Tasks by their subjects: of each the one that was last parked, whatever became of it since. They are locked.
pub type Latest = HashMap<String, Record<ParkedTask>>;

/// True for a failure that is parked: trying again soon, without anybody's help, would not mend it. A database that is away
/// parks nothing; the job fails and is tried again. A statement that takes too long does so for what the task is about. What one may
/// not do is no failure of the task: somebody else may.
pub fn is_parked(error: &Error) -> bool {
    match error.kind() {
        Kind::Unavailable | Kind::Forbidden => false,
        Kind::DeadlineExceeded => error.reason() == "STATEMENT_TIMEOUT",
        _ => true,
    }
}

impl Parking {
    /// Parks tasks of the job, or of the call, of this name.
    pub fn new(database: &Database, kind: &'static str) -> Self {
        Self { database: database.clone(), statements: Statements::of::<ParkedTask>(), kind }
    }

    /// Notes that a task failed.
    pub async fn park(&self, cx: &Context, subject: &str, error: &Error) -> Result<()> {
        self.report(cx, subject, error);
        let mut tx = self.begin(cx, subject).await?;
        let latest = self.latest(&mut tx, vec![subject]).await?;
        let failure = Failure { subject, error, bank_entry: None, asked: None };
        self.note_failed(&mut tx, latest, vec![failure]).await?;
        tx.commit().await
    }

    /// Logs a defect that is parked: the task does not keep its cause.
    pub fn report(&self, cx: &Context, subject: &str, error: &Error) {
        if error.kind() == Kind::Internal {
            let (kind, tenant) = (self.kind, cx.tenant);
            tracing::error!(kind, %tenant, subject, error = %chain(error), "{kind} of {subject} failed and is parked");
        }
    }

    /// Begins a transaction that has the turn of a subject.
    pub async fn begin(&self, cx: &Context, subject: &str) -> Result<Tx> {
        let mut tx = Tx::of(&self.database, cx).await?;
        self.take_turn(&mut tx, subject).await?;
        Ok(tx)
    }

    /// Waits until nobody else parks or ends a task of the subject. Who has the turn waits for the subject's task, for nothing else
    /// of what is parked; a transaction that takes it does so after it has locked its documents and what they invoice, and before
    /// books and numbers.
    pub async fn take_turn(&self, tx: &mut Tx, subject: &str) -> Result<()> {
        tx.take_turn("parked", &format!("{} {subject}", self.kind)).await
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
        let mut tx = self.begin(cx, subject).await?;
        let latest = self.latest(&mut tx, vec![subject]).await?;
        self.note_done(&mut tx, latest.into_values().collect()).await?;
        tx.commit().await
    }

    /// The tasks of these subjects that were last parked. Who notes something of them has the turn of the subjects.
    pub async fn latest(&self, tx: &mut Tx, mut subjects: Vec<&str>) -> Result<Latest> {
        // Everybody locks in this order.
        subjects.sort_unstable();
        let tenant = tx.cx().tenant;
        // Only names that the service itself lists.
        let sql = format!(
            "select latest.*
             from unnest($3::text[]) as asked (subject)
             cross join lateral (
               select {} from parked_task task
               where task.tenant_id = $1 and task.kind = $2 and task.subject = asked.subject
               order by task.id desc
               limit 1
               for update
             ) as latest",
            column_list::<ParkedTask>("task")
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(tenant)
            .bind(self.kind)
            .bind(subjects)
            .fetch_all(tx.connection())
            .await
            .map_err(from_sqlx)?;
        let records = rows.iter().map(Record::<ParkedTask>::read);
        records.map(|record| record.map(|record| (record.value.subject.clone(), record))).collect()
    }

    /// The tasks of a subject, the last one first. They are not locked.
    pub async fn last(&self, tx: &mut Tx, subject: &str) -> Result<Vec<ParkedTask>> {
        let tenant = tx.cx().tenant;
        // Only names that the service itself lists.
        let sql = format!(
            "select {} from parked_task task
             where task.tenant_id = $1 and task.kind = $2 and task.subject = $3
             order by task.id desc
             limit $4",
            column_list::<ParkedTask>("task")
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(tenant)
            .bind(self.kind)
            .bind(subject)
            .bind(LAST)
            .fetch_all(tx.connection())
            .await
            .map_err(from_sqlx)?;
        rows.iter().map(|row| Record::<ParkedTask>::read(row).map(|record| record.value)).collect()
    }

    /// Notes that tasks failed, of each subject one, and answers the names of those that are parked then, by subject. One that is
    /// parked already counts one more try, at most once a day while the reason stays: each is a revision and an event; unless it is
    /// given a request, which is what is parked then. One that was given up for the same reason stays so, where no caller asks
    /// anew.
    pub async fn note_failed(
        &self,
        tx: &mut Tx,
        mut latest: Latest,
        failures: Vec<Failure<'_>>,
    ) -> Result<HashMap<String, String>> {
        let cx = &tx.cx().clone();
        let (mut names, mut new, mut again) = (HashMap::new(), Vec::new(), Vec::new());
        for Failure { subject, error, bank_entry, asked } in failures {
            let after = match latest.remove(subject) {
                Some(latest)
                    if latest.value.is_given_up_for(error) && !latest.value.is_asked_anew(asked.as_ref()) =>
                {
                    continue;
                }
                Some(latest) if latest.value.is_known_for(error, cx.now) && asked.is_none() => {
                    names.insert(subject.to_owned(), latest.name());
                    continue;
                }
                Some(latest) if latest.value.state == State::Parked => {
                    let mut value = latest.value.clone();
                    value.fail(error, cx.now)?;
                    value.asked = asked.or(value.asked);
                    let after = latest.next(cx, value);
                    again.push((NewEvent::of(cx, "parked", Some(&latest), &after), after.clone()));
                    after
                }
                _ => {
                    let task = ParkedTask::new(self.kind, subject, error, cx.now);
                    let after = Record::new(cx, ParkedTask { bank_entry, asked, ..task }, None);
                    new.push((NewEvent::of(cx, "parked", None, &after), after.clone()));
                    after
                }
            };
            names.insert(subject.to_owned(), after.name());
        }
        if !again.is_empty() {
            let (events, records): (Vec<_>, Vec<_>) = again.into_iter().unzip();
            tx.save_all(&self.statements, &records.iter().collect::<Vec<_>>(), events).await?;
        }
        if !new.is_empty() {
            let (events, records): (Vec<_>, Vec<_>) = new.into_iter().unzip();
            tx.insert(&self.statements, &records.iter().collect::<Vec<_>>(), events).await?;
        }
        Ok(names)
    }

    /// Notes of those that are parked that they are done.
    pub async fn note_done(&self, tx: &mut Tx, latest: Vec<Record<ParkedTask>>) -> Result<()> {
        let cx = &tx.cx().clone();
        let (mut events, mut records) = (Vec::new(), Vec::new());
        for before in latest.into_iter().filter(|task| task.value.state == State::Parked) {
            let mut value = before.value.clone();
            value.finish(cx.now)?;
            let after = before.next(cx, value);
            events.push(NewEvent::of(cx, "done", Some(&before), &after));
            records.push(after);
        }
        if records.is_empty() {
            return Ok(());
        }
        tx.save_all(&self.statements, &records.iter().collect::<Vec<_>>(), events).await
    }

    /// Those of these subjects of which the last task was given up.
    pub async fn given_up(&self, tx: &mut Tx, subjects: Vec<&str>) -> Result<HashSet<String>> {
        let tenant = tx.cx().tenant;
        let given_up: Vec<String> = sqlx::query_scalar(
            "select asked.subject
             from unnest($3::text[]) as asked (subject)
             cross join lateral (
               select task.state from parked_task task
               where task.tenant_id = $1 and task.kind = $2 and task.subject = asked.subject
               order by task.id desc
               limit 1
             ) as latest
             where latest.state = 'DROPPED'",
        )
        .bind(tenant)
        .bind(self.kind)
        .bind(subjects)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
        Ok(given_up.into_iter().collect())
    }
}
