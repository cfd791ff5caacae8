//! Whether the caller may call the method, and how far: the method's permission against the roles in the token.
//!
//! Decided before the message is read, so that a refusal says nothing about what exists (AIP-211).

use std::{collections::HashMap, sync::Arc, time::Instant};

use futures::future::BoxFuture;
use http::HeaderValue;
use secrecy::SecretString;
use trato_types::{Actor, Context, Error, Kind, Result, Scope, time::to_microseconds};
use uuid::Uuid;

use crate::{
    access::roles::{Roles, Rule},
    auth::Identity,
    descriptors::MethodRule,
};

/// What the server must know of the directory.
pub trait TeamsOf: Send + Sync + 'static {
    /// Teams of a member; none for somebody the directory does not know. Asked only when a permission reaches TEAM.
    fn teams<'a>(&'a self, tenant: Uuid, subject: &'a str) -> BoxFuture<'a, Result<Arc<[Uuid]>>>;

    /// A caller is let in for the first time by a token that is remembered, so its roles are news; whoever was barred before is told
    /// of then. Must not block; the default does nothing.
    fn seen(&self, identity: &Arc<Identity>) {
        let _ = identity;
    }
}

/// For programs without a directory: nobody is in a team.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTeams;

impl TeamsOf for NoTeams {
    fn teams<'a>(&'a self, _: Uuid, _: &'a str) -> BoxFuture<'a, Result<Arc<[Uuid]>>> {
        Box::pin(std::future::ready(Ok(Arc::new([]) as Arc<[Uuid]>)))
    }
}

/// The caller behind a [`Context`]: what it takes to call another service on its behalf.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who the token speaks for.
    pub identity: Arc<Identity>,
    /// The token itself, to be passed on and never logged.
    pub token: SecretString,
    /// When the caller no longer waits for the answer.
    pub deadline: Instant,
    /// The caller's `x-request-id`, to be passed on.
    pub request_id: Option<HeaderValue>,
    /// What the caller says the call is for, to be passed on.
    pub purpose: Option<HeaderValue>,
}

impl Caller {
    /// The caller of a request that came through the server. A request without one is a defect, never a default.
    pub fn of<T>(request: &tonic::Request<T>) -> Result<Self> {
        let caller = request.extensions().get::<Self>().cloned();
        caller.ok_or_else(|| Error::internal("the call has no caller"))
    }
}

/// One method that is served, with everything that is looked up for it on each call.
#[derive(Debug)]
pub(super) struct Method {
    pub rule: MethodRule,
    granting: Rule,
}

/// The methods served, by the path of the call.
#[derive(Debug)]
pub(super) struct Methods {
    by_path: HashMap<String, Arc<Method>>,
    no_teams: Arc<[Uuid]>,
}

impl Methods {
    pub(super) fn new(rules: Vec<MethodRule>, roles: &Roles) -> Self {
        let method = |rule: MethodRule| {
            let granting = roles.rule(&rule.permission);
            (rule.path.clone(), Arc::new(Method { rule, granting }))
        };
        Self { by_path: rules.into_iter().map(method).collect(), no_teams: Arc::new([]) }
    }

    pub(super) fn get(&self, path: &str) -> Option<&Arc<Method>> {
        self.by_path.get(path)
    }

    /// The context of a call that is permitted; else PERMISSION_DENIED `PERMISSION_MISSING`.
    pub(super) async fn permit(
        &self,
        method: &Method,
        identity: &Identity,
        teams: &dyn TeamsOf,
        traceparent: String,
    ) -> Result<Context> {
        let scope = method.granting.scope(&identity.roles).ok_or_else(|| missing(&method.rule.permission))?;
        let teams = match scope {
            Scope::Team => teams.teams(identity.tenant, &identity.subject).await?,
            Scope::Own | Scope::All => Arc::clone(&self.no_teams),
        };
        Ok(Context {
            tenant: identity.tenant,
            actor: Actor::Member(Arc::clone(&identity.subject)),
            scope,
            teams,
            method: Arc::clone(&method.rule.full_name),
            now: to_microseconds(chrono::Utc::now()),
            traceparent: Some(traceparent),
            cause: None,
        })
    }
}

fn missing(permission: &str) -> Error {
    let message = format!("the caller's roles do not grant {permission}");
    Error::new(Kind::Forbidden, "PERMISSION_MISSING", message).with("permission", permission)
}
