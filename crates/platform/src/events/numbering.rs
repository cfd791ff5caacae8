//! Numbering: committed rows get their place in the log, in the order in which they were inserted.
//!
//! Identity order is not commit order, so a cursor over `seq` would skip rows that commit late. Within an aggregate the
//! two agree: its row is locked from the change to the commit, and the event is inserted in between.

use std::time::Duration;

use sqlx::PgPool;
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    broker::Backoff,
    lease::{Lease, Lost, Term},
    log::Logged,
    tail::{Feed, Tail},
};

/// Most rows numbered by one statement.
const MOST: usize = 1_000;
/// Least time between two statements while there is little to do: each costs a commit, so a few events share one.
const SPACING: Duration = Duration::from_millis(4);

/// Numbers what is committed now, at most `limit` rows, and gives them back in the order of their positions. Empty also
/// when the lease passed on.
pub(super) async fn number(
    system: &PgPool,
    lease: &Lease,
    term: &Term,
    limit: usize,
) -> sqlx::Result<Vec<Logged>> {
    let asked = Instant::now();
    let mut rows: Vec<Logged> = sqlx::query_as(include_str!("../../sql/number_events.sql"))
        .bind(lease.name())
        .bind(term.epoch)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .bind(lease.ttl.as_secs_f64())
        .fetch_all(system)
        .await?;
    rows.sort_unstable_by_key(|row| row.position);
    if !rows.is_empty() {
        term.extend(asked + lease.ttl);
    }
    Ok(rows)
}

/// The numbering half of a leader.
pub(super) struct Numberer<'a> {
    pub system: &'a PgPool,
    pub lease: &'a Lease,
    pub term: &'a Term,
    pub feed: &'a Feed,
    pub tail: &'a Tail,
    pub wake: &'a Notify,
    pub poll: Duration,
}

impl Numberer<'_> {
    /// Numbers until the lease passes on. After `shutdown` it numbers once more, cancels `finished` and rests.
    pub async fn run(&self, shutdown: &CancellationToken, finished: &CancellationToken) -> Lost {
        let mut backoff: Option<Backoff> = None;
        loop {
            let last_pass = shutdown.is_cancelled();
            match number(self.system, self.lease, self.term, MOST).await {
                Ok(rows) => {
                    backoff = None;
                    let count = rows.len();
                    self.hand_on(rows);
                    if count == MOST {
                        continue;
                    }
                    if last_pass {
                        finished.cancel();
                        std::future::pending::<()>().await;
                    }
                    if count > 0 {
                        sleep(SPACING).await;
                    }
                }
                Err(error) => {
                    if backoff.is_none() {
                        tracing::warn!(error = %error, "events cannot be numbered; they wait in the log");
                    }
                    sleep(backoff.get_or_insert_default().step()).await;
                }
            }
            tokio::select! {
                () = self.wake.notified() => {}
                () = sleep(self.poll) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    fn hand_on(&self, rows: Vec<Logged>) {
        if let Some(last) = rows.last().map(|row| row.position) {
            // The rows first: the publisher is woken by the position.
            self.feed.push(rows);
            self.tail.advance(last);
        }
    }
}
