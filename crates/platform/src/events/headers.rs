//! An event's metadata as AMQP properties and CloudEvents headers; the body is the payload alone.
//!
//! There is no envelope to unwrap. Attributes that CloudEvents does not know (tenant, actor, revision, position,
//! recordtime, cause, owner, team) follow its rules for extensions.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable, LongString},
};
use trato_types::Timestamp;
use uuid::Uuid;

use super::{
    event::{Incoming, Metadata},
    log::Logged,
};
use crate::telemetry::propagate;

/// Delivery mode of messages the broker writes to disk.
pub(super) const PERSISTENT: u8 = 2;
/// Header that says why a message is in a dead queue.
pub(super) const REASON: &str = "trato_reason";

/// The properties with which an event of `service` is published.
pub(super) fn write(row: &Logged, service: &str) -> BasicProperties {
    let mut headers = Headers(FieldTable::default());
    let id = row.id.to_string();
    headers.text("cloudEvents_specversion", "1.0");
    headers.text("cloudEvents_id", id.as_str());
    headers.text("cloudEvents_source", format!("/trato/{service}"));
    headers.text("cloudEvents_type", row.kind.as_str());
    headers.text("cloudEvents_subject", row.subject.as_str());
    headers.text("cloudEvents_time", instant(row.event_time));
    headers.text("cloudEvents_recordtime", instant(row.create_time));
    headers.text("cloudEvents_tenant", row.tenant.to_string());
    headers.text("cloudEvents_actor", row.actor.as_str());
    headers.number("cloudEvents_revision", row.revision);
    headers.number("cloudEvents_position", row.position);
    headers.optional("cloudEvents_cause", row.cause.map(|cause| cause.to_string()));
    if let Some(traceparent) = &row.traceparent {
        propagate::inject_table(&mut headers.0, traceparent);
    }
    headers.optional("cloudEvents_owner", row.owner.clone());
    headers.optional("cloudEvents_team", row.team.map(|team| team.to_string()));
    BasicProperties::default()
        .with_content_type("application/protobuf".into())
        .with_delivery_mode(PERSISTENT)
        .with_message_id(id.into())
        .with_headers(headers.0)
}

/// Reads a delivery. Its payload may still be unreadable; that is for the event's handler to find.
pub(super) fn read(properties: &BasicProperties, payload: Vec<u8>) -> Result<Incoming, Unreadable> {
    match read_headers(properties) {
        Ok((key, metadata)) => Ok(Incoming::new(key, metadata, payload)),
        Err(Missing(header)) => Err(Unreadable { header, payload }),
    }
}

type Key = (Uuid, Uuid, String, i64);

fn read_headers(properties: &BasicProperties) -> Result<(Key, Metadata), Missing> {
    let table = properties.headers().as_ref().ok_or(Missing("headers"))?;
    let headers = Reader(table);
    let metadata = Metadata {
        kind: headers.required("cloudEvents_type", Reader::text)?.to_owned(),
        position: headers.required("cloudEvents_position", Reader::number)?,
        event_time: headers.required("cloudEvents_time", Reader::instant)?,
        create_time: headers.required("cloudEvents_recordtime", Reader::instant)?,
        actor: headers.required("cloudEvents_actor", Reader::text)?.to_owned(),
        cause: headers.optional("cloudEvents_cause", Reader::uuid)?,
        traceparent: propagate::extract_table(table),
        owner: headers.optional("cloudEvents_owner", Reader::text)?.map(str::to_owned),
        team: headers.optional("cloudEvents_team", Reader::uuid)?,
    };
    let id = headers.required("cloudEvents_id", Reader::uuid)?;
    let tenant = headers.required("cloudEvents_tenant", Reader::uuid)?;
    let subject = headers.required("cloudEvents_subject", Reader::text)?.to_owned();
    let revision = headers.required("cloudEvents_revision", Reader::number)?;
    Ok(((id, tenant, subject, revision), metadata))
}

/// A delivery that cannot be told apart from others, so that nothing can be promised for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Unreadable {
    header: &'static str,
    /// The body, given back.
    pub payload: Vec<u8>,
}

/// A header that is missing or not what it should be.
struct Missing(&'static str);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UNREADABLE_HEADERS: {} is missing or not what it should be", self.header)
    }
}

