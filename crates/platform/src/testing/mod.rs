//! Test tools: a database of its own for each test, and a service that runs as in production but for its settings.
//!
//! The servers are those that `cargo dev test` starts; it says where they are in the file named by `TRATO_TEST_STACK`.

mod answers;
mod heard;

use std::time::Duration;

use prost::Message as _;
use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, Row as _,
    postgres::{PgConnectOptions, PgRow},
};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};
use trato_contract::events::v1::Change;
use uuid::Uuid;

pub use self::answers::{FieldReason, field, item_reason, item_violations, paths, refusal, violations};
use crate::{
    ServiceSpec,
    auth::testing::TestIssuer,
    config::{Environment, Loader},
    db::{
        Database, Limits, Pool, Tx,
        migrate::{Migration, PLATFORM, migrate_on},
    },
    events::{Event, Incoming, Processor},
    run::Running,
};

/// Addresses of one test's database, by role.
#[derive(Clone, Debug)]
pub struct TestDatabase {
    /// Name of the database.
    pub name: String,
    /// The role that serves.
    pub url: String,
    /// The role of relay and jobs.
    pub system_url: String,
    /// The role that owns the schema.
    pub owner_url: String,
}

const PASSWORD: &str = "test";

/// Makes an empty database with the schema of a service. Migrates once per schema and copies that.
pub async fn database(service: &str, migrations: &'static [Migration]) -> TestDatabase {
    let superuser = superuser();
    let mut connection = connect(&superuser).await;
    let template = template(&mut connection, &superuser, service, migrations).await;
    let name = format!("test_{}", Uuid::now_v7().simple());
    execute(
        &mut connection,
        format!("create database {name} template {template} owner test_{service}_owner"),
    )
    .await;
    let url = |role: &str| {
        let (host, port) = (superuser.get_host(), superuser.get_port());
        format!("postgres://{role}:{PASSWORD}@{host}:{port}/{name}")
    };
    TestDatabase {
        url: url(&format!("test_{service}")),
        system_url: url(&format!("test_{service}_system")),
        owner_url: url(&format!("test_{service}_owner")),
        name,
    }
}

/// The facts `cargo dev test` wrote about the servers it started.
pub fn stack() -> serde_json::Value {
    #[expect(
        clippy::disallowed_methods,
        reason = "the address of the test servers is no setting of a program"
    )]
    let path = std::env::var("TRATO_TEST_STACK")
        .expect("TRATO_TEST_STACK is set: run the tests by `cargo dev test`");
    let text = std::fs::read_to_string(&path).expect("the file TRATO_TEST_STACK names is readable");
    serde_json::from_str(&text).expect("the file TRATO_TEST_STACK names is JSON")
}

fn superuser() -> PgConnectOptions {
    let stack = stack();
    let url = stack["postgres"]["superuser_url"]
        .as_str()
        .expect("the facts name the superuser's address")
        .to_owned();
    url.parse().expect("the superuser's address is a PostgreSQL URL")
}

/// Connections to this address, which need not lead anywhere.
pub fn pool(url: &str) -> Pool {
    let limits = Limits { connections: 0..=10, wait: PATIENCE, patience: PATIENCE };
    Pool::open(url.parse().expect("an address of PostgreSQL"), limits)
}

async fn connect(options: &PgConnectOptions) -> PgConnection {
    PgConnection::connect_with(options).await.expect("the test database server answers")
}

async fn execute(connection: &mut PgConnection, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .expect("a statement of the test tools succeeds");
}

