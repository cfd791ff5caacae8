//! Each verb by itself.

use trato_proto::sales::v1 as pb;
use trato_types::{Kind, Minor};

use super::{super::model::LostReason, *};

/// The stage of a key.
fn stage(key: &str) -> Stage {
    stages().get(&key.parse().expect("a key")).expect("a stage").clone()
}

/// SFA-07: the step a sale is at, and since when, is known at any time.
#[test]
fn a_move_is_kept_with_the_amount_and_the_chance_of_then() {
    let mut opportunity = opportunity();

    let moved = opportunity.move_to(Some(&stage("closing")), &at(noon(3))).expect("it is open");

    let expected = pb::OpportunityMoved { from_stage: "prospecting".into(), to_stage: "closing".into() };
    assert_eq!(moved, Some(expected));
    assert_eq!(opportunity.probability_percent, 80);
    assert_eq!(opportunity.stage_time, Some(noon(3)));
    let [begun, step] = opportunity.history.steps() else { panic!("two steps") };
    assert_eq!(begun.from, None);
    assert_eq!(step.from.as_ref(), Some(&begun.to));
    assert_eq!((step.amount, step.probability_percent), (Some(100_000), 80));
    assert_eq!((step.event_time, step.actor.as_str()), (Some(noon(3)), "members/ana"));
}

#[test]
fn a_move_to_where_it_is_leaves_no_step() {
    let mut opportunity = opportunity();

    let moved = opportunity.move_to(Some(&stage("prospecting")), &at(noon(3))).expect("it is open");

    assert_eq!(moved, None);
    assert_eq!(opportunity.history.steps().len(), 1);
    assert_eq!(opportunity.stage_time, Some(noon(1)));
}

#[test]
fn a_stage_that_the_pipeline_does_not_have_is_refused() {
    let error = opportunity().move_to(None, &at(noon(3))).expect_err("no such stage");

    assert_eq!((error.kind(), error.reason()), (Kind::Precondition, "UNKNOWN_STAGE"));
}

/// SFA-03: what was won says to whom, for how much and when.
#[test]
fn a_win_is_dated_by_the_day_that_is_told() {
    let mut opportunity = opportunity();

    let won = opportunity.win(Some(day(5)), &at(noon(9))).expect("it can be won");

    assert_eq!(won.account, opportunity.account.expect("an account").name());
    assert_eq!(
        won.amount.map(|amount| (amount.units, amount.currency_code)),
        Some((1_000, "USD".to_owned()))
    );
    assert_eq!(opportunity.close_date, Some(day(5)));
    assert_eq!(opportunity.close_time.map(|time| time.date_naive()), Some(day(5)));
    assert_eq!(opportunity.probability_percent, 10, "closing leaves the chance as it was");
}

#[test]
fn a_win_without_a_day_is_of_today() {
    let mut opportunity = opportunity();

    opportunity.win(None, &at(noon(9))).expect("it can be won");

    assert_eq!((opportunity.close_date, opportunity.close_time), (Some(day(9)), Some(noon(9))));
}

#[test]
fn a_close_on_the_day_of_the_step_before_does_not_go_back_in_time() {
    let mut opportunity = opportunity();

    opportunity.win(Some(day(1)), &at(noon(9))).expect("it can be won");

    assert_eq!(opportunity.close_time, Some(noon(1)), "midnight would be before it was begun");
}

#[test]
fn nothing_closes_after_tomorrow() {
    let tomorrow = opportunity().win(Some(day(10)), &at(noon(9)));
    let later = opportunity().win(Some(day(11)), &at(noon(9))).expect_err("it is in the future");

    assert!(tomorrow.is_ok(), "it is tomorrow already east of us");
    assert_eq!(later.violations()[0].field, "close_date");
    assert_eq!(later.violations()[0].reason, "IN_FUTURE");
}

