//! What a member is and which rules hold for one. Pure.

use serde::{Deserialize, Serialize};
use trato_types::{
    Date, DisplayName, EmailAddress, MemberRef, Ref,
    error::FieldError,
    text::{TextError, line},
};
use uuid::Uuid;

use crate::team::Team;

/// A person or service account that works with the suite.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Subject of its tokens.
    pub subject: MemberRef,
    /// Name people use.
    pub display_name: DisplayName,
    /// Business e-mail address.
    pub email_address: Option<EmailAddress>,
    /// Whom it reports to.
    pub manager: Option<MemberRef>,
    /// Teams it belongs to.
    pub teams: Teams,
    /// What it can do.
    pub skills: Skills,
    /// When it does not work.
    pub absences: Absences,
}

/// Teams of a member, each once, in the order given.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Teams(pub Vec<Ref<Team>>);

/// Skills of a member, each once, in the order given.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Skills(pub Vec<String>);

/// Absences of a member.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Absences(pub Vec<Absence>);

/// A time in which a member does not work.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Absence {
    /// First day.
    pub start_date: Date,
    /// Last day, not before the first.
    pub end_date: Date,
    /// Who takes over; never the member itself.
    pub deputy: Option<MemberRef>,
}

/// Most teams, skills and absences of one member.
pub const MAX_ITEMS: usize = 50;

/// Namespace of the identifiers that are made from subjects (RFC 9562, version 5).
const NAMESPACE: Uuid = Uuid::from_u128(0x2f5e_1c1a_6d0b_4b57_9d3e_8a7c_41e0_55d2);

/// Identifier of the member with a subject: the same for ever and in every tenant, of which rows and names are parts.
pub fn id_of(subject: &MemberRef) -> Uuid {
    Uuid::new_v5(&NAMESPACE, subject.subject().as_bytes())
}

impl FromIterator<Ref<Team>> for Teams {
    fn from_iter<I: IntoIterator<Item = Ref<Team>>>(teams: I) -> Self {
        Self(each_once(teams))
    }
}

impl FromIterator<String> for Skills {
    fn from_iter<I: IntoIterator<Item = String>>(skills: I) -> Self {
        Self(each_once(skills))
    }
}

fn each_once<T: PartialEq>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut once = Vec::new();
    for item in items {
        if !once.contains(&item) {
            once.push(item);
        }
    }
    once
}

/// Why a field of a member was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Fault {
    /// A member that reports to itself, or stands in for itself.
    #[error("must be another member")]
    Itself,
    /// An absence that ends before it begins.
    #[error("must not be before start_date")]
    EndBeforeStart,
}

impl FieldError for Fault {
    fn reason(&self) -> &'static str {
        match self {
            Self::Itself => "SAME_MEMBER",
            Self::EndBeforeStart => "END_BEFORE_START",
        }
    }
}

/// Checks a reference of a member to another one.
pub fn another(subject: Option<&MemberRef>, other: Option<MemberRef>) -> Result<Option<MemberRef>, Fault> {
    if other.is_some() && other.as_ref() == subject { Err(Fault::Itself) } else { Ok(other) }
}

/// Checks the last day of an absence.
pub fn end_date(start_date: Date, end_date: Date) -> Result<Date, Fault> {
    if end_date < start_date { Err(Fault::EndBeforeStart) } else { Ok(end_date) }
}

/// Checks a skill: 1 to 60 characters in one line.
pub fn skill(text: &str) -> Result<String, TextError> {
    let skill = line(text, 60)?;
    if skill.is_empty() { Err(TextError::Empty) } else { Ok(skill) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(text: &str) -> MemberRef {
        MemberRef::from_subject(text).expect("a subject")
    }

    /// COL-27: a member is one member, however often it is recorded.
    #[test]
    fn a_subject_has_one_identifier_for_ever() {
        let expected: Uuid = "9b9c8876-9637-5f07-a55c-1146cf7845d1".parse().expect("a UUID");

        assert_eq!(id_of(&subject("ana")), expected);
        assert_ne!(id_of(&subject("ana")), id_of(&subject("Ana")));
    }

    /// COL-27: an absence has an end, and somebody else takes over.
    #[test]
    fn an_absence_ends_on_or_after_its_first_day() {
        let day = |day| Date::from_ymd_opt(2026, 8, day).expect("a day");

        assert_eq!(end_date(day(1), day(1)), Ok(day(1)));
        assert_eq!(end_date(day(2), day(1)), Err(Fault::EndBeforeStart));
    }

    #[test]
    fn nobody_is_its_own_manager_or_deputy() {
        let ana = subject("ana");

        assert_eq!(another(Some(&ana), Some(ana.clone())), Err(Fault::Itself));
        assert_eq!(another(Some(&ana), Some(subject("eva"))), Ok(Some(subject("eva"))));
        assert_eq!(another(Some(&ana), None), Ok(None));
        assert_eq!(another(None, None), Ok(None));
    }

    #[test]
    fn a_skill_given_twice_is_kept_once() {
        let skills: Skills = ["german", "refunds", "german"].map(str::to_owned).into_iter().collect();

        assert_eq!(skills.0, ["german", "refunds"]);
        assert_eq!(skill("  "), Err(TextError::Empty));
        assert_eq!(skill(&"a".repeat(61)), Err(TextError::TooLong { max: 60 }));
    }
}