async fn template(
    connection: &mut PgConnection,
    superuser: &PgConnectOptions,
    service: &str,
    migrations: &'static [Migration],
) -> String {
    let name = format!("template_{service}_{}", fingerprint(migrations));
    // Test processes run side by side; one migrates, the others wait.
    sqlx::query("select pg_advisory_lock(hashtext('trato test template'))")
        .execute(&mut *connection)
        .await
        .expect("a lock");
    let known: Option<String> =
        sqlx::query_scalar("select datname::text from pg_database where datname = $1")
            .bind(&name)
            .fetch_optional(&mut *connection)
            .await
            .expect("the catalogue is readable");
    if known.is_none() {
        for suffix in ["", "_owner", "_system"] {
            let role = format!("test_{service}{suffix}");
            execute(
                connection,
                format!(
                    "do $$ begin create role {role} login password '{PASSWORD}' nosuperuser nobypassrls;
                     exception when duplicate_object then null; end $$"
                ),
            )
            .await;
        }
        let building = format!("building_{}", Uuid::now_v7().simple());
        execute(connection, format!("create database {building} owner test_{service}_owner")).await;
        let owner = superuser
            .clone()
            .database(&building)
            .username(&format!("test_{service}_owner"))
            .password(PASSWORD);
        let mut owner = connect(&owner).await;
        migrate_on(&mut owner, migrations).await.expect("the migrations run");
        owner.close().await.expect("the connection closes");
        execute(connection, format!("alter database {building} rename to {name}")).await;
    }
    sqlx::query("select pg_advisory_unlock(hashtext('trato test template'))")
        .execute(connection)
        .await
        .expect("a lock");
    name
}