fn instant(time: Timestamp) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

struct Headers(FieldTable);

impl Headers {
    fn text(&mut self, name: &'static str, value: impl Into<LongString>) {
        self.0.insert(name.into(), AMQPValue::LongString(value.into()));
    }

    fn number(&mut self, name: &'static str, value: i64) {
        self.0.insert(name.into(), AMQPValue::LongLongInt(value));
    }

    fn optional(&mut self, name: &'static str, value: Option<String>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }
}

struct Reader<'a>(&'a FieldTable);

impl<'a> Reader<'a> {
    fn required<T>(&self, header: &'static str, read: fn(&'a AMQPValue) -> Option<T>) -> Result<T, Missing> {
        self.0.inner().get(header).and_then(read).ok_or(Missing(header))
    }

    fn optional<T>(
        &self,
        header: &'static str,
        read: fn(&'a AMQPValue) -> Option<T>,
    ) -> Result<Option<T>, Missing> {
        self.0.inner().get(header).map(|value| read(value).ok_or(Missing(header))).transpose()
    }

    fn text(value: &'a AMQPValue) -> Option<&'a str> {
        match value {
            AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes())
                .ok()
                .filter(|text| !text.is_empty() && !text.contains('\0')),
            _ => None,
        }
    }

    fn number(value: &'a AMQPValue) -> Option<i64> {
        match value {
            AMQPValue::LongLongInt(number) => Some(*number).filter(|number| *number > 0),
            _ => None,
        }
    }

    fn uuid(value: &'a AMQPValue) -> Option<Uuid> {
        Self::text(value).and_then(|text| Uuid::parse_str(text).ok())
    }

    fn instant(value: &'a AMQPValue) -> Option<Timestamp> {
        let time = DateTime::parse_from_rfc3339(Self::text(value)?).ok()?;
        Some(time.with_timezone(&Utc))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Logged {
        let time = DateTime::from_timestamp_micros(1_764_000_000_123_456).expect("a time");
        Logged {
            position: 7,
            id: Uuid::now_v7(),
            tenant: Uuid::now_v7(),
            kind: "trato.sales.v1.opportunity.won".to_owned(),
            subject: "opportunities/1".to_owned(),
            revision: 3,
            event_time: time,
            create_time: time,
            actor: "members/ana".to_owned(),
            cause: Some(Uuid::now_v7()),
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
            owner: None,
            team: Some(Uuid::now_v7()),
            payload: Vec::new(),
        }
    }

    #[test]
    fn an_event_survives_its_headers() {
        let row = row();

        let event = read(&write(&row, "sales"), row.payload.clone()).expect("readable").event;

        assert_eq!(
            (event.id, event.tenant, event.kind, event.subject),
            (row.id, row.tenant, row.kind, row.subject)
        );
        assert_eq!((event.revision, event.position, event.actor), (row.revision, row.position, row.actor));
        assert_eq!((event.event_time, event.create_time), (row.event_time, row.create_time));
        assert_eq!((event.cause, event.traceparent), (row.cause, row.traceparent));
        assert_eq!((event.owner, event.team), (row.owner, row.team));
    }

    #[test]
    fn a_message_without_its_headers_is_named_unreadable() {
        let whole = write(&row(), "sales").headers().clone().expect("headers");
        for header in [
            "cloudEvents_id",
            "cloudEvents_type",
            "cloudEvents_subject",
            "cloudEvents_tenant",
            "cloudEvents_revision",
            "cloudEvents_position",
            "cloudEvents_time",
            "cloudEvents_recordtime",
            "cloudEvents_actor",
        ] {
            let mut headers = FieldTable::default();
            for (key, value) in whole.inner() {
                let wrong =
                    if key.as_str() == header { AMQPValue::LongString("\0".into()) } else { value.clone() };
                headers.insert(key.clone(), wrong);
            }
            let fault = read(&BasicProperties::default().with_headers(headers), b"body".to_vec()).err();
            assert_eq!(fault, Some(Unreadable { header, payload: b"body".to_vec() }), "{header}");
        }
        let fault = read(&BasicProperties::default(), Vec::new()).err();
        assert_eq!(fault, Some(Unreadable { header: "headers", payload: Vec::new() }));
    }
}
