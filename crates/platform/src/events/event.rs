//! An event as its consumers get it, and what a service says of the events it listens to.

use std::{fmt, sync::Arc};

use futures::future::BoxFuture;
use prost::Message as _;
use serde::{Deserialize, Serialize};
use trato_contract::events::v1::Change;
use trato_types::{Context, Error, Kind, Result, Timestamp};
use uuid::Uuid;

use crate::db::Tx;

/// One change of one aggregate, as recorded by the service that owns it.
#[derive(Clone, Debug)]
pub struct Event {
    /// Identifier, the same on every delivery.
    pub id: Uuid,
    /// Tenant of the aggregate.
    pub tenant: Uuid,
    /// The type, which is also the routing key: `trato.sales.v1.opportunity.won`.
    pub kind: String,
    /// Name of the aggregate; events of one subject arrive in the order of their revisions.
    pub subject: String,
    /// Revision of the aggregate, from 1.
    pub revision: i64,
    /// Place in the log of the service that published it.
    pub position: i64,
    /// When it happened in the business.
    pub event_time: Timestamp,
    /// When it was recorded.
    pub create_time: Timestamp,
    /// Who did it: `members/{subject}` or `systems/{consumer}`.
    pub actor: String,
    /// The event that caused it, when it was not a call.
    pub cause: Option<Uuid>,
    /// W3C trace context of the call that made it.
    pub traceparent: Option<String>,
    /// Subject of the owning member.
    pub owner: Option<String>,
    /// Team of the aggregate.
    pub team: Option<Uuid>,
    /// The payload.
    pub change: Change,
}

impl Event {
    /// The aggregate after the change, in its public form. The caller names the message by the event's type.
    pub fn resource<M: prost::Message + Default>(&self) -> Result<M> {
        let resource = self.change.resource.as_ref().ok_or_else(|| {
            Error::new(Kind::Invalid, "EVENT_WITHOUT_RESOURCE", "the event carries no resource")
        })?;
        decode(resource)
    }

    /// The business fact of type `M` that rides on the change, if one does.
    pub fn fact<M: prost::Name + Default>(&self) -> Result<Option<M>> {
        let name = M::full_name();
        let fact =
            self.change.facts.iter().find(|fact| fact.type_url.rsplit('/').next() == Some(name.as_str()));
        fact.map(decode).transpose()
    }

    /// The context in which `consumer` handles the event.
    pub fn context(&self, consumer: &'static str, now: Timestamp) -> Context {
        Context {
            traceparent: self.traceparent.clone(),
            cause: Some(self.id),
            ..Context::of_system(self.tenant, consumer, now)
        }
    }
}

fn decode<M: prost::Message + Default>(any: &prost_types::Any) -> Result<M> {
    M::decode(any.value.as_slice()).map_err(|error| {
        Error::new(Kind::Invalid, "UNREADABLE_PAYLOAD", "the event's payload cannot be decoded")
            .caused_by(error)
    })
}

/// Everything of an event but its payload, as kept beside the payload of a held one.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Metadata {
    pub kind: String,
    pub position: i64,
    pub event_time: Timestamp,
    pub create_time: Timestamp,
    pub actor: String,
    pub cause: Option<Uuid>,
    pub traceparent: Option<String>,
    pub owner: Option<String>,
    pub team: Option<Uuid>,
}

/// An event as it came in: its payload may be unreadable although its headers were not.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub(super) event: Event,
    pub(super) payload: Vec<u8>,
    pub(super) defect: Option<prost::DecodeError>,
}

impl Incoming {
    /// Puts headers and payload together.
    pub(super) fn new(
        (id, tenant, subject, revision): (Uuid, Uuid, String, i64),
        metadata: Metadata,
        payload: Vec<u8>,
    ) -> Self {
        let (change, defect) = match Change::decode(payload.as_slice()) {
            Ok(change) => (change, None),
            Err(error) => (Change::default(), Some(error)),
        };
        let Metadata { kind, position, event_time, create_time, actor, cause, traceparent, owner, team } =
            metadata;
        #[rustfmt::skip]
        let event = Event {
            id, tenant, kind, subject, revision, position, event_time, create_time, actor, cause, traceparent, owner, team, change,
        };
        Self { event, payload, defect }
    }

