//! The connections to the database, none of which is waited for without an end.
//!
//! A network that drops packets leaves connections that look alive and never answer; the system finds that out after a
//! quarter of an hour. Here a connection is tried before it is used when it was idle, the server is asked about one that
//! is silent in the midst of a statement, and what was given up is either brought to rest or thrown away.

mod connection;
mod opener;

use std::{
    fmt::{self, Formatter},
    io,
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use deadpool::managed::{self, PoolError, QueueMode, Status, WeakPool};
use futures::{
    FutureExt as _, StreamExt as _, TryStreamExt as _, future::BoxFuture, future::join_all, stream,
    stream::BoxStream,
};
use sqlx::{
    Either, Executor, Postgres,
    postgres::{PgConnectOptions, PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};
use tokio::time::{Instant, interval_at, timeout};

pub use self::connection::Connection;
use self::opener::{Link, Opener, is_lost};

/// Time between two looks at connections that nobody uses.
const SWEEP: Duration = Duration::from_secs(60);
/// Idle time after which a connection beyond those that are kept is closed.
const IDLE: Duration = Duration::from_secs(600);
/// Age at which a connection is replaced: servers grow with what they serve, and addresses move.
const LIFETIME: Duration = Duration::from_secs(1800);

/// How many connections there are, and how long is waited for them.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Kept open without use, and open at most.
    pub connections: RangeInclusive<u32>,
    /// Longest wait for a free one.
    pub wait: Duration,
    /// Longest time a statement takes.
    pub patience: Duration,
}

/// Connections that are lent for a statement or a transaction.
#[derive(Clone)]
pub struct Pool {
    links: managed::Pool<Opener>,
    limits: Arc<Limits>,
    patience: Duration,
    away: Arc<AtomicBool>,
}

impl Pool {
    /// The pool, which connects when it is asked for a connection.
    pub fn open(options: PgConnectOptions, limits: Limits) -> Self {
        let most = usize::try_from(*limits.connections.end()).unwrap_or(usize::MAX);
        // The connection used last has what it needs in memory; those beyond the need are left alone and closed.
        let builder = managed::Pool::builder(Opener::new(options)).max_size(most).queue_mode(QueueMode::Lifo);
        let links = builder.build().expect("a pool without timeouts of its own needs no runtime");
        let pool = Self { links, patience: limits.patience, limits: Arc::new(limits), away: Arc::default() };
        tokio::spawn(sweep(pool.links.weak(), pool.limits.clone()));
        pool
    }

    /// The same connections for statements that are quick or lost.
    #[must_use]
    pub fn within(&self, patience: Duration) -> Self {
        Self { patience: patience.min(self.patience), ..self.clone() }
    }

    /// Where it connects to.
    pub fn options(&self) -> &PgConnectOptions {
        self.opener().options()
    }

    /// How many connections there are at most, and how long is waited for one.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How many connections are open and in use.
    pub fn status(&self) -> Status {
        self.links.status()
    }

    /// True from the first statement that lost its connection until one is answered.
    pub fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// Lends a connection.
    pub async fn acquire(&self) -> sqlx::Result<Connection> {
        match timeout(self.limits.wait, self.links.get()).await {
            Ok(Ok(link)) => Ok(Connection::new(link, self.clone())),
            Ok(Err(PoolError::Backend(error))) => self.heard(Err(error)),
            Ok(Err(PoolError::Closed)) => Err(sqlx::Error::PoolClosed),
            Ok(Err(_)) | Err(_) if self.opener().is_refused() => {
                self.heard(Err(io::Error::from(io::ErrorKind::ConnectionRefused).into()))
            }
            Ok(Err(_)) | Err(_) => Err(sqlx::Error::PoolTimedOut),
        }
    }

    /// Lends a connection that is in a transaction.
    pub async fn begin(&self) -> sqlx::Result<Connection> {
        let mut connection = self.acquire().await?;
        match connection.begin().await {
            // Nothing was done on it yet, and the next one is known to live.
            Err(error) if is_lost(&error) => {
                // Its place is free for the next one.
                drop(connection);
                connection = self.acquire().await?;
                connection.begin().await?;
            }
            begun => begun?,
        }
        Ok(connection)
    }

    /// Opens the connections that are kept open, so that no caller waits for them. A database that is away is none of
    /// its business: calls will say so.
    pub async fn warm(&self) {
        open_kept(&self.links, &self.limits).await;
    }

    /// Lends no more, and takes leave of the server on every connection that is not lent.
    pub async fn close(&self) {
        let idle = self.links.retain(|_, _| false).removed;
        self.links.close();
        take_leave(idle).await;
    }

    /// Notes what an answer says of the database.
    pub(crate) fn heard<T>(&self, answer: sqlx::Result<T>) -> sqlx::Result<T> {
        // All connections may be in use, or none can be made.
        if matches!(answer, Err(sqlx::Error::PoolTimedOut)) {
            return answer;
        }
        let away = answer.as_ref().is_err_and(is_lost);
        if away != self.is_away() {
            self.away.store(away, Ordering::Relaxed);
        }
        answer
    }

    fn opener(&self) -> &Opener {
        self.links.manager()
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("limits", &self.limits).finish_non_exhaustive()
    }
}

async fn open_kept(links: &managed::Pool<Opener>, limits: &Limits) {
    let kept = 0..*limits.connections.start();
    // All are held until the last is there; what is given back early would be lent again.
    let opened = join_all(kept.map(|_| timeout(limits.wait, links.get()))).await;
    let missing = opened.iter().filter(|opened| !matches!(opened, Ok(Ok(_)))).count();
    if missing > 0 {
        tracing::warn!(missing, "{missing} connections could not be opened ahead of calls");
    }
}

/// Closes connections that nobody needs or that are old, as long as there is a pool, and keeps open those it is to keep.
async fn sweep(links: WeakPool<Opener>, limits: Arc<Limits>) {
    let mut ticks = interval_at(Instant::now() + SWEEP, SWEEP);
    loop {
        ticks.tick().await;
        let Some(links) = links.upgrade().filter(|links| !links.is_closed()) else { return };
        let mut may_age = true;
        let mut to_keep = *limits.connections.start();
        let removed = links.retain(|link, metrics| {
            let is_used = link.idle() < IDLE || to_keep > 0;
            to_keep = to_keep.saturating_sub(1);
            // One at a time: those that were opened together would else be missing together.
            let is_old = metrics.age() >= LIFETIME && std::mem::take(&mut may_age);
            is_used && !is_old
        });
        take_leave(removed.removed).await;
        if links.status().size < *limits.connections.start() as usize {
            open_kept(&links, &limits).await;
        }
    }
}

async fn take_leave(links: Vec<Link>) {
    join_all(links.into_iter().map(Link::close)).await;
}

impl<'p> Executor<'p> for &'_ Pool {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Either<PgQueryResult, PgRow>>>
    where
        E: 'q + sqlx::Execute<'q, Postgres>,
    {
        let pool = self.clone();
        let answer = async move { pool.acquire().await?.gather(query).await };
        stream::once(answer).map_ok(|items| stream::iter(items.into_iter().map(Ok))).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        E: 'q + sqlx::Execute<'q, Postgres>,
    {
        let pool = self.clone();
        async move { pool.acquire().await?.fetch_optional(query).await }.boxed()
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
        async move { pool.acquire().await?.prepare_with(sql, parameters).await }.boxed()
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests;
