//! What is due is told from facts alone, by a table and by properties.

use chrono::Days;
use proptest::prelude::*;
use trato_types::{Currency, Date, Id, Minor, Ref};
use uuid::Uuid;

use super::{
    model::{Claim, DunningState, Move, State},
    rules::{Item, Open},
};
use crate::dunning_policy::{Action, DunningPolicy, Minimums, Step, Steps};

fn day(number: u64) -> Date {
    Date::from_ymd_opt(2026, 1, 1).and_then(|first| first.checked_add_days(Days::new(number))).expect("a day")
}

fn policy(days: &[i32], minimum: i64) -> DunningPolicy {
    let actions = [Action::Notify, Action::Notify, Action::Hold, Action::Block, Action::Collection];
    let step = |(index, after_days): (usize, &i32)| Step {
        after_days: *after_days,
        action: actions[index.min(4)],
        template: format!("reminder-{index}"),
    };
    let minimums = serde_json::json!([{ "currency_code": "USD", "amount": minimum }]);
    DunningPolicy {
        display_name: "Late".parse().expect("a name"),
        legal_entity: None,
        steps: Steps::new(days.iter().enumerate().map(step).collect()).expect("they ascend"),
        minimums: serde_json::from_value::<Minimums>(minimums).expect("a minimum"),
    }
}

/// Items by the day they are due and what is open of them.
fn claim(items: &[(u64, i64)], unallocated: i64, on: u64) -> Claim {
    let item = |(due, open): &(u64, i64)| Item {
        invoice: Some(Id::from_uuid(Uuid::from_u128(due.wrapping_mul(1_000_003).into()))),
        number: format!("F{due}"),
        due_date: day(*due),
        open: Minor(*open),
    };
    Claim {
        account: Ref::from_uuid(Uuid::nil()),
        legal_entity: Id::from_uuid(Uuid::nil()),
        currency_code: Currency::USD,
        day: day(on),
        open: Open { items: items.iter().map(item).collect(), unallocated: Minor(unallocated) },
    }
}

/// One run: the moves, and the state after it.
fn run(
    claim: &Claim,
    before: Option<DunningState>,
    policy: Option<&DunningPolicy>,
) -> (Vec<Move>, Option<DunningState>) {
    let named = policy.map(|policy| (Id::from_uuid(Uuid::nil()), policy));
    let (_, moves) = claim.moves(before.as_ref(), named).expect("amounts are small");
    let after = moves.last().map(|last| last.state().clone()).or(before);
    (moves, after)
}

/// The days of the steps that are entered.
fn level(state: Option<&DunningState>) -> Vec<i32> {
    state.map(|state| state.steps.0.iter().map(|step| step.after_days).collect()).unwrap_or_default()
}

