//! A resource as small as one can be: the directory's team message over a table of the tests, owned by its lead.

use std::sync::Arc;

use chrono::Utc;
use secrecy::SecretString;
use tonic::Request;
use trato_contract::directory::v1::Team as Message;
use trato_platform::{
    columns, config,
    db::{Constraint, Database, Record, Resource, migrate::Migration},
    testing,
};
use trato_query::{Field, text};
use trato_types::{Actor, Context, DisplayName, MemberRef, Result, Scope, Violations, time::to_microseconds};
use uuid::Uuid;

#[derive(Clone, Debug)]
pub struct Team {
    pub display_name: DisplayName,
    pub region: Option<String>,
    pub owner: Option<MemberRef>,
}

columns!(Team { display_name, region, owner });

pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001_team",
    sql: "create table team (
            like platform.resource including defaults including constraints,
            display_name text collate \"C\" not null,
            region text collate \"C\",
            owner text collate \"C\",
            constraint team_display_name_check check (display_name <> 'Forbidden')
          );
          select platform.adopt_resource('team');
          create unique index team_display_name_key on team (tenant_id, display_name) where delete_time is null;",
}];

impl Resource for Team {
    type Message = Message;
    const TABLE: &'static str = "team";
    const COLLECTION: &'static str = "teams";
    const EVENT: &'static str = "trato.directory.v1.team";
    const FIELDS: &'static [Field] = &[text("display_name").sortable(), text("region").nullable().sortable()];
    const CONSTRAINTS: &'static [Constraint] =
        &[Constraint::taken("team_display_name_key", "TEAM_NAME_TAKEN", "another team has this name")];
    const OWNABLE: bool = true;

    fn parse(message: &Message, _: &Context) -> Result<Self> {
        let mut violations = Violations::new();
        let display_name = violations.keep("display_name", message.display_name.parse());
        let owner = violations.keep("lead", MemberRef::parse_optional(&message.lead));
        let region = Some(message.region.clone()).filter(|region| !region.is_empty());
        violations.into_result(display_name.zip(owner).map(|(display_name, owner)| Self {
            display_name,
            region,
            owner,
        }))
    }

    fn render(record: &Record<Self>) -> Message {
        let (source, external_id) =
            record.external.clone().map(|external| (external.source, external.id)).unwrap_or_default();
        Message {
            name: record.name(),
            etag: record.etag(),
            creator: record.creator.clone(),
            source,
            external_id,
            display_name: record.value.display_name.to_string(),
            region: record.value.region.clone().unwrap_or_default(),
            lead: record.value.owner.as_ref().map(MemberRef::name).unwrap_or_default(),
            delete_time: record
                .delete_time
                .map(|time| prost_types::Timestamp { seconds: time.timestamp(), nanos: 0 }),
            ..Message::default()
        }
    }

    fn owner(&self) -> Option<&str> {
        self.owner.as_ref().map(MemberRef::subject)
    }
}

/// A database with the table, as the service's own role sees it.
pub async fn database() -> Database {
    let urls = testing::database("probe", MIGRATIONS).await;
    let settings = config::Database {
        url: SecretString::from(urls.url),
        system_url: SecretString::from(urls.system_url),
        owner_url: SecretString::from(urls.owner_url),
        max_connections: 8,
        min_connections: 0,
        system_max_connections: 2,
        acquire_timeout_ms: 5000,
        statement_timeout_ms: 10_000,
    };
    Database::new(&settings, "probe").expect("the addresses are right")
}

/// A caller who may do everything in a tenant.
pub fn caller(tenant: Uuid) -> Context {
    Context {
        tenant,
        actor: Actor::Member("ana".into()),
        scope: Scope::All,
        teams: Arc::default(),
        method: "trato.directory.v1.TeamService/Test".into(),
        now: to_microseconds(Utc::now()),
        traceparent: None,
        cause: None,
    }
}

/// A call as the server's layers hand it to a handler.
pub fn call<M>(cx: &Context, message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(Context { now: to_microseconds(Utc::now()), ..cx.clone() });
    request
}
