//! What is due and was rounded to what can be paid in cash, credited in parts.

use proptest::prelude::*;
use rust_decimal::Decimal;
use trato_types::Minor;

use super::{cases, currency, document, line, priced, quantity, vat};
use crate::{Balance, Credit, CreditRequest, Document, Percent, Portion, Prices, Quantity, Tax, TaxCategory};

/// A document in francs whose due amount is rounded to a multiple of so many rappen.
fn francs(smallest: i64, lines: &[(i64, i64, &str)]) -> Document {
    let lines = lines.iter().enumerate().map(|(at, (amount, cents, rate))| {
        let price = format!("{}.{:02}", cents / 100, cents % 100);
        line(&at.to_string(), &amount.to_string(), &price, tax(rate))
    });
    Document { currency: currency("CHF"), smallest_payment: Minor(smallest), ..document(lines) }
}

fn tax(rate: &str) -> Tax {
    if rate == "0" { Tax::new("VAT", TaxCategory::Zero, Percent::ZERO) } else { vat(rate) }
}

fn by_quantity(at: usize, text: &str) -> CreditRequest {
    CreditRequest { key: at.to_string().as_str().into(), portion: Portion::Quantity(quantity(text)) }
}

fn by_gross(cents: i64) -> CreditRequest {
    CreditRequest { key: "0".into(), portion: Portion::Gross(Minor(cents)) }
}

/// Gross, rounding and due of a credit.
fn brief(credit: &Credit) -> [i64; 3] {
    [credit.gross.0, credit.rounding.0, credit.due.0]
}

/// DOC-06: 10.02 are to be paid as 10.00. Whoever gives back 10.01 and then the last rappen gives back 10.00 in all: what is
/// left after the first can be paid, and the last is not below zero.
#[test]
fn the_last_credit_of_a_rounded_document_is_not_below_zero() {
    let left = Balance::of(&priced(&francs(5, &[(1, 1_002, "0")])), Some(Minor(5)));

    let (most, left) = left.credit(&[by_gross(1_001)]).expect("there is enough");
    let (last, left) = left.credit_rest().expect("there is what is left");

    assert_eq!((brief(&most), brief(&last)), ([1_001, -1, 1_000], [1, -1, 0]));
    assert!(left.is_zero());
}

/// DOC-06: thirds of 10.02, paid as 10.00: what is left after each can be paid, and together they are what was due.
#[test]
fn what_is_left_of_a_rounded_document_can_be_paid() {
    let mut left = Balance::of(&priced(&francs(5, &[(3, 310, "7.7")])), Some(Minor(5)));
    let due = left.due().expect("it is small");
    let mut credits = Vec::new();
    let mut rests = vec![due.0];
    for _ in 0..3 {
        let (credit, rest) = left.credit(&[by_quantity(0, "1")]).expect("there is one");
        rests.push(rest.due().expect("it is small").0);
        credits.push(brief(&credit));
        left = rest;
    }

    assert_eq!(rests, [1_000, 670, 335, 0]);
    assert_eq!(credits, [[334, -4, 330], [334, 1, 335], [334, 1, 335]]);
    assert!(left.is_zero());
}

/// Where nothing is rounded to what can be paid, nothing of it is said.
#[test]
fn the_trace_tells_of_a_rounding() {
    let of = |smallest| {
        let whole = Balance::of(&priced(&francs(smallest, &[(1, 1_002, "0")])), Some(Minor(smallest)));
        whole.credit_rest().expect("there is what is left").0.trace.sentences()
    };

    let said = "document: what is due, rounded to the smallest amount that can be paid: smallest 0.05 CHF = -0.02 CHF";
    assert_eq!(of(5).last().map(String::as_str), Some(said));
    assert!(of(1).iter().all(|sentence| !sentence.contains("smallest")));
}

