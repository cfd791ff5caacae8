//! The database of a service: who may log in with which rights, and what the platform's tables tell.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, PgConnection, Row as _, postgres::PgConnectOptions};
use tokio::time::timeout;
use trato_types::{Result, error::chain};

use super::Report;
use crate::{
    config,
    db::{
        Database, from_sqlx,
        migrate::{self, Migration},
    },
    revocations,
};

/// Longest wait for a login.
const PATIENCE: Duration = Duration::from_secs(5);
/// Age beyond which events that are not published are worth a word.
const STALE_SECONDS: f64 = 60.0;
/// Difference of clocks that rules about time can bear.
const CLOCK_SECONDS: f64 = 2.0;

/// Logs in by every address that is given and looks at the role's rights.
pub async fn look_at_roles(settings: &config::Database, report: &mut Report) {
    let roles = [
        ("database.url", &settings.url, true),
        ("database.system_url", &settings.system_url, true),
        // Only `migrate` needs it.
        ("database.owner_url", &settings.owner_url, false),
    ];
    for (key, url, required) in roles {
        if url.expose_secret().is_empty() {
            if required {
                report.fault("database-not-set", format!("{key} is not set"), "give the address");
            }
            continue;
        }
        if let Err(error) = look_at_role(key, url, report).await {
            let message = format!("{key}: {}", chain(&error));
            report.fault(
                "database-unreachable",
                message,
                "check the address, the password and the server; calls are UNAVAILABLE meanwhile",
            );
        }
    }
}

async fn look_at_role(key: &str, url: &SecretString, report: &mut Report) -> Result<()> {
    let mut connection = connect(url).await?;
    let sql = "select rolname::text, rolsuper or rolbypassrls as sees_all, rolcreaterole or rolcreatedb or rolreplication as mighty
               from pg_roles where rolname = current_user";
    let row = sqlx::query(sql).fetch_one(&mut connection).await.map_err(from_sqlx)?;
    let role: String = row.try_get("rolname").map_err(from_sqlx)?;
    if row.try_get("sees_all").map_err(from_sqlx)? {
        report.fault(
            "role-bypasses-row-security",
            format!(
                "{role} ({key}) is a superuser or bypasses row-level security: tenants are not kept apart"
            ),
            "alter role … nosuperuser nobypassrls",
        );
    } else if row.try_get("mighty").map_err(from_sqlx)? {
        report.warn(
            "role-too-mighty",
            format!("{role} ({key}) may create roles or databases, or replicate"),
            "alter role … nocreatedb nocreaterole noreplication",
        );
    }
    Ok(())
}

async fn connect(url: &SecretString) -> Result<PgConnection> {
    let options: PgConnectOptions = url.expose_secret().parse().map_err(from_sqlx)?;
    match timeout(PATIENCE, options.connect()).await {
        Ok(connection) => connection.map_err(from_sqlx),
        Err(_) => Err(from_sqlx(sqlx::Error::PoolTimedOut)),
    }
}

/// Looks at the schema and at what the platform's tables tell. A database that is away was told of before.
pub async fn look_inside(database: &Database, migrations: &'static [Migration], report: &mut Report) {
    match migrate::missing(&database.pool, migrations).await {
        Ok(missing) if missing.is_empty() => {}
        Ok(missing) => {
            return report.fault(
                "schema-behind",
                format!("migrations have not run: {}", missing.join(", ")),
                "run `trato migrate`",
            );
        }
        Err(_) => return,
    }
    for look in [look_at_log(database, report).await, look_at_inbox(database, report).await] {
        if let Err(error) = look {
            let message = format!("the platform's tables cannot be read: {}", chain(&error));
            report.fault("database-unreadable", message, "see what the server's log says");
        }
    }
}

