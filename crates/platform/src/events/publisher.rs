//! Publishing: numbered events go to the broker in the order of their positions, and count as published when confirmed.
//!
//! Several windows are under way at once. After any failure the connection is built anew and everything that was not
//! confirmed is sent again from the published position on: consumers recognise what they had already.

use std::time::{Duration, SystemTime};

use futures::{FutureExt as _, StreamExt as _, TryFutureExt as _, future::BoxFuture, stream::FuturesOrdered};
use lapin::{Channel, Confirmation, Connection, PublisherConfirm, options::BasicPublishOptions};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use trato_types::Timestamp;

use super::{
    broker::{self, Backoff, BrokerError},
    headers,
    lease::{Lease, Lost, Term},
    log::{self, Logged},
    tail::{Feed, Tail},
    topology,
};
use crate::{
    config,
    db::Pool,
    telemetry::{Sent, metrics::metrics},
};

/// Windows that may wait for their confirms at once.
const WINDOWS: usize = 4;
/// Longest wait for the confirms of a window, unless the broker said that it blocks publishers.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(30);
/// Least time between two moves of the published position.
const MOVE_SPACING: Duration = Duration::from_millis(50);

/// The publishing half of a leader.
pub(super) struct Publisher<'a> {
    pub service: &'a str,
    pub broker: &'a config::Broker,
    pub system: &'a Pool,
    pub lease: &'a Lease,
    pub term: &'a Term,
    pub feed: &'a Feed,
    pub tail: &'a Tail,
    pub window: usize,
}

/// What ends one connection's work.
enum Halt {
    Fenced,
    Broker(BrokerError),
}

impl From<BrokerError> for Halt {
    fn from(error: BrokerError) -> Self {
        Self::Broker(error)
    }
}

impl From<lapin::Error> for Halt {
    fn from(error: lapin::Error) -> Self {
        Self::Broker(error.into())
    }
}

/// Events that wait for their confirms together.
#[derive(Debug)]
struct Window {
    /// Position of the last one.
    last: i64,
    count: u64,
    /// When the first one was recorded.
    oldest: Timestamp,
    /// When they were handed to the broker.
    since: SystemTime,
    /// Those whose traces are recorded.
    traced: Vec<Sent>,
}

impl Window {
    fn of(rows: &[Logged]) -> Option<Self> {
        let (first, last) = rows.first().zip(rows.last())?;
        let traced = |row: &Logged| Sent::of(row.traceparent.as_deref(), row.id, &row.kind);
        Some(Self {
            last: last.position,
            count: rows.len() as u64,
            oldest: first.create_time,
            since: SystemTime::now(),
            traced: rows.iter().filter_map(traced).collect(),
        })
    }

    /// Tells telemetry that the broker has them.
    fn tell(self) {
        let age = (super::now() - self.oldest).to_std().unwrap_or_default();
        metrics().published(topology::EXCHANGE, self.count, age);
        for sent in self.traced {
            sent.confirmed(topology::EXCHANGE, self.count, self.since);
        }
    }
}

/// How far publishing came.
struct Progress {
    /// Confirmed up to here.
    confirmed: i64,
    /// Stored as published up to here …
    stored: i64,
    /// … at this time.
    stored_at: Instant,
}

