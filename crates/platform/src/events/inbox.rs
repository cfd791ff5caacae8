//! The inbox: each event takes effect once per consumer, and the events of an aggregate wait behind one that failed.
//!
//! An aggregate is *held* for a consumer while one of its events is PARKED. Whoever changes that, or relies on it, locks
//! the pair first; deliveries of aggregates that are not held need no lock.

use std::collections::{HashMap, HashSet};

use trato_types::{Result, error::chain};
use uuid::Uuid;

use super::event::{Incoming, Subscription};
use crate::db::{Connection, from_sqlx};

/// One event for one consumer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    pub incoming: &'a Incoming,
    pub subscription: &'a Subscription,
}

/// An aggregate as one consumer sees it; the unit of order.
pub(super) type Lane<'a> = (&'a str, &'a str);

impl<'a> Item<'a> {
    pub fn lane(&self) -> Lane<'a> {
        (self.subscription.consumer, &self.incoming.event.subject)
    }

    fn key(&self) -> (&'a str, Uuid) {
        (self.subscription.consumer, self.incoming.event.id)
    }
}

/// What a transaction may do with an item.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Claim {
    /// Handle it: the inbox row is written with the effect.
    Fresh,
    /// Nothing: it was handled, held or dropped before.
    Seen,
    /// Nothing more: it waits behind a parked event.
    Waiting,
}

/// Claims items of one tenant, in order, within the transaction that is going to handle the fresh ones.
pub(super) async fn claim(
    connection: &mut Connection,
    tenant: Uuid,
    items: &[Item<'_>],
) -> Result<Vec<Claim>> {
    let found = insert(connection, tenant, items).await?;
    // The statement answers for each pair, so that the second of two equal items would be fresh as well.
    let mut once = HashSet::new();
    let found: Vec<Found> = std::iter::zip(items, found)
        .map(|(item, found)| if once.insert(item.key()) { found } else { Found::Again })
        .collect();
    if found.iter().all(|found| *found == Found::Fresh) {
        return Ok(vec![Claim::Fresh; items.len()]);
    }
    settle_doubts(connection, tenant, items, found).await
}

/// What the claiming statement saw of an item.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Found {
    Fresh,
    Seen,
    Held,
    /// Twice in the batch.
    Again,
}

/// Lanes that looked held may have been released since the statement's snapshot, and a row that was there already may
/// have been parked by a predecessor that had lost its queue without knowing: such lanes are locked and looked at again.
async fn settle_doubts(
    connection: &mut Connection,
    tenant: Uuid,
    items: &[Item<'_>],
    mut found: Vec<Found>,
) -> Result<Vec<Claim>> {
    let doubtful: HashSet<Lane<'_>> = std::iter::zip(items, &found)
        .filter(|(_, found)| matches!(found, Found::Held | Found::Seen))
        .map(|(item, _)| item.lane())
        .collect();
    let lanes: Vec<Lane<'_>> = doubtful.into_iter().collect();
    lock(connection, tenant, &lanes).await?;
    let held = held_lanes(connection, tenant, &lanes).await?;
    let is_held = |item: &Item<'_>| {
        let (consumer, subject) = item.lane();
        held.contains(&(consumer.to_owned(), subject.to_owned()))
    };

    let released: Vec<usize> =
        (0..items.len()).filter(|&at| found[at] == Found::Held && !is_held(&items[at])).collect();
    if !released.is_empty() {
        let again: Vec<Item<'_>> = released.iter().map(|&at| items[at]).collect();
        // Their lanes are locked, so that they cannot be held again.
        for (&at, claim) in std::iter::zip(&released, insert(connection, tenant, &again).await?) {
            found[at] = claim;
        }
    }
    let mut claims = Vec::with_capacity(items.len());
    for (item, found) in std::iter::zip(items, found) {
        claims.push(match found {
            Found::Fresh if is_held(item) => {
                unclaim(connection, tenant, item).await?;
                keep(connection, tenant, item, "WAITING", None).await?;
                Claim::Waiting
            }
            Found::Held if is_held(item) => {
                keep(connection, tenant, item, "WAITING", None).await?;
                Claim::Waiting
            }
            Found::Fresh => Claim::Fresh,
            Found::Held | Found::Seen | Found::Again => Claim::Seen,
        });
    }
    Ok(claims)
}

