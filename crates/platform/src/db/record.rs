//! `Record<T>`: a stored `T` with its identity and times; `Resource`: what the standard methods know of a `T`.

use prost::Message as _;
use sqlx::postgres::PgRow;
use trato_query::Field;
use trato_types::{Context, Error, Kind, Result, Timestamp, id::parse_name, standard::ResourceMessage};
use uuid::Uuid;

use super::columns::{Columns, read_column};

/// A stored resource. The business value knows neither its id nor its times.
#[derive(Clone, Debug)]
pub struct Record<T> {
    /// Identifier within the tenant.
    pub id: Uuid,
    /// Counts from 1 with every change.
    pub revision: i64,
    /// When it was recorded.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
    /// When it was deleted, if it is.
    pub delete_time: Option<Timestamp>,
    /// Who recorded it.
    pub creator: String,
    /// Where it came from, if from another system.
    pub external: Option<External>,
    /// The resource itself.
    pub value: T,
}

/// Identity of a resource in another system.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct External {
    /// The system.
    pub source: String,
    /// Its identifier there.
    pub id: String,
}

impl External {
    /// Takes both or neither; each has at most 200 characters.
    pub fn parse((source, id): (&str, &str)) -> Result<Option<Self>> {
        let mut violations = trato_types::Violations::new();
        let source = violations.keep("source", trato_types::text::line(source, 200)).unwrap_or_default();
        let id = violations.keep("external_id", trato_types::text::line(id, 200)).unwrap_or_default();
        if source.is_empty() != id.is_empty() {
            let missing = if source.is_empty() { "source" } else { "external_id" };
            violations.add(missing, "REQUIRED", "source and external_id are given together");
        }
        let external = if source.is_empty() { None } else { Some(Self { source, id }) };
        violations.into_result(Some(external))
    }
}

/// The columns of every record, in the order they are read; `platform.resource` in the database.
pub const RECORD_COLUMNS: &[&str] =
    &["id", "revision", "create_time", "update_time", "delete_time", "creator", "source", "external_id"];

impl<T: Resource> Record<T> {
    /// A record that is about to be made.
    pub fn new(cx: &Context, value: T, external: Option<External>) -> Self {
        Self {
            id: value.new_id(),
            revision: 1,
            create_time: cx.now,
            update_time: cx.now,
            delete_time: None,
            creator: cx.actor.to_string(),
            external,
            value,
        }
    }

    /// Reads a row that was selected as `RECORD_COLUMNS` and then the columns of `T`.
    pub fn read(row: &PgRow) -> Result<Self> {
        let mut next = 0..;
        let id = read_column(row, &mut next)?;
        let revision = read_column(row, &mut next)?;
        let create_time = read_column(row, &mut next)?;
        let update_time = read_column(row, &mut next)?;
        let delete_time = read_column(row, &mut next)?;
        let creator = read_column(row, &mut next)?;
        let source: Option<String> = read_column(row, &mut next)?;
        let external_id: Option<String> = read_column(row, &mut next)?;
        let external = source.zip(external_id).map(|(source, id)| External { source, id });
        let value = T::read(row, RECORD_COLUMNS.len())?;
        Ok(Self { id, revision, create_time, update_time, delete_time, creator, external, value })
    }

    /// The resource name.
    pub fn name(&self) -> String {
        self.value.name_of(self.id)
    }

    /// The etag of this revision.
    pub fn etag(&self) -> String {
        self.revision.to_string()
    }

    /// `source` and `external_id` as messages have them; both empty when the record is from here.
    pub fn external_fields(&self) -> (String, String) {
        self.external.clone().map(|external| (external.source, external.id)).unwrap_or_default()
    }

    /// The next revision, at the time of the call.
    #[must_use]
    pub fn next(&self, cx: &Context, value: T) -> Self {
        let update_time = cx.now.max(self.update_time);
        Self { revision: self.revision + 1, update_time, value, ..self.clone() }
    }

    /// ABORTED unless `etag` is empty or the one of this revision.
    pub fn require_etag(&self, etag: &str) -> Result<()> {
        if etag.is_empty() || etag == self.etag() {
            return Ok(());
        }
        Err(Error::new(Kind::Stale, "ETAG_MISMATCH", "the resource has changed since it was read")
            .about(self.name())
            .with("etag", self.etag()))
    }

    /// The message's bytes as clients and events get them.
    pub fn encode(&self) -> Vec<u8> {
        T::render(self).encode_to_vec()
    }
}

/// What the standard methods know of a resource.
pub trait Resource: Columns + Clone + Send + Sync + 'static {
    /// Its public form.
    type Message: ResourceMessage + prost::Message + prost::Name + Default;
    /// Its table.
    const TABLE: &'static str;
    /// Plural in resource names: `opportunities`.
    const COLLECTION: &'static str;
    /// Start of its event types: `trato.sales.v1.opportunity`.
    const EVENT: &'static str;
    /// Fields to filter and sort by, beside the standard ones.
    const FIELDS: &'static [Field];
    /// Named constraints and the error each stands for.
    const CONSTRAINTS: &'static [Constraint];
    /// True when rows have an owner and a team, by which scopes admit.
    const OWNABLE: bool;

    /// Parses the whole message into a valid value, or lists every violation. Fields the server sets hold what is
    /// stored, or nothing for a new resource.
    fn parse(message: &Self::Message, cx: &Context) -> Result<Self>;

    /// The public form of a record.
    fn render(record: &Record<Self>) -> Self::Message;

    /// Puts in what a new resource gets unless the client says otherwise.
    fn fill_defaults(_message: &mut Self::Message, _cx: &Context) {}

    /// Subject of the owner.
    fn owner(&self) -> Option<&str> {
        None
    }

    /// The team.
    fn team(&self) -> Option<Uuid> {
        None
    }

    /// Identifier of a new record.
    fn new_id(&self) -> Uuid {
        Uuid::now_v7()
    }

    /// Identifier that a resource name stands for.
    fn parse_name(name: &str) -> Result<Uuid> {
        parse_name(Self::COLLECTION, name)
            .map_err(|error| Error::invalid("name", "INVALID_RESOURCE_NAME", error.to_string()))
    }

    /// Resource name of the record with this identifier.
    fn name_of(&self, id: Uuid) -> String {
        format!("{}/{id}", Self::COLLECTION)
    }
}

/// A named constraint and what its violation tells the client.
#[derive(Clone, Copy, Debug)]
pub struct Constraint {
    /// Name in the schema.
    pub name: &'static str,
    /// Sort of failure.
    pub kind: Kind,
    /// Stable reason.
    pub reason: &'static str,
    /// Sentence for people.
    pub message: &'static str,
}

impl Constraint {
    /// A unique constraint: ALREADY_EXISTS.
    pub const fn taken(name: &'static str, reason: &'static str, message: &'static str) -> Self {
        Self { name, kind: Kind::AlreadyExists, reason, message }
    }

    /// A reference to something that is not there: FAILED_PRECONDITION.
    pub const fn missing(name: &'static str, reason: &'static str, message: &'static str) -> Self {
        Self { name, kind: Kind::Precondition, reason, message }
    }
}
