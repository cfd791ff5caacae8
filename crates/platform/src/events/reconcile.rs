//! What two services must tell each other so that they agree again, after one of them was restored to an earlier moment.
//!
//! A source's log and a consumer's inbox are compared by the identifiers of events. What a consumer *lacks* is sent to it
//! again. What it has *heard* of and the log *lost* cannot be brought back; each is named, and the resource is lifted to
//! a revision above it, since read models believe the highest revision.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use sqlx::{FromRow, Row as _, postgres::PgRow};
use trato_types::{Context, Result, Timestamp};
use uuid::Uuid;

use super::{listing::Line, processor::Processor, relay};
use crate::{
    db::{Database, Kept, from_sqlx},
    telemetry::propagate::traced,
};

/// Rows read at once.
const WINDOW: i64 = 2_000;
/// How far numbering goes on above the highest position known: more than any log gives out before it is restored again.
const LEAP: i64 = 1 << 40;

/// The time before which events and inbox rows may have been forgotten, so that nothing follows from their absence.
pub fn horizon(retention_days: u32) -> Timestamp {
    // An hour for the clocks of those who recorded and those who forgot.
    super::now() - chrono::Duration::days(i64::from(retention_days)) + chrono::Duration::hours(1)
}

/// The time so many seconds ago.
pub fn seconds_ago(seconds: u32) -> Timestamp {
    super::now() - chrono::Duration::seconds(i64::from(seconds))
}

/// An event that consumers of a service have not heard of.
#[derive(Clone, Debug, Serialize)]
pub struct Lacking {
    #[serde(flatten)]
    line: Line,
    /// Who should have.
    consumers: Vec<&'static str>,
}

/// Of these events, recorded between `horizon` and `until`, those that some consumer here listens to and has not heard
/// of.
pub async fn lacking(
    processor: &Processor,
    lines: Vec<Line>,
    horizon: Timestamp,
    until: Timestamp,
) -> Result<Vec<Lacking>> {
    let judged = |line: &&Line| line.event.create_time >= horizon && line.event.create_time <= until;
    let (mut consumers, mut tenants, mut events) = (Vec::new(), Vec::new(), Vec::new());
    for line in lines.iter().filter(judged) {
        for known in processor.subscriptions().iter().filter(|known| known.listens_to(&line.event.kind)) {
            consumers.push(known.consumer);
            tenants.push(line.event.tenant);
            events.push(line.event.id);
        }
    }
    let missing: Vec<(String, Uuid)> = sqlx::query_as(
        "select item.consumer, item.event_id
         from unnest($1::text[], $2::uuid[], $3::uuid[]) as item (consumer, tenant_id, event_id)
         where not exists (
           select
           from platform.inbox inbox
           where inbox.tenant_id = item.tenant_id and inbox.consumer = item.consumer and inbox.event_id = item.event_id
         )",
    )
    .bind(consumers)
    .bind(tenants)
    .bind(events)
    .fetch_all(&processor.database().system)
    .await
    .map_err(from_sqlx)?;
    let mut missed: HashMap<Uuid, Vec<&'static str>> = HashMap::new();
    for (consumer, event) in missing {
        let known = processor.subscriptions().iter().find(|known| known.consumer == consumer);
        missed.entry(event).or_default().extend(known.map(|known| known.consumer));
    }
    let lacking = lines.into_iter().filter_map(|line| {
        let consumers = missed.remove(&line.event.id)?;
        Some(Lacking { line, consumers })
    });
    Ok(lacking.collect())
}

/// An event that a consumer has heard of.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Heard {
    /// Its identifier.
    pub id: Uuid,
    /// The aggregate's tenant.
    pub tenant: Uuid,
    /// The aggregate.
    pub subject: String,
    /// Its revision.
    pub revision: i64,
    /// The consumer.
    pub consumer: String,
    /// DONE, PARKED, WAITING or DROPPED; a parked or waiting one is still there with its payload.
    pub state: String,
}

impl<'r> FromRow<'r, PgRow> for Heard {
    fn from_row(row: &'r PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("event_id")?,
            tenant: row.try_get("tenant_id")?,
            subject: row.try_get("subject")?,
            revision: row.try_get("revision")?,
            consumer: row.try_get("consumer")?,
            state: row.try_get("state")?,
        })
    }
}

/// Hands everything that the consumers of a service have heard of since `horizon` to `take`.
pub async fn heard(
    processor: &Processor,
    horizon: Timestamp,
    mut take: impl FnMut(Heard) -> Result<()>,
) -> Result<()> {
    let mut after = (Uuid::nil(), String::new(), Uuid::nil());
    loop {
        let rows: Vec<Heard> = sqlx::query_as(
            "select event_id, tenant_id, subject, revision, consumer, state
             from platform.inbox
             where (tenant_id, consumer, event_id) > ($1, $2, $3)
             order by tenant_id, consumer, event_id
             limit $4",
        )
        .bind(after.0)
        .bind(&after.1)
        .bind(after.2)
        .bind(WINDOW)
        .fetch_all(&processor.database().system)
        .await
        .map_err(from_sqlx)?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = (last.tenant, last.consumer.clone(), last.id);
        for row in rows {
            if is_since(row.id, horizon) {
                take(row)?;
            }
        }
    }
}

