//! What has no meaning is refused with a reason and a place; what is merely large is computed. Nothing panics.

use proptest::prelude::*;
use trato_types::{Currency, Minor};

use super::{currency, document, euro, line, percent, priced, vat};
use crate::{
    Adjustment, Balance, Charge, Document, DocumentDiscount, Line, Percent, Prices, Quantity, Tax,
    TaxCategory, Value, Withholding,
};

/// Field and reason of every violation.
fn faults(document: &Document) -> Vec<(String, &'static str)> {
    let error = document.price().expect_err("it is wrong");
    error.violations().iter().map(|fault| (fault.field.clone(), fault.reason)).collect()
}

fn fault_of(document: &Document) -> (String, &'static str) {
    faults(document).swap_remove(0)
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let mut wrong = Document {
        lines: vec![
            line("a", "1", "1", vat("21")),
            line("a", "1", "1", vat("0")),
            line("", "1", "1", Tax::new("VAT", TaxCategory::Exempt, Percent::ZERO)),
        ],
        ..Document::new(currency("ABC"))
    };
    wrong.smallest_payment = Minor(-1);
    wrong.lines[0].per = Quantity::ZERO;
    wrong.lines[0].adjustments = vec![Adjustment::discount(Value::Percent(percent("100.5")), "too much")];
    wrong.lines[0].withheld = vec![Withholding { code: "IRPF".into(), rate: percent("101") }];
    wrong.discounts =
        vec![DocumentDiscount { value: Value::Amount(Minor(1)), reason: "".into(), lines: vec!["x".into()] }];
    wrong.charges = vec![Charge {
        key: "a".into(),
        value: Value::Amount(Minor(1)),
        reason: "".into(),
        taxes: vec![],
        withheld: vec![],
    }];

    let expected = [
        ("currency", "UNKNOWN_CURRENCY"),
        ("smallest_payment", "NEGATIVE_AMOUNT"),
        ("lines[0].per", "NOT_POSITIVE"),
        ("lines[0].adjustments[0].value", "PERCENT_OUT_OF_RANGE"),
        ("lines[0].withheld[0]", "PERCENT_OUT_OF_RANGE"),
        ("lines[1].key", "DUPLICATE_LINE_KEY"),
        ("lines[1].taxes[0]", "TAX_RATE_UNSUITED"),
        ("lines[2].key", "INVALID_LINE_KEY"),
        ("lines[2].taxes[0]", "TAX_REASON_UNSUITED"),
        ("charges[0].key", "DUPLICATE_LINE_KEY"),
        ("charges[0].taxes", "TAX_MISSING"),
        ("discounts[0].lines[0]", "UNKNOWN_LINE_KEY"),
    ];
    assert_eq!(faults(&wrong), expected.map(|(field, reason)| (field.to_owned(), reason)));
    assert_eq!(fault_of(&document([])), ("lines".to_owned(), "NO_LINES"));
}

#[test]
fn taxes_of_one_line_differ_and_what_is_not_subject_stands_alone() {
    let mut twice = document([line("a", "1", "1", vat("21"))]);
    twice.lines[0].taxes.push(vat("21"));
    assert_eq!(fault_of(&twice), ("lines[0].taxes[1]".to_owned(), "DUPLICATE_TAX"));

    let outside = Tax::none("VAT", TaxCategory::NotSubject, "art. 7");
    let mixed = document([line("a", "1", "1", vat("21")), line("b", "1", "1", outside)]);
    assert_eq!(fault_of(&mixed), ("lines[1].taxes".to_owned(), "NOT_SUBJECT_TO_TAX_MIXED"));
}

#[test]
fn no_discount_takes_more_than_there_is() {
    for (amount, discount, fits) in [
        ("1", 100, true),
        ("1", 101, false),
        ("1", -1, false),
        ("-1", -100, true),
        ("-1", 1, false),
        ("0", 1, false),
    ] {
        let mut one = document([line("a", amount, "1", vat("21"))]);
        one.lines[0].adjustments = vec![Adjustment::discount(Value::Amount(Minor(discount)), "")];
        assert_eq!(one.price().is_ok(), fits, "line {amount} less {discount}");

        let mut whole = document([line("a", amount, "1", vat("21"))]);
        whole.discounts = vec![DocumentDiscount {
            value: Value::Amount(Minor(discount)),
            reason: "".into(),
            lines: vec![],
        }];
        assert_eq!(whole.price().is_ok(), fits, "document {amount} less {discount}");
        if !fits {
            assert_eq!(fault_of(&one), ("lines[0]".to_owned(), "DISCOUNT_EXCEEDS_AMOUNT"));
            assert_eq!(fault_of(&whole), ("discounts[0]".to_owned(), "DISCOUNT_EXCEEDS_AMOUNT"));
        }
    }
}

