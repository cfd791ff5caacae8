//! A version of a return policy, and its verbs.

use trato_types::{Date, DisplayName, DomainError, Result, Timestamp, error::FieldError, id::Collection};

/// What is promised about returns.
#[derive(Clone, Debug, PartialEq)]
pub struct ReturnPolicy {
    /// Name people use.
    pub display_name: DisplayName,
    /// What all versions have in common.
    pub code: String,
    /// Days from the delivery on, within which something may come back.
    pub window_days: i32,
    /// In what condition it may come back, and what else holds; may be empty.
    pub conditions: String,
    /// Who pays for the way back.
    pub payer: Payer,
    /// Where the version is in its life.
    pub state: State,
    /// Its place among the versions of the code, from 1; none for a draft.
    pub version: Option<i32>,
    /// When it was published.
    pub publish_time: Option<Timestamp>,
    /// When it was retired.
    pub retire_time: Option<Timestamp>,
}

impl Collection for ReturnPolicy {
    const COLLECTION: &'static str = "returnPolicies";
}

/// Where a version is in its life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// Can be changed.
    Draft,
    /// Judges what is requested.
    Published,
    /// Judges what was requested before.
    Retired,
}

/// Who pays for the way back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Payer {
    /// Who bought it.
    Buyer,
    /// Who sold it.
    Seller,
}

/// Why a verb was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReturnPolicyError {
    /// It is published.
    #[error("the version is published and stays as it is; write another one")]
    Published,
    /// It is not.
    #[error("the version is not published")]
    NotPublished,
}

impl DomainError for ReturnPolicyError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Published => "RETURN_POLICY_PUBLISHED",
            Self::NotPublished => "RETURN_POLICY_NOT_PUBLISHED",
        }
    }
}

impl ReturnPolicy {
    /// FAILED_PRECONDITION unless it can still be changed.
    pub fn require_draft(&self) -> Result<(), ReturnPolicyError> {
        if self.state == State::Draft { Ok(()) } else { Err(ReturnPolicyError::Published) }
    }

    /// Publishes a draft as this version.
    pub fn publish(&mut self, version: i32, now: Timestamp) -> Result<(), ReturnPolicyError> {
        self.require_draft()?;
        self.state = State::Published;
        self.version = Some(version);
        self.publish_time = Some(now);
        Ok(())
    }

    /// Retires it.
    pub fn retire(&mut self, now: Timestamp) -> Result<(), ReturnPolicyError> {
        if self.state != State::Published {
            return Err(ReturnPolicyError::NotPublished);
        }
        self.state = State::Retired;
        self.retire_time = Some(now);
        Ok(())
    }
}

/// The last day on which what was delivered on a day may come back.
pub fn window_end(delivered: Date, window_days: i32) -> Date {
    let days = u64::try_from(window_days).unwrap_or_default();
    delivered.checked_add_days(chrono::Days::new(days)).unwrap_or(Date::MAX)
}

/// A text that is no code.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be 1 to 40 letters, digits or ._-")]
pub struct CodeError;

impl FieldError for CodeError {
    fn reason(&self) -> &'static str {
        "INVALID_CODE"
    }
}

/// Checks a code: 1 to 40 letters, digits or `._-`.
pub fn code(text: &str) -> Result<String, CodeError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if (1..=40).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err(CodeError)
    }
}

/// A number of days that is out of range.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be 0 to 3650")]
pub struct WindowError;

impl FieldError for WindowError {
    fn reason(&self) -> &'static str {
        "OUT_OF_RANGE"
    }
}

/// Checks a number of days.
pub fn window(days: i32) -> Result<i32, WindowError> {
    if (0..=3650).contains(&days) { Ok(days) } else { Err(WindowError) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> ReturnPolicy {
        ReturnPolicy {
            display_name: "Standard".parse().expect("a name"),
            code: "STANDARD".to_owned(),
            window_days: 14,
            conditions: String::new(),
            payer: Payer::Seller,
            state: State::Draft,
            version: None,
            publish_time: None,
            retire_time: None,
        }
    }

    /// DOC-17: the last day of the window counts whole, whatever month it is in.
    #[test]
    fn the_window_ends_so_many_days_after_the_delivery() {
        let day = |month, day| Date::from_ymd_opt(2026, month, day).expect("a day");
        for (days, end) in [(0, day(1, 31)), (1, day(2, 1)), (14, day(2, 14)), (30, day(3, 2))] {
            assert_eq!(window_end(day(1, 31), days), end);
        }
        assert_eq!(window_end(Date::MAX, 3650), Date::MAX);
    }

    /// DOC-17: a version is published once, and retired once.
    #[test]
    fn a_version_is_published_once() {
        let now = Timestamp::UNIX_EPOCH;
        let mut policy = draft();
        assert_eq!(policy.retire(now), Err(ReturnPolicyError::NotPublished));
        policy.publish(2, now).expect("published");
        assert_eq!((policy.state, policy.version), (State::Published, Some(2)));
        assert_eq!(policy.publish(3, now), Err(ReturnPolicyError::Published));
        policy.retire(now).expect("retired");
        assert_eq!(policy.retire(now), Err(ReturnPolicyError::NotPublished));
        assert_eq!(policy.require_draft(), Err(ReturnPolicyError::Published));
    }

    #[test]
    fn a_code_and_a_window_are_of_their_form() {
        assert!(code("A.b_c-1").is_ok());
        for wrong in ["", "a b", "ñ", &"x".repeat(41)] {
            assert_eq!(code(wrong), Err(CodeError), "{wrong:?}");
        }
        assert!(window(0).is_ok() && window(3650).is_ok());
        assert!(window(-1).is_err() && window(3651).is_err());
    }
}
