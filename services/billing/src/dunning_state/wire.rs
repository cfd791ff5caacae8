//! A dunning state on the wire, and what became of one.

use trato_platform::db::{Facts, Record};
use trato_proto::{billing::v1 as pb, wire};
use trato_types::{Currency, Id};

use super::{
    model::{Claim, DunningState, EnteredStep, Move, State},
    rules::{Asked, Item},
};
use crate::{
    dunning_policy::render_action,
    invoice::{Party, render_party},
};

/// The public form of a record.
pub fn render(record: &Record<DunningState>) -> pb::DunningState {
    let state = &record.value;
    let (source, external_id) = record.external_fields();
    let item = |item: &Item| render_item(item, state.currency_code);
    pb::DunningState {
        name: record.name(),
        create_time: Some(wire::timestamp(record.create_time)),
        update_time: Some(wire::timestamp(record.update_time)),
        delete_time: record.delete_time.map(wire::timestamp),
        creator: record.creator.clone(),
        etag: record.etag(),
        source,
        external_id,
        account: state.account.name(),
        legal_entity: state.legal_entity.name(),
        currency_code: state.currency_code.to_string(),
        state: render_state(state.state).into(),
        level: state.level,
        steps: state.steps.0.iter().map(render_step).collect(),
        dunning_policy: state.dunning_policy.map(Id::name).unwrap_or_default(),
        holds_credit: state.holds_credit,
        as_of: Some(wire::date(state.as_of)),
        overdue: Some(wire::money(state.overdue, state.currency_code)),
        unallocated: Some(wire::money(state.unallocated, state.currency_code)),
        overdue_since: state.overdue_since.map(wire::date),
        items: state.items.0.iter().map(item).collect(),
        item_count: state.item_count,
    }
}

/// What rides on the event of a step that was entered.
pub fn entered(state: &DunningState, step: &EnteredStep, bill_to: Option<&Party>) -> Facts {
    let days = state.overdue_since.map_or(0, |since| (state.as_of - since).num_days());
    Facts::of(&pb::DunningStepEntered {
        account: state.account.name(),
        legal_entity: state.legal_entity.name(),
        step: Some(render_step(step)),
        level: state.level,
        days_overdue: i32::try_from(days).unwrap_or(i32::MAX),
        overdue: Some(wire::money(state.overdue, state.currency_code)),
        bill_to: bill_to.map(render_party),
    })
}

/// What became of a claim.
pub fn outcome(
    claim: &Claim,
    before: Option<&DunningState>,
    policy: Option<String>,
    asked: &Asked,
    moves: &[Move],
) -> pb::run_dunning_response::Outcome {
    use pb::run_dunning_response::outcome::Change;
    let level_before = before.map_or(0, |before| before.level);
    let level = moves.last().map_or(level_before, |last| last.state().level);
    let entered: Vec<_> = moves.iter().filter_map(Move::entered).map(render_step).collect();
    let change = match moves.last() {
        None => Change::None,
        Some(Move::Entered(_)) => Change::Entered,
        Some(Move::Lowered(_)) => Change::Lowered,
        Some(Move::Cleared(_)) => Change::Cleared,
    };
    pb::run_dunning_response::Outcome {
        account: claim.account.name(),
        legal_entity: claim.legal_entity.name(),
        currency_code: claim.currency_code.to_string(),
        as_of: Some(wire::date(claim.day)),
        explanation: explain(claim, policy.is_some(), asked, level_before, level, entered.len()),
        dunning_policy: policy.unwrap_or_default(),
        change: change.into(),
        level_before,
        level,
        entered,
        overdue: Some(wire::money(asked.overdue, claim.currency_code)),
        days_overdue: asked.days(claim.day),
        failure_reason: String::new(),
    }
}

fn explain(
    claim: &Claim,
    has_policy: bool,
    asked: &Asked,
    level_before: i32,
    level: i32,
    entered: usize,
) -> String {
    let facts = match asked.since {
        Some(since) => format!(
            "{} items are overdue, the oldest since {since}, {} days",
            asked.items.len(),
            asked.days(claim.day)
        ),
        None => "nothing is overdue that is not paid".to_owned(),
    };
    let what = match (has_policy, level_before, level) {
        (false, ..) => "no policy holds".to_owned(),
        _ if entered > 0 => format!("{entered} steps are due that were not entered"),
        (_, before, now) if now < before => format!("{} steps are not due any more", before - now),
        (_, 0, 0) => "no step is due".to_owned(),
        _ => "the steps that are due are entered".to_owned(),
    };
    format!("{facts}; {what}")
}

fn render_state(state: State) -> pb::dunning_state::State {
    match state {
        State::Active => pb::dunning_state::State::Active,
        State::Cleared => pb::dunning_state::State::Cleared,
    }
}

fn render_step(step: &EnteredStep) -> pb::dunning_state::Step {
    pb::dunning_state::Step {
        after_days: step.after_days,
        action: render_action(step.action).into(),
        template: step.template.clone(),
        enter_date: Some(wire::date(step.enter_date)),
        passed_over: step.passed_over,
    }
}

fn render_item(item: &Item, currency: Currency) -> pb::dunning_state::Item {
    pb::dunning_state::Item {
        invoice: item.invoice.map(Id::name).unwrap_or_default(),
        number: item.number.clone(),
        due_date: Some(wire::date(item.due_date)),
        open: Some(wire::money(item.open, currency)),
    }
}
