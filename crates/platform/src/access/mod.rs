//! Who may do what, and why; and who did: the answers to ExplainAccess, ListViewers and ListAccessRecords, which every
//! service gives for its own resources. The rules themselves are roles; scopes become SQL in `db::statement`.

pub mod records;
pub mod roles;

use std::sync::Arc;

use sqlx::Row as _;
use tonic::Request;
use trato_contract::access::v1::{
    ExplainAccessRequest, ExplainAccessResponse, Grant, ListAccessRecordsRequest, ListAccessRecordsResponse,
    ListViewersRequest, ListViewersResponse, Scope as WireScope, list_viewers_response::Viewers,
};
use trato_types::{Context, Error, Result, Scope};
use uuid::Uuid;

use self::roles::Roles;
use crate::{
    db::{Database, from_sqlx},
    directory::Directory,
    rpc::Caller,
    standard::{Reply, answer},
};

/// Explains access to the resources of one service.
#[derive(Clone)]
pub struct Access {
    database: Database,
    directory: Arc<Directory>,
    roles: Arc<Roles>,
}

/// By whom scopes admit readers of one resource.
struct Ownership {
    owner: Option<String>,
    team: Option<Uuid>,
}

impl Access {
    /// Answers from the event log, which knows owner and team of every resource of the service.
    pub fn new(database: &Database, directory: Arc<Directory>, roles: Arc<Roles>) -> Self {
        Self { database: database.clone(), directory, roles }
    }

    /// `ExplainAccess`. A resource the caller cannot see is answered like one that is not there.
    pub async fn explain(&self, request: Request<ExplainAccessRequest>) -> Reply<ExplainAccessResponse> {
        let caller = Caller::of(&request);
        answer(request, async |cx, body| {
            let caller = caller?;
            self.roles.require_known("permission", &body.permission)?;
            let scope = self.roles.permission_scope(&caller.identity.roles, &body.permission);
            let grants = self.roles.grants(&caller.identity.roles);
            let grants =
                grants.into_iter().filter(|grant| grant.permission == body.permission).map(wire_grant);
            let (reason, explanation) = match (scope, body.name.as_str()) {
                (None, _) => ("PERMISSION_MISSING", "no role of the caller grants the permission".to_owned()),
                (Some(scope), "") => ("GRANTED", format!("granted as far as {}", scope.as_str())),
                (Some(scope), name) => {
                    require_name("name", name)?;
                    self.explain_resource(cx, &caller, scope, name).await?
                }
            };
            Ok(ExplainAccessResponse {
                allowed: reason == "GRANTED",
                reason: reason.to_owned(),
                explanation,
                scope: scope.map_or(WireScope::Unspecified, wire_scope).into(),
                grants: grants.collect(),
            })
        })
        .await
    }

    async fn explain_resource(
        &self,
        cx: &Context,
        caller: &Caller,
        scope: Scope,
        name: &str,
    ) -> Result<(&'static str, String)> {
        let hidden = || ("RESOURCE_NOT_FOUND", format!("{name} is not there, or the caller cannot see it"));
        let get = self.roles.get_permission(name)?;
        let (Some(ownership), Some(get)) =
            (self.ownership(cx, name).await?, self.roles.permission_scope(&caller.identity.roles, &get))
        else {
            return Ok(hidden());
        };
        let teams = self.directory.teams(cx.tenant, &caller.identity.subject).await?;
        let admits = |scope| {
            let reach = Context { scope, teams: teams.clone(), ..cx.clone() };
            reach.admits(ownership.owner.as_deref(), ownership.team)
        };
        if !admits(get) {
            return Ok(hidden());
        }
        if admits(scope) {
            return Ok(("GRANTED", format!("{name} is within {}", scope.as_str())));
        }
        let why = match scope {
            Scope::Own => "the caller does not own it",
            _ => "it belongs to none of the caller's teams",
        };
        Ok(("OUTSIDE_SCOPE", format!("the permission reaches {} only, and {why}", scope.as_str())))
    }

