//! The steps an opportunity took. Pure, append-only, and contiguous: each step begins where the one before it ended.

use serde::{Deserialize, Serialize};
use trato_types::{Currency, Minor, Timestamp};

use super::model::State;
use crate::pipeline::StageKey;

/// One step of an opportunity, as it was recorded.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Step {
    /// Where it was before; nowhere before the first step.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<Place>,
    /// Where it was afterwards.
    pub to: Place,
    /// When it happened in the business; unknown where an import did not say. Known times never go back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub event_time: Option<Timestamp>,
    /// When it was recorded.
    pub create_time: Timestamp,
    /// What it was worth then, in the minor unit of `currency`; both or neither.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub amount: Option<i64>,
    /// Code of the currency.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub currency: Option<String>,
    /// Chance of winning then, in percent.
    pub probability_percent: i64,
    /// Who did it: `members/{subject}` or `systems/{consumer}`.
    pub actor: String,
}

/// A stage and the state it was in there.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Place {
    /// The stage.
    pub stage: StageKey,
    /// Open, won or lost.
    pub state: State,
}

impl Step {
    /// The amount with its currency.
    pub fn worth(&self) -> Option<(Minor, Currency)> {
        let currency = self.currency.as_deref().and_then(|code| Currency::parse(code).ok());
        self.amount.map(Minor).zip(currency)
    }
}

/// The history of one opportunity: 1 to 1,000 steps, oldest first.
///
/// An update of other fields is made from the public form of the opportunity, which does not carry the history. Such a
/// value has the history *as stored*: it is written as null, and the table keeps what it has.
#[derive(Clone, Debug, PartialEq)]
pub struct History(Option<Vec<Step>>);

/// There is no room for another step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Full;

impl History {
    /// Most steps.
    pub const MAX: usize = 1000;

    /// The history that is in the table, whatever it is.
    pub const fn as_stored() -> Self {
        Self(None)
    }

    /// A history that was read, or that begins.
    pub const fn of(steps: Vec<Step>) -> Self {
        Self(Some(steps))
    }

    /// The steps, unless they are the stored ones and were not read.
    pub fn known(&self) -> Option<&[Step]> {
        self.0.as_deref()
    }

    /// The steps, oldest first; none when they were not read.
    pub fn steps(&self) -> &[Step] {
        self.known().unwrap_or_default()
    }

    /// The latest known time of a step.
    pub fn last_event_time(&self) -> Option<Timestamp> {
        self.steps().iter().rev().find_map(|step| step.event_time)
    }

    /// Adds a step. Refused when the history is full, or was not read: what is not known cannot be continued.
    pub fn push(&mut self, step: Step) -> Result<(), Full> {
        match &mut self.0 {
            Some(steps) if steps.len() < Self::MAX => {
                steps.push(step);
                Ok(())
            }
            _ => Err(Full),
        }
    }
}