impl Publisher<'_> {
    /// Publishes until the lease passes on (an error), or until all is published after `finished` says that nothing
    /// more will be numbered.
    pub async fn run(&self, finished: &CancellationToken) -> Result<(), Lost> {
        let published = self.term.published;
        let mut progress = Progress { confirmed: published, stored: published, stored_at: Instant::now() };
        let mut backoff: Option<Backoff> = None;
        loop {
            let before = progress.confirmed;
            match self.publish(&mut progress, finished).await {
                Ok(()) => return Ok(()),
                Err(Halt::Fenced) => return Err(Lost::Fenced),
                Err(Halt::Broker(error)) => {
                    if progress.confirmed > before {
                        backoff = None;
                    }
                    if backoff.is_none() {
                        let position = progress.confirmed;
                        tracing::warn!(error = %error, position, "events cannot be published; they wait in the log");
                    }
                    tokio::select! {
                        () = sleep(backoff.get_or_insert_default().step()) => {}
                        // Without a broker nothing can be drained; the next leader goes on from here.
                        () = finished.cancelled() => return Ok(()),
                    }
                }
            }
        }
    }

    async fn publish(&self, progress: &mut Progress, finished: &CancellationToken) -> Result<(), Halt> {
        let connection = broker::connect(self.broker, &format!("{} relay", self.service)).await?;
        let channel = broker::confirming_channel(&connection).await?;
        topology::declare_exchange(&channel).await?;
        tracing::info!(position = progress.confirmed, "publishing events");
        let outcome = self.publish_windows(&connection, &channel, progress, finished).await;
        if outcome.is_ok() {
            broker::close(&connection).await;
        }
        outcome
    }

    async fn publish_windows(
        &self,
        connection: &Connection,
        channel: &Channel,
        progress: &mut Progress,
        finished: &CancellationToken,
    ) -> Result<(), Halt> {
        let mut events = Box::pin(connection.events_listener());
        let mut numbered = self.tail.watch();
        let mut sent = progress.confirmed;
        let mut flight: FuturesOrdered<BoxFuture<'_, Result<Window, BrokerError>>> = FuturesOrdered::new();
        loop {
            let head = *numbered.borrow_and_update();
            if flight.len() < WINDOWS && sent < head {
                // A process that was stopped for a while must not send what another one has sent meanwhile.
                patiently(|| self.lease.ensure(self.term).boxed()).await?;
                let rows = self.next_window(sent).await?;
                if let Some(window) = Window::of(&rows) {
                    sent = window.last;
                    let confirms = self.send(channel, &rows).await?;
                    flight.push_back(Box::pin(confirmed(connection, confirms, window)));
                    continue;
                }
                if flight.is_empty() {
                    // Positions that were left out when the log was restored.
                    sent = head;
                    progress.confirmed = head;
                    continue;
                }
            }
            let stored = progress.confirmed == progress.stored;
            if flight.is_empty() && finished.is_cancelled() && sent >= head {
                return self.store(progress).await;
            }
            tokio::select! {
                Some(window) = flight.next(), if !flight.is_empty() => {
                    let window = window?;
                    progress.confirmed = window.last;
                    window.tell();
                }
                // Each move is a commit, and only spares a successor some repetition: a few windows share one.
                () = sleep_until(progress.stored_at + MOVE_SPACING), if !stored => self.store(progress).await?,
                changed = numbered.changed(), if flight.len() < WINDOWS => {
                    // The sender lives in `self.tail`.
                    debug_assert!(changed.is_ok());
                }
                // An idle connection that breaks is replaced before the next event needs it.
                Some(lapin::Event::Error(error)) = events.next() => return Err(error.into()),
                () = finished.cancelled(), if flight.is_empty() && !finished.is_cancelled() => {}
            }
        }
    }

    async fn next_window(&self, sent: i64) -> Result<Vec<Logged>, Halt> {
        let window = self.feed.take(sent, self.window);
        if !window.is_empty() {
            return Ok(window);
        }
        let limit = i64::try_from(self.window).unwrap_or(i64::MAX);
        patiently(|| log::read_after(self.system, sent, limit).map_err(Lost::Database).boxed()).await
    }

    async fn send(&self, channel: &Channel, window: &[Logged]) -> Result<Vec<PublisherConfirm>, Halt> {
        let mut confirms = Vec::with_capacity(window.len());
        for row in window {
            confirms.push(publish(channel, topology::EXCHANGE, &row.kind, row, self.service, false).await?);
        }
        Ok(confirms)
    }

    async fn store(&self, progress: &mut Progress) -> Result<(), Halt> {
        let confirmed = progress.confirmed;
        if confirmed > progress.stored {
            patiently(|| self.lease.publish(self.term, confirmed).boxed()).await?;
            progress.stored = confirmed;
            progress.stored_at = Instant::now();
        }
        Ok(())
    }
}

/// Repeats a step while the database is away; the connection to the broker lives on meanwhile.
async fn patiently<'a, T>(step: impl Fn() -> BoxFuture<'a, Result<T, Lost>>) -> Result<T, Halt> {
    let mut backoff: Option<Backoff> = None;
    loop {
        match step().await {
            Ok(done) => return Ok(done),
            Err(Lost::Fenced) => return Err(Halt::Fenced),
            Err(Lost::Database(error)) => {
                if backoff.is_none() {
                    tracing::warn!(error = %error, "publishing waits for the database");
                }
                sleep(backoff.get_or_insert_default().step()).await;
            }
        }
    }
}

/// Hands one event to the channel; the answer tells when the broker has it.
pub(super) async fn publish(
    channel: &Channel,
    exchange: &str,
    key: &str,
    row: &Logged,
    service: &str,
    mandatory: bool,
) -> Result<PublisherConfirm, lapin::Error> {
    let options = BasicPublishOptions { mandatory, ..BasicPublishOptions::default() };
    channel
        .basic_publish(exchange.into(), key.into(), options, &row.payload, headers::write(row, service))
        .await
}

/// Waits until all of a window is confirmed.
async fn confirmed(
    connection: &Connection,
    confirms: Vec<PublisherConfirm>,
    window: Window,
) -> Result<Window, BrokerError> {
    let mut all = std::pin::pin!(async {
        for confirm in confirms {
            if !matches!(confirm.await?, Confirmation::Ack(_)) {
                return Err(BrokerError::Refused);
            }
        }
        Ok(())
    });
    loop {
        match timeout(CONFIRM_TIMEOUT, &mut all).await {
            Ok(outcome) => return outcome.map(|()| window),
            // The broker is out of memory or disk and said so: it will go on with what it was sent.
            Err(_) if connection.status().blocked() => {}
            Err(_) => return Err(BrokerError::Silent),
        }
    }
}