/// DOC-10: a charge is no discount in disguise.
#[test]
fn a_charge_never_takes_off() {
    for (amount, charge, fits) in [
        ("1", 5, true),
        ("1", -1, false),
        ("-1", -5, true),
        ("-1", 1, false),
        ("0", 5, true),
        ("0", -1, false),
    ] {
        let mut one = document([line("a", amount, "1", vat("21"))]);
        one.lines[0].adjustments = vec![Adjustment::charge(Value::Amount(Minor(charge)), "")];
        assert_eq!(one.price().is_ok(), fits, "line {amount} plus {charge}");
        if !fits {
            assert_eq!(fault_of(&one), ("lines[0]".to_owned(), "CHARGE_REDUCES"));
        }
    }
}

#[test]
fn what_is_too_large_is_an_error_and_never_an_overflow() {
    let most = "999999999999.999999";
    let one = document([line("a", most, most, vat("21"))]);
    assert_eq!(fault_of(&one), ("lines[0]".to_owned(), "AMOUNT_TOO_LARGE"));

    let large = || line("a", "92233720368", "999999", vat("21"));
    let mut many = document([large(), Line { key: "b".into(), ..large() }]);
    assert_eq!(many.price().expect_err("the sum is too large").reason(), "AMOUNT_TOO_LARGE");
    many.lines.truncate(1);
    assert_eq!(many.price().expect_err("the gross is too large").reason(), "AMOUNT_TOO_LARGE");
    many.lines[0].taxes = vec![Tax::new("VAT", TaxCategory::Zero, Percent::ZERO)];
    assert!(many.price().is_ok(), "just so much fits");
}

#[test]
fn ten_thousand_lines_are_priced_like_ten() {
    let lines = (0..10_000).map(|at| line(&format!("{at:05}"), "3", "0.333", vat(["21", "10"][at % 2])));
    let priced = priced(&document(lines));

    assert_eq!(priced.totals.net, Minor(1_000_000));
    assert_eq!(priced.totals.tax, Minor(105_000 + 50_000));
    let lines: i64 = priced.items().map(|item| item.gross.0).sum();
    assert_eq!(lines, priced.totals.gross.0);
}

fn any_code() -> impl Strategy<Value = Currency> {
    "[A-Z]{3}".prop_map(|code| currency(&code))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Any text is a decimal or a refusal, and any document of any size is priced or refused.
    #[test]
    fn nothing_panics(
        code in any_code(),
        texts in prop::collection::vec(("-?[0-9]{1,13}(\\.[0-9]{1,7})?|\\PC{0,12}", "[0-9]{1,13}(\\.[0-9]{1,7})?"), 1..6),
        amounts in prop::collection::vec(any::<i64>(), 6),
        inclusive in any::<bool>(),
    ) {
        let mut document = Document::new(code);
        document.prices = if inclusive { Prices::TaxInclusive } else { Prices::Net };
        for (at, (amount, cost)) in texts.iter().enumerate() {
            let (Ok(amount), Ok(cost)) = (amount.parse(), cost.parse()) else { continue };
            document.lines.push(Line::new(&at.to_string(), amount, cost, vat("999.999999")));
        }
        document.prepaid = Minor(amounts[0]);
        document.smallest_payment = Minor(amounts[1]);
        document.discounts =
            vec![DocumentDiscount { value: Value::Amount(Minor(amounts[2])), reason: "".into(), lines: vec![] }];
        if let Some(line) = document.lines.first_mut() {
            line.adjustments.push(Adjustment::charge(Value::Amount(Minor(amounts[3])), ""));
        }
        if let Ok(priced) = document.price() {
            let _ = priced.convert(euro(), "999999.999999".parse().expect("a rate"));
            let _ = Balance::of(&priced, Some(document.smallest_payment)).credit_rest();
        }
    }
}