/// Events bear the time they were recorded in their identifier.
fn is_since(id: Uuid, horizon: Timestamp) -> bool {
    let seconds = id.get_timestamp().map(|time| time.to_unix().0);
    seconds.is_none_or(|seconds| i64::try_from(seconds).is_ok_and(|seconds| seconds >= horizon.timestamp()))
}

/// An event that was heard of and is not in the log it came from.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Lost {
    /// What was heard of.
    #[serde(flatten)]
    pub heard: Heard,
    /// The aggregate's revision by the log now; none when the log knows nothing of it.
    pub kept_revision: Option<i64>,
}

/// Of what was heard, the events of resources that this service keeps which its log should have, and has not.
pub async fn lost(
    database: &Database,
    kept: &[Kept],
    heard: Vec<Heard>,
    horizon: Timestamp,
) -> Result<Vec<Lost>> {
    let ours =
        |heard: &Heard| kept.iter().any(|kept| kept.is_of(&heard.subject)) && is_since(heard.id, horizon);
    let heard: Vec<Heard> = heard.into_iter().filter(ours).collect();
    let rows = sqlx::query(
        "select item.ordinal, (
           select max(event.revision)
           from platform.event event
           where event.tenant_id = item.tenant_id and event.subject = item.subject
         ) as revision
         from unnest($1::uuid[], $2::uuid[], $3::text[]) with ordinality as item (event_id, tenant_id, subject, ordinal)
         where not exists (select from platform.event event where event.id = item.event_id)
         order by item.ordinal",
    )
    .bind(heard.iter().map(|heard| heard.id).collect::<Vec<_>>())
    .bind(heard.iter().map(|heard| heard.tenant).collect::<Vec<_>>())
    .bind(heard.iter().map(|heard| heard.subject.as_str()).collect::<Vec<_>>())
    .fetch_all(&database.system)
    .await
    .map_err(from_sqlx)?;
    let lost = rows.iter().map(|row| {
        let ordinal: i64 = row.try_get("ordinal")?;
        let at = usize::try_from(ordinal - 1).unwrap_or_default();
        Ok(Lost { heard: heard[at].clone(), kept_revision: row.try_get("revision")? })
    });
    lost.collect::<sqlx::Result<_>>().map_err(from_sqlx)
}

/// A resource that was brought above all revisions that were heard of.
#[derive(Clone, Debug, Serialize)]
pub struct Lifted {
    /// The tenant.
    pub tenant: Uuid,
    /// The resource.
    pub subject: String,
    /// Its revision now.
    pub revision: i64,
}

/// Lifts the resources of lost events, as far as they are here and not above already. Repeatable.
pub async fn lift(database: &Database, kept: &[Kept], lost: &[Lost]) -> Result<Vec<Lifted>> {
    let mut above: HashMap<(Uuid, &str), i64> = HashMap::new();
    for lost in lost.iter().filter(|lost| lost.kept_revision.is_some_and(|kept| kept <= lost.heard.revision))
    {
        let highest = above.entry((lost.heard.tenant, &lost.heard.subject)).or_default();
        *highest = lost.heard.revision.max(*highest);
    }
    let mut lifted = Vec::new();
    for ((tenant, subject), above) in above {
        let Some(kept) = kept.iter().find(|kept| kept.is_of(subject)) else { continue };
        let cx = traced(Context::of_system(tenant, "restore", super::now()));
        let revision = kept.lift(database, &cx, subject, above).await?;
        lifted.push(Lifted { tenant, subject: subject.to_owned(), revision });
    }
    Ok(lifted)
}

/// What this service did because of an event.
#[derive(Clone, Debug, Serialize)]
pub struct Effect {
    /// The event that caused it.
    pub cause: Uuid,
    /// The event it made here.
    pub id: Uuid,
    /// The tenant.
    pub tenant: Uuid,
    /// Its aggregate.
    pub subject: String,
    /// Its revision.
    pub revision: i64,
}

impl<'r> FromRow<'r, PgRow> for Effect {
    fn from_row(row: &'r PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            cause: row.try_get("cause")?,
            id: row.try_get("id")?,
            tenant: row.try_get("tenant_id")?,
            subject: row.try_get("subject")?,
            revision: row.try_get("revision")?,
        })
    }
}

/// The events of this log that these caused.
pub async fn effects(database: &Database, causes: &[Heard]) -> Result<Vec<Effect>> {
    let ids: HashSet<Uuid> = causes.iter().map(|heard| heard.id).collect();
    let tenants: HashSet<Uuid> = causes.iter().map(|heard| heard.tenant).collect();
    sqlx::query_as(
        "select event.cause, event.id, event.tenant_id, event.subject, event.revision
         from platform.event event
         where event.tenant_id = any($1) and event.cause = any($2)
         order by event.tenant_id, event.subject, event.revision",
    )
    .bind(tenants.into_iter().collect::<Vec<_>>())
    .bind(ids.into_iter().collect::<Vec<_>>())
    .fetch_all(&database.system)
    .await
    .map_err(from_sqlx)
}

/// Goes on far above every position that was given out, since others may have seen those that the log has lost. What is
/// not published yet is published all the same. Answers the highest position that will not be given out; none for a log
/// that never numbered anything.
pub async fn leap(database: &Database) -> Result<Option<i64>> {
    let sql = "update platform.lease set numbered = numbered + $2 where name = $1 returning numbered";
    sqlx::query_scalar(sql)
        .bind(relay::LEASE)
        .bind(LEAP)
        .fetch_optional(&database.system)
        .await
        .map_err(from_sqlx)
}
