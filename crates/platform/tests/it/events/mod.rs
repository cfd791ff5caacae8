//! Events from the log to their effect, over a real database and a real broker.

mod consumer;
mod model;
mod parked;
mod relay;
mod restored;
mod stream;
mod upkeep;

use std::sync::Arc;

use chrono::Utc;
use futures::FutureExt as _;
use prost::Message as _;
use secrecy::SecretString;
use sqlx::Row as _;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use trato_contract::{directory::v1::Team, events::v1::Change};
use trato_platform::{
    config,
    db::{Database, NewEvent, Tx, migrate::Migration},
    events::{Consumer, Event, Handler, Processor, Relay, Standing, Subscription},
    testing,
};
use trato_types::{Context, Error, Kind, Result, time::to_microseconds};
use uuid::Uuid;

use crate::resource::caller;

const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001_effect",
    sql: "create table effect (
            ordinal bigint generated always as identity,
            tenant_id uuid not null,
            consumer text not null,
            event_id uuid not null,
            subject text not null,
            revision bigint not null
          );
          select platform.adopt('effect', 'select, insert, delete');
          create table latest (
            tenant_id uuid not null,
            subject text not null,
            revision bigint not null,
            display_name text not null,
            constraint latest_pkey primary key (tenant_id, subject)
          );
          select platform.adopt('latest', 'select, insert, update, delete');
          create table aggregate (
            tenant_id uuid not null,
            subject text not null,
            revision bigint not null,
            constraint aggregate_pkey primary key (tenant_id, subject)
          );
          select platform.adopt('aggregate');",
}];

/// A service of one test's own: database, queue and event types are nobody else's.
#[derive(Clone)]
struct World {
    service: &'static str,
    database: Database,
    settings: config::Database,
    tenant: Uuid,
}

impl World {
    async fn new() -> Self {
        let urls = testing::database("events", MIGRATIONS).await;
        let settings = config::Database {
            url: urls.url.into(),
            system_url: urls.system_url.into(),
            owner_url: urls.owner_url.into(),
            max_connections: 12,
            min_connections: 0,
            system_max_connections: 6,
            acquire_timeout_ms: 20_000,
            statement_timeout_ms: 30_000,
        };
        let service: &'static str = format!("t{}", Uuid::new_v4().simple()).leak();
        Self {
            service,
            database: Database::new(&settings, service).expect("addresses"),
            settings,
            tenant: Uuid::new_v4(),
        }
    }

    /// The same service in what would be another process: pools of its own.
    fn replica(&self) -> Self {
        Self { database: Database::new(&self.settings, self.service).expect("addresses"), ..self.clone() }
    }

    fn broker(&self) -> config::Broker {
        config::Broker { url: broker_url(), authority: String::new(), prefetch: 500, batch: 100 }
    }

    fn kind(&self, verb: &str) -> String {
        format!("trato.{}.v1.thing.{verb}", self.service)
    }

