//! Keeps the projected directory in step with the events of members and teams. The revision guards every row, so that
//! duplicates and replays change nothing.

use std::sync::Arc;

use futures::FutureExt as _;
use trato_contract::directory::v1::{Member, Team};
use trato_types::{Error, Result, id::parse_name};
use uuid::Uuid;

use crate::{
    db::{Tx, from_sqlx},
    events::{Event, Subscription},
    foreign::read_time,
};

/// What every service listens to, to know members and teams.
pub fn subscriptions() -> Vec<Subscription> {
    vec![
        Subscription::new(
            "project-members",
            &["trato.directory.v1.member.*"],
            Arc::new(|tx, event| project_member(tx, event).boxed()),
        )
        .projecting(&["platform.directory_member"]),
        Subscription::new(
            "project-teams",
            &["trato.directory.v1.team.*"],
            Arc::new(|tx, event| project_team(tx, event).boxed()),
        )
        .projecting(&["platform.directory_team"]),
    ]
}

async fn project_member(tx: &mut Tx, event: &Event) -> Result<()> {
    let member: Member = event.resource()?;
    let teams = member.teams.iter().map(|team| parse_name("teams", team)).collect::<Result<Vec<Uuid>, _>>();
    let tenant = tx.cx().tenant;
    sqlx::query(
        "insert into platform.directory_member (tenant_id, subject, display_name, teams, revision, delete_time)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (tenant_id, subject) do update set display_name = excluded.display_name,
           teams = excluded.teams, revision = excluded.revision, delete_time = excluded.delete_time
         where directory_member.revision < excluded.revision",
    )
    .bind(tenant)
    .bind(&member.subject)
    .bind(&member.display_name)
    .bind(teams.map_err(Error::internal)?)
    .bind(event.revision)
    .bind(read_time(member.delete_time))
    .execute(tx.connection())
    .await
    .map_err(from_sqlx)?;
    Ok(())
}

async fn project_team(tx: &mut Tx, event: &Event) -> Result<()> {
    let team: Team = event.resource()?;
    let tenant = tx.cx().tenant;
    sqlx::query(
        "insert into platform.directory_team (tenant_id, id, display_name, region, revision, delete_time)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (tenant_id, id) do update set display_name = excluded.display_name,
           region = excluded.region, revision = excluded.revision, delete_time = excluded.delete_time
         where directory_team.revision < excluded.revision",
    )
    .bind(tenant)
    .bind(parse_name("teams", &team.name).map_err(Error::internal)?)
    .bind(&team.display_name)
    .bind(&team.region)
    .bind(event.revision)
    .bind(read_time(team.delete_time))
    .execute(tx.connection())
    .await
    .map_err(from_sqlx)?;
    Ok(())
}
