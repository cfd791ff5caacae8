//! From deliveries to effects: a batch is one transaction per tenant with its inbox rows; what fails is redone one by one.
//!
//! It knows no broker. When it answers, every event it was given is handled, held or recognised, durably, so that its
//! delivery may be acknowledged.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, field::Empty};
use trato_types::{Error, Kind, Result, error::chain};
use uuid::Uuid;

use super::{
    broker::Backoff,
    event::{Incoming, Subscription},
    inbox::{self, Claim, Item, Refusal},
    topology,
    verdict::{TRIES, Verdict, judge},
};
use crate::{
    db::{Database, Tx, away},
    telemetry::{metrics::metrics, propagate},
};

/// Tenants whose transactions are under way at once.
const TENANTS_AT_ONCE: usize = 4;
/// Longest time one handler may take with one event.
const HANDLER_TIMEOUT: Duration = Duration::from_secs(10);

/// The process is to end before everything was settled; what is not acknowledged comes again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Interrupted;

/// A failed transaction, and at which item it failed, if at one.
struct Failed {
    at: Option<usize>,
    error: Error,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { at: None, error }
    }
}

/// Brings events to the handlers of a service.
#[derive(Clone, Debug)]
pub struct Processor {
    database: Database,
    subscriptions: Vec<Subscription>,
}

impl Processor {
    /// A processor of these consumers.
    ///
    /// # Panics
    /// When two of them have one name: the second would find every event handled already.
    pub fn new(database: Database, subscriptions: Vec<Subscription>) -> Self {
        let mut names: Vec<&str> = subscriptions.iter().map(|known| known.consumer).collect();
        names.sort_unstable();
        assert!(
            names.windows(2).all(|pair| pair[0] != pair[1]),
            "consumers have names of their own: {names:?}"
        );
        Self { database, subscriptions }
    }

