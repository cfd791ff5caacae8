//! The relay: each process runs one, and one of them in turn leads: it numbers what was committed and publishes it.
//!
//! The others tell the leader of their commits and hear from it how far the log goes. A leader that dies is replaced at
//! once, one that falls silent when its lease runs out; see `lease` and `session`.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    broker::Backoff,
    lease::{Lease, Lost, Term},
    numbering::Numberer,
    publisher::Publisher,
    session::{COMMITTED, Heard, NUMBERED, Session, notify},
    tail::{Feed, Tail},
};
use crate::{
    config,
    db::{Database, Pool},
    telemetry::metrics::metrics,
};

/// Name of the relay's lease.
pub(super) const LEASE: &str = "relay";
/// Longest time a statement of the relay may be silent. All of them are quick, and others wait for what they do.
const PATIENCE: Duration = Duration::from_secs(5);
/// Least time between two notifications of one process: they carry no data, so many commits share one.
const COALESCE: Duration = Duration::from_millis(20);
/// Longest time a leader works on after it was told to stop, to publish what was committed.
const DRAIN: Duration = Duration::from_secs(3);

/// What a relay needs.
#[derive(Clone, Debug)]
pub struct Relay {
    service: &'static str,
    system: Pool,
    wake: Arc<Notify>,
    tail: Tail,
    broker: config::Broker,
    window: usize,
    poll: Duration,
    ttl: Duration,
}

impl Relay {
    /// The relay of a service.
    pub fn new(
        service: &'static str,
        database: &Database,
        broker: &config::Broker,
        events: &config::Events,
    ) -> Self {
        Self {
            service,
            system: database.system.within(PATIENCE),
            wake: database.wake.clone(),
            tail: database.tail.clone(),
            broker: broker.clone(),
            window: events.publish_batch,
            poll: events.poll_interval(),
            ttl: events.lease(),
        }
    }

