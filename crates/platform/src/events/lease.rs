//! Leases in rows: what only one process may do, fenced by an epoch that every write of the holder checks.
//!
//! Time is the database's. A holder that was stopped and wakes after its lease passed on finds the epoch changed and
//! changes nothing more. Used by the relay and by periodic jobs.

use std::{sync::Mutex, time::Duration};

use sqlx::Row as _;
use tokio::time::Instant;
use uuid::Uuid;

use crate::db::Pool;

/// A lease that may be taken.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pool: Pool,
    name: String,
    holder: Uuid,
    /// Time after which a silent holder is replaced.
    pub(crate) ttl: Duration,
}

/// A lease that was taken: how long it may be relied on, and what the last holder left.
#[derive(Debug)]
pub(crate) struct Term {
    /// Differs from every other holder's.
    pub(crate) epoch: i64,
    /// Highest position given out when the term began.
    pub(crate) numbered: i64,
    /// Highest position confirmed when the term began.
    pub(crate) published: i64,
    sure_until: Mutex<Instant>,
}

/// What ended the work of a holder.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Lost {
    /// Another holder took over.
    #[error("the lease passed on to another process")]
    Fenced,
    /// The database did not answer.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl Lease {
    /// A lease called `name`; `pool` logs in as the system role.
    pub(crate) fn new(pool: Pool, name: impl Into<String>, ttl: Duration) -> Self {
        Self { pool, name: name.into(), holder: Uuid::now_v7(), ttl }
    }

    /// The lease's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Takes the lease when it ran out, or in any case when `dead` says that the holder is known to be gone.
    pub(crate) async fn take(&self, dead: bool) -> sqlx::Result<Option<Term>> {
        let asked = Instant::now();
        let row = sqlx::query(
            "insert into platform.lease as held (name, holder, epoch, expire_time)
             values ($1, $2, 1, clock_timestamp() + make_interval(secs => $3))
             on conflict (name) do update
             set holder = excluded.holder, epoch = held.epoch + 1, expire_time = excluded.expire_time
             where $4 or held.expire_time <= clock_timestamp()
             returning epoch, numbered, published",
        )
        .bind(&self.name)
        .bind(self.holder)
        .bind(self.ttl.as_secs_f64())
        .bind(dead)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Term {
            epoch: row.try_get("epoch")?,
            numbered: row.try_get("numbered")?,
            published: row.try_get("published")?,
            sure_until: Mutex::new(asked + self.ttl),
        }))
    }

    /// Extends the lease.
    pub(crate) async fn renew(&self, term: &Term) -> Result<(), Lost> {
        let asked = Instant::now();
        let renewed = sqlx::query(
            "update platform.lease
             set expire_time = clock_timestamp() + make_interval(secs => $3)
             where name = $1 and epoch = $2",
        )
        .bind(&self.name)
        .bind(term.epoch)
        .bind(self.ttl.as_secs_f64())
        .execute(&self.pool)
        .await?;
        if renewed.rows_affected() == 0 {
            return Err(Lost::Fenced);
        }
        term.extend(asked + self.ttl);
        Ok(())
    }

    /// Makes sure of the lease before something that the database cannot fence: asks only when it may have run out.
    pub(crate) async fn ensure(&self, term: &Term) -> Result<(), Lost> {
        if term.is_sure() { Ok(()) } else { self.renew(term).await }
    }

    /// Moves the published position on, never back.
    pub(crate) async fn publish(&self, term: &Term, position: i64) -> Result<(), Lost> {
        let asked = Instant::now();
        // Need not survive a crash of the database: events published again are recognised by their identifiers.
        let moved = sqlx::query(
            "with quick as materialized (select set_config('synchronous_commit', 'off', true))
             update platform.lease
             set published = greatest(published, $3), expire_time = clock_timestamp() + make_interval(secs => $4)
             from quick
             where name = $1 and epoch = $2",
        )
        .bind(&self.name)
        .bind(term.epoch)
        .bind(position)
        .bind(self.ttl.as_secs_f64())
        .execute(&self.pool)
        .await?;
        if moved.rows_affected() == 0 {
            return Err(Lost::Fenced);
        }
        term.extend(asked + self.ttl);
        Ok(())
    }

    /// Gives the lease up, to be taken again after `pause`: at once, or when a job is next due.
    pub(crate) async fn release(&self, term: &Term, pause: Duration) -> Result<(), Lost> {
        sqlx::query(
            "update platform.lease
             set expire_time = clock_timestamp() + make_interval(secs => $3)
             where name = $1 and epoch = $2",
        )
        .bind(&self.name)
        .bind(term.epoch)
        .bind(pause.as_secs_f64())
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

impl Term {
    /// True while nobody else can have taken over.
    pub(crate) fn is_sure(&self) -> bool {
        // The margin pays for the time between this answer and what is done upon it.
        Instant::now() + Duration::from_millis(200) < *self.lock()
    }

    /// Notes that the database extended the lease, as asked for no earlier than `until` minus its length.
    pub(crate) fn extend(&self, until: Instant) {
        let mut sure_until = self.lock();
        *sure_until = until.max(*sure_until);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Instant> {
        self.sure_until.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
