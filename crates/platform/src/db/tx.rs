//! A transaction of one tenant: for aggregates of several tables, and for the handlers of events.
//!
//! The events recorded are written last, just before the commit, and the relay is told after it.

use std::sync::Arc;

use sqlx::{Arguments as _, postgres::PgArguments};
use tokio::sync::Notify;
use tracing::Instrument as _;
use trato_types::{Context, Error, Result};

use super::{
    Connection, Database, NewEvent, Pool, Record, RequestKey, Resource, constrained,
    event::{self, EVENT_COLUMNS},
    from_sqlx,
    span::Operation,
    statement::{self, Statements},
};

/// Work that is done whole or not at all. Dropped without `commit`, it leaves nothing behind.
pub struct Tx {
    connection: Connection,
    cx: Context,
    events: Vec<NewEvent>,
    wake: Option<Arc<Notify>>,
    /// The last statement was one of ours and succeeded, so that none before it failed: in a transaction that failed
    /// once, PostgreSQL refuses every statement.
    is_sound: bool,
}

impl Tx {
    /// Begins a transaction that sees and writes the context's tenant only.
    pub async fn begin(pool: &Pool, cx: &Context) -> Result<Self> {
        let operation = Operation::transaction(cx);
        let begun = async {
            let mut connection = pool.begin().await.map_err(from_sqlx)?;
            sqlx::query("select set_config('trato.tenant_id', $1, true)")
                .bind(cx.tenant.to_string())
                .execute(&mut connection)
                .await
                .map_err(from_sqlx)?;
            Ok::<_, Error>(connection)
        };
        let mut connection = match begun.instrument(operation.span()).await {
            Ok(connection) => connection,
            Err(error) => return operation.end(Err(error)),
        };
        connection.watch(operation);
        Ok(Self { connection, cx: cx.clone(), events: Vec::new(), wake: None, is_sound: true })
    }

    /// Begins a transaction whose commit wakes the relay.
    pub async fn of(database: &Database, cx: &Context) -> Result<Self> {
        let mut tx = Self::begin(&database.pool, cx).await?;
        tx.wake = Some(database.wake.clone());
        Ok(tx)
    }

    /// Who acts, for which tenant, and when.
    pub fn cx(&self) -> &Context {
        &self.cx
    }

    /// Puts another context in place, of the same tenant: the next event of a batch acts for another cause.
    pub fn set_cx(&mut self, cx: Context) {
        debug_assert_eq!(cx.tenant, self.cx.tenant);
        self.cx = cx;
    }

    /// The connection, for statements of a service's own.
    pub fn connection(&mut self) -> &mut Connection {
        self.is_sound = false;
        &mut self.connection
    }

    /// Waits until nobody else of the tenant has the turn of this kind and subject, and keeps it until the end: what is done in
    /// turn sees all that was done before it. For what no row stands for; a row is locked.
    pub async fn take_turn(&mut self, kind: &str, subject: &str) -> Result<()> {
        self.wait_for("select pg_advisory_xact_lock(hashtextextended($1, 0))", kind, subject).await
    }

    /// Keeps the turn of this kind and subject together with others who share it, until the end: who takes it waits for all of
    /// them, and they for him.
    pub async fn share_turn(&mut self, kind: &str, subject: &str) -> Result<()> {
        self.wait_for("select pg_advisory_xact_lock_shared(hashtextextended($1, 0))", kind, subject).await
    }

    async fn wait_for(&mut self, statement: &'static str, kind: &str, subject: &str) -> Result<()> {
        sqlx::query(statement)
            .bind(format!("{kind} {}{subject}", self.cx.tenant))
            .execute(self.connection())
            .await
            .map_err(from_sqlx)?;
        Ok(())
    }

    /// Reads a record the caller's scope admits and locks it until the end; NOT_FOUND for any other.
    pub async fn lock<T: Resource>(&mut self, statements: &Statements, name: &str) -> Result<Record<T>> {
        let mut arguments = PgArguments::default();
        arguments.add(self.cx.tenant).map_err(Error::internal)?;
        arguments.add(T::parse_name(name)?).map_err(Error::internal)?;
        statement::bind_scope(&self.cx, &mut arguments)?;
        let row = sqlx::query_with(statements.lock(self.cx.scope), arguments)
            .fetch_optional(self.connection())
            .await
            .map_err(from_sqlx)?;
        self.is_sound = true;
        Record::read(&row.ok_or_else(|| Error::not_found(name))?)
    }

    /// Stores the next revision of a locked record and its event.
    pub async fn save<T: Resource>(
        &mut self,
        statements: &Statements,
        record: &Record<T>,
        event: NewEvent,
    ) -> Result<()> {
        let stored = self.write(statements.save, &[record], vec![event]).await?;
        if stored.is_empty() { Err(Error::internal("a locked row changed")) } else { Ok(()) }
    }

    /// Stores the next revisions of locked records and their events, in one statement.
    pub async fn save_all<T: Resource>(
        &mut self,
        statements: &Statements,
        records: &[&Record<T>],
        events: Vec<NewEvent>,
    ) -> Result<()> {
        let stored = self.write(statements.save, records, events).await?;
        if stored.len() == records.len() { Ok(()) } else { Err(Error::internal("a locked row changed")) }
    }

    /// Stores new records and their events; answers which of the events were stored. A record whose external id is
    /// taken is left out.
    pub async fn insert<T: Resource>(
        &mut self,
        statements: &Statements,
        records: &[&Record<T>],
        events: Vec<NewEvent>,
    ) -> Result<Vec<uuid::Uuid>> {
        self.write(statements.insert, records, events).await
    }