    /// Runs until `shutdown`; then a leader still publishes what was committed, for at most three seconds.
    pub async fn run(self, shutdown: CancellationToken) {
        let lease = Lease::new(self.system.clone(), LEASE, self.ttl);
        metrics().leads(false);
        let mut session = None;
        let mut backoff: Option<Backoff> = None;
        while !shutdown.is_cancelled() {
            match self.follow(&lease, &mut session, &shutdown).await {
                Ok(Some(term)) => {
                    backoff = None;
                    if self.lead(&lease, &term, &mut session, &shutdown).await.is_err() {
                        // Gives the lock up and the new leader time to take it, or it would be replaced in turn.
                        session = None;
                        let _ = timeout(Duration::from_secs(2), shutdown.cancelled()).await;
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    session = None;
                    if backoff.is_none() {
                        tracing::warn!(error = %error, "the relay has no database; it tries again");
                    }
                    let wait = backoff.get_or_insert_default().step();
                    let _ = timeout(wait, shutdown.cancelled()).await;
                }
            }
        }
    }

    /// Passes messages on until this relay is to lead, or until shutdown (none).
    async fn follow(
        &self,
        lease: &Lease,
        session: &mut Option<Session>,
        shutdown: &CancellationToken,
    ) -> sqlx::Result<Option<Term>> {
        loop {
            let session = opened(session, &self.system).await?;
            let predecessor_died = session.hold().await?;
            if let Some(term) = lease.take(predecessor_died).await? {
                return Ok(Some(term));
            }
            let numbered = sqlx::query_scalar("select numbered from platform.lease where name = $1");
            self.tail.advance(numbered.bind(LEASE).fetch_one(&self.system).await?);

            let mut poll = std::pin::pin!(sleep(self.poll));
            loop {
                tokio::select! {
                    () = shutdown.cancelled() => return Ok(None),
                    () = &mut poll => break,
                    () = self.wake.notified() => {
                        notify(&self.system, COMMITTED, "").await?;
                        sleep(COALESCE).await;
                    }
                    heard = session.hear() => {
                        if let Heard::Numbered(position) = heard? {
                            self.tail.advance(position);
                        }
                    }
                }
            }
        }
    }

    /// Numbers and publishes until the lease passes on (an error) or until shutdown.
    async fn lead(
        &self,
        lease: &Lease,
        term: &Term,
        session: &mut Option<Session>,
        shutdown: &CancellationToken,
    ) -> Result<(), Lost> {
        tracing::info!(
            epoch = term.epoch,
            numbered = term.numbered,
            published = term.published,
            "the relay leads"
        );
        metrics().leads(true);
        self.tail.advance(term.numbered);
        let feed = Feed::default();
        let finished = CancellationToken::new();
        let (system, tail) = (&self.system, &self.tail);
        let numberer = Numberer { system, lease, term, feed: &feed, tail, wake: &self.wake, poll: self.poll };
        let publisher = Publisher {
            service: self.service,
            broker: &self.broker,
            system,
            lease,
            term,
            feed: &feed,
            tail,
            window: self.window,
        };
        let outcome = tokio::select! {
            lost = numberer.run(shutdown, &finished) => Err(lost),
            outcome = publisher.run(&finished) => outcome,
            lost = self.keep(lease, term) => Err(lost),
            () = self.listen(session) => Ok(()),
            () = self.announce() => Ok(()),
            () = async { shutdown.cancelled().await; sleep(DRAIN).await } => Ok(()),
        };
        metrics().leads(false);
        if let Err(lost) = &outcome {
            tracing::info!(epoch = term.epoch, reason = %lost, "the relay no longer leads");
        } else if let Err(error) = lease.release(term, Duration::ZERO).await {
            tracing::warn!(error = %error, "the relay's lease was not released; it runs out by itself");
        }
        outcome
    }

    /// Extends the lease and watches the backlog.
    async fn keep(&self, lease: &Lease, term: &Term) -> Lost {
        loop {
            sleep(self.ttl / 4).await;
            match lease.renew(term).await {
                Ok(()) => {}
                Err(Lost::Fenced) => return Lost::Fenced,
                // Nobody else can take over either while the database is away.
                Err(Lost::Database(error)) => {
                    tracing::warn!(error = %error, "the relay's lease was not extended")
                }
            }
            if metrics().is_enabled()
                && let Err(error) = self.measure().await
            {
                tracing::debug!(error = %error, "the backlog is not known");
            }
        }
    }

    async fn measure(&self) -> sqlx::Result<()> {
        let (count, age) = backlog(&self.system).await?;
        metrics().event_log(count.unsigned_abs(), age);
        metrics().held(&held(&self.system).await?);
        Ok(())
    }

    /// Hears the other processes, and keeps the lock that tells them that this one lives. Never ends.
    async fn listen(&self, session: &mut Option<Session>) {
        let mut backoff = Backoff::default();
        loop {
            let Err(error) = self.listen_once(session, &mut backoff).await;
            *session = None;
            tracing::warn!(error = %error, "the relay hears nothing for a moment; it polls");
            sleep(backoff.step()).await;
        }
    }

    async fn listen_once(
        &self,
        session: &mut Option<Session>,
        backoff: &mut Backoff,
    ) -> sqlx::Result<std::convert::Infallible> {
        let session = opened(session, &self.system).await?;
        loop {
            session.hold().await?;
            *backoff = Backoff::default();
            let mut tick = std::pin::pin!(sleep(Duration::from_secs(1)));
            loop {
                tokio::select! {
                    () = &mut tick => break,
                    heard = session.hear() => match heard? {
                        Heard::Committed => self.wake.notify_one(),
                        // Our own, or a predecessor's last words.
                        Heard::Numbered(_) => {}
                    },
                }
            }
        }
    }

    /// Tells the other processes how far the log goes. Never ends.
    async fn announce(&self) {
        let mut tail = self.tail.watch();
        while tail.changed().await.is_ok() {
            let position = tail.borrow_and_update().to_string();
            if let Err(error) = notify(&self.system, NUMBERED, &position).await {
                tracing::debug!(error = %error, "the others were not told of new events; they poll");
            }
            sleep(COALESCE).await;
        }
    }
}

async fn opened<'a>(session: &'a mut Option<Session>, system: &Pool) -> sqlx::Result<&'a mut Session> {
    let open = match session.take() {
        Some(open) => open,
        None => Session::open(system).await?,
    };
    Ok(session.insert(open))
}

/// How many committed events are not published, and how old the first of them is.
async fn backlog(system: &Pool) -> sqlx::Result<(i64, Duration)> {
    let (count, age): (i64, Option<f64>) =
        sqlx::query_as(include_str!("../../sql/measure_backlog.sql")).bind(LEASE).fetch_one(system).await?;
    Ok((count, Duration::try_from_secs_f64(age.unwrap_or_default()).unwrap_or_default()))
}

/// How many events are held, by consumer and state.
async fn held(system: &Pool) -> sqlx::Result<Vec<(String, String, i64)>> {
    sqlx::query_as(
        "select consumer, lower(state), count(*)
         from platform.inbox
         where state in ('PARKED', 'WAITING')
         group by consumer, state",
    )
    .fetch_all(system)
    .await
}
