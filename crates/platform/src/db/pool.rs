//! The connections to the database, none of which is waited for without an end.
//!
//! A network that drops packets leaves connections that look alive and never answer; the system finds that out after a
//! quarter of an hour. So every statement has a time in which it, or its next row, must come, and a connection that was
//! given up in the midst of a statement is thrown away when it does not come to rest.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt as _, future::BoxFuture, stream::BoxStream};
use sqlx::{
    Connection as _, Either, Executor, PgPool, Postgres,
    postgres::{PgConnection, PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};
use tokio::time::timeout;

/// Longest wait for a connection that was given back to come to rest.
const REST: Duration = Duration::from_secs(5);

/// A pool whose statements end. Everything else is sqlx's pool, which it stands for.
#[derive(Clone, Debug)]
pub struct Pool {
    inner: PgPool,
    patience: Duration,
    away: Arc<AtomicBool>,
}

impl Pool {
    /// The pool, with the longest time a statement may be silent.
    pub fn new(inner: PgPool, patience: Duration) -> Self {
        Self { inner, patience, away: Arc::default() }
    }

    /// The same connections for statements that are quick or lost.
    #[must_use]
    pub fn within(&self, patience: Duration) -> Self {
        Self { inner: self.inner.clone(), patience: patience.min(self.patience), away: self.away.clone() }
    }

    /// True from the first statement that lost its connection until one is answered.
    pub fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// Notes what an answer says of the database.
    pub(crate) fn heard<T>(&self, answer: sqlx::Result<T>) -> sqlx::Result<T> {
        let away = match &answer {
            Err(sqlx::Error::Io(_) | sqlx::Error::Tls(_)) => true,
            Err(sqlx::Error::Database(error)) => error.code().is_some_and(|code| code.starts_with("57P")),
            // All connections may be in use, or none can be made.
            Err(sqlx::Error::PoolTimedOut) => return answer,
            _ => false,
        };
        if away != self.is_away() {
            self.away.store(away, Ordering::Relaxed);
        }
        answer
    }

    async fn bounded<T>(&self, statement: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
        self.heard(timeout(self.patience, statement).await.unwrap_or_else(|_| Err(silent())))
    }
}

impl Deref for Pool {
    type Target = PgPool;

    fn deref(&self) -> &PgPool {
        &self.inner
    }
}

impl<'p> Executor<'p> for &'_ Pool {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Either<PgQueryResult, PgRow>>>
    where
        E: 'q + sqlx::Execute<'q, Postgres>,
    {
        let pool = self.clone();
        let rows = tokio_stream::StreamExt::timeout(self.inner.fetch_many(query), self.patience);
        rows.map(move |row| pool.heard(row.unwrap_or_else(|_| Err(silent())))).boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        E: 'q + sqlx::Execute<'q, Postgres>,
    {
        let pool = self.clone();
        let statement = self.inner.fetch_optional(query);
        Box::pin(async move { pool.bounded(statement).await })
    }

    fn prepare_with<'e>(
        self,
        sql: sqlx::SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, sqlx::Result<PgStatement>>
    where
        'p: 'e,
    {
        let pool = self.clone();
        Box::pin(async move { pool.bounded(pool.inner.prepare_with(sql, parameters)).await })
    }
}

/// What a statement without an answer means: the same as a connection that broke.
fn silent() -> sqlx::Error {
    std::io::Error::new(std::io::ErrorKind::TimedOut, "the database does not answer").into()
}

/// Waits until a connection that is given back has come to rest: until the answer is there to what its user gave up.
/// When it does not come, that is an error, and the pool throws the connection away; the pool's own wait has no end.
/// Costs nothing where nothing is under way.
pub(super) async fn rested(connection: &mut PgConnection) -> sqlx::Result<bool> {
    match timeout(REST, connection.flush()).await {
        Ok(answer) => answer.map(|()| true),
        Err(_) => Err(silent()),
    }
}