    pub(super) fn metadata(&self) -> Metadata {
        let event = self.event.clone();
        Metadata {
            kind: event.kind,
            position: event.position,
            event_time: event.event_time,
            create_time: event.create_time,
            actor: event.actor,
            cause: event.cause,
            traceparent: event.traceparent,
            owner: event.owner,
            team: event.team,
        }
    }
}

impl From<Event> for Incoming {
    fn from(event: Event) -> Self {
        let payload = event.change.encode_to_vec();
        Self { event, payload, defect: None }
    }
}

/// Handles one event within the transaction that also notes that it was handled. It makes no network calls.
///
/// Events may come again, and after an operator's replay in another order: a read model is guarded by `revision`.
pub type Handler = Arc<dyn for<'a> Fn(&'a mut Tx, &'a Event) -> BoxFuture<'a, Result<()>> + Send + Sync>;

/// Events that one consumer of a service listens to.
#[derive(Clone)]
pub struct Subscription {
    /// Kebab-case name: key of the inbox, of metrics and of logs. To rename it is to start a new consumer.
    pub consumer: &'static str,
    /// Types, exact or by AMQP's wildcards: `trato.sales.v1.opportunity.*`.
    pub types: &'static [&'static str],
    /// What is done with each event.
    pub handler: Handler,
    /// Tables of its read model, emptied tenant by tenant before a rebuild. Empty where the effect cannot be rebuilt.
    pub tables: &'static [&'static str],
    /// Its rows tell of every event, not of each resource's newest one only: a rebuild loses what is older than the log.
    pub keeps_history: bool,
}

impl Subscription {
    /// A consumer whose effect cannot be rebuilt from the log.
    pub fn new(consumer: &'static str, types: &'static [&'static str], handler: Handler) -> Self {
        Self { consumer, types, handler, tables: &[], keeps_history: false }
    }

    /// Says that the consumer does nothing but keep these tables, which no one else writes and the service may delete
    /// from: they can be emptied and made again from the log.
    #[must_use]
    pub fn projecting(mut self, tables: &'static [&'static str]) -> Self {
        self.tables = tables;
        self
    }

    /// Says that these tables tell of every event, and not of what is now.
    #[must_use]
    pub fn keeping_history(mut self) -> Self {
        self.keeps_history = true;
        self
    }

    /// True when the consumer listens to events of this type.
    pub fn listens_to(&self, kind: &str) -> bool {
        self.types.iter().any(|pattern| matches_pattern(pattern, kind))
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("consumer", &self.consumer)
            .field("types", &self.types)
            .finish_non_exhaustive()
    }
}

/// Matches a type as a topic exchange does: words joined by dots, `*` for one word, `#` for any number of words.
pub(super) fn matches_pattern(pattern: &str, kind: &str) -> bool {
    fn matches(pattern: &[&str], words: &[&str]) -> bool {
        match (pattern, words) {
            ([], []) => true,
            (["#", rest @ ..], _) => {
                matches(rest, words) || words.split_first().is_some_and(|(_, after)| matches(pattern, after))
            }
            ([wanted, rest @ ..], [word, after @ ..]) => {
                (*wanted == "*" || wanted == word) && matches(rest, after)
            }
            _ => false,
        }
    }
    let pattern: Vec<&str> = pattern.split('.').collect();
    let words: Vec<&str> = kind.split('.').collect();
    matches(&pattern, &words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_what_the_topic_exchange_would_route() {
        let won = "trato.sales.v1.opportunity.won";
        for pattern in
            [won, "trato.sales.v1.opportunity.*", "trato.sales.#", "#", "trato.#.won", "#.won", "*.*.*.*.*"]
        {
            assert!(matches_pattern(pattern, won), "{pattern}");
        }
        for pattern in
            ["trato.sales.v1.opportunity", "trato.sales.*", "trato.sales.v1.*", "*", "trato.#.lost", ""]
        {
            assert!(!matches_pattern(pattern, won), "{pattern}");
        }
    }
}
