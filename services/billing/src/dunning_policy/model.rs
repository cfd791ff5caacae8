//! A dunning policy: its steps in the order of their days, and below what nobody is asked.

use serde::{Deserialize, Serialize};
use trato_types::{Currency, DisplayName, Id, Minor, Result, Violations, error::FieldError, id::Collection};

use crate::legal_entity::LegalEntity;

/// When somebody who pays late is reminded, and what is done after that.
#[derive(Clone, Debug, PartialEq)]
pub struct DunningPolicy {
    /// What people call it.
    pub display_name: DisplayName,
    /// For whose customers it is; the default without one.
    pub legal_entity: Option<Id<LegalEntity>>,
    /// What is done and when.
    pub steps: Steps,
    /// Below what nobody is asked.
    pub minimums: Minimums,
}

impl Collection for DunningPolicy {
    const COLLECTION: &'static str = "dunningPolicies";
}

/// Steps in the order of their days: 1 to 20, each later than the one before it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Steps(Vec<Step>);

/// What is done when something has been due for so long.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Step {
    /// Days since it was due, 1 to 3,650.
    pub after_days: i32,
    /// What is done.
    pub action: Action,
    /// Key of the text that is sent; may be empty.
    pub template: String,
}

/// What is done when a step is entered.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Action {
    /// The customer is told.
    Notify,
    /// Nothing more is reserved for the account.
    Hold,
    /// The same, and nothing is delivered.
    Block,
    /// The debt is handed over.
    Collection,
}

/// Least amounts that are asked for: at most 50, one of a currency.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Minimums(Vec<Minimum>);

/// The least that is asked for in a currency.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Minimum {
    /// The currency.
    pub currency_code: Currency,
    /// More than zero, in its minor unit.
    pub amount: Minor,
}

impl Action {
    /// True when nothing more is reserved for the account.
    pub const fn holds_credit(self) -> bool {
        matches!(self, Self::Hold | Self::Block)
    }
}

impl Steps {
    /// Most steps of a policy.
    pub const MAX: usize = 20;

    /// Takes steps that are valid one by one. INVALID_ARGUMENT when there are none, or one is not later than the one before it.
    pub fn new(steps: Vec<Step>) -> Result<Self> {
        let mut violations = Violations::new();
        if steps.is_empty() {
            violations.add("steps", "REQUIRED", "must have a step");
        }
        for (index, pair) in steps.windows(2).enumerate() {
            if pair[1].after_days <= pair[0].after_days {
                let field = format!("steps[{}].after_days", index + 1);
                violations.add(field, "STEPS_NOT_ASCENDING", "must be more than those of the step before");
            }
        }
        violations.into_result(Some(Self(steps)))
    }

    /// All of them, in the order of their days.
    pub fn iter(&self) -> impl Iterator<Item = &Step> {
        self.0.iter()
    }
}

impl Minimums {
    /// Most minimums of a policy.
    pub const MAX: usize = 50;

    /// Takes minimums that are valid one by one; INVALID_ARGUMENT `DUPLICATE_CURRENCY` when two are of one currency.
    pub fn new(minimums: Vec<Minimum>) -> Result<Self> {
        let mut violations = Violations::new();
        for (index, minimum) in minimums.iter().enumerate() {
            if minimums[..index].iter().any(|other| other.currency_code == minimum.currency_code) {
                violations.add(
                    format!("minimums[{index}]"),
                    "DUPLICATE_CURRENCY",
                    "a minimum of this currency is there",
                );
            }
        }
        violations.into_result(Some(Self(minimums)))
    }

    /// The least that is asked for in a currency; one minor unit where nothing is said.
    pub fn of(&self, currency: Currency) -> Minor {
        let found = self.0.iter().find(|minimum| minimum.currency_code == currency);
        found.map_or(Minor(1), |minimum| minimum.amount)
    }

    /// All of them, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = &Minimum> {
        self.0.iter()
    }
}

/// A number of days that is out of range.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be 1 to 3,650")]
pub struct AfterDaysError;

impl FieldError for AfterDaysError {
    fn reason(&self) -> &'static str {
        "OUT_OF_RANGE"
    }
}

/// Checks the days of a step.
pub fn after_days(number: i32) -> Result<i32, AfterDaysError> {
    if (1..=3650).contains(&number) { Ok(number) } else { Err(AfterDaysError) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(after_days: i32) -> Step {
        Step { after_days, action: Action::Notify, template: "reminder".into() }
    }

    /// XTR-05: the steps of dunning come one after the other, none on the day of another.
    #[test]
    fn each_step_is_later_than_the_one_before() {
        for (days, wrong) in [
            (vec![], vec!["steps"]),
            (vec![1], vec![]),
            (vec![1, 2, 3650], vec![]),
            (vec![5, 5], vec!["steps[1].after_days"]),
            (vec![9, 5, 2], vec!["steps[1].after_days", "steps[2].after_days"]),
        ] {
            let outcome = Steps::new(days.iter().copied().map(step).collect());
            let found: Vec<_> = match &outcome {
                Ok(_) => vec![],
                Err(error) => error.violations().iter().map(|one| one.field.as_str()).collect(),
            };
            assert_eq!(found, wrong, "{days:?}");
        }
        assert_eq!((after_days(1), after_days(3650)), (Ok(1), Ok(3650)));
        assert_eq!((after_days(0), after_days(3651)), (Err(AfterDaysError), Err(AfterDaysError)));
    }

    #[test]
    fn a_currency_has_one_minimum() {
        let minimum = |code: &str, amount| Minimum {
            currency_code: Currency::parse(code).expect("a code"),
            amount: Minor(amount),
        };

        let minimums = Minimums::new(vec![minimum("EUR", 500), minimum("USD", 700)]).expect("two minimums");
        let twice = Minimums::new(vec![minimum("EUR", 500), minimum("EUR", 700)]);

        assert_eq!(minimums.of(Currency::USD), Minor(700));
        assert_eq!(Minimums::default().of(Currency::USD), Minor(1));
        assert!(twice.is_err());
    }
}
