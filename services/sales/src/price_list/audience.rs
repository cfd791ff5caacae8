//! For whom a price list or a promotion is.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use trato_pricing::{Key, Scope};
use trato_types::{Ref, Violations, error::FieldError};
use uuid::Uuid;

use crate::foreign::Account;

/// Every list that is not empty must hold the one who asks.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Audience {
    /// Accounts, each once.
    pub accounts: Vec<Uuid>,
    /// Market segments, each once.
    pub segments: Vec<String>,
    /// Channels, each once.
    pub channels: Vec<String>,
}

/// The same thing twice in a list of distinct ones.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("stands twice")]
pub struct Twice;

impl FieldError for Twice {
    fn reason(&self) -> &'static str {
        "DUPLICATE"
    }
}

impl Audience {
    /// Most accounts.
    pub const MAX_ACCOUNTS: usize = 1_000;
    /// Most segments, and most channels.
    pub const MAX_TEXTS: usize = 100;

    /// True when it is for everybody.
    pub fn is_everybody(&self) -> bool {
        *self == Self::default()
    }

    /// True when it holds the one who asks.
    pub fn holds(&self, account: Option<Uuid>, segment: Option<&str>, channel: Option<&str>) -> bool {
        let admits = |list: &[String], one: Option<&str>| {
            list.is_empty() || one.is_some_and(|one| list.iter().any(|known| known == one))
        };
        (self.accounts.is_empty() || account.is_some_and(|one| self.accounts.contains(&one)))
            && admits(&self.segments, segment)
            && admits(&self.channels, channel)
    }

    /// The same for the arithmetic of prices, where accounts go by their names.
    pub fn scope(&self) -> Scope {
        let keys = |texts: &[String]| texts.iter().map(|text| Key::from(text.as_str())).collect();
        Scope {
            accounts: self.accounts.iter().map(|id| Ref::<Account>::from_uuid(*id).name().into()).collect(),
            segments: keys(&self.segments),
            channels: keys(&self.channels),
        }
    }
}

/// Notes what stands twice in a list of texts, white space around them aside.
pub fn note_twins(field: &str, texts: &[String], violations: &mut Violations) {
    let mut seen = HashSet::new();
    for (index, text) in texts.iter().enumerate() {
        if !seen.insert(text.trim()) {
            violations.keep(&format!("{field}[{index}]"), Err::<(), _>(Twice));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_without_lists_is_everybody() {
        assert!(Audience::default().is_everybody());
        let portal = Audience { channels: vec!["portal".to_owned()], ..Audience::default() };
        assert!(!portal.is_everybody());
        assert_eq!(portal.scope().channels, ["portal".into()]);
        assert!(portal.holds(None, None, Some("portal")) && !portal.holds(None, None, None));
        assert!(Audience::default().holds(None, None, None));
    }

    #[test]
    fn what_stands_twice_is_named() {
        let mut violations = Violations::new();
        note_twins("segments", &["a", "b", " a", "b"].map(str::to_owned), &mut violations);
        let error = violations.into_error();
        let fields: Vec<_> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["segments[2]", "segments[3]"]);
    }
}
