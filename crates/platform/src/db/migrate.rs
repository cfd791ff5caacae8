//! Schema versions: forward only, run by the owner role, checked by every server at start.
//!
//! A migration never holds up the programs that serve meanwhile: PostgreSQL lets everybody who comes wait behind whoever
//! waits for a lock, so that it waits for a moment only, lets them pass and tries again.

use std::time::Duration;

use rand::RngExt as _;
use secrecy::ExposeSecret as _;
use sqlx::{Connection as _, PgConnection, Row as _};
use tokio::time::{Instant, sleep};
use trato_types::{Error, Kind, Result, error::chain};

use super::{Pool, from_sqlx};
use crate::config;

/// One migration file.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// File name without `.sql`; its first four digits are the version.
    pub name: &'static str,
    /// Its content.
    pub sql: &'static str,
}

/// Lists the migration files of a service, in order; a test compares the list with the folder.
#[macro_export]
macro_rules! migrations {
    ($($name:literal),+ $(,)?) => {
        &[$($crate::db::migrate::Migration {
            name: $name,
            sql: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/", $name, ".sql")),
        }),+]
    };
}

/// The platform's own migrations; they run before a service's.
pub const PLATFORM: &[Migration] = migrations![
    "0001_platform",
    "0002_events",
    "0003_access",
    "0004_tenant",
    "0005_declared_queue",
    "0006_revocation",
];

/// Two programs that migrate at once wait for one another by this advisory lock.
const LOCK: i64 = 0x7472_6174_6f00;

/// Longest wait of a migration for a lock, which others wait for in turn.
const LOCK_WAIT: &str = "200ms";
/// First and longest pause between two attempts to get all locks.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));
/// How long a migration is tried again; then somebody must look at who holds the lock.
const TRIED_FOR: Duration = Duration::from_secs(600);

/// Brings the database to the version of this program. Returns the names of what was run.
pub async fn migrate(settings: &config::Database, service: &'static [Migration]) -> Result<Vec<String>> {
    migrate_on(&mut owner(settings).await?, service).await
}

/// A connection of the owner role.
pub(crate) async fn owner(settings: &config::Database) -> Result<PgConnection> {
    PgConnection::connect(settings.owner_url.expose_secret()).await.map_err(from_sqlx)
}

/// Like `migrate`, on a connection of the owner role.
pub async fn migrate_on(connection: &mut PgConnection, service: &'static [Migration]) -> Result<Vec<String>> {
    sqlx::query("select pg_advisory_lock($1)")
        .bind(LOCK)
        .execute(&mut *connection)
        .await
        .map_err(from_sqlx)?;
    let result = run(connection, service).await;
    sqlx::query("select pg_advisory_unlock($1)")
        .bind(LOCK)
        .execute(&mut *connection)
        .await
        .map_err(from_sqlx)?;
    result
}

async fn run(connection: &mut PgConnection, service: &'static [Migration]) -> Result<Vec<String>> {
    sqlx::raw_sql(
        r#"create table if not exists public.schema_version (
           component text collate "C" not null,
           name text collate "C" not null,
           checksum text not null,
           run_time timestamptz not null default now(),
           constraint schema_version_pkey primary key (component, name)
         );
         comment on table public.schema_version is 'Migrations that ran; written by the owner only.';
         do $$ begin
           execute format('grant select on public.schema_version to %I, %I',
             regexp_replace(current_user, '_owner$', ''), regexp_replace(current_user, '_owner$', '_system'));
         end $$"#,
    )
    .execute(&mut *connection)
    .await
    .map_err(from_sqlx)?;
    let mut done = Vec::new();
    for (component, migrations) in [("platform", PLATFORM), ("service", service)] {
        for migration in migrations {
            if run_one(connection, component, migration).await? {
                done.push(format!("{component}/{}", migration.name));
            }
        }
    }
    Ok(done)
}

/// Runs a migration that has not run yet; again and again while somebody holds what it needs.
async fn run_one(connection: &mut PgConnection, component: &str, migration: &Migration) -> Result<bool> {
    let (begun, (mut pause, longest)) = (Instant::now(), PAUSES);
    loop {
        let error = match attempt(connection, component, migration).await {
            // A lock that did not come in time, or that two wanted from one another.
            Err(error) if error.reason() == "DATABASE_CONFLICT" && begun.elapsed() < TRIED_FOR => error,
            outcome => return outcome,
        };
        tracing::info!("migration {component}/{} is tried again: {}", migration.name, chain(&error));
        let chance = rand::rng().random_range(0.75..1.25);
        sleep(pause.mul_f64(chance)).await;
        pause = (pause * 2).min(longest);
    }
}

async fn attempt(connection: &mut PgConnection, component: &str, migration: &Migration) -> Result<bool> {
    let mut transaction = connection.begin().await.map_err(from_sqlx)?;
    let known: Option<String> =
        sqlx::query_scalar("select checksum from public.schema_version where component = $1 and name = $2")
            .bind(component)
            .bind(migration.name)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(from_sqlx)?;
    match known {
        Some(checksum) if checksum == checksum_of(migration) => return Ok(false),
        Some(_) => {
            let message = format!("migration {component}/{} was changed after it had run", migration.name);
            return Err(Error::internal(message));
        }
        None => {}
    }
    let failed = |error: sqlx::Error| match from_sqlx(error) {
        error if error.kind() == Kind::Internal => {
            let cause = chain(&error);
            Error::internal(format!("migration {component}/{} failed: {cause}", migration.name))
        }
        error => error,
    };
    sqlx::query("select set_config('lock_timeout', $1, true)")
        .bind(LOCK_WAIT)
        .execute(&mut *transaction)
        .await
        .map_err(from_sqlx)?;
    sqlx::raw_sql(migration.sql).execute(&mut *transaction).await.map_err(failed)?;
    sqlx::query("insert into public.schema_version (component, name, checksum) values ($1, $2, $3)")
        .bind(component)
        .bind(migration.name)
        .bind(checksum_of(migration))
        .execute(&mut *transaction)
        .await
        .map_err(from_sqlx)?;
    transaction.commit().await.map_err(from_sqlx)?;
    Ok(true)
}

fn checksum_of(migration: &Migration) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(migration.sql).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Names of migrations this program has and the database does not; empty when it may serve.
pub async fn missing(pool: &Pool, service: &'static [Migration]) -> Result<Vec<String>> {
    let rows = match sqlx::query("select component, name from public.schema_version").fetch_all(pool).await {
        Ok(rows) => rows,
        // 42P01: the table is not there, so nothing has run.
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P01") => Vec::new(),
        Err(error) => return Err(from_sqlx(error)),
    };
    let run: Vec<(String, String)> = rows
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect::<Result<_, _>>()
        .map_err(from_sqlx)?;
    let is_missing = |component: &str, migration: &Migration| {
        !run.iter().any(|(known, name)| known == component && name == migration.name)
    };
    let platform = PLATFORM
        .iter()
        .filter(|migration| is_missing("platform", migration))
        .map(|m| format!("platform/{}", m.name));
    let own = service
        .iter()
        .filter(|migration| is_missing("service", migration))
        .map(|m| format!("service/{}", m.name));
    Ok(platform.chain(own).collect())
}
