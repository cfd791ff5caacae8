//! Any sequence of verbs, in any order and by any clock, keeps what holds of every opportunity.

use proptest::{collection::vec, option, prelude::*};

use super::{super::model::LostReason, *};

#[derive(Clone, Debug)]
enum Verb {
    Move(&'static str),
    Win(Option<u32>),
    Lose(Option<u32>),
    Reopen,
    Worth(Option<i64>),
}

fn verb() -> impl Strategy<Value = Verb> {
    prop_oneof![
        prop::sample::select(vec!["prospecting", "engaging", "closing", "nowhere"]).prop_map(Verb::Move),
        option::of(1_u32..29).prop_map(Verb::Win),
        option::of(1_u32..29).prop_map(Verb::Lose),
        Just(Verb::Reopen),
        option::of(0_i64..1_000).prop_map(Verb::Worth),
    ]
}

/// What becomes of the opportunity; what is refused leaves it as it was, because verbs work on a copy.
fn apply(opportunity: &Opportunity, verb: &Verb, cx: &Context) -> Option<Opportunity> {
    let mut changed = opportunity.clone();
    let done = match verb {
        Verb::Move(key) => {
            let stages = stages();
            changed.move_to(stages.get(&key.parse().expect("a key")), cx).map(drop)
        }
        Verb::Win(close) => changed.win(close.map(day), cx).map(drop),
        Verb::Lose(close) => changed.lose(Some(LostReason::Timing), "", close.map(day), cx).map(drop),
        Verb::Reopen => changed.reopen(cx),
        Verb::Worth(amount) if changed.state == State::Open => {
            changed.amount = amount.map(Minor);
            changed.currency = amount.map(|_| Currency::USD);
            Ok(())
        }
        Verb::Worth(_) => Ok(()),
    };
    done.is_ok().then_some(changed)
}

/// Everything that holds of an opportunity whatever was done to it.
fn require_sound(opportunity: &Opportunity, cx: &Context) -> Result<(), TestCaseError> {
    let is_closed = opportunity.state != State::Open;
    prop_assert_eq!(opportunity.close_time.is_some(), is_closed);
    prop_assert_eq!(opportunity.lost_reason.is_some(), opportunity.state == State::Lost);
    prop_assert!(!is_closed || opportunity.close_date.is_some());
    prop_assert!(stages().get(&opportunity.stage).is_some(), "the stage is one of the pipeline's");
    let mut violations = trato_types::Violations::new();
    opportunity.check("", cx, &mut violations);
    prop_assert!(violations.is_empty(), "{violations:?}");

    let steps = opportunity.history.steps();
    let last = steps.last().expect("it was begun");
    prop_assert_eq!(&last.to, &opportunity.place(), "the history ends where it is");
    prop_assert!(steps[0].from.is_none(), "the history begins nowhere");
    for pair in steps.windows(2) {
        let [before, after] = pair else { unreachable!("windows of two") };
        prop_assert_eq!(Some(&before.to), after.from.as_ref(), "each step begins where the one before ended");
        prop_assert_ne!(&before.to, &after.to, "each step leads somewhere");
        prop_assert!(before.event_time <= after.event_time, "time does not go back");
    }
    if is_closed {
        prop_assert_eq!(last.event_time, opportunity.close_time);
    }
    Ok(())
}

proptest! {
    /// SFA-03, SFA-07: whatever is done to an opportunity, where it is and how it came there stay consistent.
    #[test]
    fn any_sequence_of_verbs_keeps_state_and_history_consistent(verbs in vec((verb(), 1_u32..29), 0..60)) {
        let mut opportunity = opportunity();
        for (verb, today) in &verbs {
            // The clocks of several processes: not always later than the step before.
            let cx = at(noon(*today));
            let Some(changed) = apply(&opportunity, verb, &cx) else { continue };
            let (before, after) = (opportunity.history.steps(), changed.history.steps());
            prop_assert_eq!(&after[..before.len()], before, "the history only grows");
            // The rules about today are those of the day of the change.
            require_sound(&changed, &at(noon(29)))?;
            opportunity = changed;
        }
    }
}
