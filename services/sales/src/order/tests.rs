//! The life of an order, as its quantities move.

use trato_pricing::{Percent, Quantity, Value};
use trato_types::{Currency, Date, Error, Minor, Ref, Timestamp};

use super::{
    charges::charge_status,
    ledger::{DeliveryStatus, Entry, InvoiceStatus, InvoicingPolicy, Ledger},
    model::{HoldReason, Order, State},
};
use crate::{document::Document, pricing::WantedCharge};

fn whole(number: i64) -> Quantity {
    Quantity::whole(number).expect("a quantity")
}

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn day(day: u32) -> Date {
    Date::from_ymd_opt(2026, 12, day).expect("a day")
}

/// A confirmed order of ten pieces of line `1`, promised for the 10th, and a fee, `2`.
fn confirmed(invoicing_policy: InvoicingPolicy) -> Order {
    let piece = Entry { promised_date: Some(day(10)), ..Entry::new("1".to_owned(), whole(10), true) };
    let fee = Entry::new("2".to_owned(), whole(1), false);
    let document = Document::empty(Currency::parse("EUR").expect("a currency"));
    let mut order = Order::draft(Ref::from_uuid(Default::default()), document);
    order.state = State::Confirmed;
    order.invoicing_policy = invoicing_policy;
    order.ledger = Ledger(vec![piece, fee]);
    order.follow();
    order
}

fn reason<T: std::fmt::Debug>(refused: Result<T, impl Into<Error>>) -> &'static str {
    let error: Error = refused.expect_err("it is refused").into();
    error.reason()
}

/// DOC-04: the state follows the quantities, forwards and backwards.
#[test]
fn the_state_follows_what_is_delivered() {
    let mut order = confirmed(InvoicingPolicy::Delivered);
    assert_eq!((order.state, order.delivery_status), (State::Confirmed, DeliveryStatus::None));
    order.deliver([("1", whole(4))]).expect("delivered");
    assert_eq!((order.state, order.delivery_status), (State::InFulfilment, DeliveryStatus::Partial));
    order.deliver([("1", whole(6))]).expect("delivered");
    assert_eq!((order.state, order.delivery_status), (State::Fulfilled, DeliveryStatus::Full));
    order.take_back([("1", whole(6))]).expect("refused at the door");
    assert_eq!((order.state, order.delivery_status), (State::InFulfilment, DeliveryStatus::Partial));
    order.cancel_lines(&[("1".to_owned(), whole(6))], now()).expect("the rest is not wanted");
    assert_eq!((order.state, order.delivery_status), (State::Fulfilled, DeliveryStatus::Full));
    order.arrive([("1", whole(4))], day(1)).expect("arrived");
    order.give_back([("1", whole(4))]).expect("all of it comes back");
    assert_eq!((order.state, order.delivery_status), (State::InFulfilment, DeliveryStatus::Returned));
    order.refund([("1", whole(4))]).expect("none is sent in its place");
    assert_eq!((order.state, order.delivery_status), (State::Fulfilled, DeliveryStatus::Returned));
    order.close(now()).expect("closed");
    assert_eq!(reason(order.deliver([("1", whole(1))])), "ORDER_NOT_CONFIRMED");
    assert_eq!(order.state, State::Closed);
}

/// DOC-04: what is on its way keeps an order open, and what comes back opens it again until nothing is left to be delivered.
#[test]
fn a_closed_order_has_all_it_wants() {
    let mut order = confirmed(InvoicingPolicy::Ordered);
    order.deliver([("1", whole(10))]).expect("delivered");
    assert_eq!(reason(order.close(now())), "ORDER_NOT_FULFILLED");
    order.arrive([("1", whole(10))], day(1)).expect("arrived");
    order.close(now()).expect("closed");
    assert_eq!((order.state, order.end_time), (State::Closed, Some(now())));
    order.give_back([("1", whole(3))]).expect("some comes back");
    assert_eq!((order.state, order.end_time), (State::InFulfilment, None));
    assert_eq!(order.next_promised_date, None, "it was there in time");
    order.deliver([("1", whole(2))]).expect("two are replaced");
    order.refund([("1", whole(1))]).expect("one is refunded");
    assert_eq!(order.state, State::Fulfilled);
    order.arrive([("1", whole(2))], day(20)).expect("arrived");
    order.close(now()).expect("closed again");
}