    /// `ListViewers`: the rules that admit somebody to a resource the caller can see, and whom they admit.
    pub async fn list_viewers(&self, request: Request<ListViewersRequest>) -> Reply<ListViewersResponse> {
        answer(request, async |cx, body| {
            require_name("name", &body.name)?;
            let ownership = self.ownership(cx, &body.name).await?;
            let ownership = ownership
                .filter(|ownership| cx.admits(ownership.owner.as_deref(), ownership.team))
                .ok_or_else(|| Error::not_found(&body.name))?;
            let permission = match body.permission.as_str() {
                "" => self.roles.get_permission(&body.name)?,
                permission => permission.to_owned(),
            };
            self.roles.require_known("permission", &permission)?;
            let mut viewers = Vec::new();
            for (role, scope) in self.roles.roles_granting(&permission) {
                let members = self.members(cx, &role, scope, &ownership).await?;
                if !members.is_empty() {
                    let grant =
                        Grant { role, permission: permission.clone(), scope: wire_scope(scope).into() };
                    viewers.push(Viewers { grant: Some(grant), members });
                }
            }
            Ok(ListViewersResponse { viewers })
        })
        .await
    }

    /// `ListAccessRecords`.
    pub async fn list_records(
        &self,
        request: Request<ListAccessRecordsRequest>,
    ) -> Reply<ListAccessRecordsResponse> {
        records::list::list(&self.database, request).await
    }

    async fn ownership(&self, cx: &Context, name: &str) -> Result<Option<Ownership>> {
        let row = sqlx::query(
            "with c as materialized (select set_config('trato.tenant_id', $1, true) as tenant)
             select found.owner, found.team
             from c, lateral (
               select event.owner, event.team from platform.event event
               where event.tenant_id = c.tenant::uuid and event.subject = $2
               order by event.revision desc limit 1
             ) found",
        )
        .bind(cx.tenant.to_string())
        .bind(name)
        .fetch_optional(&self.database.pool)
        .await
        .map_err(from_sqlx)?;
        row.map(|row| Ok(Ownership { owner: row.try_get(0)?, team: row.try_get(1)? }))
            .transpose()
            .map_err(from_sqlx)
    }

    /// Members with the role, by the roles last seen in their tokens, whom the scope admits to the resource.
    async fn members(&self, cx: &Context, role: &str, scope: Scope, to: &Ownership) -> Result<Vec<String>> {
        let rows: Vec<String> = sqlx::query_scalar(
            "with c as materialized (select set_config('trato.tenant_id', $1, true) as tenant)
             select found.subject
             from c, lateral (
               select principal.subject
               from platform.principal principal
               left join platform.directory_member member
                 on member.tenant_id = principal.tenant_id and member.subject = principal.subject
                 and member.delete_time is null
               where principal.tenant_id = c.tenant::uuid
                 and ($2 = 'everyone' or $2 = any(principal.roles))
                 and case $3
                   when 'ALL' then true
                   when 'OWN' then principal.subject = $4
                   else $5 = any(coalesce(member.teams, '{}'))
                 end
               order by principal.subject limit 1000
             ) found",
        )
        .bind(cx.tenant.to_string())
        .bind(role)
        .bind(scope.as_str())
        .bind(&to.owner)
        .bind(to.team)
        .fetch_all(&self.database.pool)
        .await
        .map_err(from_sqlx)?;
        Ok(rows.into_iter().map(|subject| format!("members/{subject}")).collect())
    }
}

/// INVALID_ARGUMENT unless a text could be the name of some resource.
fn require_name(field: &str, name: &str) -> Result<()> {
    if name.len() <= 200 && name.contains('/') && name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Error::invalid(
        field,
        "INVALID_RESOURCE_NAME",
        "must be a resource name: a collection and an identifier, with a slash between",
    ))
}

/// A grant as clients read it.
pub fn wire_grant(grant: roles::Grant) -> Grant {
    Grant { role: grant.role, permission: grant.permission, scope: wire_scope(grant.scope).into() }
}

fn wire_scope(scope: Scope) -> WireScope {
    match scope {
        Scope::Own => WireScope::Own,
        Scope::Team => WireScope::Team,
        Scope::All => WireScope::All,
    }
}