/// XTR-05: what is asked for, since when, and which steps are due, is told from what is open on the day.
#[test]
fn what_is_due_is_told_from_open_items() {
    let policy = policy(&[5, 10, 30], 500);
    for (name, items, unallocated, on, overdue, days, due) in [
        ("nothing is owed", vec![], 0, 50, 0, 0, vec![]),
        ("due today", vec![(10, 1000)], 0, 10, 0, 0, vec![]),
        ("one day late", vec![(10, 1000)], 0, 11, 1000, 1, vec![]),
        ("a day before the step", vec![(10, 1000)], 0, 14, 1000, 4, vec![]),
        ("on the day of the step", vec![(10, 1000)], 0, 15, 1000, 5, vec![5]),
        ("all steps at once", vec![(10, 1000)], 0, 100, 1000, 90, vec![5, 10, 30]),
        ("the oldest decides", vec![(10, 1000), (30, 200)], 0, 40, 1200, 30, vec![5, 10, 30]),
        ("what is not due is not asked", vec![(10, 600), (80, 900)], 0, 40, 600, 30, vec![5, 10, 30]),
        ("less than the minimum", vec![(10, 499)], 0, 40, 499, 30, vec![]),
        ("the minimum", vec![(10, 500)], 0, 40, 500, 30, vec![5, 10, 30]),
        ("paid without a word", vec![(10, 1000)], 1000, 40, 0, 0, vec![]),
        ("the oldest is paid first", vec![(10, 1000), (30, 700)], 1000, 40, 700, 10, vec![5, 10]),
        ("part of the oldest is paid", vec![(10, 1000), (30, 700)], 400, 40, 1300, 30, vec![5, 10, 30]),
        ("credited beyond what was paid", vec![(10, 1000), (20, -1000)], 0, 40, 0, 0, vec![]),
        ("paid more than is overdue", vec![(10, 1000)], 5000, 40, 0, 0, vec![]),
    ] {
        let claim = claim(&items, unallocated, on);
        let asked = claim.open.asked(claim.day).expect("amounts are small");
        let found: Vec<_> =
            asked.due(&policy, Currency::USD, claim.day).iter().map(|step| step.after_days).collect();
        assert_eq!((asked.overdue, asked.days(claim.day)), (Minor(overdue), days), "{name}");
        assert_eq!(found, due, "{name}");
        let open: i64 = asked.items.iter().map(|item| item.open.0).sum();
        assert_eq!(open - asked.covered.0, asked.overdue.0, "{name}: the items add up");
    }
}

/// XTR-05: a late run enters every step that is due, in order, and has only the last one written; a second one does nothing.
#[test]
fn a_late_run_skips_no_step() {
    let policy = policy(&[5, 10, 30], 1);
    let late = claim(&[(10, 1000)], 0, 45);

    let (moves, state) = run(&late, None, Some(&policy));
    let (again, _) = run(&late, state.clone(), Some(&policy));

    let entered: Vec<_> = moves.iter().filter_map(Move::entered).collect();
    let entered: Vec<_> = entered.iter().map(|step| (step.after_days, step.passed_over)).collect();
    assert_eq!(entered, [(5, true), (10, true), (30, false)]);
    assert!(
        state.is_some_and(|state| state.holds_credit && state.state == State::Active && state.level == 3)
    );
    assert!(again.is_empty(), "{again:?}");
}

/// XTR-05: what is paid is cleared, what is taken back is entered again, and a younger claim lowers the level.
#[test]
fn the_level_follows_what_is_owed() {
    let policy = policy(&[5, 10, 30], 1);
    let both = [(10, 1000), (30, 700)];
    let (_, high) = run(&claim(&both, 0, 45), None, Some(&policy));
    let (lowered, low) = run(&claim(&both[1..], 0, 46), high.clone(), Some(&policy));
    let (cleared, none) = run(&claim(&[], 0, 47), low.clone(), Some(&policy));
    let (reversed, back) = run(&claim(&both, 0, 48), none.clone(), Some(&policy));
    let (unasked, _) = run(&claim(&both, 0, 49), back.clone(), None);

    assert_eq!((level(high.as_ref()), level(low.as_ref())), (vec![5, 10, 30], vec![5, 10]));
    assert!(matches!(lowered[..], [Move::Lowered(_)]), "{lowered:?}");
    assert!(matches!(cleared[..], [Move::Cleared(_)]), "{cleared:?}");
    assert_eq!(none.map(|state| (state.state, state.level)), Some((State::Cleared, 0)));
    assert_eq!((reversed.len(), level(back.as_ref())), (3, vec![5, 10, 30]));
    assert!(matches!(unasked[..], [Move::Cleared(_)]), "nobody asks without a policy: {unasked:?}");
}

/// XTR-05: a policy that is changed holds for steps that are not entered yet.
#[test]
fn a_changed_policy_holds_from_the_next_step_on() {
    let (_, entered) = run(&claim(&[(10, 1000)], 0, 21), None, Some(&policy(&[5, 10], 1)));
    let (moves, after) = run(&claim(&[(10, 1000)], 0, 30), entered.clone(), Some(&policy(&[7, 15, 20], 1)));
    let (none, _) = run(&claim(&[(10, 1000)], 0, 22), entered, Some(&policy(&[6, 60], 1)));

    assert_eq!((moves.len(), level(after.as_ref())), (2, vec![5, 10, 15, 20]));
    assert!(none.is_empty(), "{none:?}");
}

