//! The truth table of order statuses, row by row, and what holds for every ledger.

use proptest::prelude::*;

use super::{DeliveryStatus as Delivery, InvoiceStatus as Invoice, InvoicingPolicy as Policy, *};

fn whole(number: i64) -> Quantity {
    Quantity::whole(number).expect("a quantity")
}

fn percent(text: &str) -> Percent {
    text.parse().expect("a percentage")
}

/// A line of `[ordered, cancelled, delivered, returned, invoiced, credited]`; all that left has arrived.
fn entry(numbers: [i64; 6]) -> Entry {
    let [ordered, cancelled, delivered, returned, invoiced, credited] = numbers.map(whole);
    let arrived = delivered;
    let new = Entry::new("1".to_owned(), ordered, true);
    Entry { cancelled, delivered, arrived, returned, invoiced, credited, ..new }
}

fn fee(numbers: [i64; 6]) -> Entry {
    Entry { deliverable: false, ..entry(numbers) }
}

fn invoiced(entry: &Entry, policy: Policy) -> Invoice {
    entry.invoice_status(policy, Percent::HUNDRED)
}

/// DOC-04: the delivery half of the truth table, row by row.
#[test]
fn a_line_has_the_delivery_status_of_the_table() {
    for (entry, status) in [
        (fee([5, 0, 0, 0, 0, 0]), Delivery::NotApplicable),
        (entry([5, 5, 0, 0, 0, 0]), Delivery::NotApplicable),
        (entry([5, 0, 0, 0, 0, 0]), Delivery::None),
        (entry([5, 2, 0, 0, 0, 0]), Delivery::None),
        (entry([5, 0, 3, 0, 0, 0]), Delivery::Partial),
        (entry([5, 0, 5, 2, 0, 0]), Delivery::Partial),
        (entry([5, 0, 5, 0, 0, 0]), Delivery::Full),
        (entry([5, 2, 3, 0, 0, 0]), Delivery::Full),
        (entry([5, 0, 6, 1, 0, 0]), Delivery::Full),
        (entry([5, 0, 6, 0, 0, 0]), Delivery::Over),
        (entry([5, 5, 1, 0, 0, 0]), Delivery::Over),
        (entry([5, 0, 5, 5, 0, 0]), Delivery::Returned),
        (entry([5, 5, 2, 2, 0, 0]), Delivery::Returned),
    ] {
        assert_eq!(entry.delivery_status(), status, "{entry:?}");
    }
}

/// DOC-04: the invoicing half of the truth table, row by row.
#[test]
fn a_line_has_the_invoice_status_of_the_table() {
    use Policy::{Delivered, Ordered, Prepaid};
    for (policy, entry, status) in [
        (Ordered, entry([5, 5, 0, 0, 0, 0]), Invoice::NothingToInvoice),
        (Delivered, entry([5, 0, 0, 0, 0, 0]), Invoice::NothingToInvoice),
        (Ordered, entry([5, 0, 0, 0, 0, 0]), Invoice::ToInvoice),
        (Prepaid, entry([5, 0, 0, 0, 0, 0]), Invoice::ToInvoice),
        (Delivered, entry([5, 0, 2, 0, 0, 0]), Invoice::ToInvoice),
        (Ordered, entry([5, 0, 5, 0, 5, 5]), Invoice::ToInvoice),
        (Ordered, entry([5, 0, 0, 0, 3, 0]), Invoice::Partial),
        (Delivered, entry([5, 0, 4, 0, 3, 1]), Invoice::Partial),
        (Ordered, entry([5, 0, 0, 0, 5, 0]), Invoice::Invoiced),
        (Delivered, entry([5, 0, 2, 0, 2, 0]), Invoice::Invoiced),
        (Ordered, entry([5, 2, 0, 0, 5, 0]), Invoice::ToCredit),
        (Delivered, entry([5, 0, 5, 1, 5, 0]), Invoice::ToCredit),
        (Delivered, entry([5, 0, 0, 0, 1, 0]), Invoice::ToCredit),
        (Delivered, entry([5, 0, 5, 5, 5, 5]), Invoice::Credited),
        (Ordered, entry([5, 5, 0, 0, 5, 5]), Invoice::Credited),
        // A fee is never delivered, so that what is ordered of it is invoiced.
        (Delivered, fee([1, 0, 0, 0, 0, 0]), Invoice::ToInvoice),
    ] {
        assert_eq!(invoiced(&entry, policy), status, "{policy:?} {entry:?}");
    }
}

