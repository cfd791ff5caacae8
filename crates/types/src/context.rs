//! Who asks, for which tenant, with which rights, and what time it is.

use std::{fmt, sync::Arc};

use uuid::Uuid;

use crate::{
    error::{Error, Kind},
    time::Timestamp,
};

/// Everything an operation may know of its caller. Made from a verified token, or from an event's headers.
#[derive(Clone, Debug)]
pub struct Context {
    /// The tenant all rows read and written belong to.
    pub tenant: Uuid,
    /// Who acts; written into rows and events.
    pub actor: Actor,
    /// How far the permission of the current method reaches.
    pub scope: Scope,
    /// Teams of the caller, as the directory knows them; empty unless the scope is `Team`.
    pub teams: Arc<[Uuid]>,
    /// Full name of the method, `trato.sales.v1.OpportunityService/WinOpportunity`, or of the consumer.
    pub method: Arc<str>,
    /// Start of the operation, in the precision the database keeps.
    pub now: Timestamp,
    /// W3C trace context of the operation, whether or not it is recorded; calls and jobs always have one.
    pub traceparent: Option<String>,
    /// Identifier of the event that caused the operation, when it is not a call.
    pub cause: Option<Uuid>,
}

/// The acting party: a person, a service account, or a consumer of events.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Actor {
    /// The subject of a token.
    Member(Arc<str>),
    /// A named consumer or job of the suite itself.
    System(Arc<str>),
}

impl Actor {
    /// The subject, for a caller with a token.
    pub fn subject(&self) -> Option<&str> {
        match self {
            Self::Member(subject) => Some(subject),
            Self::System(_) => None,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(subject) => write!(f, "members/{subject}"),
            Self::System(name) => write!(f, "systems/{name}"),
        }
    }
}

/// How far a permission reaches.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Scope {
    /// Rows whose owner is the caller.
    Own,
    /// Rows of one of the caller's teams.
    Team,
    /// Every row of the tenant.
    All,
}

impl Scope {
    /// The word used in roles and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "OWN",
            Self::Team => "TEAM",
            Self::All => "ALL",
        }
    }
}

impl Context {
    /// That in which the suite itself works on a tenant's rows: a job or a consumer of this name, at this time.
    pub fn of_system(tenant: Uuid, name: &str, now: Timestamp) -> Self {
        Self {
            tenant,
            actor: Actor::System(name.into()),
            scope: Scope::All,
            teams: Arc::default(),
            method: name.into(),
            now,
            traceparent: None,
            cause: None,
        }
    }

    /// True when a row with this owner and team is within the caller's scope.
    pub fn admits(&self, owner: Option<&str>, team: Option<Uuid>) -> bool {
        match self.scope {
            Scope::All => true,
            Scope::Own => owner.is_some() && owner == self.actor.subject(),
            Scope::Team => team.is_some_and(|team| self.teams.contains(&team)),
        }
    }

    /// PERMISSION_DENIED unless the caller could see the row it is about to leave behind.
    pub fn require_admits(&self, owner: Option<&str>, team: Option<Uuid>) -> Result<(), Error> {
        if self.admits(owner, team) {
            return Ok(());
        }
        let message = match self.scope {
            Scope::Own => "the resource would not be owned by the caller",
            _ => "the resource would belong to none of the caller's teams",
        };
        Err(Error::new(Kind::Forbidden, "OUTSIDE_SCOPE", message).with("scope", self.scope.as_str()))
    }
}