#[test]
fn a_win_needs_an_amount_above_zero_and_an_account() {
    let reason = |change: fn(&mut Opportunity)| {
        let mut opportunity = opportunity();
        change(&mut opportunity);
        opportunity.win(None, &at(noon(9))).expect_err("something is missing").reason()
    };

    assert_eq!(reason(|opportunity| opportunity.amount = None), "NO_AMOUNT");
    assert_eq!(reason(|opportunity| opportunity.amount = Some(Minor(0))), "NO_AMOUNT");
    assert_eq!(reason(|opportunity| opportunity.account = None), "NO_ACCOUNT");
}

#[test]
fn a_loss_has_a_reason_that_is_on_record() {
    let lose = |reason, note: &str| opportunity().lose(reason, note, None, &at(noon(9)));

    assert!(lose(Some(LostReason::Price), "").is_ok());
    assert!(lose(Some(LostReason::Other), "moved away").is_ok());
    for (reason, note) in [(None, ""), (Some(LostReason::NotRecorded), ""), (Some(LostReason::Other), " ")] {
        let error = lose(reason, note).expect_err("no reason");
        assert_eq!(error.kind(), Kind::Invalid, "{reason:?}");
    }
}

#[test]
fn everything_wrong_with_a_loss_is_told_at_once() {
    let mut opportunity = opportunity();
    opportunity.win(None, &at(noon(2))).expect("it can be won");

    let error = opportunity.lose(None, "a\u{0}b", Some(day(30)), &at(noon(9))).expect_err("all is wrong");

    let fields: Vec<_> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["reason", "note", "close_date"]);
}

#[test]
fn a_closed_opportunity_is_neither_moved_nor_closed_again() {
    let mut opportunity = opportunity();
    opportunity.lose(Some(LostReason::Price), "", None, &at(noon(2))).expect("it can be lost");

    let refused = [
        opportunity.clone().move_to(Some(&stage("closing")), &at(noon(3))).map(drop),
        opportunity.clone().win(None, &at(noon(3))).map(drop),
        opportunity.clone().lose(Some(LostReason::Price), "", None, &at(noon(3))).map(drop),
    ];

    for outcome in refused {
        assert_eq!(outcome.expect_err("it is closed").reason(), "NOT_OPEN");
    }
}

#[test]
fn a_reopened_opportunity_is_where_it_was_and_forgets_why_it_was_lost() {
    let mut opportunity = opportunity();
    opportunity.move_to(Some(&stage("engaging")), &at(noon(2))).expect("it is open");
    opportunity.lose(Some(LostReason::Other), "moved away", None, &at(noon(3))).expect("it can be lost");

    opportunity.reopen(&at(noon(4))).expect("it is closed");

    assert_eq!((opportunity.state, opportunity.stage.to_string()), (State::Open, "engaging".to_owned()));
    assert_eq!((opportunity.lost_reason, opportunity.lost_note.as_str()), (None, ""));
    assert_eq!((opportunity.close_date, opportunity.close_time), (None, None));
    assert_eq!(opportunity.reopen(&at(noon(5))).expect_err("it is open").reason(), "NOT_CLOSED");
}

#[test]
fn a_thousand_steps_are_the_most_that_are_kept() {
    let mut opportunity = opportunity();
    let there_and_back = [stage("engaging"), stage("prospecting")];
    for number in 1..History::MAX {
        opportunity.move_to(Some(&there_and_back[(number + 1) % 2]), &at(noon(2))).expect("there is room");
    }

    let error = opportunity.win(None, &at(noon(3))).expect_err("it is full");

    assert_eq!((error.kind(), error.reason()), (Kind::Precondition, "HISTORY_FULL"));
}

#[test]
fn a_history_that_was_not_read_is_not_continued() {
    let mut opportunity = opportunity();
    opportunity.history = History::as_stored();

    assert!(opportunity.move_to(Some(&stage("closing")), &at(noon(3))).is_err());
}
