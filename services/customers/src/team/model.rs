//! What a team is. Pure.

use trato_types::{DisplayName, MemberRef, id::Collection};

/// People who work together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Team {
    /// Name people use; unique among the living teams of the tenant, letter for letter.
    pub display_name: DisplayName,
    /// Region the team works in, or empty.
    pub region: String,
    /// Who leads it; whether the directory knows that member is not asked.
    pub lead: Option<MemberRef>,
}

impl Collection for Team {
    const COLLECTION: &'static str = "teams";
}
