//! How connections come to be, how it is found out that one is dead, and what is known of each.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use sqlx::{
    Connection as _,
    postgres::{PgConnectOptions, PgConnection, PgDatabaseError, PgSeverity},
};
use tokio::time::{sleep, timeout};

/// Idle time after which a connection is tried before it is used.
pub(super) const PING_AFTER_IDLE: Duration = Duration::from_secs(1);
/// Longest wait for the answer; then a new connection is opened in the time that is left to the caller.
const PING: Duration = Duration::from_millis(500);
/// Silence in the midst of a statement after which the server is asked about it, and then after twice the time again.
const SILENCE: Duration = Duration::from_secs(1);
/// Longest time until it is asked again.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);
/// Least time for an answer that may be under way.
const UNDER_WAY: Duration = Duration::from_millis(100);
/// Longest wait for what the server says about it.
const LOOK: Duration = Duration::from_secs(2);
/// First and longest pause before a server that is starting is tried again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// Opens connections, and remembers when one was found dead.
pub(super) struct Opener {
    options: PgConnectOptions,
    /// A connection that was not heard from since then is not trusted.
    lost: Mutex<Option<Instant>>,
    /// The last attempt to connect found no server, or one that is starting.
    refused: AtomicBool,
    /// One look at the server at a time.
    looking: tokio::sync::Mutex<()>,
}

/// An open connection.
pub(super) struct Link {
    pub connection: PgConnection,
    pub known: Known,
}

/// What is known of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// The server's process, and when that began.
    backend: (i32, DateTime<Utc>),
    heard: Instant,
    /// It is of no use any more.
    pub is_broken: bool,
}

impl Known {
    /// Notes what an answer says of the connection.
    pub fn note<T>(&mut self, answer: &sqlx::Result<T>) {
        if answer.as_ref().is_err_and(is_lost) {
            self.is_broken = true;
        } else {
            self.heard = Instant::now();
        }
    }
}

impl Link {
    /// Time since the server last answered.
    pub fn idle(&self) -> Duration {
        self.known.heard.elapsed()
    }

    /// Takes leave of the server, which else notes in its log that somebody vanished.
    pub async fn close(self) {
        // One that cannot take leave is closed all the same.
        let _ = timeout(PING, self.connection.close()).await;
    }
}

impl Opener {
    pub fn new(options: PgConnectOptions) -> Self {
        Self {
            options,
            lost: Mutex::default(),
            refused: AtomicBool::default(),
            looking: tokio::sync::Mutex::default(),
        }
    }

    pub fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Ends when it is certain that the answer a connection is waited on for will not come: the server does not work on it
    /// any more, or knows nothing of it.
    pub async fn silent_for_ever(&self, known: Known) {
        let mut silence = SILENCE;
        loop {
            sleep(silence).await;
            let look = self.looking.lock().await;
            let asked = Instant::now();
            let works = self.works_on(known).await;
            drop(look);
            match works {
                Some(false) => {
                    // An answer that was under way meanwhile is here after as long as the look took.
                    sleep(asked.elapsed().max(UNDER_WAY)).await;
                    return self.distrust();
                }
                Some(true) => silence = LONGEST_SILENCE.min(2 * silence),
                // Nobody answers; the next look may find that out.
                None => silence = SILENCE,
            }
        }
    }

    /// Trusts no connection that was not heard from since now.
    pub fn distrust(&self) {
        *self.lost() = Some(Instant::now());
    }

    /// True when the last attempt to connect found no server, or one that is starting.
    pub fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// Whether the server works on a statement of this connection; none when it does not answer a new one.
    async fn works_on(&self, known: Known) -> Option<bool> {
        let look = async {
            let mut other = PgConnection::connect_with(&self.options).await?;
            let (process, began) = known.backend;
            let sql = "select state from pg_stat_activity where pid = $1 and backend_start = $2";
            let state = sqlx::query_scalar::<_, Option<String>>(sql).bind(process).bind(began);
            let state = state.fetch_optional(&mut other).await?.flatten();
            other.close().await?;
            Ok::<_, sqlx::Error>(state.is_some_and(|state| !state.starts_with("idle")))
        };
        match timeout(LOOK, look).await {
            Ok(Ok(works)) => Some(works),
            Ok(Err(error)) => {
                tracing::debug!(%error, "the server does not say whether it works on a statement");
                None
            }
            Err(_) => None,
        }
    }

    async fn connect(&self) -> sqlx::Result<Link> {
        let mut connection = PgConnection::connect_with(&self.options).await?;
        let backend = "select pid, backend_start from pg_stat_activity where pid = pg_backend_pid()";
        let backend = sqlx::query_as(backend).persistent(false).fetch_one(&mut connection).await?;
        Ok(Link { connection, known: Known { backend, heard: Instant::now(), is_broken: false } })
    }

    fn lost(&self) -> MutexGuard<'_, Option<Instant>> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Manager for Opener {
    type Type = Link;
    type Error = sqlx::Error;

    /// Waits for a server that is starting or full, as long as the caller does.
    async fn create(&self) -> sqlx::Result<Link> {
        let (mut pause, longest) = PAUSES;
        loop {
            let opened = self.connect().await;
            let is_refused = opened.as_ref().is_err_and(is_starting);
            self.refused.store(is_refused, Ordering::Relaxed);
            if !is_refused && !opened.as_ref().is_err_and(is_full) {
                return opened;
            }
            sleep(pause).await;
            pause = longest.min(2 * pause);
        }
    }

    /// Refuses a connection that is known to be dead, or that was idle and does not answer soon: its caller should not be
    /// the one who finds out.
    async fn recycle(&self, link: &mut Link, _: &Metrics) -> RecycleResult<sqlx::Error> {
        let dead = || RecycleError::message("the connection is dead");
        if link.known.is_broken || self.lost().is_some_and(|lost| link.known.heard < lost) {
            return Err(dead());
        }
        if link.idle() < PING_AFTER_IDLE {
            return Ok(());
        }
        match timeout(PING, link.connection.ping()).await {
            Ok(Ok(())) => {
                link.known.heard = Instant::now();
                Ok(())
            }
            _ => {
                self.distrust();
                Err(dead())
            }
        }
    }
}

/// Whether an error says that its connection is lost.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(error) => error
            .try_downcast_ref::<PgDatabaseError>()
            .is_some_and(|error| matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic)),
        _ => false,
    }
}

/// Whether an error says that other connections are most likely lost too: the server ended it, or the way to it did.
pub(super) fn tells_of_others(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() != std::io::ErrorKind::TimedOut,
        // It is shutting down, crashed, or an administrator ended the session.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}

/// Refused by the system, or by a server that is starting.
fn is_starting(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        sqlx::Error::Database(error) => error.code().as_deref() == Some("57P03"),
        _ => false,
    }
}

/// Refused by a server that has no room for another connection.
fn is_full(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.code().as_deref() == Some("53300"))
}