/// DOC-04: what is invoiced is measured by the policy, and a fee is invoiced as it is ordered.
#[test]
fn the_invoice_status_follows_the_policy() {
    let mut order = confirmed(InvoicingPolicy::Delivered);
    assert_eq!(order.invoice_status, InvoiceStatus::ToInvoice, "the fee is");
    assert!(order.bill("2", whole(1), Quantity::ZERO));
    assert_eq!(order.invoice_status, InvoiceStatus::Invoiced, "and the rest is not delivered");
    order.deliver([("1", whole(4))]).expect("delivered");
    assert_eq!(order.invoice_status, InvoiceStatus::Partial);
    assert!(order.bill("1", whole(5), Quantity::ZERO), "it is recorded, whatever it is");
    assert_eq!(order.invoice_status, InvoiceStatus::ToCredit);

    let mut order = confirmed(InvoicingPolicy::Milestone);
    assert_eq!(order.invoice_status, InvoiceStatus::NothingToInvoice);
    order.release_milestone("40".parse().expect("a percentage")).expect("released");
    assert_eq!(order.invoice_status, InvoiceStatus::ToInvoice);
    let less: Percent = "39".parse().expect("a percentage");
    assert_eq!(reason(order.release_milestone(less)), "RELEASED_ALREADY");
    let more: Percent = "101".parse().expect("a percentage");
    assert_eq!(reason(order.release_milestone(more)), "PERCENT_OUT_OF_RANGE");
    let mut other = confirmed(InvoicingPolicy::Ordered);
    assert_eq!(reason(other.release_milestone(less)), "NOT_BY_MILESTONES");
}

/// DOC-04: what is prepaid is not delivered beyond what is invoiced and not credited; what came back is sent again.
#[test]
fn what_is_prepaid_is_invoiced_before_it_leaves() {
    let mut order = confirmed(InvoicingPolicy::Prepaid);
    assert_eq!(reason(order.clone().deliver([("1", whole(1))])), "NOT_INVOICED");
    order.bill("1", whole(6), whole(2));
    let error = order.clone().deliver([("1", whole(3)), ("1", whole(2))]).expect_err("five are too many");
    assert!(error.metadata().contains(&("invoiced", "4".to_owned())), "{:?}", error.metadata());
    order.deliver([("1", whole(4))]).expect("four are invoiced");
    order.arrive([("1", whole(4))], day(1)).expect("arrived");
    order.give_back([("1", whole(1))]).expect("one comes back");
    order.deliver([("1", whole(1))]).expect("another is sent in its place");
    assert_eq!(reason(order.deliver([("1", whole(1))])), "NOT_INVOICED");
}

/// An order of ten pieces alone, with freight.
fn with_freight(invoicing_policy: InvoicingPolicy) -> Order {
    let mut order = confirmed(invoicing_policy);
    order.ledger.0.truncate(1);
    order.document.charges = vec![WantedCharge {
        key: "freight".into(),
        value: Value::Amount(Minor(1_000)),
        reason: "Freight".to_owned(),
        tax_class: "ES-S".to_owned(),
        withheld_tax_classes: Vec::new(),
    }];
    order.follow();
    order
}

/// DOC-04: an order is invoiced when its charges are, too; once everything is refunded, nobody has to say what becomes of them.
#[test]
fn charges_are_invoiced_like_lines() {
    let mut order = with_freight(InvoicingPolicy::Delivered);
    assert_eq!(
        order.invoice_status,
        InvoiceStatus::NothingToInvoice,
        "freight comes with the first delivery"
    );
    order.deliver([("1", whole(4))]).expect("delivered");
    order.bill("1", whole(4), Quantity::ZERO);
    assert_eq!(order.invoice_status, InvoiceStatus::Partial);
    assert!(order.bill("freight", whole(1), Quantity::ZERO));
    assert!(!order.bill("freight", whole(1), Quantity::ZERO), "nothing new");
    assert!(!order.bill("packaging", whole(1), Quantity::ZERO), "not ours");
    assert_eq!(order.invoice_status, InvoiceStatus::Invoiced);

    order.cancel_lines(&[("1".to_owned(), whole(6))], now()).expect("the rest is not wanted");
    order.arrive([("1", whole(4))], day(1)).expect("arrived");
    order.give_back([("1", whole(4))]).expect("all of it comes back");
    order.refund([("1", whole(4))]).expect("none is sent in its place");
    order.bill("1", whole(4), whole(4));
    let freight: Vec<_> = order.charges().map(|charge| charge_status(&charge)).collect();
    assert_eq!((freight, order.invoice_status), (vec![InvoiceStatus::Invoiced], InvoiceStatus::Partial));
    order.bill("freight", whole(1), whole(1));
    assert_eq!(order.invoice_status, InvoiceStatus::Credited);

    let mut unwanted = with_freight(InvoicingPolicy::Ordered);
    assert_eq!(unwanted.invoice_status, InvoiceStatus::ToInvoice);
    unwanted.bill("freight", whole(1), Quantity::ZERO);
    unwanted.cancel("Not wanted", now()).expect("cancelled");
    assert_eq!(unwanted.invoice_status, InvoiceStatus::ToCredit);

    let mut released = with_freight(InvoicingPolicy::Milestone);
    assert_eq!(released.invoice_status, InvoiceStatus::NothingToInvoice);
    released.release_milestone("40".parse().expect("a percentage")).expect("released");
    released.bill("1", whole(4), Quantity::ZERO);
    assert_eq!(released.invoice_status, InvoiceStatus::Partial);
    released.bill("freight", "0.4".parse().expect("a quantity"), Quantity::ZERO);
    assert_eq!(released.invoice_status, InvoiceStatus::Invoiced);
}

