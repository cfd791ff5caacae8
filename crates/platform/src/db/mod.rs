//! PostgreSQL: pools, rows, statements and transactions. The only door to it; there is no other handle with which to write.

pub mod columns;
mod event;
mod kept;
pub mod migrate;
mod pool;
mod record;
mod request;
mod span;
pub mod statement;
mod tx;

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnectOptions;
use trato_types::{Error, Kind, Result};

pub use self::{
    columns::{Column, Columns},
    event::{Facts, NewEvent},
    kept::Kept,
    pool::{Connection, Limits, Pool},
    record::{Constraint, External, RECORD_COLUMNS, Record, Resource},
    request::{Answer, RequestKey},
    span::recorded,
    tx::Tx,
};
use crate::{barred::Barred, config, events::Tail, telemetry::metrics::metrics};

/// Time beyond the server's own limit after which a statement without an answer is given up.
const SILENCE: Duration = Duration::from_secs(5);

/// What the server is asked for with each connection, beside its time limits.
const SESSION: [(&str, &str); 7] = [
    // Compiling a plan takes seconds, which only a query of minutes would win back.
    ("jit", "off"),
    // Whoever waits for a row that somebody holds for longer keeps a connection from all others.
    ("lock_timeout", "5s"),
    // The server too finds out who is gone: its locks are then free, and what nobody waits for is not worked on.
    ("client_connection_check_interval", "5s"),
    ("tcp_user_timeout", "10s"),
    ("tcp_keepalives_idle", "5s"),
    ("tcp_keepalives_interval", "2s"),
    ("tcp_keepalives_count", "3"),
];

/// The service's connections, and how to tell its relay that there is something to publish.
#[derive(Clone, Debug)]
pub struct Database {
    /// Logs in as the service; forced row-level security decides what it sees.
    pub pool: Pool,
    /// Logs in as the service's system role: relay and jobs.
    pub system: Pool,
    /// Told after each commit that wrote events.
    pub wake: Arc<tokio::sync::Notify>,
    /// How far the event log goes, as known here.
    pub tail: Tail,
    /// Whose calls are refused, as known here.
    pub barred: Barred,
}

impl Database {
    /// Makes both pools. Connects lazily, so that a service starts while its database is away.
    pub fn new(settings: &config::Database, name: &str) -> Result<Self> {
        let connections = settings.min_connections..=settings.max_connections;
        let serving = open(settings, &settings.url, name, connections)?;
        let system = open(settings, &settings.system_url, name, 0..=settings.system_max_connections)?;
        span::locate(serving.options());
        metrics().watch_pool("serving", &serving);
        metrics().watch_pool("system", &system);
        Ok(Self {
            pool: serving,
            system,
            wake: Arc::default(),
            tail: Tail::default(),
            barred: Barred::default(),
        })
    }

    /// Takes leave of the server on all connections that are not in use.
    pub async fn close(&self) {
        self.pool.close().await;
        self.system.close().await;
    }
}

fn open(
    settings: &config::Database,
    url: &SecretString,
    name: &str,
    connections: RangeInclusive<u32>,
) -> Result<Pool> {
    let options: PgConnectOptions = url.expose_secret().parse().map_err(Error::internal)?;
    let timeout = settings.statement_timeout_ms.to_string();
    let limits =
        ["statement_timeout", "idle_in_transaction_session_timeout"].map(|name| (name, timeout.as_str()));
    let options = options.application_name(name).statement_cache_capacity(500);
    let options = options.options(limits).options(SESSION);
    let limits = Limits {
        connections,
        wait: settings.acquire_timeout(),
        patience: settings.statement_timeout() + SILENCE,
    };
    Ok(Pool::open(options, limits))
}

/// What a failed statement means to the caller: UNAVAILABLE when the database is away, else INTERNAL.
pub fn from_sqlx(error: sqlx::Error) -> Error {
    constrained(error, &[])
}

/// Like `from_sqlx`, but a violated constraint becomes the error it stands for.
pub fn constrained(error: sqlx::Error, constraints: &[Constraint]) -> Error {
    let had_no_connection = matches!(error, sqlx::Error::PoolTimedOut);
    let meaning = meaning(error, constraints);
    match meaning.kind() {
        _ if had_no_connection => metrics().database_failed("pool_timeout"),
        Kind::Unavailable | Kind::DeadlineExceeded | Kind::Internal => {
            metrics().database_failed(meaning.reason())
        }
        // What a constraint refuses is the caller's.
        _ => {}
    }
    meaning
}

fn meaning(error: sqlx::Error, constraints: &[Constraint]) -> Error {
    if let sqlx::Error::Database(database) = &error {
        let named =
            database.constraint().and_then(|name| constraints.iter().find(|known| known.name == name));
        if let Some(known) = named {
            return Error::new(known.kind, known.reason, known.message);
        }
        // Every resource table has this index, by the same function.
        if database.constraint().is_some_and(|name| name.ends_with("_external_key")) {
            let message = "the source has a resource of this external id";
            return Error::new(Kind::AlreadyExists, "EXTERNAL_ID_TAKEN", message);
        }
    }
    match fault(&error) {
        Some((Kind::Unavailable, reason, message)) => Error::unavailable(reason, message).caused_by(error),
        Some((kind, reason, message)) => Error::new(kind, reason, message).caused_by(error),
        None => Error::internal(error),
    }
}

/// Kind, reason and message of what failed a statement.
type Fault = (Kind, &'static str, &'static str);

const AWAY: Fault = (Kind::Unavailable, "DATABASE_UNAVAILABLE", "the database is not available");

/// What the database failed a statement for; none where it is nobody's but this program's.
fn fault(error: &sqlx::Error) -> Option<Fault> {
    match error {
        sqlx::Error::Database(database) => match database.code().unwrap_or_default().as_ref() {
            // Serialisation failure, deadlock, lock timeout: the same call may pass when tried again.
            "40001" | "40P01" | "55P03" => {
                Some((Kind::Unavailable, "DATABASE_CONFLICT", "a concurrent change got in the way"))
            }
            // Statement timeout, or the server cancels.
            "57014" => Some((Kind::DeadlineExceeded, "STATEMENT_TIMEOUT", "the statement took too long")),
            // Out of disk, memory or connections.
            "53100" | "53200" | "53300" | "53400" => {
                Some((Kind::Unavailable, "DATABASE_EXHAUSTED", "the database has no resources left"))
            }
            // Shutting down, starting up, connection failures, read-only while failing over.
            code if code.starts_with("57P") || code.starts_with("08") || code == "25006" => Some(AWAY),
            _ => None,
        },
        sqlx::Error::PoolTimedOut => Some((AWAY.0, AWAY.1, "the database has no free connection")),
        // A connection cut in the middle of a message shows as a protocol fault.
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Protocol(_) => Some(AWAY),
        _ => None,
    }
}

/// Why the database failed a statement; none where a constraint refused what the caller wrote.
fn failure(error: &sqlx::Error) -> Option<&'static str> {
    let code = error.as_database_error().and_then(|database| database.code());
    if code.is_some_and(|code| code.starts_with("23")) {
        return None;
    }
    Some(fault(error).map_or("INTERNAL", |(_, reason, _)| reason))
}

/// UNAVAILABLE `DATABASE_UNAVAILABLE`.
pub(crate) fn away() -> Error {
    Error::unavailable(AWAY.1, AWAY.2)
}
