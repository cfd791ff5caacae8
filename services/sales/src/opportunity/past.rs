//! The past of an imported opportunity: dated steps as another system tells them, checked and taken over. Pure.

use trato_types::{Context, Currency, Minor, Timestamp, Violations};

use super::{
    history::{History, Place, Step},
    model::{IN_FUTURE, Opportunity, State, midnight},
};
use crate::pipeline::{StageKey, Stages};

/// Most dated steps of one imported opportunity.
pub const MAX_STEPS: usize = 100;

/// One step as another system tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct PastStep {
    /// Stage after it.
    pub stage: StageKey,
    /// State after it.
    pub state: State,
    /// When it happened, if that is known.
    pub event_time: Option<Timestamp>,
    /// What the opportunity was worth then, if that is known.
    pub worth: Option<(Minor, Currency)>,
}

impl Opportunity {
    /// Gives an opportunity that stands as it is told the history that led there. Without any step it was simply found
    /// where it is, at an unknown time. A closing step without time takes the close date, and the other way round.
    ///
    /// Violations name the fields of an import's item; with any of them the opportunity is not to be used.
    pub fn recount(&mut self, past: &[PastStep], stages: &Stages, cx: &Context) -> Violations {
        let mut violations = self.check_reason();
        check_steps(past, &self.place(), stages, cx, &mut violations);
        if stages.get(&self.stage).is_none() {
            violations.add("opportunity.stage", "UNKNOWN_STAGE", "the pipeline has no such stage");
        }
        let last = past.last().and_then(|step| step.event_time);
        if self.state != State::Open {
            self.close_date = self.close_date.or(last.map(|time| time.date_naive()));
        }
        let found =
            [PastStep { stage: self.stage.clone(), state: self.state, event_time: None, worth: None }];
        let past = if past.is_empty() { &found } else { past };
        self.history = self.history_of(past, stages, cx);
        self.close_time = if self.state == State::Open { None } else { self.history.last_event_time() };
        self.stage_time = self
            .history
            .steps()
            .iter()
            .rev()
            .find(|step| enters_stage(step))
            .and_then(|step| step.event_time);
        self.check("opportunity.", cx, &mut violations);
        violations
    }

    fn check_reason(&self) -> Violations {
        let mut violations = Violations::new();
        match (self.state, self.lost_reason) {
            (State::Lost, None) => {
                let description = "a lost opportunity has a reason; NOT_RECORDED says that none is on record";
                violations.add("opportunity.lost_reason", "REQUIRED", description);
            }
            (State::Open | State::Won, Some(_)) => {
                violations.add("opportunity.lost_reason", "NOT_LOST", "only a lost opportunity has a reason");
            }
            _ => {}
        }
        if self.state != State::Lost && !self.lost_note.is_empty() {
            violations.add(
                "opportunity.lost_note",
                "NOT_LOST",
                "only a lost opportunity has a note about the loss",
            );
        }
        violations
    }

    fn history_of(&self, past: &[PastStep], stages: &Stages, cx: &Context) -> History {
        let mut steps: Vec<Step> = Vec::with_capacity(past.len());
        let mut latest = None;
        for (index, told) in past.iter().enumerate() {
            let is_last = index + 1 == past.len();
            let closing =
                if is_last && told.state != State::Open { self.close_date.map(midnight) } else { None };
            // A day alone begins at midnight, which may be before a step of that same day.
            let event_time = told
                .event_time
                .or_else(|| closing.map(|time| latest.map_or(time, |latest| time.max(latest))));
            latest = event_time.or(latest);
            let worth = told.worth.or(if is_last { self.worth() } else { None });
            let chance = stages.get(&told.stage).map_or(0, |stage| stage.probability_percent.into());
            steps.push(Step {
                from: steps.last().map(|step| step.to.clone()),
                to: Place { stage: told.stage.clone(), state: told.state },
                event_time,
                create_time: cx.now,
                amount: worth.map(|(amount, _)| amount.0),
                currency: worth.map(|(_, currency)| currency.code().to_owned()),
                probability_percent: if is_last { self.probability_percent } else { chance },
                actor: cx.actor.to_string(),
            });
        }
        History::of(steps)
    }
}

/// Notes every step that is not one, or not in order, and an end that is elsewhere than the opportunity.
fn check_steps(past: &[PastStep], end: &Place, stages: &Stages, cx: &Context, violations: &mut Violations) {
    let mut before: Option<Place> = None;
    let mut latest: Option<Timestamp> = None;
    // Days are told as midnights, and it may be tomorrow east of us.
    let future = cx.now + chrono::Days::new(1);
    for (index, step) in past.iter().enumerate() {
        let field = |name: &str| format!("stage_changes[{index}].{name}");
        let after = Place { stage: step.stage.clone(), state: step.state };
        if stages.get(&step.stage).is_none() {
            violations.add(field("stage"), "UNKNOWN_STAGE", "the pipeline has no such stage");
        }
        if before.as_ref() == Some(&after) {
            violations.add(field("stage"), "NO_CHANGE", "the step before ended at this stage and state");
        } else if before.is_some_and(|before| before.state != State::Open) && after.state != State::Open {
            violations.add(field("state"), "NOT_OPEN", "a closed opportunity can only be reopened");
        }
        if step.event_time.is_some_and(|time| time > future) {
            violations.add(field("event_time"), IN_FUTURE, "must not be in the future");
        }
        if step.event_time.zip(latest).is_some_and(|(time, latest)| time < latest) {
            violations.add(field("event_time"), "OUT_OF_ORDER", "must not be before the step before");
        }
        latest = step.event_time.or(latest);
        before = Some(after);
    }
    if before.is_some_and(|last| last != *end) {
        let description = "the last step must end at the stage and state of the opportunity";
        violations.add("stage_changes", "LAST_STEP_DIFFERS", description);
    }
}

fn enters_stage(step: &Step) -> bool {
    step.from.as_ref().is_none_or(|from| from.stage != step.to.stage)
}