fn fingerprint(migrations: &[Migration]) -> String {
    use sha2::Digest as _;
    let mut hash = sha2::Sha256::new();
    for migration in PLATFORM.iter().chain(migrations) {
        hash.update(migration.sql);
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// A service that runs in the test's own process: the real server, database and layers, an issuer of the test's own,
/// no broker. Events it would publish are rows to assert on; events it listens to are handed in by `deliver`.
pub struct TestService {
    /// Where it answers.
    pub channel: Channel,
    /// Its database, as the service sees it.
    pub database: Database,
    /// Mints tokens it trusts.
    pub issuer: TestIssuer,
    processor: Processor,
    stop: CancellationToken,
    running: Option<Running>,
}

/// Somebody who calls a service under test.
#[derive(Clone, Debug)]
pub struct TestCaller {
    /// The tenant of the token.
    pub tenant: Uuid,
    /// The subject of the token.
    pub subject: String,
    token: String,
}

impl TestService {
    /// Starts a service over a database of its own.
    pub async fn start(spec: ServiceSpec) -> Self {
        Self::start_with(spec, &[]).await
    }

    /// Starts a service with some settings of the test's own, as variables: `("TRATO_SERVER__MAX_CONCURRENCY", "1")`.
    pub async fn start_with(spec: ServiceSpec, variables: &[(&str, &str)]) -> Self {
        let issuer = TestIssuer::start().await;
        let urls = database(spec.name, spec.migrations).await;
        let issuers = format!("[{{ url = \"{}\", audience = \"trato\", any_tenant = true }}]", issuer.url);
        let own = [
            ("TRATO_DATABASE__URL", urls.url.as_str()),
            ("TRATO_DATABASE__SYSTEM_URL", urls.system_url.as_str()),
            ("TRATO_DATABASE__MAX_CONNECTIONS", "4"),
            ("TRATO_DATABASE__MIN_CONNECTIONS", "0"),
            ("TRATO_DATABASE__SYSTEM_MAX_CONNECTIONS", "1"),
            ("TRATO_DATABASE__ACQUIRE_TIMEOUT_MS", "10000"),
            ("TRATO_AUTH__ISSUERS", issuers.as_str()),
        ];
        let variables =
            own.iter().chain(variables).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let loader = (spec.loader)(Loader::new(spec.config));
        let loaded = loader.load(&Environment::of(variables)).expect("the test's settings are right");
        let subscriptions = spec.subscriptions.clone();
        let stop = CancellationToken::new();
        let running = Running::start(spec, loaded, stop.clone()).await.expect("the service starts");
        eventually(async || if running.is_ready() { Ok(()) } else { Err("not ready".to_owned()) }).await;
        let endpoint = Endpoint::from_shared(format!("http://{}", running.address)).expect("an address");
        let database = running.app.database.clone();
        Self {
            channel: endpoint.connect().await.expect("the service answers"),
            processor: Processor::new(database.clone(), subscriptions),
            database,
            issuer,
            stop,
            running: Some(running),
        }
    }

    /// A caller with these roles in a tenant.
    pub fn caller(&self, tenant: Uuid, subject: &str, roles: &[&str]) -> TestCaller {
        let claims = serde_json::json!({ "tenant": tenant.to_string(), "sub": subject, "roles": roles });
        TestCaller { tenant, subject: subject.to_owned(), token: self.issuer.token(claims) }
    }

    /// Types, subjects and revisions of the tenant's events, in the order they were written.
    pub async fn events(&self, tenant: Uuid) -> Vec<(String, String, i64)> {
        let mut tx = self.transaction(tenant).await;
        sqlx::query_as("select type, subject, revision from platform.event order by seq")
            .fetch_all(tx.connection())
            .await
            .expect("the log is readable")
    }

    /// The tenant's events as another service would get them.
    pub async fn published(&self, tenant: Uuid) -> Vec<Event> {
        let mut tx = self.transaction(tenant).await;
        let rows = sqlx::query(
            "select id, type, subject, revision, seq, event_time, create_time, actor, cause, traceparent, owner, team,
               payload
             from platform.event order by seq",
        )
        .fetch_all(tx.connection())
        .await
        .expect("the log is readable");
        let event = |row: &PgRow| Event {
            id: row.get(0),
            tenant,
            kind: row.get(1),
            subject: row.get(2),
            revision: row.get(3),
            position: row.get(4),
            event_time: row.get(5),
            create_time: row.get(6),
            actor: row.get(7),
            cause: row.get(8),
            traceparent: row.get(9),
            owner: row.get(10),
            team: row.get(11),
            change: Change::decode(row.get::<&[u8], _>(12)).expect("a payload is a Change"),
        };
        rows.iter().map(event).collect()
    }

    /// Hands events in, as the broker would.
    pub async fn deliver(&self, events: Vec<Event>) {
        let incoming: Vec<Incoming> = events.into_iter().map(Incoming::from).collect();
        self.processor.process(&incoming, &self.stop).await.expect("the events are settled");
    }

    /// A transaction that sees one tenant, for assertions on rows.
    pub async fn transaction(&self, tenant: Uuid) -> Tx {
        let cx = trato_types::Context {
            tenant,
            actor: trato_types::Actor::System("test".into()),
            scope: trato_types::Scope::All,
            teams: std::sync::Arc::default(),
            method: "test".into(),
            now: trato_types::time::to_microseconds(chrono::Utc::now()),
            traceparent: None,
            cause: None,
        };
        Tx::begin(&self.database.pool, &cx).await.expect("a transaction begins")
    }

    /// Stops as a process told to stop does.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Some(running) = self.running.take() {
            running.stopped().await.expect("the service stops in order");
        }
    }
}

impl TestCaller {
    /// A call of this caller.
    pub fn request<M>(&self, message: M) -> tonic::Request<M> {
        let mut request = tonic::Request::new(message);
        let bearer = format!("Bearer {}", self.token).parse().expect("a token is ASCII");
        request.metadata_mut().insert("authorization", bearer);
        request
    }
}

/// Longest wait of a test for what takes no time; only a hang takes longer, however slow the machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `probe` gives a value; the last thing it said is in the panic.
pub async fn eventually<T>(mut probe: impl AsyncFnMut() -> Result<T, String>) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let observed = match probe().await {
            Ok(value) => return value,
            Err(observed) => observed,
        };
        assert!(tokio::time::Instant::now() < deadline, "not within {PATIENCE:?}; last seen: {observed}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