proptest! {
    /// XTR-05: whenever runs came, and however seldom, the steps that are entered are those that are due; each was entered by a
    /// move of its own, in order, and only when it was not entered.
    #[test]
    fn steps_do_not_depend_on_when_runs_came(
        facts in prop::collection::vec((prop::collection::vec((0_u64..120, -500_i64..2000), 0..6), 0_i64..1500), 1..12),
        gaps in prop::collection::vec(0_u64..40, 12),
        days in prop::collection::btree_set(1_i32..100, 1..6),
        minimum in 1_i64..800,
    ) {
        let days: Vec<i32> = days.into_iter().collect();
        let policy = policy(&days, minimum);
        let (mut state, mut on) = (None, 0);
        for ((items, unallocated), gap) in facts.iter().zip(gaps) {
            on += gap;
            let claim = claim(items, *unallocated, on);
            let was = level(state.as_ref());
            let (moves, after) = run(&claim, state, Some(&policy));
            let asked = claim.open.asked(claim.day).expect("amounts are small");
            let due: Vec<i32> = asked.due(&policy, Currency::USD, claim.day).iter().map(|step| step.after_days).collect();
            prop_assert_eq!(level(after.as_ref()), due.clone());
            let entered: Vec<i32> = moves.iter().filter_map(Move::entered).map(|step| step.after_days).collect();
            let fresh: Vec<i32> = due.iter().copied().filter(|step| !was.contains(step)).collect();
            prop_assert_eq!(entered, fresh);
            let passed = moves.iter().filter_map(Move::entered).filter(|step| !step.passed_over).count();
            prop_assert!(passed <= 1);
            let (again, _) = run(&claim, after.clone(), Some(&policy));
            prop_assert!(again.is_empty(), "{again:?}");
            if let Some(after) = &after {
                prop_assert_eq!(after.state == State::Cleared, due.is_empty());
            }
            state = after;
        }
    }

    /// XTR-05: what one run does that comes late is what many do that come in time, as long as nothing is paid.
    #[test]
    fn one_late_run_does_what_many_do(
        items in prop::collection::vec((0_u64..60, 1_i64..2000), 1..6),
        mut runs in prop::collection::vec(0_u64..200, 1..20),
        days in prop::collection::btree_set(1_i32..100, 1..6),
    ) {
        let days: Vec<i32> = days.into_iter().collect();
        let policy = policy(&days, 1);
        runs.sort_unstable();
        let (mut state, mut entered) = (None, Vec::new());
        for on in &runs {
            let (moves, after) = run(&claim(&items, 0, *on), state, Some(&policy));
            entered.extend(moves.iter().filter_map(Move::entered).map(|step| step.after_days));
            state = after;
        }
        let (moves, _) = run(&claim(&items, 0, *runs.last().expect("a run")), None, Some(&policy));
        let at_once: Vec<i32> = moves.iter().filter_map(Move::entered).map(|step| step.after_days).collect();
        prop_assert_eq!(entered, at_once);
    }

    /// XTR-05: who has paid more is never asked for more, nor for longer.
    #[test]
    fn paying_more_never_raises_the_level(
        items in prop::collection::vec((0_u64..120, -500_i64..2000), 0..8),
        paid in 0_i64..3000, more in 0_i64..3000, on in 0_u64..200,
    ) {
        let less = claim(&items, paid, on);
        let more = claim(&items, paid + more, on);
        let (less, more) = (less.open.asked(less.day).expect("small"), more.open.asked(more.day).expect("small"));
        prop_assert!(more.overdue <= less.overdue);
        prop_assert!(more.days(day(on)) <= less.days(day(on)));
    }
}
