//! Numbering: committed rows get their place in the log, in the order in which they were inserted.
//!
//! Identity order is not commit order, so a cursor over `seq` would skip rows that commit late. Within an aggregate the
//! two agree: its row is locked from the change to the commit, and the event is inserted in between.

use std::time::Duration;

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
use crate::{db::Pool, telemetry::metrics::metrics};

/// Most rows numbered by one statement.
const MOST: usize = 1_000;
/// Least time between two statements while there is little to do: each costs a commit, so a few events share one.
const SPACING: Duration = Duration::from_millis(4);

/// Numbers what is committed now, at most `limit` rows, and gives them back in the order of their positions. Empty also
/// when the lease passed on.
pub(super) async fn number(
    system: &Pool,
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
    pub system: &'a Pool,
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
        metrics().recorded(rows.iter().map(|row| row.kind.as_str()));
        if let Some(last) = rows.last().map(|row| row.position) {
            // The rows first: the publisher is woken by the position.
            self.feed.push(rows);
            self.tail.advance(last);
        }
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use std::sync::Arc;

    use uuid::Uuid;

    use super::*;
    use crate::{
        events::relay::LEASE,
        testing::{database, pool},
    };

    struct Log {
        pool: Pool,
        system: Pool,
    }

    impl Log {
        async fn new() -> Self {
            let urls = database("numbering", &[]).await;
            Self { pool: pool(&urls.url), system: pool(&urls.system_url) }
        }

        async fn write(&self, count: i64) {
            sqlx::query(
                "with c as materialized (select set_config('trato.tenant_id', $1, true)::uuid as tenant)
                 insert into platform.event (id, tenant_id, type, subject, revision, event_time, actor, payload)
                 select gen_random_uuid(), c.tenant, 'type', 'subject', revision, now(), 'actor', ''
                 from c, generate_series(1, $2) revision",
            )
            .bind(Uuid::nil().to_string())
            .bind(count)
            .execute(&self.pool)
            .await
            .expect("written");
        }

        fn lease(&self) -> Lease {
            Lease::new(self.system.clone(), LEASE, Duration::from_secs(10))
        }

        async fn positions(&self) -> Vec<i64> {
            let positions =
                "select position from platform.event where position is not null order by position";
            sqlx::query_scalar(positions).fetch_all(&self.system).await.expect("readable")
        }
    }

    /// CRD-03 (F15): a leader that was stopped and wakes after its successor began changes nothing more.
    #[tokio::test]
    async fn a_leader_whose_lease_passed_on_numbers_and_publishes_nothing() {
        let log = Log::new().await;
        let (old, new) = (log.lease(), log.lease());
        let stopped = old.take(false).await.expect("asked").expect("free");
        log.write(3).await;
        assert_eq!(number(&log.system, &old, &stopped, 10).await.expect("numbered").len(), 3);
        assert!(new.take(false).await.expect("asked").is_none(), "the lease still runs");

        let term = new.take(true).await.expect("asked").expect("the holder is gone");
        log.write(2).await;

        assert_eq!((term.epoch, term.numbered, term.published), (stopped.epoch + 1, 3, 0));
        assert!(number(&log.system, &old, &stopped, 10).await.expect("asked").is_empty());
        assert!(matches!(old.publish(&stopped, 3).await, Err(Lost::Fenced)));
        assert!(matches!(old.renew(&stopped).await, Err(Lost::Fenced)));
        let rows = number(&log.system, &new, &term, 10).await.expect("numbered");
        assert_eq!(rows.iter().map(|row| row.position).collect::<Vec<_>>(), [4, 5]);
        new.publish(&term, 5).await.expect("published");
        new.publish(&term, 4).await.expect("never back");
        let published: i64 = sqlx::query_scalar("select published from platform.lease")
            .fetch_one(&log.system)
            .await
            .expect("readable");
        assert_eq!(published, 5);
    }

    /// Leaders that replace one another while both are at work: every row one number, every number one row.
    #[tokio::test(flavor = "multi_thread")]
    async fn rival_leaders_number_each_row_once() {
        let log = Arc::new(Log::new().await);
        let rivals = (0..4).map(|_| {
            let log = log.clone();
            tokio::spawn(async move {
                let lease = log.lease();
                for _ in 0..25 {
                    log.write(7).await;
                    let term = lease.take(true).await.expect("asked").expect("forced");
                    for _ in 0..3 {
                        number(&log.system, &lease, &term, 5).await.expect("asked");
                    }
                }
            })
        });
        for rival in rivals.collect::<Vec<_>>() {
            rival.await.expect("it ends");
        }
        let lease = log.lease();
        let term = lease.take(true).await.expect("asked").expect("forced");
        number(&log.system, &lease, &term, 1_000).await.expect("numbered");

        assert_eq!(log.positions().await, (1..=700).collect::<Vec<_>>());
    }
}
