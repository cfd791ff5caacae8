//! A connection that is lent.

use std::{
    fmt::{self, Formatter},
    time::Duration,
};

use deadpool::managed::Object;
use futures::{
    FutureExt as _, StreamExt as _, TryFutureExt as _, TryStreamExt as _, future::BoxFuture, stream,
    stream::BoxStream,
};
use sqlx::{
    Connection as _, Either, Executor, Postgres,
    postgres::{PgConnection, PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};
use tokio::{
    runtime::Handle,
    time::{sleep, timeout},
};

use super::{
    Pool,
    opener::{Known, Opener, is_lost, tells_of_others},
};
use crate::db::span::Operation;

/// Longest wait until a connection that was given back in the midst of a statement comes to rest.
const REST: Duration = Duration::from_secs(5);

/// One connection, for one statement or one transaction. Dropped, it goes back: a transaction that is open is rolled back
/// first, and a statement that was given up ends first; one that does not come to rest is thrown away.
pub struct Connection {
    /// None only while it is dropped.
    link: Option<Object<Opener>>,
    pool: Pool,
    is_in_transaction: bool,
    /// The transaction whose time is measured.
    operation: Option<Operation>,
}

/// Where the answers of one connection are waited for.
struct Answers<'c> {
    known: &'c mut Known,
    pool: &'c Pool,
    operation: Option<&'c mut Operation>,
}

impl Connection {
    pub(super) fn new(link: Object<Opener>, pool: Pool) -> Self {
        Self { link: Some(link), pool, is_in_transaction: false, operation: None }
    }

    /// Begins a transaction.
    pub async fn begin(&mut self) -> sqlx::Result<()> {
        // Even one whose answer does not come may have begun.
        self.is_in_transaction = true;
        self.say("begin").await
    }

    /// Measures the transaction until it ends or is dropped, and tells what came of its statements.
    pub(in crate::db) fn watch(&mut self, mut operation: Operation) {
        operation.begun();
        self.operation = Some(operation);
    }

    /// Commits the transaction.
    pub async fn commit(mut self) -> sqlx::Result<()> {
        self.keep().await
    }

    async fn keep(&mut self) -> sqlx::Result<()> {
        let committed = self.say("commit").await;
        // One that was refused has most likely ended it; a rollback too many does no harm.
        self.is_in_transaction = committed.is_err();
        if committed.is_ok()
            && let Some(operation) = &mut self.operation
        {
            operation.succeed();
        }
        committed
    }

    /// Rolls the transaction back.
    pub async fn roll_back(mut self) -> sqlx::Result<()> {
        self.end().await
    }

    async fn end(&mut self) -> sqlx::Result<()> {
        self.say("rollback").await?;
        self.is_in_transaction = false;
        Ok(())
    }

    /// Executes a statement without arguments or answer.
    pub async fn say(&mut self, statement: &'static str) -> sqlx::Result<()> {
        self.execute(sqlx::raw_sql(statement)).await.map(|_| ())
    }

    /// Ends what was given up.
    async fn come_to_rest(mut self) {
        let settled = async {
            match self.settle().await {
                // That was the answer to what had been given up.
                Err(error) if !is_lost(&error) => self.settle().await,
                settled => settled,
            }
        };
        // One that takes longer is thrown away, which says nothing of the database.
        if matches!(timeout(REST, settled).await, Ok(Ok(()))) {
            self.parts().1.known.is_broken = false;
        } else {
            tracing::debug!("a connection that was given up does not come to rest and is thrown away");
        }
    }

    async fn settle(&mut self) -> sqlx::Result<()> {
        if self.is_in_transaction {
            return self.end().await;
        }
        let (connection, answers) = self.parts();
        answers.of(connection.flush()).await
    }

    /// All that a query answers.
    pub(super) async fn gather<'q, E>(&mut self, query: E) -> sqlx::Result<Vec<Either<PgQueryResult, PgRow>>>
    where
        E: 'q + sqlx::Execute<'q, Postgres>,
    {
        let (connection, answers) = self.parts();
        answers.of(connection.fetch_many(query).try_collect::<Vec<_>>()).await
    }

    fn parts(&mut self) -> (&mut PgConnection, Answers<'_>) {
        let link = &mut **self.link.as_mut().expect("it is not dropped");
        let (known, operation) = (&mut link.known, self.operation.as_mut());
        (&mut link.connection, Answers { known, pool: &self.pool, operation })
    }
}

