//! A payment and the documents it is for: neither side gives more than it has.

use proptest::prelude::*;
use trato_types::{Date, Minor};

use super::{cases, euro, properties::sum};
use crate::{Allocated, Allocation, OpenDocument, allocate, allocate_oldest_first};

/// Documents with so much open, each due on its day of a month.
fn open_documents(open: &[(i64, u32)]) -> Vec<OpenDocument> {
    let document = |(at, (open, day)): (usize, &(i64, u32))| OpenDocument {
        key: at.to_string().into(),
        due_date: Date::from_ymd_opt(2026, 1, *day).expect("a day"),
        open: Minor(*open),
    };
    open.iter().enumerate().map(document).collect()
}

/// Neither the payment nor any document gives more than it has, or anything of the other sign.
fn assert_within_both(
    payment: i64,
    documents: &[OpenDocument],
    allocated: &Allocated,
) -> Result<Vec<OpenDocument>, TestCaseError> {
    let given = sum(allocated.allocations.iter().map(|allocation| allocation.amount));
    prop_assert_eq!(given + allocated.left.0, payment);
    prop_assert!(allocated.left.0.abs() <= payment.abs());
    prop_assert!(allocated.left.0.signum() == payment.signum() || allocated.left.0 == 0);
    let rest = allocated.still_open(documents).expect("it is small");
    let before = sum(documents.iter().map(|document| document.open));
    prop_assert_eq!(before - sum(rest.iter().map(|document| document.open)), given);
    for (before, after) in documents.iter().zip(&rest) {
        prop_assert!(after.open.0.abs() <= before.open.0.abs());
        prop_assert!(after.open.0.signum() == before.open.0.signum() || after.open.0 == 0);
    }
    Ok(rest)
}

proptest! {
    #![proptest_config(cases(1))]

    #[test]
    fn allocations_never_exceed_either_side(
        payment in -2_000_i64..5_000,
        open in prop::collection::vec((-500_i64..2_000, 1..5_u32), 0..8),
    ) {
        let documents = open_documents(&open);

        let allocated =
            allocate_oldest_first(euro(), Minor(payment), &documents).expect("it is small");

        let rest = assert_within_both(payment, &documents, &allocated)?;
        let unpaid = rest.iter().any(|one| one.open.0.signum() == payment.signum() && one.open.0 != 0);
        prop_assert!(!unpaid || allocated.left.0 == 0, "something is left on both sides");
    }

    /// Whatever somebody asks for: it is refused, or neither side gives more than it has and each gets what was asked for.
    #[test]
    fn what_somebody_asks_for_never_exceeds_either_side(
        payment in -1_000_i64..8_000,
        open in prop::collection::vec((-200_i64..2_000, 1..5_u32), 1..8),
        wishes in prop::collection::vec((0..8_usize, 0..=1_050_i64), 1..5),
    ) {
        let documents = open_documents(&open);
        // Thousandths of what a document has open, and sometimes more than there is.
        let wish = |(place, share): &(usize, i64)| {
            let document = &documents[place % documents.len()];
            Allocation { key: document.key.clone(), amount: Minor(document.open.0 * share / 1_000) }
        };
        let wanted: Vec<Allocation> = wishes.iter().map(wish).collect();
        let open_of = |wish: &Allocation| {
            documents.iter().find(|document| document.key == wish.key).map_or(0, |document| document.open.0)
        };
        let count = |wish: &Allocation| wanted.iter().filter(|other| other.key == wish.key).count();
        let total = sum(wanted.iter().map(|wish| wish.amount));
        let fits = total.abs() <= payment.abs()
            && wanted.iter().all(|wish| {
                let amount = wish.amount.0;
                let is_of_payment = amount == 0 || amount.signum() == payment.signum();
                is_of_payment && amount.abs() <= open_of(wish).abs() && count(wish) == 1
            });
        let told = |all: &[Allocation]| -> Vec<Allocation> {
            all.iter().filter(|one| one.amount.0 != 0).cloned().collect()
        };

        match allocate(euro(), Minor(payment), &documents, &wanted) {
            Ok(allocated) => {
                prop_assert!(fits, "{:?} of {} over {:?}", wanted, payment, documents);
                assert_within_both(payment, &documents, &allocated)?;
                prop_assert_eq!(told(&allocated.allocations), told(&wanted));
            }
            Err(error) => prop_assert!(!fits, "{}: {:?} of {} over {:?}", error, wanted, payment, documents),
        }
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