    async fn write<T: Resource>(
        &mut self,
        sql: &'static str,
        records: &[&Record<T>],
        events: Vec<NewEvent>,
    ) -> Result<Vec<uuid::Uuid>> {
        let arguments = statement::bind_write(&self.cx, None, records, &events)?;
        let stored = sqlx::query_scalar_with(sql, arguments)
            .fetch_all(self.connection())
            .await
            .map_err(|error| constrained(error, T::CONSTRAINTS))?;
        self.is_sound = true;
        Ok(stored)
    }

    /// Notes an event to be written when the transaction commits.
    pub fn record(&mut self, event: NewEvent) {
        self.events.push(event);
    }

    /// Stores the request id with the answer itself, for calls whose answer no single event holds.
    pub async fn remember(&mut self, request: &RequestKey, response: Vec<u8>) -> Result<()> {
        self.store_request(request, None, Some(response)).await
    }

    /// Stores the request id with the event whose after-image is the answer.
    pub async fn remember_event(&mut self, request: &RequestKey, event_id: uuid::Uuid) -> Result<()> {
        self.store_request(request, Some(event_id), None).await
    }

    /// True when this request id was answered by now, to whoever acts here.
    pub async fn is_answered(&mut self, request: &RequestKey) -> Result<bool> {
        let cx = self.cx.clone();
        let found = sqlx::query_scalar(
            "select exists (
               select from platform.request
               where tenant_id = $1 and actor = $2 and method = $3 and request_id = $4
             )",
        )
        .bind(cx.tenant)
        .bind(cx.actor.to_string())
        .bind(cx.method.as_ref())
        .bind(request.id)
        .fetch_one(self.connection())
        .await
        .map_err(from_sqlx)?;
        self.is_sound = true;
        Ok(found)
    }

    async fn store_request(
        &mut self,
        request: &RequestKey,
        event_id: Option<uuid::Uuid>,
        response: Option<Vec<u8>>,
    ) -> Result<()> {
        let cx = self.cx.clone();
        sqlx::query(
            "insert into platform.request
               (tenant_id, actor, method, request_id, body_hash, event_id, response, create_time)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(cx.tenant)
        .bind(cx.actor.to_string())
        .bind(cx.method.as_ref())
        .bind(request.id)
        .bind(&request.body_hash)
        .bind(event_id)
        .bind(response)
        .bind(cx.now)
        .execute(self.connection())
        .await
        .map_err(from_sqlx)?;
        self.is_sound = true;
        Ok(())
    }

    /// Writes the events, commits, and wakes the relay. INTERNAL when a statement failed of which nobody heard.
    pub async fn commit(mut self) -> Result<()> {
        self.write_last().await?;
        let Self { connection, wake, .. } = self;
        connection.commit().await.map_err(from_sqlx)?;
        if let Some(wake) = wake {
            wake.notify_one();
        }
        Ok(())
    }

    async fn write_last(&mut self) -> Result<()> {
        self.write_events().await?;
        if !self.is_sound {
            // PostgreSQL would answer the commit by rolling back, without an error. Only a transaction that ends with a
            // statement of a service's own pays this round trip.
            sqlx::query("select true").execute(self.connection()).await.map_err(from_sqlx)?;
        }
        Ok(())
    }

    /// Does everything a commit does except keep it: constraints have spoken, nothing is left behind.
    pub async fn roll_back(mut self) -> Result<()> {
        self.write_events().await?;
        self.connection.roll_back().await.map_err(from_sqlx)
    }

    /// Commits, or rolls back where everything but writing was asked for (AIP-163).
    pub async fn end(self, validate_only: bool) -> Result<()> {
        if validate_only { self.roll_back().await } else { self.commit().await }
    }

    /// Writes the events noted so far under the present context.
    pub async fn write_events(&mut self) -> Result<()> {
        if self.events.is_empty() {
            return Ok(());
        }
        let events = std::mem::take(&mut self.events);
        let mut arguments = PgArguments::default();
        let cx = &self.cx;
        let scalars = |arguments: &mut PgArguments| -> Result<(), sqlx::error::BoxDynError> {
            arguments.add(cx.tenant)?;
            arguments.add(cx.now)?;
            arguments.add(cx.actor.to_string())?;
            arguments.add(cx.cause)?;
            arguments.add(cx.traceparent.clone())
        };
        scalars(&mut arguments).map_err(Error::internal)?;
        event::bind(&events, &mut arguments)?;
        sqlx::query_with(insert_events(), arguments).execute(self.connection()).await.map_err(from_sqlx)?;
        self.is_sound = true;
        Ok(())
    }
}

fn insert_events() -> &'static str {
    static SQL: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    SQL.get_or_init(|| {
        let arrays: Vec<_> =
            EVENT_COLUMNS.iter().enumerate().map(|(index, (_, kind))| format!("${}::{kind}[]", index + 6)).collect();
        let names: Vec<_> = EVENT_COLUMNS.iter().map(|(name, _)| *name).collect();
        format!(
            "insert into platform.event (id, tenant_id, type, subject, revision, event_time, create_time, actor, \
             cause, traceparent, owner, team, payload) \
             select event_id, $1, event_type, event_subject, event_revision, event_time, $2, $3, $4, $5, \
             event_owner, event_team, event_payload from unnest({}) as given ({})",
            arrays.join(", "),
            names.join(", ")
        )
    })
}