async fn look_at_log(database: &Database, report: &mut Report) -> Result<()> {
    let before = chrono::Utc::now();
    let row = sqlx::query(include_str!("../../sql/describe_log.sql"))
        .fetch_one(&database.system)
        .await
        .map_err(from_sqlx)?;
    let number = |name: &str| row.try_get::<Option<i64>, _>(name).map_err(from_sqlx);
    let seconds = |name: &str| row.try_get::<Option<f64>, _>(name).map_err(from_sqlx);
    for name in ["numbered", "published", "unnumbered", "unpublished", "events_estimated", "misplaced"] {
        report.note(name, number(name)?);
    }

    let waiting = number("unnumbered")?.unwrap_or(0) + number("unpublished")?.unwrap_or(0);
    let age = seconds("oldest_seconds")?.unwrap_or(0.0);
    if waiting > 0 && age > STALE_SECONDS {
        report.fault(
            "log-not-published",
            format!("{waiting} events wait to be published, the oldest for {age:.0} s"),
            "see whether the service runs and reaches the broker",
        );
    }
    match seconds("lease_seconds")? {
        Some(left) if left < -STALE_SECONDS => report.warn(
            "lease-without-holder",
            format!("nobody has led the log for {:.0} s: no process of the service runs", -left),
            "start the service, or see in its log why it lost the database",
        ),
        _ => {}
    }
    if let Some(late) = number("late_jobs")?.filter(|late| *late > 0) {
        report.warn(
            "jobs-late",
            format!("{late} periodic jobs have been due for more than an hour"),
            "start the service, or see in its log what fails",
        );
    }
    if !row.try_get::<bool, _>("partition_ahead").map_err(from_sqlx)? {
        report.warn(
            "partition-missing",
            "the log has no partition for the next month",
            "start the service, whose job `extend-partitions` makes it",
        );
    }
    if number("misplaced")?.is_some_and(|rows| rows > 0) {
        report.warn(
            "default-partition-used",
            "events lie in the log's default partition",
            "they are moved when the partition of their month is made; see the job `extend-partitions`",
        );
    }
    let theirs: trato_types::Timestamp = row.try_get("clock").map_err(from_sqlx)?;
    let here = before + (chrono::Utc::now() - before) / 2;
    let difference = (theirs - here).as_seconds_f64();
    report.note("clock_difference_seconds", json!((difference * 1000.0).round() / 1000.0));
    if difference.abs() > CLOCK_SECONDS {
        report.warn(
            "clocks-differ",
            format!("the database's clock differs from this machine's by {difference:.1} s"),
            "synchronise the clocks; tokens and leases are judged by them",
        );
    }
    Ok(())
}

async fn look_at_inbox(database: &Database, report: &mut Report) -> Result<()> {
    let sql = "select consumer, state, coalesce(reason, '') as reason, count(*) as events
               from platform.inbox where state in ('PARKED', 'WAITING')
               group by consumer, state, reason
               order by consumer, state, reason";
    let rows = sqlx::query(sql).fetch_all(&database.system).await.map_err(from_sqlx)?;
    let mut held: Vec<Value> = Vec::new();
    let mut total = 0;
    for row in &rows {
        let text = |name: &str| row.try_get::<String, _>(name).map_err(from_sqlx);
        let events: i64 = row.try_get("events").map_err(from_sqlx)?;
        total += events;
        held.push(json!({
            "consumer": text("consumer")?, "state": text("state")?, "reason": text("reason")?, "events": events,
        }));
    }
    report.note("held", held);
    if total > 0 {
        report.warn(
            "events-parked",
            format!("{total} events are parked or wait behind a parked one"),
            "`trato dead-letters list` and `show`; mend the cause, then `replay`",
        );
    }
    let sql = "select count(*) as registered, count(*) filter (where state = 'SUSPENDED') as suspended from platform.tenant";
    let row = sqlx::query(sql).fetch_one(&database.system).await.map_err(from_sqlx)?;
    report.note("tenants_registered", row.try_get::<i64, _>("registered").map_err(from_sqlx)?);
    report.note("tenants_suspended", row.try_get::<i64, _>("suspended").map_err(from_sqlx)?);
    let revoked = revocations::list(&database.system).await?.len();
    report.note("tokens_revoked", revoked);
    Ok(())
}
