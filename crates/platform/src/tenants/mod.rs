//! Tenants as a service knows them beside their rows: a name for people, and whether their calls are refused, by
//! [`Barred`](crate::barred::Barred).

use serde::Serialize;
use sqlx::{Row as _, postgres::PgRow};
use trato_types::{Error, Result};
use uuid::Uuid;

use crate::db::{Pool, from_sqlx};

/// A tenant as operators see it.
#[derive(Clone, Debug, Serialize)]
pub struct Known {
    /// Its identifier.
    pub tenant: Uuid,
    /// Its name for people; empty for one that was never registered.
    pub display_name: String,
    /// ACTIVE or SUSPENDED.
    pub state: String,
    /// False for one that has events here and was never registered.
    pub registered: bool,
}

fn read(row: &PgRow) -> Result<Known> {
    let read = || {
        Ok(Known {
            tenant: row.try_get("tenant_id")?,
            display_name: row.try_get("display_name")?,
            state: row.try_get("state")?,
            registered: row.try_get("registered")?,
        })
    };
    read().map_err(from_sqlx)
}

/// Registers a tenant, or gives a known one another name. Repeatable.
pub async fn register(system: &Pool, tenant: Uuid, display_name: &str) -> Result<Known> {
    let display_name =
        trato_types::text::line(display_name, 200).ok().filter(|name| !name.is_empty()).ok_or_else(|| {
            Error::invalid("display_name", "REQUIRED", "must be a name of at most 200 characters")
        })?;
    let sql = "insert into platform.tenant as known (tenant_id, display_name, state)
               values ($1, $2, 'ACTIVE')
               on conflict (tenant_id) do update set display_name = excluded.display_name, update_time = now()
               returning tenant_id, display_name, state, true as registered";
    let row = sqlx::query(sql).bind(tenant).bind(display_name).fetch_one(system).await.map_err(from_sqlx)?;
    read(&row)
}

/// Suspends a tenant or lets it in again, whether it was registered or not. Repeatable.
pub async fn set_suspended(system: &Pool, tenant: Uuid, suspended: bool) -> Result<Known> {
    let sql = "insert into platform.tenant as known (tenant_id, display_name, state)
               values ($1, '', case when $2 then 'SUSPENDED' else 'ACTIVE' end)
               on conflict (tenant_id) do update set state = excluded.state, update_time = now()
               returning tenant_id, display_name, state, true as registered";
    let row = sqlx::query(sql).bind(tenant).bind(suspended).fetch_one(system).await.map_err(from_sqlx)?;
    read(&row)
}

/// The tenants whose calls are refused.
pub async fn suspended(system: &Pool) -> Result<Vec<Uuid>> {
    let sql = "select tenant_id from platform.tenant where state = 'SUSPENDED' order by tenant_id";
    sqlx::query_scalar(sql).fetch_all(system).await.map_err(from_sqlx)
}

/// Every tenant that is registered or has events here.
pub async fn list(system: &Pool) -> Result<Vec<Known>> {
    let rows = sqlx::query(include_str!("../../sql/list_tenants.sql")).fetch_all(system).await;
    rows.map_err(from_sqlx)?.iter().map(read).collect()
}
