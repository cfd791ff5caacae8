//! A payment and the documents it is for: neither side gives more than it has.

use proptest::prelude::*;
use trato_types::{Date, Minor};

use super::{DOCUMENTS, cases, euro, properties::sum};
use crate::{Allocation, OpenDocument, allocate, allocate_oldest_first};

proptest! {
    #![proptest_config(cases(DOCUMENTS))]

    #[test]
    fn allocations_never_exceed_either_side(
        payment in -2_000_i64..5_000,
        open in prop::collection::vec((-500_i64..2_000, 1..5_u32), 0..8),
    ) {
        let documents: Vec<_> = open
            .iter()
            .enumerate()
            .map(|(at, (open, days))| OpenDocument {
                key: at.to_string().into(),
                due_date: Date::from_ymd_opt(2026, 1, *days).expect("a day"),
                open: Minor(*open),
            })
            .collect();

        let allocated =
            allocate_oldest_first(euro(), Minor(payment), &documents).expect("it is small");

        let given: i64 = sum(allocated.allocations.iter().map(|allocation| allocation.amount));
        prop_assert_eq!(given + allocated.left.0, payment);
        prop_assert!(allocated.left.0.signum() == payment.signum() || allocated.left.0 == 0);
        let rest = allocated.still_open(&documents).expect("it is small");
        for (before, after) in documents.iter().zip(&rest) {
            prop_assert!(after.open.0.abs() <= before.open.0.abs());
            prop_assert!(after.open.0.signum() == before.open.0.signum() || after.open.0 == 0);
        }
        let unpaid = rest.iter().any(|one| one.open.0.signum() == payment.signum() && one.open.0 != 0);
        prop_assert!(!unpaid || allocated.left.0 == 0, "something is left on both sides");
    }
}

#[test]
fn allocations_that_somebody_made_are_checked_against_both_sides() {
    let due_date = Date::from_ymd_opt(2026, 1, 31).expect("a day");
    let open = |key: &str, open| OpenDocument { key: key.into(), due_date, open: Minor(open) };
    let documents = [open("a", 100), open("b", 50), open("credit", -30)];
    let wish = |key: &str, amount| Allocation { key: key.into(), amount: Minor(amount) };
    let reasons = |payment, wishes: &[Allocation]| -> Vec<&'static str> {
        match allocate(euro(), Minor(payment), &documents, wishes) {
            Ok(_) => vec![],
            Err(error) => error.violations().iter().map(|fault| fault.reason).collect(),
        }
    };

    assert_eq!(reasons(150, &[wish("a", 100), wish("b", 50)]), Vec::<&str>::new());
    assert_eq!(reasons(200, &[wish("a", 101)]), ["ALLOCATION_EXCEEDS_DOCUMENT"]);
    assert_eq!(reasons(120, &[wish("a", 100), wish("b", 50)]), ["ALLOCATION_EXCEEDS_PAYMENT"]);
    assert_eq!(
        reasons(120, &[wish("a", -1), wish("credit", -30)]),
        ["ALLOCATION_EXCEEDS_DOCUMENT", "ALLOCATION_EXCEEDS_PAYMENT",]
    );
    assert_eq!(
        reasons(200, &[wish("a", 1), wish("a", 1), wish("x", 1)]),
        ["DUPLICATE_LINE_KEY", "UNKNOWN_LINE_KEY",]
    );
    assert_eq!(reasons(-30, &[wish("credit", -30)]), Vec::<&str>::new());
}