/// DOC-04: a held order delivers nothing until it is released.
#[test]
fn a_hold_stops_what_has_not_left() {
    let mut order = confirmed(InvoicingPolicy::Ordered);
    assert_eq!(reason(order.release()), "ORDER_NOT_ON_HOLD");
    order.hold(HoldReason::Credit, "Over the limit", now()).expect("held");
    order.hold(HoldReason::Credit, "", now()).expect("it is held for this already");
    assert_eq!(order.hold_note, "Over the limit");
    assert_eq!(reason(order.hold(HoldReason::Fraud, "", now())), "ORDER_ON_HOLD");
    assert_eq!(reason(order.deliver([("1", whole(1))])), "ORDER_ON_HOLD");
    order.release().expect("released");
    order.deliver([("1", whole(1))]).expect("delivered");
    order.hold(HoldReason::Manual, "", now()).expect("held");
    order.arrive([("1", whole(1))], day(1)).expect("what is on its way goes on");
}

/// DOC-04, XTR-05: the hold of an account ends with it, unless somebody has made it theirs, and takes nothing that is held for
/// something else or has all left.
#[test]
fn a_hold_of_the_account_ends_with_it() {
    let mut order = confirmed(InvoicingPolicy::Ordered);
    assert!(order.hold_with_account("Overdue", now()));
    assert!(!order.hold_with_account("Overdue", now()), "it is held already");
    assert_eq!((order.hold_reason, order.hold_note.as_str()), (Some(HoldReason::Credit), "Overdue"));
    assert_eq!(reason(order.deliver([("1", whole(1))])), "ORDER_ON_HOLD");
    assert_eq!(reason(order.hold(HoldReason::Fraud, "", now())), "ORDER_ON_HOLD");
    assert!(order.release_with_account());
    assert_eq!((order.release_with_account(), order.hold_reason), (false, None));

    order.hold_with_account("Overdue", now());
    order.hold(HoldReason::Credit, "Until I say so", now()).expect("it is theirs");
    assert!(!order.release_with_account());
    assert_eq!(order.hold_note, "Until I say so");
    order.release().expect("released");
    order.hold(HoldReason::Fraud, "", now()).expect("held");
    assert!(!order.hold_with_account("Overdue", now()) && !order.release_with_account());
    order.release().expect("released");
    order.deliver([("1", whole(10))]).expect("delivered");
    assert!(!order.hold_with_account("Overdue", now()), "nothing is left to be delivered");
}

/// DOC-04: an order of which nothing is left is cancelled, and one of which something left is not.
#[test]
fn an_order_is_cancelled_before_anything_has_left() {
    let mut order = confirmed(InvoicingPolicy::Ordered);
    assert_eq!(reason(order.cancel(" ", now())), "REQUIRED");
    assert_eq!(reason(order.close(now())), "ORDER_NOT_FULFILLED");
    order.deliver([("1", whole(1))]).expect("delivered");
    assert_eq!(reason(order.cancel("Not wanted", now())), "ORDER_IN_FULFILMENT");
    order.take_back([("1", whole(1))]).expect("voided");
    order.cancel("Not wanted", now()).expect("cancelled");
    assert_eq!((order.state, order.next_promised_date), (State::Cancelled, None));
    assert_eq!(order.delivery_status, DeliveryStatus::NotApplicable);
    assert_eq!(reason(order.cancel("Again", now())), "ORDER_ENDED");
    assert_eq!(reason(order.hold(HoldReason::Manual, "", now())), "ORDER_ENDED");

    let mut order = confirmed(InvoicingPolicy::Ordered);
    let all = [("1".to_owned(), whole(10)), ("2".to_owned(), whole(1))];
    order.cancel_lines(&all, now()).expect("nothing is left");
    assert_eq!((order.state, order.end_time), (State::Cancelled, Some(now())));
}

/// DOC-13: the next promise is told by the order, until it is broken or kept.
#[test]
fn the_next_promise_is_known() {
    let mut order = confirmed(InvoicingPolicy::Ordered);
    assert_eq!(order.next_promised_date, Some(day(10)));
    order.deliver([("1", whole(10))]).expect("delivered");
    assert_eq!(order.next_promised_date, Some(day(10)), "it has not arrived");
    let late = order.arrive([("1", whole(3))], day(12)).expect("arrived");
    assert_eq!(late.len(), 1);
    assert_eq!(order.next_promised_date, None, "it is told");
    assert!(order.break_promises(day(20)).is_empty());
}