    /// All types of the service.
    fn types(&self) -> &'static [&'static str] {
        let pattern: &'static str = format!("trato.{}.v1.thing.*", self.service).leak();
        vec![pattern].leak()
    }

    fn relay(&self) -> (JoinHandle<()>, CancellationToken) {
        let events = config::Events {
            retention_days: 1,
            partitions_ahead_months: 1,
            poll_interval_ms: 100,
            publish_batch: 50,
            lease_seconds: 2,
        };
        let shutdown = CancellationToken::new();
        let relay = Relay::new(self.service, &self.database, &self.broker(), &events);
        (tokio::spawn(relay.run(shutdown.clone())), shutdown)
    }

    fn processor(&self, subscriptions: Vec<Subscription>) -> Processor {
        Processor::new(self.database.clone(), subscriptions)
    }

    /// Starts a consumer and waits until its queue is there.
    async fn consumer(&self, subscriptions: Vec<Subscription>) -> (JoinHandle<()>, CancellationToken) {
        let consumer = Consumer::new(self.service, self.processor(subscriptions), &self.broker());
        let mut standing = consumer.standing();
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(consumer.run(shutdown.clone()));
        standing.wait_for(Standing::is_declared).await.expect("the consumer runs");
        (task, shutdown)
    }

    fn cx(&self) -> Context {
        caller(self.tenant)
    }

    fn new_event(&self, subject: &str, revision: i64, display_name: &str) -> NewEvent {
        NewEvent {
            id: Uuid::now_v7(),
            kind: self.kind("updated"),
            subject: subject.to_owned(),
            revision,
            event_time: self.cx().now,
            owner: None,
            team: None,
            payload: change(subject, display_name).encode_to_vec(),
        }
    }

    async fn write(&self, event: NewEvent) {
        let mut tx = Tx::of(&self.database, &self.cx()).await.expect("a transaction");
        tx.record(event);
        tx.commit().await.expect("committed");
    }

    /// An event as it would come in, without a log or a broker.
    fn event(&self, subject: &str, revision: i64, display_name: &str) -> Event {
        let now = to_microseconds(Utc::now());
        Event {
            id: Uuid::now_v7(),
            tenant: self.tenant,
            kind: self.kind("updated"),
            subject: subject.to_owned(),
            revision,
            position: revision,
            event_time: now,
            create_time: now,
            actor: "members/ana".to_owned(),
            cause: None,
            traceparent: None,
            owner: None,
            team: None,
            change: change(subject, display_name),
        }
    }

    /// Subjects and revisions in the order in which they took effect at a consumer.
    async fn effects(&self, consumer: &str) -> Vec<(String, i64)> {
        let mut tx = Tx::begin(&self.database.pool, &self.cx()).await.expect("a transaction");
        let rows = sqlx::query("select subject, revision from effect where consumer = $1 order by ordinal")
            .bind(consumer)
            .fetch_all(tx.connection())
            .await
            .expect("readable");
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// The read model: subject, revision and name.
    async fn latest(&self) -> Vec<(String, i64, String)> {
        let mut tx = Tx::begin(&self.database.pool, &self.cx()).await.expect("a transaction");
        sqlx::query_as("select subject, revision, display_name from latest order by subject")
            .fetch_all(tx.connection())
            .await
            .expect("readable")
    }

    /// State of every event in a consumer's inbox that is not DONE, by subject and revision.
    async fn held(&self, consumer: &str) -> Vec<(String, i64, String)> {
        let mut tx = Tx::begin(&self.database.pool, &self.cx()).await.expect("a transaction");
        sqlx::query_as(
            "select subject, revision, state from platform.inbox
             where consumer = $1 and state <> 'DONE' order by subject, revision",
        )
        .bind(consumer)
        .fetch_all(tx.connection())
        .await
        .expect("readable")
    }

    /// Waits until `count` events took effect at a consumer, and gives them.
    async fn effects_of(&self, consumer: &str, count: usize) -> Vec<(String, i64)> {
        testing::eventually(async || {
            let effects = self.effects(consumer).await;
            if effects.len() >= count {
                Ok(effects)
            } else {
                Err(format!("{} of {count} effects", effects.len()))
            }
        })
        .await
    }
}

fn broker_url() -> SecretString {
    testing::stack()["broker"]["url"].as_str().expect("the facts name the broker").to_owned().into()
}

fn change(subject: &str, display_name: &str) -> Change {
    let team = Team { name: subject.to_owned(), display_name: display_name.to_owned(), ..Team::default() };
    let resource = prost_types::Any {
        type_url: "type.googleapis.com/trato.directory.v1.Team".to_owned(),
        value: team.encode_to_vec(),
    };
    Change { resource: Some(resource), changed_mask: None, facts: Vec::new() }
}

/// Notes each event it is given, and does as its name says: `fail …` fails for good, `panic …` panics.
fn noting(consumer: &'static str) -> Handler {
    Arc::new(move |tx, event| note(consumer, tx, event).boxed())
}

async fn note(consumer: &'static str, tx: &mut Tx, event: &Event) -> Result<()> {
    let team: Team = event.resource()?;
    sqlx::query(
        "insert into effect (tenant_id, consumer, event_id, subject, revision) values ($1, $2, $3, $4, $5)",
    )
    .bind(tx.cx().tenant)
    .bind(consumer)
    .bind(event.id)
    .bind(&event.subject)
    .bind(event.revision)
    .execute(tx.connection())
    .await
    .map_err(Error::internal)?;
    match team.display_name.split(' ').next() {
        Some("fail") => Err(Error::new(Kind::Precondition, "NOT_NOW", team.display_name)),
        Some("panic") => panic!("{}", team.display_name),
        _ => Ok(()),
    }
}

/// Keeps the read model, guarded by revision.
fn projecting() -> Handler {
    Arc::new(|tx, event| project(tx, event).boxed())
}

async fn project(tx: &mut Tx, event: &Event) -> Result<()> {
    let team: Team = event.resource()?;
    sqlx::query(
        "insert into latest (tenant_id, subject, revision, display_name) values ($1, $2, $3, $4)
         on conflict (tenant_id, subject) do update set revision = excluded.revision, display_name = excluded.display_name
         where latest.revision < excluded.revision",
    )
    .bind(tx.cx().tenant)
    .bind(&event.subject)
    .bind(event.revision)
    .bind(&team.display_name)
    .execute(tx.connection())
    .await
    .map_err(Error::internal)?;
    Ok(())
}

/// True when revisions of each subject grow.
fn in_order(effects: &[(String, i64)]) -> bool {
    let mut last = std::collections::HashMap::new();
    effects.iter().all(|(subject, revision)| {
        let before = last.insert(subject.clone(), *revision);
        before.is_none_or(|before| before < *revision)
    })
}
