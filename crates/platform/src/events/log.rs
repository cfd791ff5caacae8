//! Rows of the event log, read in the order of their positions.

use clap::Args;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, Row as _, postgres::PgRow};
use trato_types::Timestamp;
use uuid::Uuid;

use super::event::{Event, Incoming, Metadata, matches_pattern};
use crate::db::Pool;

/// Rows of a filtered log that are read at once.
const WINDOW: i64 = 500;

/// Narrows what is read of the log.
#[derive(Args, Clone, Debug, Default)]
pub struct Filter {
    /// Only what was recorded at this time or later (RFC 3339).
    #[arg(long)]
    pub since: Option<Timestamp>,
    /// Only these types; `*` stands for a word, `#` for any number of words. May be repeated.
    #[arg(long = "type")]
    pub types: Vec<String>,
    /// Only of this tenant.
    #[arg(long)]
    pub tenant: Option<Uuid>,
}

impl Filter {
    /// True when events of this type are wanted.
    pub(super) fn matches_type(&self, kind: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|pattern| matches_pattern(pattern, kind))
    }
}

/// A numbered row of the log. In JSON it comes without its payload.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Logged {
    /// Place in the log.
    pub position: i64,
    /// Identifier, the same on every delivery.
    pub id: Uuid,
    /// Tenant of the aggregate.
    pub tenant: Uuid,
    /// The type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Name of the aggregate.
    pub subject: String,
    /// Its revision.
    pub revision: i64,
    /// When it happened in the business.
    pub event_time: Timestamp,
    /// When it was recorded.
    pub create_time: Timestamp,
    /// Who did it.
    pub actor: String,
    /// The event that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Uuid>,
    /// W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Subject of the owning member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Team of the aggregate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Uuid>,
    /// The payload.
    #[serde(skip)]
    pub payload: Vec<u8>,
}

impl<'r> FromRow<'r, PgRow> for Logged {
    fn from_row(row: &'r PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            position: row.try_get("position")?,
            id: row.try_get("id")?,
            tenant: row.try_get("tenant_id")?,
            kind: row.try_get("type")?,
            subject: row.try_get("subject")?,
            revision: row.try_get("revision")?,
            event_time: row.try_get("event_time")?,
            create_time: row.try_get("create_time")?,
            actor: row.try_get("actor")?,
            cause: row.try_get("cause")?,
            traceparent: row.try_get("traceparent")?,
            owner: row.try_get("owner")?,
            team: row.try_get("team")?,
            payload: row.try_get("payload")?,
        })
    }
}

impl Logged {
    /// The event, with its payload decoded.
    pub fn into_incoming(self) -> Incoming {
        let metadata = Metadata {
            kind: self.kind,
            position: self.position,
            event_time: self.event_time,
            create_time: self.create_time,
            actor: self.actor,
            cause: self.cause,
            traceparent: self.traceparent,
            owner: self.owner,
            team: self.team,
        };
        Incoming::new((self.id, self.tenant, self.subject, self.revision), metadata, self.payload)
    }

    /// The event as streams send it.
    pub fn into_event(self) -> Event {
        self.into_incoming().event
    }
}

/// The next rows after a position, across tenants; for the system role.
pub(super) async fn read_after(system: &Pool, position: i64, limit: i64) -> sqlx::Result<Vec<Logged>> {
    sqlx::query_as(include_str!("../../sql/read_events.sql"))
        .bind(position)
        .bind(limit)
        .fetch_all(system)
        .await
}

/// The next rows after a position, up to another, of the filter's tenant and time; for the system role. They are of every
/// type, so that the last one says where to go on.
pub(super) async fn read_filtered(
    system: &Pool,
    filter: &Filter,
    position: i64,
    last: i64,
) -> sqlx::Result<Vec<Logged>> {
    sqlx::query_as(include_str!("../../sql/list_events.sql"))
        .bind(position)
        .bind(last)
        .bind(filter.tenant)
        .bind(filter.since)
        .bind(WINDOW)
        .fetch_all(system)
        .await
}
