//! The life of a cart, and what is counted of many.

use chrono::TimeDelta;
use proptest::{collection::vec, prelude::*};
use trato_types::{Currency, Id, Minor, Ref, Timestamp};
use uuid::Uuid;

use super::{
    figures::{Slice, Tally, open},
    model::{Cart, State, Step},
};
use crate::document::Document;

fn minute(minute: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + TimeDelta::minutes(minute)
}

fn idle() -> TimeDelta {
    TimeDelta::minutes(30)
}

/// A cart of a session that was written in the first minute.
fn cart() -> Cart {
    Cart {
        owner: None,
        team: None,
        account: None,
        session_id: Some("s-1".to_owned()),
        document: Document::empty(Currency::USD),
        gross: Minor(0),
        currency: Currency::USD,
        bill_to: None,
        ship_to: None,
        step: Step::Lines,
        furthest_step: Step::Lines,
        state: State::Open,
        last_activity_time: minute(0),
        abandon_step: None,
        abandon_time: None,
        recover_time: None,
        order_id: None,
    }
}

/// Its buyer goes to a step.
fn go(cart: &mut Cart, step: Step, at: i64) {
    cart.step = step;
    cart.touch(minute(at));
}

fn check_out(cart: &mut Cart, at: i64) {
    cart.check_out(Ref::from_uuid(Uuid::from_u128(7)), Id::from_uuid(Uuid::from_u128(9)), minute(at));
}

/// DOC-12: a cart is abandoned at its last step, when its time was over, and keeps how far it got.
#[test]
fn a_cart_is_abandoned_at_its_last_step() {
    let mut cart = cart();
    go(&mut cart, Step::Payment, 5);
    go(&mut cart, Step::Delivery, 7);

    assert_eq!(cart.abandon(idle()), Some(()));
    assert_eq!(cart.abandon(idle()), None, "it is abandoned already");

    assert_eq!((cart.state, cart.furthest_step), (State::Abandoned, Step::Payment));
    assert_eq!((cart.abandon_step, cart.abandon_time), (Some(Step::Delivery), Some(minute(37))));
    assert_eq!((cart.last_activity_time, cart.recover_time), (minute(7), None));
}

/// DOC-12: what is written again is recovered, and keeps where it was abandoned.
#[test]
fn a_cart_that_is_written_again_is_recovered() {
    let mut cart = cart();
    cart.abandon(idle());

    go(&mut cart, Step::Address, 60);

    assert_eq!((cart.state, cart.recover_time), (State::Open, Some(minute(60))));
    assert_eq!((cart.abandon_step, cart.last_activity_time), (Some(Step::Lines), minute(60)));
    go(&mut cart, Step::Review, 61);
    assert_eq!(cart.recover_time, Some(minute(60)), "it was not away");
}

/// DOC-12: a cart that is an order stays as it is.
#[test]
fn a_cart_that_is_checked_out_is_neither_written_nor_abandoned() {
    let mut cart = cart();
    assert!(cart.require_unordered().is_ok());

    check_out(&mut cart, 9);

    let refused = cart.require_unordered().expect_err("it is an order");
    assert_eq!(refused.reason(), "CART_CHECKED_OUT");
    assert_eq!(
        refused.metadata(),
        [("order", Id::<crate::order::Order>::from_uuid(Uuid::from_u128(9)).name())]
    );
    assert_eq!(cart.abandon(idle()), None);
    assert_eq!((cart.state, cart.last_activity_time), (State::CheckedOut, minute(9)));
    assert_eq!(cart.account, Some(Ref::from_uuid(Uuid::from_u128(7))));
}

/// A buyer's or the job's doing: to go to a step, to be away, to check out.
fn doings() -> impl Strategy<Value = Vec<u8>> {
    vec(0_u8..7, 0..12)
}

/// What becomes of a cart by these, a minute each.
fn lived(doings: &[u8]) -> Cart {
    let mut cart = cart();
    for (at, doing) in (1_i64..).zip(doings) {
        match Step::ALL.get(usize::from(*doing)) {
            _ if cart.state == State::CheckedOut => {}
            Some(step) => go(&mut cart, *step, at),
            None if *doing == 5 => {
                cart.abandon(idle());
            }
            None => check_out(&mut cart, at),
        }
    }
    cart
}

fn slice(cart: &Cart) -> Slice {
    Slice { furthest_step: cart.furthest_step, abandon_step: cart.abandon_step, state: cart.state, count: 1 }
}

proptest! {
    /// DOC-12: whatever carts go through, the figures add up: each cart is in one place, and no step has more that were
    /// abandoned at it or checked out than came to it.
    #[test]
    fn figures_add_up(lives in vec(doings(), 0..40)) {
        let carts: Vec<Cart> = lives.iter().map(|doings| lived(doings)).collect();
        let slices: Vec<Slice> = carts.iter().map(slice).collect();
        let count = |which: &dyn Fn(&Cart) -> bool| {
            i64::try_from(carts.iter().filter(|cart| which(cart)).count()).expect("a few")
        };

        let total = Tally::of(&slices, None);
        let steps = Step::ALL.map(|step| Tally::of(&slices, Some(step)));

        let gone = count(&|cart| cart.state == State::Abandoned);
        prop_assert_eq!(total.reached, count(&|_| true));
        prop_assert_eq!(total.abandoned - total.recovered, gone);
        prop_assert_eq!(total.reached, open(&slices) + total.checked_out + gone);
        prop_assert_eq!(steps.map(|step| step.abandoned).iter().sum::<i64>(), total.abandoned);
        prop_assert_eq!(steps.map(|step| step.recovered).iter().sum::<i64>(), total.recovered);
        prop_assert_eq!((steps[0].reached, steps[0].checked_out), (total.reached, total.checked_out));
        for (step, tally) in Step::ALL.into_iter().zip(steps) {
            prop_assert_eq!(tally.reached, count(&|cart| cart.furthest_step >= step));
            prop_assert_eq!(tally.abandoned, count(&|cart| cart.abandon_step == Some(step)));
            prop_assert!(tally.recovered <= tally.abandoned && tally.abandoned <= tally.reached);
            prop_assert!(tally.checked_out <= tally.reached);
        }
        for pair in steps.windows(2) {
            prop_assert!(pair[1].reached <= pair[0].reached && pair[1].checked_out <= pair[0].checked_out);
        }
    }
}
