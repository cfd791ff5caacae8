//! A pipeline, its stages and what makes them valid.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use trato_types::{DisplayName, Result, Violations, error::FieldError, id::Collection};

/// The stages a kind of sale goes through.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// Unique among the living.
    pub display_name: DisplayName,
    /// Market segment it is meant for; may be empty.
    pub segment: String,
    /// The way through it.
    pub stages: Stages,
}

impl Collection for Pipeline {
    const COLLECTION: &'static str = "pipelines";
}

/// The stages of a pipeline in the order they are walked: 1 to 50 with unique keys.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Stages(Vec<Stage>);

/// One step of the sale.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Stage {
    /// Key within the pipeline.
    pub key: StageKey,
    /// Name people use, 1 to 100 characters.
    pub display_name: String,
    /// Chance of winning from here, in percent, 0 to 100.
    pub probability_percent: i32,
    /// Days after which an opportunity has been here too long; 0 for no limit.
    pub max_days: i32,
}

impl Stages {
    /// Most stages of a pipeline.
    pub const MAX: usize = 50;

    /// Takes stages that are valid one by one; INVALID_ARGUMENT when there are none, too many, or two with one key.
    pub fn new(stages: Vec<Stage>) -> Result<Self> {
        let mut violations = Violations::new();
        if stages.is_empty() {
            violations.add("stages", "REQUIRED", "must have a stage");
        }
        if stages.len() > Self::MAX {
            violations.add("stages", "TOO_MANY", format!("must have at most {} stages", Self::MAX));
        }
        for (index, stage) in stages.iter().enumerate() {
            if stages[..index].iter().any(|other| other.key == stage.key) {
                violations.add(format!("stages[{index}].key"), "DUPLICATE_KEY", "another stage has this key");
            }
        }
        violations.into_result(Some(Self(stages)))
    }

    /// The first stage, where a sale begins.
    pub fn first(&self) -> Option<&Stage> {
        self.0.first()
    }

    /// The stage of this key.
    pub fn get(&self, key: &StageKey) -> Option<&Stage> {
        self.0.iter().find(|stage| stage.key == *key)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Stage> {
        self.0.iter()
    }
}

/// Key of a stage within its pipeline: 1 to 40 lower-case letters, digits or `-`.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct StageKey(String);

impl FromStr for StageKey {
    type Err = StageKeyError;

    fn from_str(text: &str) -> Result<Self, StageKeyError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=40).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(StageKeyError)
        }
    }
}

impl fmt::Display for StageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no key of a stage.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be 1 to 40 lower-case letters, digits or -")]
pub struct StageKeyError;

impl FieldError for StageKeyError {
    fn reason(&self) -> &'static str {
        "INVALID_STAGE_KEY"
    }
}

/// A number that is out of the range of its field.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RangeError {
    /// Not a chance.
    #[error("must be 0 to 100")]
    Percent,
    /// Fewer than no days.
    #[error("must be 0 or more")]
    Days,
}

impl FieldError for RangeError {
    fn reason(&self) -> &'static str {
        "OUT_OF_RANGE"
    }
}

/// Checks a chance in percent.
pub fn percent(number: i32) -> Result<i32, RangeError> {
    if (0..=100).contains(&number) { Ok(number) } else { Err(RangeError::Percent) }
}

/// Checks a number of days.
pub fn days(number: i32) -> Result<i32, RangeError> {
    if number >= 0 { Ok(number) } else { Err(RangeError::Days) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(key: &str) -> Stage {
        let key = key.parse().expect("a key");
        Stage { key, display_name: "Stage".to_owned(), probability_percent: 10, max_days: 0 }
    }

    #[test]
    fn a_stage_key_is_lower_case_letters_digits_and_dashes() {
        for right in ["a", "negotiation-2", &"x".repeat(40)] {
            assert!(right.parse::<StageKey>().is_ok(), "{right:?}");
        }
        for wrong in ["", "A", "a b", "ä", "a_b", &"x".repeat(41)] {
            assert_eq!(wrong.parse::<StageKey>(), Err(StageKeyError), "{wrong:?}");
        }
    }

    /// SFA-06: each pipeline has stages of its own, and a key means one of them.
    #[test]
    fn two_stages_of_a_pipeline_cannot_share_a_key() {
        let error = Stages::new(vec![stage("a"), stage("b"), stage("a")]).expect_err("the key stands twice");

        let fields: Vec<_> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["stages[2].key"]);
    }

    #[test]
    fn a_pipeline_has_one_to_fifty_stages() {
        let many = |count: usize| (0..count).map(|number| stage(&format!("s{number}"))).collect::<Vec<_>>();

        assert!(Stages::new(many(0)).is_err());
        assert!(Stages::new(many(1)).is_ok());
        assert!(Stages::new(many(50)).is_ok());
        assert!(Stages::new(many(51)).is_err());
    }
}
