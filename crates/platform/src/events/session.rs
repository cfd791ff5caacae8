//! A relay's own connection to the database: it hears notifications, and holds a lock that tells when its process dies.
//!
//! The lock only makes takeover quick: a killed process loses it at once, while its lease would still run for seconds.
//! What keeps two leaders apart is the epoch of the lease.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};

use crate::db::Pool;

/// Channel on which processes that are not the leader say that they committed events.
pub(super) const COMMITTED: &str = "trato_event_committed";
/// Channel on which the leader tells the highest position it numbered.
pub(super) const NUMBERED: &str = "trato_event_numbered";

/// Longest wait for an answer on this connection; a silent one is replaced.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was heard.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Heard {
    /// Somebody committed events.
    Committed,
    /// The leader numbered up to here.
    Numbered(i64),
}

pub(super) struct Session {
    listener: PgListener,
    locked: bool,
}

impl Session {
    /// Connects as `system` does, outside its pool: the lock must die with this session, not return to a pool.
    pub async fn open(system: &Pool) -> sqlx::Result<Self> {
        let own = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(system.options().clone());
        let mut listener = PgListener::connect_with(&own).await?;
        listener.eager_reconnect(false);
        listener.listen_all([COMMITTED, NUMBERED]).await?;
        Ok(Self { listener, locked: false })
    }

    /// True when this session holds the lock. Also finds out whether the connection still lives.
    pub async fn hold(&mut self) -> sqlx::Result<bool> {
        let answer = if self.locked {
            let alive = sqlx::query_scalar("select true").fetch_one(&mut self.listener);
            tokio::time::timeout(PATIENCE, alive).await
        } else {
            let lock = "select pg_try_advisory_lock(hashtextextended('platform.relay', 0))";
            let locked = sqlx::query_scalar(lock).fetch_one(&mut self.listener);
            tokio::time::timeout(PATIENCE, locked).await
        };
        self.locked = answer.map_err(|_| sqlx::Error::PoolTimedOut)??;
        Ok(self.locked)
    }

    /// Waits for the next notification; an error means that the session is over. May be dropped while it waits.
    pub async fn hear(&mut self) -> sqlx::Result<Heard> {
        loop {
            let Some(notification) = self.listener.try_recv().await? else {
                return Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted).into());
            };
            match notification.channel() {
                COMMITTED => return Ok(Heard::Committed),
                NUMBERED => {
                    if let Ok(position) = notification.payload().parse() {
                        return Ok(Heard::Numbered(position));
                    }
                }
                _ => {}
            }
        }
    }
}

/// Tells the other processes; not within anybody's commit, as notifying commits wait for one another.
pub(super) async fn notify(system: &Pool, channel: &str, payload: &str) -> sqlx::Result<()> {
    let quick = "select set_config('synchronous_commit', 'off', true), pg_notify($1, $2)";
    sqlx::query(quick).bind(channel).bind(payload).execute(system).await?;
    Ok(())
}
