//! What is parked: listed, shown, tried again or dropped by an operator, without overtaking within an aggregate.
//!
//! Each step is one transaction that locks the aggregate, as the consumer does before it lets an event pass: the next
//! event in line becomes the parked one until it, too, was handled, so that a killed command leaves nothing forgotten.

use serde::Serialize;
use sqlx::{Row as _, postgres::PgRow, types::Json};
use trato_types::{Context, Error, Kind, Result, Timestamp};
use uuid::Uuid;

use super::{
    event::{Incoming, Metadata},
    inbox::{self, Item, Refusal},
    processor::{Processor, handle},
};
use crate::db::{Pool, Tx, from_sqlx};

/// A held event as operators see it.
#[derive(Clone, Debug, Serialize)]
pub struct Held {
    /// Tenant of the aggregate.
    pub tenant: Uuid,
    /// The consumer it is held for.
    pub consumer: String,
    /// The event.
    pub event: Uuid,
    /// The aggregate.
    pub subject: String,
    /// Its revision.
    pub revision: i64,
    /// PARKED, or WAITING behind a parked one.
    pub state: String,
    /// The event's type.
    pub kind: String,
    /// When the event was recorded.
    pub event_create_time: Timestamp,
    /// When it came in.
    pub create_time: Timestamp,
    /// When it was last tried.
    pub update_time: Timestamp,
    /// Tries that failed.
    pub attempts: i32,
    /// Stable reason of the last failure; none for one that waits.
    pub reason: Option<String>,
    /// The failure with its causes.
    pub message: Option<String>,
    /// Events of the aggregate that wait behind it.
    pub waiting: i64,
    /// The payload, a `trato.events.v1.Change`.
    #[serde(skip)]
    pub payload: Vec<u8>,
}

/// Which held events are meant.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only this event.
    pub event: Option<Uuid>,
    /// Only of this consumer.
    pub consumer: Option<String>,
    /// Only of this tenant.
    pub tenant: Option<Uuid>,
}

/// What became of a replay of one aggregate.
#[derive(Clone, Debug, Serialize)]
pub struct Replayed {
    /// The aggregate's tenant.
    pub tenant: Uuid,
    /// The consumer.
    pub consumer: String,
    /// The aggregate.
    pub subject: String,
    /// Events that took effect.
    pub handled: u64,
    /// The event that is parked now, and why; none when the aggregate is free.
    pub parked: Option<(Uuid, String)>,
}

/// Lists parked events, oldest first, at most `limit`; across tenants.
pub async fn list(processor: &Processor, selection: &Selection, limit: i64) -> Result<Vec<Held>> {
    select(&processor.database().system, selection, "PARKED", limit).await
}

/// Finds one held event, for one consumer; ambiguous ones need the consumer to be named.
pub async fn show(processor: &Processor, selection: &Selection) -> Result<Held> {
    let system = &processor.database().system;
    let mut found = select(system, selection, "PARKED", 2).await?;
    found.extend(select(system, selection, "WAITING", 2).await?);
    match found.len() {
        0 => Err(Error::new(Kind::NotFound, "NOT_HELD", "no such event is parked or waits")),
        1 => Ok(found.remove(0)),
        _ => {
            let message = "the event is held for several consumers; name one";
            Err(Error::new(Kind::Invalid, "CONSUMER_REQUIRED", message))
        }
    }
}

async fn select(system: &Pool, selection: &Selection, state: &str, limit: i64) -> Result<Vec<Held>> {
    let rows = sqlx::query(include_str!("../../sql/list_held_events.sql"))
        .bind(state)
        .bind(selection.tenant)
        .bind(selection.consumer.as_deref())
        .bind(selection.event)
        .bind(limit)
        .fetch_all(system)
        .await
        .map_err(from_sqlx)?;
    rows.iter().map(|row| read(row).map_err(from_sqlx)).collect()
}

fn read(row: &PgRow) -> sqlx::Result<Held> {
    let Json(metadata): Json<Metadata> = row.try_get("metadata")?;
    Ok(Held {
        tenant: row.try_get("tenant_id")?,
        consumer: row.try_get("consumer")?,
        event: row.try_get("event_id")?,
        subject: row.try_get("subject")?,
        revision: row.try_get("revision")?,
        state: row.try_get("state")?,
        kind: metadata.kind,
        event_create_time: metadata.create_time,
        create_time: row.try_get("create_time")?,
        update_time: row.try_get("update_time")?,
        attempts: row.try_get("attempts")?,
        reason: row.try_get("reason")?,
        message: row.try_get("message")?,
        waiting: row.try_get("waiting")?,
        payload: row.try_get("payload")?,
    })
}

/// Tries a parked event again, and then those that wait behind it, in order, until one fails or the aggregate is free.
/// Safe to repeat and to interrupt.
pub async fn replay(processor: &Processor, held: &Held) -> Result<Replayed> {
    let mut replayed = Replayed {
        tenant: held.tenant,
        consumer: held.consumer.clone(),
        subject: held.subject.clone(),
        handled: 0,
        parked: None,
    };
    loop {
        match step(processor, held).await? {
            Step::Free => return Ok(replayed),
            Step::Handled => replayed.handled += 1,
            Step::Failed(event, refusal) => {
                replayed.parked = Some((event, refusal.reason.to_owned()));
                return Ok(replayed);
            }
        }
    }
}

