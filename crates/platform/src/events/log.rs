//! Rows of the event log, read in the order of their positions.

use sqlx::{FromRow, Row as _, postgres::PgRow};
use trato_types::Timestamp;
use uuid::Uuid;

use super::event::{Event, Incoming, Metadata};
use crate::db::Pool;

/// A numbered row of the log.
#[derive(Clone, Debug)]
pub(super) struct Logged {
    pub position: i64,
    pub id: Uuid,
    pub tenant: Uuid,
    pub kind: String,
    pub subject: String,
    pub revision: i64,
    pub event_time: Timestamp,
    pub create_time: Timestamp,
    pub actor: String,
    pub cause: Option<Uuid>,
    pub traceparent: Option<String>,
    pub owner: Option<String>,
    pub team: Option<Uuid>,
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