/// DOC-04: milestones release a share of what is ordered, rounded once; nothing of it is invoiced before.
#[test]
fn milestones_release_a_share() {
    let three = |billed| entry([3, 0, 0, 0, billed, 0]);
    for (released, billed, basis, status) in [
        ("0", 0, "0", Invoice::NothingToInvoice),
        ("50", 0, "1.5", Invoice::ToInvoice),
        ("50", 1, "1.5", Invoice::Partial),
        ("50", 2, "1.5", Invoice::ToCredit),
        ("33.333333", 1, "1", Invoice::Invoiced),
        ("100", 3, "3", Invoice::Invoiced),
    ] {
        let entry = three(billed);
        assert_eq!(entry.basis(Policy::Milestone, percent(released)).to_string(), basis);
        assert_eq!(entry.invoice_status(Policy::Milestone, percent(released)), status, "{released} {billed}");
    }
}

/// DOC-04: the three cases that systems of this kind went back and forth on.
#[test]
fn the_contested_cases_come_out_right() {
    // Delivered short without a back-order: the rest is cancelled.
    let short = entry([10, 3, 7, 0, 7, 0]);
    assert_eq!(short.delivery_status(), Delivery::Full);
    assert_eq!(invoiced(&short, Policy::Ordered), Invoice::Invoiced);
    assert_eq!(invoiced(&short, Policy::Delivered), Invoice::Invoiced);
    // All of it came back, and it was never invoiced.
    let never = entry([10, 0, 10, 10, 0, 0]);
    assert_eq!(never.delivery_status(), Delivery::Returned);
    assert_eq!(invoiced(&never, Policy::Delivered), Invoice::NothingToInvoice);
    // Invoiced, returned and credited.
    let credited = entry([10, 0, 10, 10, 10, 10]);
    assert_eq!(invoiced(&credited, Policy::Delivered), Invoice::Credited);
}

fn ledger(entries: Vec<Entry>) -> Ledger {
    let numbered = |(at, entry): (usize, Entry)| Entry { line: (at + 1).to_string(), ..entry };
    Ledger(entries.into_iter().enumerate().map(numbered).collect())
}

/// DOC-04: an order is as its lines are, without those that have nothing to say.
#[test]
fn an_order_folds_its_lines() {
    let (none, partial) = (entry([5, 0, 0, 0, 0, 0]), entry([5, 0, 2, 0, 2, 0]));
    let (full, over) = (entry([5, 0, 5, 0, 5, 0]), entry([5, 0, 6, 0, 6, 0]));
    let (back, gone) = (entry([5, 0, 5, 5, 5, 5]), entry([5, 5, 0, 0, 0, 0]));
    for (lines, delivery, invoice) in [
        (vec![], Delivery::NotApplicable, Invoice::NothingToInvoice),
        (vec![&gone, &gone], Delivery::NotApplicable, Invoice::NothingToInvoice),
        (vec![&none, &gone], Delivery::None, Invoice::NothingToInvoice),
        (vec![&full, &gone, &full], Delivery::Full, Invoice::Invoiced),
        (vec![&full, &none], Delivery::Partial, Invoice::Invoiced),
        (vec![&full, &back], Delivery::Partial, Invoice::Partial),
        (vec![&partial, &partial], Delivery::Partial, Invoice::Invoiced),
        (vec![&none, &over, &full], Delivery::Over, Invoice::Invoiced),
        (vec![&back, &back, &gone], Delivery::Returned, Invoice::Credited),
    ] {
        let ledger = ledger(lines.into_iter().cloned().collect());
        assert_eq!(ledger.delivery_status(), delivery, "{ledger:?}");
        assert_eq!(ledger.invoice_status(Policy::Delivered, Percent::ZERO), invoice, "{ledger:?}");
    }
    let too_much = ledger(vec![entry([5, 0, 5, 1, 5, 0]), none]);
    assert_eq!(too_much.invoice_status(Policy::Delivered, Percent::ZERO), Invoice::ToCredit);
}

