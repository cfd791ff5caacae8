//! Events as they are written: one row per revision of an aggregate, in the transaction of the change.

use prost::{Message as _, Name as _};
use sqlx::{Arguments as _, postgres::PgArguments};
use trato_contract::events::v1::Change;
use trato_types::{Context, Error, Result, Timestamp, standard::Fields as _};
use uuid::Uuid;

use super::record::{Record, Resource};

/// An event that is about to be written.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Identifier, the same on every delivery.
    pub id: Uuid,
    /// Routing key: `trato.sales.v1.opportunity.won`.
    pub kind: String,
    /// Name of the resource that changed.
    pub subject: String,
    /// Its revision.
    pub revision: i64,
    /// When it happened in the business.
    pub event_time: Timestamp,
    /// Owner of the resource, by whom scopes admit readers.
    pub owner: Option<String>,
    /// Team of the resource.
    pub team: Option<Uuid>,
    /// A `Change`, encoded.
    pub payload: Vec<u8>,
}

/// What a change means to the business: the facts that ride on its event, and when it happened.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    messages: Vec<prost_types::Any>,
    event_time: Option<Timestamp>,
}

impl Facts {
    /// One fact.
    pub fn of<M: prost::Name>(message: &M) -> Self {
        let fact = prost_types::Any { type_url: M::type_url(), value: message.encode_to_vec() };
        Self { messages: vec![fact], event_time: None }
    }

    /// The same facts, dated in the business; without a time they are of the moment of the recording.
    #[must_use]
    pub fn at(self, event_time: Option<Timestamp>) -> Self {
        Self { event_time, ..self }
    }
}

impl NewEvent {
    /// The event of one change: the record after it, and before it unless it was made.
    pub fn of<T: Resource>(cx: &Context, verb: &str, before: Option<&Record<T>>, after: &Record<T>) -> Self {
        Self::with_facts(cx, verb, before, after, Facts::default())
    }

    /// Like `of`, with what the change means to the business.
    pub fn with_facts<T: Resource>(
        cx: &Context,
        verb: &str,
        before: Option<&Record<T>>,
        after: &Record<T>,
        facts: Facts,
    ) -> Self {
        let message = T::render(after);
        let changed_mask = before.map(|before| {
            let paths = message.changed(&T::render(before));
            prost_types::FieldMask { paths: paths.into_iter().map(str::to_owned).collect() }
        });
        let resource = prost_types::Any { type_url: T::Message::type_url(), value: message.encode_to_vec() };
        let change = Change { resource: Some(resource), changed_mask, facts: facts.messages };
        Self {
            id: Uuid::now_v7(),
            kind: format!("{}.{verb}", T::EVENT),
            subject: after.name(),
            revision: after.revision,
            event_time: facts.event_time.unwrap_or(cx.now),
            owner: after.value.owner().map(str::to_owned),
            team: after.value.team(),
            payload: change.encode_to_vec(),
        }
    }

    /// The same event, dated in the business.
    #[must_use]
    pub fn at(mut self, event_time: Timestamp) -> Self {
        self.event_time = event_time;
        self
    }
}

/// Columns of the unnested arrays that `bind` binds, with their types.
pub const EVENT_COLUMNS: &[(&str, &str)] = &[
    ("event_id", "uuid"),
    ("event_type", "text"),
    ("event_subject", "text"),
    ("event_revision", "bigint"),
    ("event_time", "timestamptz"),
    ("event_owner", "text"),
    ("event_team", "uuid"),
    ("event_payload", "bytea"),
];

/// Binds the events as one array per column of `EVENT_COLUMNS`.
pub fn bind(events: &[NewEvent], arguments: &mut PgArguments) -> Result<()> {
    fn add<'q, T>(arguments: &mut PgArguments, values: Vec<T>) -> Result<()>
    where
        Vec<T>: sqlx::Encode<'q, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        arguments.add(values).map_err(Error::internal)
    }
    add(arguments, events.iter().map(|event| event.id).collect())?;
    add(arguments, events.iter().map(|event| event.kind.clone()).collect())?;
    add(arguments, events.iter().map(|event| event.subject.clone()).collect())?;
    add(arguments, events.iter().map(|event| event.revision).collect())?;
    add(arguments, events.iter().map(|event| event.event_time).collect())?;
    add(arguments, events.iter().map(|event| event.owner.clone()).collect())?;
    add(arguments, events.iter().map(|event| event.team).collect())?;
    add(arguments, events.iter().map(|event| event.payload.clone()).collect())
}
