//! Where an account is in dunning, and how it comes from there to what is due. Pure.

use serde::{Deserialize, Serialize};
use trato_types::{Currency, Date, Id, Minor, Ref, Result, id::Collection};

use super::rules::{Asked, Item, Open};
use crate::{
    dunning_policy::{Action, DunningPolicy, Step},
    foreign::Account,
    legal_entity::LegalEntity,
};

/// Where an account is in the dunning of a legal entity, in one currency, as of the day it last changed on.
#[derive(Clone, Debug, PartialEq)]
pub struct DunningState {
    /// Who pays late.
    pub account: Ref<Account>,
    /// Whom it owes.
    pub legal_entity: Id<LegalEntity>,
    /// Currency of every amount.
    pub currency_code: Currency,
    /// Whether a step is entered.
    pub state: State,
    /// How many are.
    pub level: i32,
    /// The steps that are entered, in the order of their days.
    pub steps: Entered,
    /// Policy by which it last changed.
    pub dunning_policy: Option<Id<DunningPolicy>>,
    /// A step that is entered holds credit.
    pub holds_credit: bool,
    /// Day as of which it last changed.
    pub as_of: Date,
    /// What was asked for then.
    pub overdue: Minor,
    /// What was taken off, since it was paid and not allocated.
    pub unallocated: Minor,
    /// When the oldest of it was due.
    pub overdue_since: Option<Date>,
    /// What was overdue, the oldest first; at most `MOST_ITEMS`.
    pub items: Items,
    /// How many were.
    pub item_count: i32,
}

impl Collection for DunningState {
    const COLLECTION: &'static str = "dunningStates";
}

/// Most items that are kept with a state.
pub const MOST_ITEMS: usize = 200;

/// Whether anything is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// A step is entered.
    Active,
    /// None is.
    Cleared,
}

/// Steps that are entered, in the order of their days.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Entered(pub Vec<EnteredStep>);

/// A step that is entered; it keeps what the policy said then.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct EnteredStep {
    /// Days since it was due.
    pub after_days: i32,
    /// What is done.
    pub action: Action,
    /// Key of the text that is sent; may be empty.
    pub template: String,
    /// Day as of which it was entered.
    pub enter_date: Date,
    /// A later one was entered with it.
    pub passed_over: bool,
}

/// What is overdue, the oldest first.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Items(pub Vec<Item>);

/// One change of a state, which is one revision and one event.
#[derive(Clone, Debug, PartialEq)]
pub enum Move {
    /// Steps were given back, and some are left.
    Lowered(DunningState),
    /// All steps were given back.
    Cleared(DunningState),
    /// The last step of the state was entered.
    Entered(DunningState),
}

/// What is known of an account on a day, in the books of one legal entity and in one currency.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Whose.
    pub account: Ref<Account>,
    /// Of which legal entity.
    pub legal_entity: Id<LegalEntity>,
    /// In which currency.
    pub currency_code: Currency,
    /// On which day.
    pub day: Date,
    /// What is open.
    pub open: Open,
}

impl Claim {
    /// What leads from a state, or from none, to what the books say: nothing where that is there already. Steps that are not due
    /// any more are given back at once, by one move; each that is due and not entered is entered by a move of its own, in their
    /// order, and all but the last are passed over. Asked twice, the second answer is nothing.
    pub fn moves(
        &self,
        before: Option<&DunningState>,
        policy: Option<(Id<DunningPolicy>, &DunningPolicy)>,
    ) -> Result<(Asked, Vec<Move>)> {
        let asked = self.open.asked(self.day)?;
        let entered = before.map(|before| before.steps.0.as_slice()).unwrap_or_default();
        let days = asked.days(self.day);
        let nobody_asks = asked.is_too_little(policy.map(|(_, policy)| policy), self.currency_code);
        let is_due = |step: &&EnteredStep| !nobody_asks && step.after_days <= days;
        let mut steps: Vec<EnteredStep> = entered.iter().filter(is_due).cloned().collect();
        let (was, reached) = (entered.len(), steps.last().map_or(0, |step| step.after_days));
        let due = policy.map(|(_, policy)| asked.due(policy, self.currency_code, self.day));
        let due: Vec<&Step> = due.unwrap_or_default();
        let fresh: Vec<&Step> = due.into_iter().filter(|step| step.after_days > reached).collect();
        let policy = policy.map(|(id, _)| id);
        let mut moves = Vec::with_capacity(fresh.len() + 1);
        if steps.len() < was {
            let state = self.state(&asked, policy, steps.clone());
            if !steps.is_empty() {
                moves.push(Move::Lowered(state));
            } else if fresh.is_empty() {
                moves.push(Move::Cleared(state));
            }
            // Where the policy was changed and another step is due at once, that one stands in their place.
        }
        for (index, step) in fresh.iter().enumerate() {
            steps.push(EnteredStep {
                after_days: step.after_days,
                action: step.action,
                template: step.template.clone(),
                enter_date: self.day,
                passed_over: index + 1 < fresh.len(),
            });
            moves.push(Move::Entered(self.state(&asked, policy, steps.clone())));
        }
        Ok((asked, moves))
    }

    fn state(
        &self,
        asked: &Asked,
        dunning_policy: Option<Id<DunningPolicy>>,
        steps: Vec<EnteredStep>,
    ) -> DunningState {
        DunningState {
            account: self.account,
            legal_entity: self.legal_entity,
            currency_code: self.currency_code,
            state: if steps.is_empty() { State::Cleared } else { State::Active },
            level: i32::try_from(steps.len()).unwrap_or(i32::MAX),
            holds_credit: steps.iter().any(|step| step.action.holds_credit()),
            steps: Entered(steps),
            dunning_policy,
            as_of: self.day,
            overdue: asked.overdue,
            unallocated: asked.covered,
            overdue_since: asked.since,
            items: Items(asked.items.iter().take(MOST_ITEMS).cloned().collect()),
            item_count: i32::try_from(asked.items.len()).unwrap_or(i32::MAX),
        }
    }
}

impl Move {
    /// The state after it.
    pub const fn state(&self) -> &DunningState {
        match self {
            Self::Lowered(state) | Self::Cleared(state) | Self::Entered(state) => state,
        }
    }

    /// The step that it entered, if it did.
    pub fn entered(&self) -> Option<&EnteredStep> {
        match self {
            Self::Entered(state) => state.steps.0.last(),
            Self::Lowered(_) | Self::Cleared(_) => None,
        }
    }
}
