//! Tenants as a service knows them beside their rows: a name for people, and whether their calls are refused.
//!
//! Suspension costs no statement per call: each process reads the few suspended tenants every two seconds and looks
//! them up in memory. While the database is away the last answer stands.

use std::{collections::HashSet, sync::Arc, time::Duration};

use serde::Serialize;
use sqlx::{Row as _, postgres::PgRow};
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;
use trato_types::{Error, Kind, Result, error::chain};
use uuid::Uuid;

use crate::db::{Pool, from_sqlx};

/// Time between two looks at who is suspended.
const LOOK: Duration = Duration::from_secs(2);

/// The suspended tenants, as last read. Cheap to clone; all clones share them.
#[derive(Clone, Debug)]
pub struct Suspended(Arc<watch::Sender<HashSet<Uuid>>>);

impl Default for Suspended {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(HashSet::new())))
    }
}

impl Suspended {
    /// PERMISSION_DENIED `TENANT_SUSPENDED` for a suspended tenant.
    pub fn check(&self, tenant: Uuid) -> Result<()> {
        if self.0.borrow().contains(&tenant) { Err(suspended()) } else { Ok(()) }
    }

    /// Waits until the tenant is suspended: what is under way for it, such as a stream, ends then.
    pub async fn until_suspended(&self, tenant: Uuid) -> Error {
        let mut all = self.0.subscribe();
        if all.wait_for(|all| all.contains(&tenant)).await.is_err() {
            // Cannot be: the sender lives in `self`.
            std::future::pending::<()>().await;
        }
        suspended()
    }

    /// Reads who is suspended now.
    pub async fn read(&self, system: &Pool) -> Result<()> {
        let sql = "select tenant_id from platform.tenant where state = 'SUSPENDED'";
        let now: Vec<Uuid> = sqlx::query_scalar(sql).fetch_all(system).await.map_err(from_sqlx)?;
        let now: HashSet<Uuid> = now.into_iter().collect();
        self.0.send_if_modified(|all| {
            let differs = *all != now;
            *all = now;
            differs
        });
        Ok(())
    }

    /// Reads again and again until `stop`.
    pub async fn keep_reading(self, system: Pool, stop: CancellationToken) {
        let mut failed = false;
        // Ends early at the stop.
        while timeout(LOOK, stop.cancelled()).await.is_err() {
            let outcome = self.read(&system).await;
            if let Err(error) = &outcome
                && !failed
            {
                tracing::warn!(error = %chain(error), "who is suspended is not known; the last answer stands");
            }
            failed = outcome.is_err();
        }
    }
}

fn suspended() -> Error {
    Error::new(Kind::Forbidden, "TENANT_SUSPENDED", "the tenant is suspended")
}

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

/// Every tenant that is registered or has events here.
pub async fn list(system: &Pool) -> Result<Vec<Known>> {
    let rows = sqlx::query(include_str!("../../sql/list_tenants.sql")).fetch_all(system).await;
    rows.map_err(from_sqlx)?.iter().map(read).collect()
}