/// DOC-04: what does not fit is refused with what is left, and changes nothing.
#[test]
fn quantities_move_only_as_far_as_they_go() {
    let mut ledger = ledger(vec![entry([10, 0, 4, 0, 0, 0]), fee([1, 0, 0, 0, 0, 0])]);
    let before = ledger.clone();
    let refusals = [
        (ledger.deliver("1", whole(7)), "OVER_DELIVERY", "6"),
        (ledger.cancel("1", whole(7)), "OVER_CANCELLED", "6"),
        (ledger.give_back("1", whole(5)), "OVER_RETURNED", "4"),
        (ledger.take_back("1", whole(1)), "OVER_RETURNED", "0"),
        (ledger.arrive("1", whole(1)), "OVER_DELIVERY", "0"),
    ];
    for (refused, reason, left) in refusals {
        let error = refused.expect_err("too much");
        assert_eq!(error.reason(), reason);
        assert!(error.metadata().contains(&("left", left.to_owned())), "{:?}", error.metadata());
    }
    assert_eq!(ledger.deliver("2", whole(1)).expect_err("a fee").reason(), "NOT_DELIVERABLE");
    assert_eq!(ledger.deliver("9", whole(1)).expect_err("none").reason(), "ORDER_LINE_NOT_FOUND");
    assert_eq!(ledger, before);
    assert!(!ledger.bill("9", whole(1), whole(0)), "not ours");
    assert!(ledger.bill("1", whole(99), whole(0)), "what billing did is recorded, whatever it is");
    assert!(!ledger.bill("1", whole(99), whole(0)), "nothing new");
}

/// What came back makes room: it can be delivered again.
#[test]
fn what_came_back_is_replaced() {
    let mut ledger = ledger(vec![entry([2, 0, 2, 0, 0, 0])]);
    assert!(ledger.is_fulfilled());
    ledger.give_back("1", whole(1)).expect("one comes back");
    assert_eq!(ledger.delivery_status(), Delivery::Partial);
    let mut repaired = ledger.clone();
    repaired.hand_back("1", whole(1)).expect("it goes back");
    assert_eq!(repaired.delivery_status(), Delivery::Full);
    ledger.deliver("1", whole(1)).expect("one is sent again");
    assert_eq!(ledger.delivery_status(), Delivery::Full);
    assert_eq!(ledger.hand_back("1", whole(1)).expect_err("it was replaced").reason(), "OVER_DELIVERY");
    ledger.refund("1", whole(1)).expect("the money goes back, too");
    assert_eq!((ledger.0[0].cancelled, ledger.delivery_status()), (whole(0), Delivery::Full));
}

/// DOC-09: what came back and was cancelled by hand meanwhile is refunded all the same, and cancelled once.
#[test]
fn what_is_cancelled_already_is_refunded() {
    let mut ledger = ledger(vec![entry([5, 0, 5, 0, 0, 0])]);
    ledger.give_back("1", whole(3)).expect("three come back");
    ledger.cancel("1", whole(2)).expect("two of them are not wanted");
    ledger.refund("1", whole(3)).expect("all three are refunded");
    assert_eq!((ledger.0[0].cancelled, ledger.is_fulfilled()), (whole(3), true));
    assert_eq!(ledger.refund("1", whole(4)).expect_err("three came back").reason(), "OVER_RETURNED");
}

/// DOC-09: what is refunded is not wanted any more, and is credited, whatever was to be invoiced.
#[test]
fn what_is_refunded_is_not_delivered_again() {
    for policy in [Policy::Ordered, Policy::Delivered, Policy::Prepaid] {
        let mut ledger = ledger(vec![entry([3, 0, 3, 0, 3, 0])]);
        let status = |ledger: &Ledger| ledger.invoice_status(policy, Percent::ZERO);
        ledger.give_back("1", whole(2)).expect("two come back");
        assert!(!ledger.is_fulfilled(), "until it is known whether they are replaced");
        ledger.refund("1", whole(2)).expect("they are not");
        assert_eq!((ledger.is_fulfilled(), ledger.0[0].open()), (true, whole(0)));
        assert_eq!((ledger.delivery_status(), status(&ledger)), (Delivery::Full, Invoice::ToCredit));
        ledger.bill("1", whole(3), whole(2));
        assert_eq!(status(&ledger), Invoice::Invoiced);
        ledger.give_back("1", whole(1)).expect("the last one comes back");
        ledger.refund("1", whole(1)).expect("it is not replaced");
        assert_eq!((ledger.delivery_status(), status(&ledger)), (Delivery::Returned, Invoice::ToCredit));
        ledger.bill("1", whole(3), whole(3));
        assert_eq!((status(&ledger), ledger.is_fulfilled()), (Invoice::Credited, true));
    }
}