/// Gives a held event up: it will never take effect here. Those behind it are then tried. The row stays, so that the
/// event is recognised when it comes again.
pub async fn drop_event(processor: &Processor, held: &Held) -> Result<Replayed> {
    let mut tx = operator(processor, held).await?;
    inbox::lock(tx.connection(), held.tenant, &[(&held.consumer, &held.subject)]).await?;
    let dropped = sqlx::query(
        "update platform.inbox
         set state = 'DROPPED', metadata = null, payload = null, update_time = now()
         where tenant_id = $1 and consumer = $2 and event_id = $3 and state in ('PARKED', 'WAITING')",
    )
    .bind(held.tenant)
    .bind(&held.consumer)
    .bind(held.event)
    .execute(tx.connection())
    .await
    .map_err(from_sqlx)?;
    if dropped.rows_affected() == 0 {
        return Err(Error::new(Kind::NotFound, "NOT_HELD", "no such event is parked or waits"));
    }
    promote(&mut tx, held).await?;
    tx.commit().await?;
    if held.state == "WAITING" {
        let (tenant, consumer, subject) = (held.tenant, held.consumer.clone(), held.subject.clone());
        return Ok(Replayed { tenant, consumer, subject, handled: 0, parked: None });
    }
    replay(processor, held).await
}

enum Step {
    Free,
    Handled,
    Failed(Uuid, Refusal),
}

/// Handles the parked event of an aggregate, if there is one.
async fn step(processor: &Processor, held: &Held) -> Result<Step> {
    let known = processor.subscriptions().iter().find(|known| known.consumer == held.consumer);
    let subscription = known.ok_or_else(|| {
        let message = "the service no longer has this consumer; its events can only be dropped";
        Error::new(Kind::Precondition, "UNKNOWN_CONSUMER", message).with("consumer", &held.consumer)
    })?;
    let mut tx = operator(processor, held).await?;
    inbox::lock(tx.connection(), held.tenant, &[(&held.consumer, &held.subject)]).await?;
    let Some(incoming) = parked(&mut tx, held).await? else { return Ok(Step::Free) };

    tx.set_cx(incoming.event.context(subscription.consumer, super::now()));
    match handle(&mut tx, &Item { incoming: &incoming, subscription }).await {
        Ok(()) => {
            done(&mut tx, held, incoming.event.id).await?;
            promote(&mut tx, held).await?;
            tx.commit().await?;
            Ok(Step::Handled)
        }
        Err(error) => {
            drop(tx);
            let refusal = Refusal::of(1, &error);
            refuse(processor, held, incoming.event.id, &refusal).await?;
            Ok(Step::Failed(incoming.event.id, refusal))
        }
    }
}

async fn operator(processor: &Processor, held: &Held) -> Result<Tx> {
    let cx = Context::of_system(held.tenant, "operator", super::now());
    Tx::of(processor.database(), &cx).await
}

async fn parked(tx: &mut Tx, held: &Held) -> Result<Option<Incoming>> {
    let row = sqlx::query(
        "select event_id, revision, metadata, payload
         from platform.inbox
         where tenant_id = $1 and consumer = $2 and subject = $3 and state = 'PARKED'
         for update",
    )
    .bind(held.tenant)
    .bind(&held.consumer)
    .bind(&held.subject)
    .fetch_optional(tx.connection())
    .await
    .map_err(from_sqlx)?;
    let incoming = row.map(|row| {
        let Json(metadata): Json<Metadata> = row.try_get("metadata")?;
        let key = (row.try_get("event_id")?, held.tenant, held.subject.clone(), row.try_get("revision")?);
        Ok(Incoming::new(key, metadata, row.try_get("payload")?))
    });
    incoming.transpose().map_err(from_sqlx)
}

async fn done(tx: &mut Tx, held: &Held, event: Uuid) -> Result<()> {
    sqlx::query(
        "update platform.inbox
         set state = 'DONE', metadata = null, payload = null, reason = null, message = null, update_time = now()
         where tenant_id = $1 and consumer = $2 and event_id = $3",
    )
    .bind(held.tenant)
    .bind(&held.consumer)
    .bind(event)
    .execute(tx.connection())
    .await
    .map_err(from_sqlx)?;
    Ok(())
}

/// Puts the next event in line at the head, unless one is parked there.
async fn promote(tx: &mut Tx, held: &Held) -> Result<()> {
    sqlx::query(include_str!("../../sql/promote_waiting_event.sql"))
        .bind(held.tenant)
        .bind(&held.consumer)
        .bind(&held.subject)
        .execute(tx.connection())
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

async fn refuse(processor: &Processor, held: &Held, event: Uuid, refusal: &Refusal) -> Result<()> {
    let mut tx = operator(processor, held).await?;
    sqlx::query(
        "update platform.inbox
         set attempts = attempts + $4, reason = $5, message = $6, update_time = now()
         where tenant_id = $1 and consumer = $2 and event_id = $3 and state = 'PARKED'",
    )
    .bind(held.tenant)
    .bind(&held.consumer)
    .bind(event)
    .bind(refusal.attempts)
    .bind(refusal.reason)
    .bind(&refusal.message)
    .execute(tx.connection())
    .await
    .map_err(from_sqlx)?;
    tx.commit().await
}
