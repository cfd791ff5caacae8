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

/// Longest wait until a connection that was given back in the midst of a statement comes to rest.
const REST: Duration = Duration::from_secs(5);

/// One connection, for one statement or one transaction. Dropped, it goes back: a transaction that is open is rolled back
/// first, and a statement that was given up ends first; one that does not come to rest is thrown away.
pub struct Connection {
    /// None only while it is dropped.
    link: Option<Object<Opener>>,
    pool: Pool,
    is_in_transaction: bool,
}

/// Where the answers of one connection are waited for.
struct Answers<'c> {
    known: &'c mut Known,
    pool: &'c Pool,
}

impl Connection {
    pub(super) fn new(link: Object<Opener>, pool: Pool) -> Self {
        Self { link: Some(link), pool, is_in_transaction: false }
    }

    /// Begins a transaction.
    pub async fn begin(&mut self) -> sqlx::Result<()> {
        // Even one whose answer does not come may have begun.
        self.is_in_transaction = true;
        self.say("begin").await
    }

    /// Commits the transaction.
    pub async fn commit(mut self) -> sqlx::Result<()> {
        let committed = self.say("commit").await;
        // One that was refused has most likely ended it; a rollback too many does no harm.
        self.is_in_transaction = committed.is_err();
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
        (&mut link.connection, Answers { known: &mut link.known, pool: &self.pool })
    }
}

impl Answers<'_> {
    /// Waits for an answer, as long as one may come.
    async fn of<T>(self, answer: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
        let answer = tokio::select! {
            biased;
            answer = answer => answer,
            () = self.pool.opener().silent_for_ever(*self.known) => Err(silent()),
            () = sleep(self.pool.patience) => Err(silent()),
        };
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
