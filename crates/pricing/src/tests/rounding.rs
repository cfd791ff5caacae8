//! Traps of rounding that other systems fell into, each with the thread that tells of it.

use trato_types::Minor;

use super::{document, line, percent, priced, quantity, totals, vat};
use crate::{Adjustment, DocumentDiscount, Prices, TaxRounding, Value};

/// SuiteCRM#1234, #4460: a cent apart, depending on where the tax is rounded. Both ways are known, one is stored.
#[test]
fn tax_is_rounded_by_group_or_by_line_and_the_lines_add_up_both_ways() {
    let mut invoice = document(["a", "b", "c"].map(|key| line(key, "1", "0.35", vat("21"))));

    let by_group = priced(&invoice);
    invoice.tax_rounding = TaxRounding::Line;
    let by_line = priced(&invoice);

    assert_eq!(totals(&by_group)[..3], [105, 22, 127]);
    assert_eq!(totals(&by_line)[..3], [105, 21, 126]);
    let shares =
        |priced: &crate::Priced| -> Vec<i64> { priced.items().map(|item| item.taxes[0].amount.0).collect() };
    assert_eq!(shares(&by_group), [8, 7, 7]);
    assert_eq!(shares(&by_line), [7, 7, 7]);
}

/// erpnext#47705, #41343, frappe#18504: -12.345 became -12.34 where 12.345 became 12.35.
#[test]
fn halves_go_away_from_zero_on_both_sides() {
    assert_eq!(totals(&priced(&document([line("a", "1", "12.345", vat("21"))])))[0], 1_235);
    assert_eq!(totals(&priced(&document([line("a", "-1", "12.345", vat("21"))])))[0], -1_235);
}

/// SuiteCRM#1776: no net price leads to a round gross; erpnext#52236, #52333, #10217: the inclusive price moved by a cent.
#[test]
fn a_round_gross_is_reached_by_saying_it() {
    let mut invoice = document([line("a", "1", "1000", vat("21")), line("b", "3", "33.33", vat("21"))]);
    invoice.prices = Prices::TaxInclusive;
    let priced = priced(&invoice);

    assert_eq!(totals(&priced), [90_908, 19_091, 109_999, 109_999]);
    let grosses: Vec<i64> = priced.items().map(|item| item.gross.0).collect();
    assert_eq!(grosses, [100_000, 9_999]);
}

/// With 21 % on top no net amount makes 0.03: 0.02 makes 0.02, and 0.03 makes 0.04. The tax is the difference, so that the
/// price stays.
#[test]
fn every_inclusive_price_of_the_first_thousand_stays() {
    for cents in 0..1_000 {
        for rate in ["4", "10", "21", "19", "7.7", "25.5"] {
            let text = format!("{}.{:02}", cents / 100, cents % 100);
            let mut invoice = document([line("a", "1", &text, vat(rate))]);
            invoice.prices = Prices::TaxInclusive;
            assert_eq!(totals(&priced(&invoice))[2], cents, "{text} with {rate} %");
        }
    }
}

/// erpnext#50696: a printed unit price times the quantity was another amount. A price for a thousand keeps its digits.
#[test]
fn a_price_for_a_thousand_is_multiplied_before_it_is_rounded() {
    let mut invoice = document([line("screws", "1500", "12.345", vat("21"))]);
    invoice.lines[0].per = quantity("1000");
    assert_eq!(priced(&invoice).lines[0].base, Minor(1_852));
}

/// A product of 36 digits: `Decimal` would round it to 28 first, and the half below would be lost.
#[test]
fn the_amount_of_a_line_is_exact_to_the_last_digit() {
    let invoice = document([line("a", "99999.999999", "99999.999999", vat("21"))]);
    // 99999.999999^2 = 9999999999.800000000001
    assert_eq!(priced(&invoice).lines[0].base, Minor(999_999_999_980));

    let just_below = document([line("a", "0.333333", "0.015", vat("21"))]);
    // 0.333333 * 0.015 = 0.004999995, which a first rounding to 0.005 would make a cent.
    assert_eq!(priced(&just_below).lines[0].base, Minor(0));
}

/// SuiteCRM#10811: lines were shown rounded and the total was not. Discounts take of the amount that is printed.
#[test]
fn discounts_follow_one_another_on_printed_amounts() {
    let mut invoice = document([line("a", "3", "9.99", vat("21"))]);
    invoice.lines[0].adjustments = vec![
        Adjustment::discount(Value::Percent(percent("10")), "friend"),
        Adjustment::discount(Value::Percent(percent("5")), "cash"),
        Adjustment::charge(Value::Amount(Minor(150)), "rush"),
    ];
    let line = &priced(&invoice).lines[0];

    assert_eq!(line.base, Minor(2_997));
    assert_eq!(line.adjustments, [Minor(-300), Minor(-135), Minor(150)]);
    assert_eq!(line.priced, Minor(2_712));
}

#[test]
fn a_discount_of_the_document_is_shared_to_the_cent_over_rates() {
    let mut invoice = document([
        line("a", "1", "10", vat("21")),
        line("b", "1", "10", vat("10")),
        line("c", "1", "10", vat("4")),
        line("d", "-1", "5", vat("21")),
    ]);
    invoice.discounts =
        vec![DocumentDiscount { value: Value::Amount(Minor(1_000)), reason: "spring".into(), lines: vec![] }];
    let priced = priced(&invoice);

    let shares: Vec<i64> = priced.lines.iter().map(|line| line.discounts[0].0).collect();
    assert_eq!(shares, [334, 333, 333, 0], "what is taken back bears none of it");
    assert_eq!(totals(&priced)[..3], [1_500, 35 + 67 + 27, 1_629]);
}