    /// The consumers.
    pub fn subscriptions(&self) -> &[Subscription] {
        &self.subscriptions
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// Settles every event for every consumer that listens to it; in order within a tenant. While the database is away
    /// it waits.
    pub async fn process(
        &self,
        incoming: &[Incoming],
        shutdown: &CancellationToken,
    ) -> Result<(), Interrupted> {
        let groups = inbox::by_tenant(incoming, &self.subscriptions);
        let tasks: Vec<_> =
            groups.iter().map(|(tenant, items)| self.settle(*tenant, items, shutdown).boxed()).collect();
        stream::iter(tasks).buffer_unordered(TENANTS_AT_ONCE).try_collect::<()>().await
    }

    async fn settle(
        &self,
        tenant: Uuid,
        items: &[Item<'_>],
        shutdown: &CancellationToken,
    ) -> Result<(), Interrupted> {
        let (mut rest, mut together) = (items, items.len());
        let mut backoff: Option<Backoff> = None;
        while !rest.is_empty() {
            let batch = &rest[..together.min(rest.len())];
            let Err(failed) = self.attempt(tenant, batch).await else {
                rest = &rest[batch.len()..];
                together = together.saturating_mul(2);
                backoff = None;
                continue;
            };
            if judge(&failed.error) == Verdict::Wait {
                if backoff.is_none() {
                    tracing::warn!(error = %chain(&failed.error), "events wait for the database");
                }
                // A database that is lost again and again must have a chance to keep what was done in between.
                together = (batch.len() / 2).max(1);
                pause(backoff.get_or_insert_with(for_database).step(), shutdown).await?;
                continue;
            }
            // The items before the failed one succeeded a moment ago; they go again without it.
            let at = failed.at.unwrap_or(0);
            if at > 0 {
                Box::pin(self.settle(tenant, &batch[..at], shutdown)).await?;
            }
            self.settle_one(tenant, &batch[at], shutdown).await?;
            rest = &rest[at + 1..];
        }
        Ok(())
    }

    async fn settle_one(
        &self,
        tenant: Uuid,
        item: &Item<'_>,
        shutdown: &CancellationToken,
    ) -> Result<(), Interrupted> {
        let mut unavailable = for_database();
        let mut between = Backoff::new(Duration::from_millis(10), Duration::from_millis(200));
        let mut attempts = 0;
        loop {
            let Err(failed) = self.attempt(tenant, std::slice::from_ref(item)).await else { return Ok(()) };
            attempts += 1;
            match judge(&failed.error) {
                Verdict::Wait => {
                    attempts -= 1;
                    pause(unavailable.step(), shutdown).await?;
                }
                Verdict::Retry if attempts < TRIES => {
                    metrics().retried(item.subscription.consumer);
                    pause(between.step(), shutdown).await?;
                }
                Verdict::Retry | Verdict::Park => {
                    let refusal = Refusal::of(attempts, &failed.error);
                    return self.park(tenant, item, &refusal, shutdown).await;
                }
            }
        }
    }

    async fn park(
        &self,
        tenant: Uuid,
        item: &Item<'_>,
        refusal: &Refusal,
        shutdown: &CancellationToken,
    ) -> Result<(), Interrupted> {
        let consumer = item.subscription.consumer;
        let event = &item.incoming.event;
        let mut backoff = for_database();
        loop {
            let parked = async {
                let mut tx = Tx::of(&self.database, &event.context(consumer, super::now())).await?;
                inbox::park(tx.connection(), tenant, item, refusal).await?;
                tx.commit().await
            };
            match soon(parked).await {
                Ok(()) => break,
                Err(error) => {
                    tracing::error!(error = %chain(&error), consumer, "an event could not be parked yet")
                }
            }
            pause(backoff.step(), shutdown).await?;
        }
        metrics().parked(consumer);
        tracing::error!(
            consumer,
            event.id = %event.id,
            event.type = event.kind,
            tenant.id = %tenant,
            trace_id = event.traceparent.as_deref().and_then(propagate::trace_id),
            reason = refusal.reason,
            message = refusal.message,
            "event {} is parked for {consumer} ({}): later events of its aggregate wait",
            event.id,
            refusal.reason
        );
        Ok(())
    }

    /// One transaction: claims the items and handles those that are fresh.
    async fn attempt(&self, tenant: Uuid, items: &[Item<'_>]) -> Result<(), Failed> {
        let Some(first) = items.first() else { return Ok(()) };
        let now = super::now();
        let context = |item: &Item<'_>| item.incoming.event.context(item.subscription.consumer, now);
        let begun = async {
            let mut tx = Tx::of(&self.database, &context(first)).await?;
            let claims = inbox::claim(tx.connection(), tenant, items).await?;
            Ok::<_, Error>((tx, claims))
        };
        let (mut tx, claims) = soon(begun).await?;
        let mut duplicates = Vec::new();
        for (at, (item, claim)) in std::iter::zip(items, claims).enumerate() {
            match claim {
                Claim::Fresh => {
                    // Events noted by the handler before belong to the context of that one.
                    tx.write_events().await?;
                    tx.set_cx(context(item));
                    handle(&mut tx, item).await.map_err(|error| Failed { at: Some(at), error })?;
                }
                Claim::Seen => duplicates.push(item.subscription.consumer),
                Claim::Waiting => {}
            }
        }
        soon(tx.commit()).await?;
        duplicates.into_iter().for_each(|consumer| metrics().duplicate(consumer));
        Ok(())
    }
}

/// Calls the handler within the transaction; a panic or too long a time is an error like any other.
pub(super) async fn handle(tx: &mut Tx, item: &Item<'_>) -> Result<()> {
    let Incoming { event, defect, .. } = item.incoming;
    if let Some(defect) = defect {
        let message = "the event's payload cannot be decoded";
        return Err(Error::new(Kind::Invalid, "UNREADABLE_PAYLOAD", message).caused_by(defect.clone()));
    }
    let consumer = item.subscription.consumer;
    let span = tracing::info_span!(
        "handle event",
        otel.name = %format_args!("process {consumer}"),
        otel.kind = "consumer",
        otel.status_code = Empty,
        messaging.system = "rabbitmq",
        messaging.operation.name = "process",
        messaging.operation.type = "process",
        messaging.destination.name = topology::EXCHANGE,
        messaging.rabbitmq.destination.routing_key = event.kind,
        messaging.consumer.group.name = consumer,
        messaging.message.id = %event.id,
        tenant.id = %event.tenant,
        trace_id = event.traceparent.as_deref().and_then(propagate::trace_id),
        error.type = Empty,
    );
    if let Some(traceparent) = &event.traceparent {
        propagate::set_parent(&span, traceparent);
    }
    if let Some(traceparent) = propagate::traceparent_of(&span) {
        // What the handler records is this span's doing.
        let mut cx = tx.cx().clone();
        cx.traceparent = Some(traceparent);
        tx.set_cx(cx);
    }
    let started = Instant::now();
    let handling = (item.subscription.handler)(tx, event);
    let handling = AssertUnwindSafe(handling).catch_unwind().instrument(span.clone());
    let outcome = match timeout(HANDLER_TIMEOUT, handling).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Err(panicked(panic.as_ref())),
        Err(_) => {
            let message = format!("the handler took longer than {} s", HANDLER_TIMEOUT.as_secs());
            Err(Error::new(Kind::DeadlineExceeded, "HANDLER_TIMEOUT", message))
        }
    };
    let reason = outcome.as_ref().err().map(Error::reason);
    if let Some(reason) = reason {
        span.record("error.type", reason);
        span.record("otel.status_code", "ERROR");
    }
    metrics().handled(consumer, reason, started.elapsed());
    outcome
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let said = panic.downcast_ref::<&str>().map(|said| (*said).to_owned());
    let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    Error::new(Kind::Internal, "HANDLER_PANICKED", format!("the handler panicked: {said}"))
}

/// A step that is quick unless the database is silent; whoever waits for events waits for it.
async fn soon<T>(step: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(HANDLER_TIMEOUT, step).await.unwrap_or_else(|_| Err(away()))
}

/// Waits between looks at a database that is away.
fn for_database() -> Backoff {
    Backoff::new(Duration::from_millis(50), Duration::from_secs(1))
}

async fn pause(wait: Duration, shutdown: &CancellationToken) -> Result<(), Interrupted> {
    tokio::select! {
        () = sleep(wait) => Ok(()),
        () = shutdown.cancelled() => Err(Interrupted),
    }
}
