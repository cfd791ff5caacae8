//! The standard methods over any resource: functions that handlers call, never a framework that calls them.
//!
//! A handler that needs more stops calling one of these and uses `Tx` itself; nothing else changes for it.

mod batch;
mod drafts;
mod list;
mod prepare;
mod reply;
mod write;

pub use self::{
    batch::{Prepared, Stored},
    drafts::{Draft, Drafts},
    list::{Within, bind, key_value},
    prepare::new_record,
    reply::{Reply, answer},
    write::{Changed, finish, require_living},
};

use std::marker::PhantomData;

use sqlx::{Arguments as _, postgres::PgArguments};
use tonic::Request;
use trato_types::{
    Context, Error, Result,
    standard::{BatchGetRequest, BatchGetResponse, GetRequest},
};
use uuid::Uuid;

use crate::db::{
    Database, Record, RequestKey, Resource, from_sqlx, recorded,
    statement::{self, Statements},
};

/// Most items of one batch request.
pub const MAX_BATCH: usize = 1000;

/// The standard methods of one resource, over one database.
#[derive(Clone, Debug)]
pub struct Store<T> {
    database: Database,
    statements: Statements,
    resource: PhantomData<fn() -> T>,
}

impl<T: Resource> Store<T> {
    /// Prepares the statements of `T`.
    pub fn new(database: &Database) -> Self {
        Self { database: database.clone(), statements: Statements::of::<T>(), resource: PhantomData }
    }

    /// The database, for handlers that write an aggregate themselves.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The statements, for `Tx`.
    pub fn statements(&self) -> &Statements {
        &self.statements
    }

    /// `GetX`: one resource the caller's scope admits, deleted or not.
    pub async fn get<R: GetRequest<Message = T::Message>>(&self, request: Request<R>) -> Reply<T::Message> {
        answer(request, async |cx, body| Ok(T::render(&self.read(cx, body.name()).await?))).await
    }

    /// `BatchGetX`: all of the named resources in their order, or NOT_FOUND for the first that is missing.
    pub async fn batch_get<R, P>(&self, request: Request<R>) -> Reply<P>
    where
        R: BatchGetRequest<Message = T::Message>,
        P: BatchGetResponse<T::Message>,
    {
        answer(request, async |cx, body| {
            let names = body.names();
            require_batch("names", names.len())?;
            let ids = names.iter().map(|name| T::parse_name(name)).collect::<Result<Vec<_>>>()?;
            let mut found: std::collections::HashMap<Uuid, Record<T>> =
                self.read_many(cx, &ids).await?.into_iter().map(|record| (record.id, record)).collect();
            let mut messages = Vec::with_capacity(ids.len());
            for (id, name) in ids.iter().zip(names) {
                // A name may stand twice, so the record stays until the last one took it.
                let record = found.get_mut(id).ok_or_else(|| Error::not_found(name))?;
                messages.push(T::render(record));
            }
            Ok(P::all(messages))
        })
        .await
    }

    /// Reads a record the caller's scope admits; NOT_FOUND for any other.
    pub async fn read(&self, cx: &Context, name: &str) -> Result<Record<T>> {
        let mut arguments = PgArguments::default();
        arguments.add(cx.tenant.to_string()).map_err(Error::internal)?;
        arguments.add(T::parse_name(name)?).map_err(Error::internal)?;
        statement::bind_scope(cx, &mut arguments)?;
        let statement = sqlx::query_with(self.statements.get(cx.scope), arguments);
        let row = async { statement.fetch_optional(&self.database.pool).await.map_err(from_sqlx) };
        let row = recorded(cx, "select", T::TABLE, row).await?;
        Record::read(&row.ok_or_else(|| Error::not_found(name))?)
    }

    /// Reads the records of these identifiers that the caller's scope admits, in no order.
    pub async fn read_many(&self, cx: &Context, ids: &[Uuid]) -> Result<Vec<Record<T>>> {
        let mut arguments = PgArguments::default();
        arguments.add(cx.tenant.to_string()).map_err(Error::internal)?;
        arguments.add(ids.to_vec()).map_err(Error::internal)?;
        statement::bind_scope(cx, &mut arguments)?;
        let statement = sqlx::query_with(self.statements.get_many(cx.scope), arguments);
        let rows = async { statement.fetch_all(&self.database.pool).await.map_err(from_sqlx) };
        let rows = recorded(cx, "select", T::TABLE, rows).await?;
        rows.iter().map(Record::read).collect()
    }

    /// Reads the living records of one source with these external ids that the caller's scope admits, in no order.
    pub async fn read_external(&self, cx: &Context, source: &str, ids: &[String]) -> Result<Vec<Record<T>>> {
        let found = self.read_external_on(&self.database.pool, cx, source, ids);
        recorded(cx, "select", T::TABLE, found).await
    }

    async fn read_external_on(
        &self,
        executor: impl sqlx::PgExecutor<'_>,
        cx: &Context,
        source: &str,
        ids: &[String],
    ) -> Result<Vec<Record<T>>> {
        let mut arguments = PgArguments::default();
        arguments.add(cx.tenant.to_string()).map_err(Error::internal)?;
        arguments.add(source.to_owned()).map_err(Error::internal)?;
        statement::bind_scope(cx, &mut arguments)?;
        arguments.add(ids.to_vec()).map_err(Error::internal)?;
        let rows = sqlx::query_with(self.statements.find_external(cx.scope), arguments)
            .fetch_all(executor)
            .await
            .map_err(from_sqlx)?;
        rows.iter().map(Record::read).collect()
    }
}

/// Runs a write that may be repeated. When it fails and its request id was answered before, that answer is given again:
/// the first run may have made the very state that now forbids it.
pub async fn once<M: prost::Message + Default>(
    database: &Database,
    cx: &Context,
    key: Option<&RequestKey>,
    attempt: impl Future<Output = Result<M>>,
) -> Result<M> {
    let error = match attempt.await {
        Ok(message) => return Ok(message),
        Err(error) => error,
    };
    let Some(key) = key else { return Err(error) };
    if error.kind() == trato_types::Kind::Unavailable {
        return Err(error);
    }
    match key.answered(&database.pool, cx).await? {
        Some(answer) => answer.decode(),
        None => Err(error),
    }
}

/// INVALID_ARGUMENT unless a batch has 1 to `MAX_BATCH` items.
pub fn require_batch(field: &'static str, length: usize) -> Result<()> {
    if length == 0 {
        return Err(Error::invalid(field, "REQUIRED", "must not be empty"));
    }
    if length > MAX_BATCH {
        return Err(Error::invalid(field, "TOO_MANY", format!("must have at most {MAX_BATCH} items")));
    }
    Ok(())
}