/// DOC-06: credits once left the rounding for the last of them. What then was given back beyond what was due, that one takes back, in
/// the base currency too; and of a rest that nobody can pay, the next one leaves what can be paid.
#[test]
fn a_rounding_that_was_left_for_the_last_credit_is_put_right_by_the_next() {
    let priced = priced(&francs(5, &[(1, 1_002, "0")]));
    let whole = Balance::of(&priced, Some(Minor(5)));
    let base = priced.convert(currency("EUR"), "0.9137".parse().expect("a rate")).expect("it is small");
    let base = base.balance(&priced);
    let once = |cents| {
        let (credit, left) = whole.credit(&[by_gross(cents)]).expect("there is enough");
        let (_, base_left) = base.credit_alike(&whole, &credit).expect("it is alike");
        let left = Balance { rounding: whole.rounding, ..left };
        (left, Balance { rounding: base.rounding, ..base_left })
    };

    let (left, base_left) = once(1_001);
    let (last, rest) = left.credit_rest().expect("there is what is left");
    let (_, base_rest) = base_left.credit_alike(&left, &last).expect("it is alike");
    let (between, _) = once(501);
    let (next, payable) = between.credit(&[by_gross(1)]).expect("there is enough");

    assert_eq!((left.due(), brief(&last)), (Ok(Minor(-1)), [1, -2, -1]));
    assert!(rest.is_zero() && base_rest.is_zero(), "{rest:?} {base_rest:?}");
    assert_eq!((between.due(), brief(&next), payable.due()), (Ok(Minor(499)), [1, -2, -1], Ok(Minor(500))));
}

/// Quantity, cents for one, and rate.
fn lines() -> impl Strategy<Value = Vec<(i64, i64, &'static str)>> {
    let rates = prop::sample::select(vec!["0", "2.6", "7.7", "8.1", "21"]);
    prop::collection::vec((1..20_i64, 0..5_000_i64, rates), 1..=3)
}

proptest! {
    #![proptest_config(cases(1))]

    /// DOC-06: whatever quantities are credited in whatever parts, no credit takes more than is due or less than nothing, what is
    /// left can be paid, and at the end nothing is left of any amount, in the base currency either.
    #[test]
    fn credits_of_all_quantities_end_at_zero_due(
        lines in lines(),
        smallest in prop::sample::select(vec![1_i64, 5, 10, 25, 50, 100]),
        inclusive in any::<bool>(),
        rate in 1_u32..20_000,
        parts in prop::collection::vec((0..3_usize, 1..1_000_i64), 0..8),
    ) {
        let mut document = francs(smallest, &lines);
        document.prices = if inclusive { Prices::TaxInclusive } else { Prices::Net };
        let priced = priced(&document);
        let rate = format!("{}.{:04}", rate / 10_000, rate % 10_000).parse().expect("a rate");
        let base = priced.convert(currency("EUR"), rate).expect("it is small");
        let mut left = Balance::of(&priced, Some(document.smallest_payment));
        let mut base_left = base.balance(&priced);
        let (mut due, mut base_due) = (0, 0);
        let parts = parts.into_iter().map(|(at, share)| (at % lines.len(), Some(share)));
        // What the parts leave is credited line by line, by its quantity as well.
        for (at, share) in parts.chain((0..lines.len()).map(|at| (at, None))) {
            let rest = Decimal::from(left.items[at].quantity);
            let part = rest * Decimal::new(share.unwrap_or(1_000), 3);
            let part = Quantity::try_from(part.trunc_with_scale(6)).expect("a part");
            let request = CreditRequest {
                key: at.to_string().as_str().into(),
                portion: Portion::Quantity(part),
            };
            let before = left.due().expect("it is small");
            let (credit, rest) = left.credit(&[request]).expect("there is enough");
            let (base_credit, base_rest) = base_left.credit_alike(&left, &credit).expect("it is alike");
            prop_assert!(credit.due.0 >= 0 && credit.due <= before, "{credit:?} of {before:?}");
            prop_assert!(base_credit.due.0 >= 0, "{base_credit:?}");
            prop_assert!(credit.rounding.0.abs() < smallest.max(1), "{credit:?}");
            prop_assert_eq!(rest.due().expect("it is small").0 % smallest, 0);
            (due, base_due) = (due + credit.due.0, base_due + base_credit.due.0);
            (left, base_left) = (rest, base_rest);
        }

        prop_assert!(left.items.iter().all(|item| item.quantity.is_zero()));
        prop_assert!(left.is_zero() && base_left.is_zero(), "{left:?} {base_left:?}");
        prop_assert_eq!((due, base_due), (priced.totals.due.0, base.due.0));
    }
}
