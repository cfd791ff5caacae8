//! Documents as they may come: all kinds of currencies, prices, taxes, discounts and charges, above and below zero.

use proptest::prelude::*;
use rust_decimal::Decimal;
use trato_types::{Currency, Minor};

use super::{currency, percent, vat};
use crate::{
    Adjustment, Charge, Document, DocumentDiscount, Line, Percent, Prices, Quantity, Tax, TaxCategory,
    TaxRounding, UnitPrice, Value, Withholding, discount::take_discounts, line::price_line, trace::Trace,
};

/// Thousandths of what a discount may take at most, and whether it is a percentage.
type Cut = (bool, i64);
type RawLine = (i64, i64, usize, Vec<Cut>, usize, u8);
type RawDiscount = (Cut, u8);
type RawCharge = (i64, usize);

/// A document of one to eight lines.
pub(crate) fn documents() -> impl Strategy<Value = Document> {
    let kind = (0..4_usize, any::<bool>(), any::<bool>(), 0..3_usize, -1_000_i64..100_000);
    let lines = prop_oneof![
        4 => prop::collection::vec(raw_line(), 1..=4),
        1 => prop::collection::vec(raw_line(), 5..=8),
    ];
    let discounts = prop::collection::vec(((any::<bool>(), 0..=1_000_i64), any::<u8>()), 0..=2);
    let charges = prop::collection::vec((-500_i64..5_000, 0..PROFILES), 0..=2);
    (kind, lines, discounts, charges).prop_map(|(kind, lines, discounts, charges)| {
        let (code, inclusive, by_line, smallest, prepaid) = kind;
        let currency = currency(["EUR", "JPY", "KWD", "CLF"][code]);
        let mut document = Document {
            prices: if inclusive { Prices::TaxInclusive } else { Prices::Net },
            tax_rounding: if by_line { TaxRounding::Line } else { TaxRounding::Group },
            prepaid: Minor(prepaid),
            smallest_payment: Minor([1, 5, 100][smallest]),
            ..Document::new(currency)
        };
        document.lines = lines.into_iter().enumerate().map(|(at, raw)| a_line(at, raw, currency)).collect();
        for raw in discounts {
            add_discount(&mut document, raw);
        }
        document.charges = charges.into_iter().enumerate().map(|(at, raw)| a_charge(at, raw)).collect();
        document
    })
}

fn raw_line() -> impl Strategy<Value = RawLine> {
    let whole = (-5_i64..60).prop_map(|number| number * 1_000_000);
    let quantities = prop_oneof![4 => whole, 1 => -3_000_000_i64..50_000_000];
    let cents = (0_i64..100_000).prop_map(|number| number * 10_000);
    let prices = prop_oneof![4 => cents, 1 => 0_i64..2_000_000_000, 1 => Just(0)];
    let cuts = prop::collection::vec((any::<bool>(), 0..=1_000_i64), 0..=2);
    (quantities, prices, 0..3_usize, cuts, 0..PROFILES, any::<u8>())
}

/// How many kinds of taxation `profile` knows.
const PROFILES: usize = 9;

fn profile(number: usize) -> Vec<Tax> {
    let tax = |code: &str, rate: &str| Tax::new(code, TaxCategory::Standard, percent(rate));
    match number {
        0 | 1 => vec![vat("21")],
        2 => vec![vat("10")],
        3 => vec![vat("7.7")],
        4 => vec![vat("21"), tax("RE", "5.2")],
        5 => vec![tax("QST", "9.975"), tax("GST", "5")],
        6 => vec![Tax::none("VAT", TaxCategory::ReverseCharge, "Reverse charge")],
        7 => vec![Tax::none("VAT", TaxCategory::Exempt, "Education")],
        _ => vec![Tax::new("VAT", TaxCategory::Zero, Percent::ZERO)],
    }
}

fn millionths(number: i64) -> Decimal {
    Decimal::new(number, 6)
}

fn a_line(at: usize, raw: RawLine, currency: Currency) -> Line {
    let (quantity, unit_price, per, cuts, taxes, withheld) = raw;
    let per = Quantity::whole([1, 100, 1_000][per]).expect("it is small");
    let mut line = Line {
        per,
        taxes: profile(taxes),
        withheld: if withheld < 50 { vec![income_tax()] } else { Vec::new() },
        ..Line::new(
            &format!("{:02}", at * 7 % 10),
            Quantity::try_from(millionths(quantity)).expect("it is small"),
            UnitPrice::try_from(millionths(unit_price)).expect("it is above zero"),
            vat("21"),
        )
    };
    for cut in cuts {
        let rest = price_line(&line, currency, &mut Trace::new(currency)).expect("it has a price").priced;
        let adjustment = match cut {
            (true, share) if share % 5 == 0 => Adjustment::charge(a_value(cut, rest), "rush"),
            _ => Adjustment::discount(a_value(cut, rest), "friend"),
        };
        line.adjustments.push(adjustment);
    }
    line
}

fn income_tax() -> Withholding {
    Withholding { code: "IRPF".into(), rate: percent("15") }
}

/// So many thousandths of an amount, or ten times as few percent.
fn a_value((is_percent, share): Cut, of: Minor) -> Value {
    if is_percent {
        Value::Percent(Percent::try_from(Decimal::new(share, 1)).expect("at most a hundred"))
    } else {
        Value::Amount(Minor(of.0 / 1_000 * share))
    }
}

fn add_discount(document: &mut Document, (cut, choice): RawDiscount) {
    let lines: Vec<_> = document
        .lines
        .iter()
        .enumerate()
        .filter(|(at, _)| choice % 3 == 0 && (choice >> (at % 6)) & 2 != 0)
        .map(|(_, line)| line.key.clone())
        .collect();
    let mut trace = Trace::new(document.currency);
    let amounts: Vec<_> = document
        .lines
        .iter()
        .map(|line| price_line(line, document.currency, &mut trace).expect("it has a price"))
        .collect();
    let rest = take_discounts(document, &amounts, &mut trace).expect("they fit").rest;
    let meant =
        document.lines.iter().zip(rest).filter(|(line, _)| lines.is_empty() || lines.contains(&line.key));
    let of = Minor(meant.map(|(_, rest)| rest.0).sum());
    document.discounts.push(DocumentDiscount { value: a_value(cut, of), reason: "spring".into(), lines });
}

fn a_charge(at: usize, (amount, taxes): RawCharge) -> Charge {
    Charge {
        key: format!("charge {at}").into(),
        value: if amount % 10 == 0 { Value::Percent(percent("2.5")) } else { Value::Amount(Minor(amount)) },
        reason: "freight".into(),
        taxes: profile(taxes),
        withheld: Vec::new(),
    }
}

/// The same document with everything on the other side of zero.
pub(crate) fn negated(document: &Document) -> Document {
    let mut other = document.clone();
    let turn = |value: &mut Value| {
        if let Value::Amount(amount) = value {
            amount.0 = -amount.0;
        }
    };
    for line in &mut other.lines {
        line.quantity = line.quantity.negated();
        line.adjustments.iter_mut().for_each(|adjustment| turn(&mut adjustment.value));
    }
    other.discounts.iter_mut().for_each(|discount| turn(&mut discount.value));
    other.charges.iter_mut().for_each(|charge| turn(&mut charge.value));
    other.prepaid.0 = -other.prepaid.0;
    other
}
