//! The directory as this service knows it: members and their teams, projected from events, and who called lately.

mod projection;

use std::{sync::Arc, time::Duration};

use futures::{FutureExt as _, future::BoxFuture};
use moka::future::Cache;
use sqlx::Row as _;
use trato_types::{Result, error::chain};
use uuid::Uuid;

pub use self::projection::subscriptions;
use crate::{
    auth::Identity,
    db::{Database, from_sqlx},
    rpc::TeamsOf,
};

/// How long a change of somebody's teams may take to reach scopes, beside the way of the event.
const TEAMS_TTL: Duration = Duration::from_secs(2);

/// Reads the projected directory.
#[derive(Debug)]
pub struct Directory {
    database: Database,
    teams: Cache<(Uuid, Arc<str>), Arc<[Uuid]>>,
}

impl Directory {
    /// A directory over the service's own projection.
    pub fn new(database: &Database) -> Self {
        let teams = Cache::builder().max_capacity(100_000).time_to_live(TEAMS_TTL).build();
        Self { database: database.clone(), teams }
    }

    /// Teams of a member; none for somebody the directory does not know.
    pub async fn teams(&self, tenant: Uuid, subject: &str) -> Result<Arc<[Uuid]>> {
        let key = (tenant, Arc::from(subject));
        if let Some(teams) = self.teams.get(&key).await {
            return Ok(teams);
        }
        let row = sqlx::query(
            "with c as materialized (select set_config('trato.tenant_id', $1, true) as tenant)
             select found.teams
             from c, lateral (
               select member.teams from platform.directory_member member
               where member.tenant_id = c.tenant::uuid and member.subject = $2 and member.delete_time is null
               offset 0
             ) found",
        )
        .bind(tenant.to_string())
        .bind(subject)
        .fetch_optional(&self.database.pool)
        .await
        .map_err(from_sqlx)?;
        let teams: Vec<Uuid> =
            row.map(|row| row.try_get(0)).transpose().map_err(from_sqlx)?.unwrap_or_default();
        let teams: Arc<[Uuid]> = teams.into();
        self.teams.insert(key, teams.clone()).await;
        Ok(teams)
    }
}

impl TeamsOf for Directory {
    fn teams<'a>(&'a self, tenant: Uuid, subject: &'a str) -> BoxFuture<'a, Result<Arc<[Uuid]>>> {
        self.teams(tenant, subject).boxed()
    }

    fn seen(&self, identity: &Arc<Identity>) {
        let (database, identity) = (self.database.clone(), identity.clone());
        // Nobody waits for this, and the next token says it again.
        tokio::spawn(async move {
            if let Err(error) = note(&database, &identity).await {
                tracing::warn!(error = %chain(&error), "a caller's roles were not noted");
            }
        });
    }
}

/// Notes the roles of a token by which a caller was let in for the first time.
async fn note(database: &Database, identity: &Identity) -> Result<()> {
    sqlx::query(
        "with c as materialized (select set_config('trato.tenant_id', $1, true) as tenant)
         insert into platform.principal (tenant_id, subject, roles, seen_time)
         select c.tenant::uuid, $2, $3, now() from c
         on conflict (tenant_id, subject) do update set roles = excluded.roles, seen_time = excluded.seen_time
         where principal.seen_time <= excluded.seen_time",
    )
    .bind(identity.tenant.to_string())
    .bind(identity.subject.as_ref())
    .bind(identity.roles.as_ref())
    .execute(&database.pool)
    .await
    .map_err(from_sqlx)?;
    Ok(())
}
