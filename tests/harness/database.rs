//! Looks into databases, where no call shows what a test must know. It never writes.

use serde_json::Value;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection, Row as _, postgres::PgConnectOptions};
use trato_devstack::Facts;
use uuid::Uuid;

/// A connection of the superuser to the database of a service.
pub async fn superuser(facts: &Facts, service: &str) -> PgConnection {
    let options: PgConnectOptions = facts.postgres.superuser_url.parse().expect("it is a URL");
    options.database(service).connect().await.expect("the superuser can log in")
}

/// A connection by URL.
pub async fn connect(url: &str) -> sqlx::Result<PgConnection> {
    let options: PgConnectOptions = url.parse()?;
    options.connect().await
}

/// Teams of a member as the projection of a service has them, as names, sorted.
pub async fn teams_of(facts: &Facts, service: &str, tenant: Uuid, subject: &str) -> Vec<String> {
    let mut connection = superuser(facts, service).await;
    let sql =
        "select unnest(teams) as team from platform.directory_member where tenant_id = $1 and subject = $2";
    let rows = sqlx::query(sql).bind(tenant).bind(subject).fetch_all(&mut connection).await;
    let rows = rows.expect("the projection can be read");
    let mut teams: Vec<String> =
        rows.iter().map(|row| format!("teams/{}", row.get::<Uuid, _>("team"))).collect();
    teams.sort();
    teams
}

/// The tables that hold rows of tenants, by qualified name; partitions are left out.
pub async fn tenant_tables(connection: &mut PgConnection) -> Vec<String> {
    let sql = "select quote_ident(space.nspname) || '.' || quote_ident(class.relname)
               from pg_class class
               join pg_namespace space on space.oid = class.relnamespace
               join pg_attribute attribute on attribute.attrelid = class.oid and attribute.attname = 'tenant_id'
               where class.relkind in ('r', 'p') and not class.relispartition
                 and space.nspname not in ('pg_catalog', 'information_schema')
               order by 1";
    sqlx::query_scalar(sql).fetch_all(connection).await.expect("the catalogue can be read")
}

/// Every row of a tenant in a table, as JSON in a fixed order.
pub async fn rows(connection: &mut PgConnection, table: &str, tenant: Uuid) -> Vec<Value> {
    let sql = format!("select to_jsonb(t) from {table} t where tenant_id = $1 order by to_jsonb(t)::text");
    let rows = sqlx::query_scalar(AssertSqlSafe(sql)).bind(tenant).fetch_all(connection).await;
    rows.unwrap_or_else(|error| panic!("{table} cannot be read: {error}"))
}
