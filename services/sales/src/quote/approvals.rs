//! Who must approve a quote, and who has. Pure.

use serde::{Deserialize, Serialize};
use trato_types::{DomainError, Id, Kind, MemberRef, Ref, Timestamp};
use uuid::Uuid;

use crate::{approval_rule::ApprovalRule, foreign::Team};

/// What the rules that matched ask for, in their order.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Approvals(pub Vec<Approval>);

/// What one of them asks for.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Approval {
    /// The rule.
    pub rule: Id<ApprovalRule>,
    /// Its name of then.
    pub display_name: String,
    /// Subject of who is to approve.
    pub approver: Option<String>,
    /// Whose members are to approve.
    pub approver_team: Option<Ref<Team>>,
    /// Who has: subject and time.
    pub approved: Option<(String, Timestamp)>,
}

/// Why somebody cannot approve or reject.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ApprovalError {
    /// Nobody approves what he has submitted.
    #[error("who has submitted the quote cannot approve it")]
    Own,
    /// What is left is for others.
    #[error("no rule that is left is for the caller to approve")]
    NotApprover,
}

impl DomainError for ApprovalError {
    fn kind(&self) -> Kind {
        Kind::Forbidden
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Own => "OWN_APPROVAL",
            Self::NotApprover => "NOT_APPROVER",
        }
    }
}

impl Approvals {
    /// What these rules ask for.
    pub fn of(rules: &[(Id<ApprovalRule>, ApprovalRule)]) -> Self {
        let approval = |(id, rule): &(Id<ApprovalRule>, ApprovalRule)| Approval {
            rule: *id,
            display_name: rule.display_name.to_string(),
            approver: rule.approver.as_ref().map(|approver| approver.subject().to_owned()),
            approver_team: rule.approver_team,
            approved: None,
        };
        Self(rules.iter().map(approval).collect())
    }

    /// True when nobody is left to approve.
    pub fn are_complete(&self) -> bool {
        self.0.iter().all(|approval| approval.approved.is_some())
    }

    /// Approves everything that is for this member to approve.
    pub fn approve(&mut self, who: &MemberRef, teams: &[Uuid], now: Timestamp) -> Result<(), ApprovalError> {
        self.require_approver(who, teams)?;
        for approval in self.0.iter_mut().filter(|approval| approval.is_left_for(who, teams)) {
            approval.approved = Some((who.subject().to_owned(), now));
        }
        Ok(())
    }

    /// Refuses somebody for whom nothing is left to approve.
    pub fn require_approver(&self, who: &MemberRef, teams: &[Uuid]) -> Result<(), ApprovalError> {
        let is_one = self.0.iter().any(|approval| approval.is_left_for(who, teams));
        if is_one { Ok(()) } else { Err(ApprovalError::NotApprover) }
    }
}

impl Approval {
    fn is_left_for(&self, who: &MemberRef, teams: &[Uuid]) -> bool {
        let is_named = self.approver.as_deref() == Some(who.subject());
        let is_member = self.approver_team.is_some_and(|team| teams.contains(&team.uuid()));
        let is_anybodys = self.approver.is_none() && self.approver_team.is_none();
        self.approved.is_none() && (is_named || is_member || is_anybodys)
    }
}