impl Answers<'_> {
    /// Waits for an answer, as long as one may come.
    async fn of<T>(mut self, answer: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
        let before = self.operation.as_mut().and_then(|operation| operation.ask());
        let answer = tokio::select! {
            biased;
            answer = answer => answer,
            () = self.pool.opener().silent_for_ever(*self.known) => Err(silent()),
            () = sleep(self.pool.patience) => Err(silent()),
        };
        if let Some(operation) = self.operation {
            operation.hear(before, answer.as_ref().err());
        }
        self.known.note(&answer);
        if answer.as_ref().is_err_and(tells_of_others) {
            self.pool.opener().distrust();
        }
        self.pool.heard(answer)
    }
}

/// What a statement without an answer means: the same as a connection that broke.
fn silent() -> sqlx::Error {
    std::io::Error::new(std::io::ErrorKind::TimedOut, "the database does not answer").into()
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(mut link) = self.link.take() else { return };
        let is_at_rest = !self.is_in_transaction
            // Nothing is under way when there is nothing to wait for.
            && link.connection.flush().now_or_never().is_some_and(|rested| rested.is_ok());
        match Handle::try_current() {
            _ if link.known.is_broken => drop(Object::take(link)),
            _ if is_at_rest => drop(link),
            Ok(runtime) => {
                // Until it has come to rest; when that is given up as well, nothing more is tried.
                link.known.is_broken = true;
                let connection = Self {
                    link: Some(link),
                    pool: self.pool.clone(),
                    is_in_transaction: self.is_in_transaction,
                    operation: None,
                };
                runtime.spawn(connection.come_to_rest());
            }
            Err(_) => drop(Object::take(link)),
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("is_in_transaction", &self.is_in_transaction)
            .finish_non_exhaustive()
    }
}

impl<'c> Executor<'c> for &'c mut Connection {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Either<PgQueryResult, PgRow>>>
    where
        'c: 'e,
        E: 'q + sqlx::Execute<'q, Postgres>,
    {
        let items = self.gather(query).map_ok(|items| stream::iter(items.into_iter().map(Ok)));
        stream::once(items).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        'c: 'e,
        E: 'q + sqlx::Execute<'q, Postgres>,
    {
        let (connection, answers) = self.parts();
        answers.of(connection.fetch_optional(query)).boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: sqlx::SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, sqlx::Result<PgStatement>>
    where
        'c: 'e,
    {
        let (connection, answers) = self.parts();
        answers.of(connection.prepare_with(sql, parameters)).boxed()
    }
}

#[cfg(test)]
mod tests {
    use trato_types::Context;
    use uuid::Uuid;

    use super::*;
    use crate::testing::{database, pool};

    /// A transaction that is measured.
    async fn begun() -> Connection {
        let pool = pool(&database("measured", &[]).await.url);
        let mut connection = pool.begin().await.expect("begun");
        let cx = Context::of_system(Uuid::nil(), "test", chrono::Utc::now());
        connection.watch(Operation::transaction(&cx));
        connection
    }

    /// What is told of it when it ends now.
    fn told(connection: &Connection) -> Option<&'static str> {
        connection.operation.as_ref().expect("it is measured").failure()
    }

    /// CRD-08: the first statement that failed is what a transaction failed for, whoever asked for it and whatever came behind.
    #[tokio::test]
    async fn a_transaction_that_is_dropped_for_a_failed_statement_tells_its_reason() {
        let mut connection = begun().await;
        connection.say("set local statement_timeout = '20ms'").await.expect("set");
        assert!(connection.say("select pg_sleep(60)").await.is_err());
        assert!(connection.say("select 1").await.is_err(), "PostgreSQL goes on with it");

        assert_eq!(told(&connection), Some("STATEMENT_TIMEOUT"));
    }

    /// CRD-08: what was to leave nothing behind, or was refused, is no failure of the database.
    #[tokio::test]
    async fn a_transaction_that_nothing_failed_is_rolled_back_or_committed() {
        let mut connection = begun().await;
        connection.say("select 1").await.expect("it answers");
        assert_eq!(told(&connection), Some("rolled_back"));
        assert!(connection.say("do $$ begin raise unique_violation; end $$").await.is_err());
        assert_eq!(told(&connection), Some("rolled_back"));

        let mut connection = begun().await;
        connection.keep().await.expect("committed");
        assert_eq!(told(&connection), None);
    }

    /// CRD-08: a caller whose time is over takes its statement along.
    #[tokio::test]
    async fn a_transaction_that_is_dropped_in_the_midst_of_a_statement_is_given_up() {
        let mut connection = begun().await;

        assert!(connection.say("select pg_sleep(60)").now_or_never().is_none());

        assert_eq!(told(&connection), Some("given_up"));
    }
}