/// DOC-04, DOC-13: what was delivered and came back is neither fulfilled nor kept; what all arrived was.
#[test]
fn what_came_back_does_not_count() {
    let day = |day| Date::from_ymd_opt(2026, 12, day).expect("a day");
    let promised = Entry { promised_date: Some(day(10)), ..entry([10, 0, 5, 0, 0, 0]) };
    let mut again = ledger(vec![promised.clone()]);
    again.give_back("1", whole(5)).expect("it comes back");
    again.deliver("1", whole(5)).expect("others are sent");
    again.arrive("1", whole(5)).expect("they arrive");
    assert_eq!((again.is_fulfilled(), again.next_promise()), (false, Some(day(10))));
    assert_eq!(again.break_promises(day(11)).len(), 1);

    let all = Entry { delivered: whole(10), arrived: whole(10), ..promised };
    let mut kept = ledger(vec![all]);
    kept.give_back("1", whole(5)).expect("it comes back");
    assert_eq!((kept.is_fulfilled(), kept.next_promise()), (false, None));
    assert_eq!(kept.break_promises(day(31)), []);
}

/// DOC-13: a promise is open until all of it has arrived, and broken once.
#[test]
fn a_promise_is_broken_once() {
    let day = |day| Date::from_ymd_opt(2026, 12, day).expect("a day");
    let promised = Entry { promised_date: Some(day(10)), ..entry([4, 0, 2, 0, 0, 0]) };
    let mut late = ledger(vec![promised.clone(), entry([1, 0, 0, 0, 0, 0])]);
    assert_eq!(late.next_promise(), Some(day(10)));
    assert_eq!(late.break_promises(day(10)), [], "the day itself is in time");
    let broken = BrokenPromise { line: "1".to_owned(), promised_date: day(10), delivery_date: None };
    assert_eq!(late.break_promises(day(11)), std::slice::from_ref(&broken));
    assert_eq!((late.break_promises(day(12)), late.next_promise()), (Vec::new(), None));
    assert_eq!(late.come_late("1", day(12)).expect("a line"), None, "it was told");

    let mut arriving = ledger(vec![promised.clone()]);
    assert_eq!(arriving.come_late("1", day(10)).expect("a line"), None);
    let broken = BrokenPromise { delivery_date: Some(day(12)), ..broken };
    assert_eq!(arriving.come_late("1", day(12)).expect("a line"), Some(broken));

    let kept = Entry { delivered: whole(4), arrived: whole(4), ..promised.clone() };
    let gone = Entry { cancelled: whole(2), ..promised };
    assert_eq!(ledger(vec![kept, gone]).break_promises(day(31)), []);
}

#[derive(Clone, Copy, Debug)]
enum Move {
    Cancel(i64),
    Deliver(i64),
    TakeBack(i64),
    Arrive(i64),
    GiveBack(i64),
    HandBack(i64),
    Refund(i64),
    Bill(i64, i64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        (1..8_i64).prop_map(Move::Cancel),
        (1..8_i64).prop_map(Move::Deliver),
        (1..8_i64).prop_map(Move::TakeBack),
        (1..8_i64).prop_map(Move::Arrive),
        (1..8_i64).prop_map(Move::GiveBack),
        (1..8_i64).prop_map(Move::HandBack),
        (1..8_i64).prop_map(Move::Refund),
        (0..20_i64, 0..20_i64).prop_map(|(invoiced, credited)| Move::Bill(invoiced, credited)),
    ];
    prop::collection::vec(one, 0..40)
}

fn policies() -> impl Strategy<Value = Policy> {
    let all = [Policy::Ordered, Policy::Delivered, Policy::Milestone, Policy::Prepaid];
    prop::sample::select(all.to_vec())
}