async fn insert(connection: &mut Connection, tenant: Uuid, items: &[Item<'_>]) -> Result<Vec<Found>> {
    let found: Vec<String> = sqlx::query_scalar(include_str!("../../sql/claim_events.sql"))
        .bind(tenant)
        .bind(items.iter().map(|item| item.subscription.consumer).collect::<Vec<_>>())
        .bind(items.iter().map(|item| item.incoming.event.id).collect::<Vec<_>>())
        .bind(items.iter().map(|item| item.incoming.event.subject.as_str()).collect::<Vec<_>>())
        .bind(items.iter().map(|item| item.incoming.event.revision).collect::<Vec<_>>())
        .fetch_all(connection)
        .await
        .map_err(from_sqlx)?;
    let known = |word: &String| match word.as_str() {
        "FRESH" => Found::Fresh,
        "HELD" => Found::Held,
        _ => Found::Seen,
    };
    Ok(found.iter().map(known).collect())
}

/// Locks lanes until the end of the transaction, always in the same order.
pub(super) async fn lock(connection: &mut Connection, tenant: Uuid, lanes: &[Lane<'_>]) -> Result<()> {
    let (consumers, subjects): (Vec<&str>, Vec<&str>) = lanes.iter().copied().unzip();
    sqlx::query(
        "select pg_advisory_xact_lock(lane.key)
         from (
           select distinct hashtextextended(concat_ws(' ', $1::text, consumer, subject), 0) as key
           from unnest($2::text[], $3::text[]) as lane (consumer, subject)
           order by key
         ) lane",
    )
    .bind(tenant.to_string())
    .bind(consumers)
    .bind(subjects)
    .execute(connection)
    .await
    .map_err(from_sqlx)?;
    Ok(())
}

async fn held_lanes(
    connection: &mut Connection,
    tenant: Uuid,
    lanes: &[Lane<'_>],
) -> Result<HashSet<(String, String)>> {
    let (consumers, subjects): (Vec<&str>, Vec<&str>) = lanes.iter().copied().unzip();
    let held: Vec<(String, String)> = sqlx::query_as(
        "select distinct inbox.consumer, inbox.subject
         from unnest($2::text[], $3::text[]) as lane (consumer, subject)
         join platform.inbox inbox
           on inbox.tenant_id = $1 and inbox.consumer = lane.consumer and inbox.subject = lane.subject
           and inbox.state in ('PARKED', 'WAITING')",
    )
    .bind(tenant)
    .bind(consumers)
    .bind(subjects)
    .fetch_all(connection)
    .await
    .map_err(from_sqlx)?;
    Ok(held.into_iter().collect())
}

/// Takes back the row with which this very transaction claimed an item.
async fn unclaim(connection: &mut Connection, tenant: Uuid, item: &Item<'_>) -> Result<()> {
    sqlx::query("delete from platform.inbox where tenant_id = $1 and consumer = $2 and event_id = $3")
        .bind(tenant)
        .bind(item.subscription.consumer)
        .bind(item.incoming.event.id)
        .execute(connection)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

/// Why an event is parked.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub attempts: i32,
    pub reason: &'static str,
    pub message: String,
}

impl Refusal {
    /// After so many tries, for this error.
    pub fn of(attempts: i32, error: &trato_types::Error) -> Self {
        // NUL is the one character that PostgreSQL's texts cannot hold.
        let message: String = chain(error).replace('\0', "\u{FFFD}").chars().take(2_000).collect();
        Self { attempts, reason: error.reason(), message }
    }
}

/// Parks an item whose handler failed, so that its aggregate waits. It waits itself if the aggregate was held already.
pub(super) async fn park(
    connection: &mut Connection,
    tenant: Uuid,
    item: &Item<'_>,
    refusal: &Refusal,
) -> Result<()> {
    lock(connection, tenant, &[item.lane()]).await?;
    let held = !held_lanes(connection, tenant, &[item.lane()]).await?.is_empty();
    keep(connection, tenant, item, if held { "WAITING" } else { "PARKED" }, Some(refusal)).await
}

/// Keeps an item with all that is needed to handle it later. Its lane is locked. One that is there already stays.
async fn keep(
    connection: &mut Connection,
    tenant: Uuid,
    item: &Item<'_>,
    state: &str,
    refusal: Option<&Refusal>,
) -> Result<()> {
    sqlx::query(
        "insert into platform.inbox
           (tenant_id, consumer, event_id, subject, revision, state, attempts, reason, message, metadata, payload)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict (tenant_id, consumer, event_id) do nothing",
    )
    .bind(tenant)
    .bind(item.subscription.consumer)
    .bind(item.incoming.event.id)
    .bind(&item.incoming.event.subject)
    .bind(item.incoming.event.revision)
    .bind(state)
    .bind(refusal.map_or(0, |refusal| refusal.attempts))
    .bind(refusal.map(|refusal| refusal.reason))
    .bind(refusal.map(|refusal| refusal.message.as_str()))
    .bind(sqlx::types::Json(item.incoming.metadata()))
    .bind(&item.incoming.payload)
    .execute(connection)
    .await
    .map_err(from_sqlx)?;
    Ok(())
}

/// Splits deliveries into the items of each tenant, in order.
pub(super) fn by_tenant<'a>(
    incoming: &'a [Incoming],
    subscriptions: &'a [Subscription],
) -> Vec<(Uuid, Vec<Item<'a>>)> {
    let mut groups: Vec<(Uuid, Vec<Item<'a>>)> = Vec::new();
    let mut index: HashMap<Uuid, usize> = HashMap::new();
    // A batch has many events of few types.
    let mut listeners: HashMap<&str, Vec<&Subscription>> = HashMap::new();
    for incoming in incoming {
        let kind = incoming.event.kind.as_str();
        let listening = listeners
            .entry(kind)
            .or_insert_with(|| subscriptions.iter().filter(|known| known.listens_to(kind)).collect());
        for &subscription in listening.iter() {
            let at = *index.entry(incoming.event.tenant).or_insert_with(|| {
                groups.push((incoming.event.tenant, Vec::new()));
                groups.len() - 1
            });
            groups[at].1.push(Item { incoming, subscription });
        }
    }
    groups
}
