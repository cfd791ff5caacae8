//! Pasts as other systems tell them.

use trato_types::Violations;

use super::{
    super::{model::LostReason, past::PastStep},
    *,
};

fn step(stage: &str, state: State, event_time: Option<Timestamp>) -> PastStep {
    PastStep { stage: stage.parse().expect("a key"), state, event_time, worth: None }
}

fn told(stage: &str, state: State) -> Opportunity {
    Opportunity {
        stage: stage.parse().expect("a key"),
        state,
        lost_reason: (state == State::Lost).then_some(LostReason::NotRecorded),
        history: History::as_stored(),
        stage_time: None,
        ..opportunity()
    }
}

fn faults(violations: Violations) -> Vec<(String, &'static str)> {
    let error = violations.into_error();
    error.violations().iter().map(|violation| (violation.field.clone(), violation.reason)).collect()
}

/// SFA-07: a past sale has the stages it went through, each with its date.
#[test]
fn an_engaged_and_won_opportunity_is_told_in_two_steps() {
    let mut opportunity = told("engaging", State::Won);
    let past = [step("engaging", State::Open, Some(noon(2))), step("engaging", State::Won, Some(noon(8)))];

    let violations = opportunity.recount(&past, &stages(), &at(noon(20)));

    assert!(violations.is_empty(), "{violations:?}");
    assert_eq!((opportunity.stage_time, opportunity.close_time), (Some(noon(2)), Some(noon(8))));
    assert_eq!(opportunity.close_date, Some(day(8)), "the close date is the day of the last step");
    let [engaged, won] = opportunity.history.steps() else { panic!("two steps") };
    assert_eq!((engaged.amount, won.amount), (None, Some(100_000)), "only what it is worth now is known");
    assert_eq!(
        (engaged.event_time, engaged.create_time),
        (Some(noon(2)), noon(20)),
        "told later than it happened"
    );
}

#[test]
fn an_opportunity_without_any_date_was_found_where_it_is() {
    let mut opportunity = told("prospecting", State::Open);

    let violations = opportunity.recount(&[], &stages(), &at(noon(20)));

    assert!(violations.is_empty(), "{violations:?}");
    let [found] = opportunity.history.steps() else { panic!("one step") };
    assert_eq!((&found.to, found.event_time), (&opportunity.place(), None));
    assert_eq!(opportunity.stage_time, None);
}

#[test]
fn a_close_without_a_time_is_of_the_close_date() {
    let mut opportunity = told("engaging", State::Lost);
    opportunity.close_date = Some(day(5));

    let violations = opportunity.recount(&[], &stages(), &at(noon(20)));

    assert!(violations.is_empty(), "{violations:?}");
    assert_eq!(opportunity.close_time.map(|time| time.date_naive()), Some(day(5)));
}

#[test]
fn a_reason_belongs_to_a_lost_opportunity_and_to_no_other() {
    let mut without = told("engaging", State::Lost);
    without.close_date = Some(day(5));
    without.lost_reason = None;
    let mut won = told("engaging", State::Won);
    won.close_date = Some(day(5));
    won.lost_reason = Some(LostReason::Price);

    let without = without.recount(&[], &stages(), &at(noon(20)));
    let won = won.recount(&[], &stages(), &at(noon(20)));

    assert_eq!(faults(without), [("opportunity.lost_reason".to_owned(), "REQUIRED")]);
    assert_eq!(faults(won), [("opportunity.lost_reason".to_owned(), "NOT_LOST")]);
}

#[test]
fn every_fault_of_a_past_is_told_at_once() {
    let mut opportunity = told("closing", State::Won);
    opportunity.amount = None;
    opportunity.account = None;
    let past = [
        step("engaging", State::Open, Some(noon(8))),
        step("engaging", State::Open, Some(noon(2))),
        step("nowhere", State::Won, Some(noon(29))),
        step("engaging", State::Lost, None),
    ];

    let faults = faults(opportunity.recount(&past, &stages(), &at(noon(20))));

    let expected = [
        ("stage_changes[1].stage", "NO_CHANGE"),
        ("stage_changes[1].event_time", "OUT_OF_ORDER"),
        ("stage_changes[2].stage", "UNKNOWN_STAGE"),
        ("stage_changes[2].event_time", "IN_FUTURE"),
        ("stage_changes[3].state", "NOT_OPEN"),
        ("stage_changes", "LAST_STEP_DIFFERS"),
        ("opportunity.amount", "NO_AMOUNT"),
        ("opportunity.account", "NO_ACCOUNT"),
        ("opportunity.close_date", "REQUIRED"),
    ];
    assert_eq!(faults, expected.map(|(field, reason)| (field.to_owned(), reason)));
}