proptest! {
    /// DOC-04: however quantities move, none is below zero and nothing is delivered beyond what is wanted.
    #[test]
    fn no_way_leads_beyond_what_is_ordered(ordered in 1..20_i64, moves in moves()) {
        let mut ledger = ledger(vec![entry([ordered, 0, 0, 0, 0, 0])]);
        for one in moves {
            let before = ledger.clone();
            let done = match one {
                Move::Cancel(by) => ledger.cancel("1", whole(by)),
                Move::Deliver(by) => ledger.deliver("1", whole(by)),
                Move::TakeBack(by) => ledger.take_back("1", whole(by)),
                Move::Arrive(by) => ledger.arrive("1", whole(by)),
                Move::GiveBack(by) => ledger.give_back("1", whole(by)),
                Move::HandBack(by) => ledger.hand_back("1", whole(by)),
                Move::Refund(by) => ledger.refund("1", whole(by)),
                Move::Bill(invoiced, credited) => {
                    ledger.bill("1", whole(invoiced), whole(credited));
                    Ok(())
                }
            };
            if done.is_err() {
                prop_assert_eq!(&before, &ledger);
            }
            let entry = &ledger.0[0];
            let zero = Quantity::ZERO;
            prop_assert!(entry.cancelled >= zero && entry.cancelled <= entry.ordered);
            prop_assert!(entry.returned >= zero && entry.returned <= entry.arrived);
            prop_assert!(entry.arrived <= entry.delivered);
            prop_assert!(entry.kept() <= entry.wanted());
            prop_assert!(entry.delivery_status() != Delivery::Over);
        }
    }

    /// DOC-04: every line has exactly the one status whose row of the table fits, whatever its quantities are.
    #[test]
    fn exactly_one_row_of_the_table_fits(
        numbers in prop::array::uniform6(0..4_i64), deliverable: bool, policy in policies(), released in 0..101_i64,
    ) {
        // Cancelled beyond ordered, returned beyond delivered and the like cannot come about.
        let [a, b, c, d, e, f] = numbers;
        let numbers = [a.max(b), a.min(b), c.max(d), c.min(d), e.max(f), e.min(f)];
        let entry = Entry { deliverable, ..entry(numbers) };
        let released = percent(&released.to_string());
        let zero = Quantity::ZERO;
        let (n, d, dn) = (entry.wanted(), entry.delivered, entry.kept());
        let applies = deliverable && !(n == zero && d == zero);
        let rows = [
            (Delivery::NotApplicable, !applies),
            (Delivery::None, applies && n > zero && d == zero),
            (Delivery::Partial, applies && zero < dn && dn < n),
            (Delivery::Full, applies && dn == n && n > zero),
            (Delivery::Over, applies && dn > n),
            (Delivery::Returned, applies && d > zero && dn == zero),
        ];
        let fits: Vec<_> = rows.iter().filter(|(_, fits)| *fits).map(|(status, _)| *status).collect();
        prop_assert_eq!(fits, vec![entry.delivery_status()]);

        let (b, i, bn) = (entry.basis(policy, released), entry.invoiced, entry.billed());
        let rows = [
            (Invoice::NothingToInvoice, b == zero && i == zero),
            (Invoice::ToInvoice, b > zero && bn == zero),
            (Invoice::Partial, zero < bn && bn < b),
            (Invoice::Invoiced, bn == b && b > zero),
            (Invoice::ToCredit, bn > b),
            (Invoice::Credited, b == zero && i > zero && bn == zero),
        ];
        let fits: Vec<_> = rows.iter().filter(|(_, fits)| *fits).map(|(status, _)| *status).collect();
        prop_assert_eq!(fits, vec![entry.invoice_status(policy, released)]);
        prop_assert!(b >= zero && b <= n.max(dn));
    }

    /// The status of an order does not depend on the order of its lines, and lines that have nothing to say change
    /// nothing.
    #[test]
    fn the_order_of_lines_is_irrelevant(
        lines in prop::collection::vec(prop::array::uniform6(0..4_i64), 0..5), policy in policies(),
    ) {
        let mut entries: Vec<_> = lines.into_iter().map(entry).collect();
        let both = |entries: &[Entry]| {
            let ledger = ledger(entries.to_vec());
            (ledger.delivery_status(), ledger.invoice_status(policy, Percent::HUNDRED))
        };
        let status = both(&entries);
        entries.reverse();
        prop_assert_eq!(status, both(&entries));
        entries.push(entry([3, 3, 0, 0, 0, 0]));
        prop_assert_eq!(status, both(&entries));
    }
}
