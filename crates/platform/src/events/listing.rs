//! The log in lines: what one program prints for people, or for another program to compare, send again or apply.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;
use trato_types::{Error, Kind, Result};

use super::{
    event::Incoming,
    log::{self, Filter, Logged},
};
use crate::db::{Database, from_sqlx};

/// Time between two looks at a log that is followed.
const LOOK: Duration = Duration::from_millis(500);

/// An event of the log, without its payload unless that was asked for.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Line {
    /// The event.
    #[serde(flatten)]
    pub event: Logged,
    /// The payload in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
}

impl Line {
    /// The line for people.
    pub fn text(&self) -> String {
        let Logged { position, kind, subject, revision, actor, tenant, id, create_time, .. } = &self.event;
        let time = create_time.format("%Y-%m-%d %H:%M:%S%.3fZ");
        format!(
            "{position}  {time}  {kind}  {subject} r{revision}  by {actor}  tenant {tenant}  event {id}\n"
        )
    }

    /// The event as a consumer gets it; only of a line with its payload.
    pub fn into_incoming(self) -> Result<Incoming> {
        let payload = self.payload.and_then(|payload| STANDARD.decode(payload).ok()).ok_or_else(|| {
            Error::new(Kind::Invalid, "INVALID_INPUT", "the line of an event comes without its payload")
        })?;
        Ok(Logged { payload, ..self.event }.into_incoming())
    }

    fn of(event: Logged, with_payload: bool) -> Self {
        let payload = with_payload.then(|| STANDARD.encode(&event.payload));
        Self { event, payload }
    }
}

/// Which part of the log is read.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// From this position on.
    pub from_position: i64,
    /// Only the last so many (of the tenant, where one is given), before types are chosen.
    pub last: Option<i64>,
    /// Only what this lets through.
    pub filter: Filter,
    /// Go on with each new event.
    pub follow: bool,
    /// With payloads.
    pub payload: bool,
}

/// Hands the events of a part of the log to `take`, in order. With `follow` it ends only by an error of `take`.
pub async fn read(database: &Database, part: &Part, mut take: impl FnMut(Line) -> Result<()>) -> Result<()> {
    let mut position = start(database, part).await?;
    loop {
        let rows = log::read_filtered(&database.system, &part.filter, position, i64::MAX)
            .await
            .map_err(from_sqlx)?;
        match rows.last() {
            Some(last) => position = last.position,
            None if part.follow => sleep(LOOK).await,
            None => return Ok(()),
        }
        for row in rows {
            if part.filter.matches_type(&row.kind) {
                take(Line::of(row, part.payload))?;
            }
        }
    }
}

/// The position after which reading begins.
async fn start(database: &Database, part: &Part) -> Result<i64> {
    let Some(last) = part.last else { return Ok(part.from_position.max(1) - 1) };
    let sql = "select coalesce(min(last.position), 1) - 1
               from (
                 select position
                 from platform.event
                 where position is not null and ($2::uuid is null or tenant_id = $2)
                 order by position desc
                 limit $1
               ) last";
    let found =
        sqlx::query_scalar(sql).bind(last.max(0)).bind(part.filter.tenant).fetch_one(&database.system);
    found.await.map_err(from_sqlx)
}
