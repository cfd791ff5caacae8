//! A trace is a proof: every step follows from its inputs, by arithmetic that is not the crate's own, and the steps lead to
//! the totals.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rust_decimal::{Decimal, RoundingStrategy};
use trato_types::Minor;

use crate::{Datum, Document, Priced, Rule, Step, Subject, TaxRounding};

fn number(datum: &Datum) -> Decimal {
    match datum {
        Datum::Money(amount) | Datum::Foreign(amount, _) => Decimal::from(amount.0),
        Datum::Quantity(quantity) => Decimal::from(*quantity),
        Datum::Price(price) => Decimal::from(*price),
        Datum::Percent(percent) => Decimal::from(*percent) / Decimal::ONE_HUNDRED,
        Datum::Rate(rate) => Decimal::from(*rate),
        Datum::Text(_) => Decimal::ZERO,
    }
}

fn input(step: &Step, name: &str) -> Decimal {
    let found = step.inputs.iter().find(|input| input.name == name);
    number(&found.unwrap_or_else(|| panic!("{step:?} has no {name}")).value)
}

fn rounded(exact: Decimal) -> Decimal {
    exact.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)
}

/// What the output must be, where the rule is a formula of the inputs.
fn expected(step: &Step, document: &Document) -> Option<Decimal> {
    let of = |name| input(step, name);
    let by_group = document.tax_rounding == TaxRounding::Group;
    let is_percent = || step.inputs.iter().any(|input| matches!(input.value, Datum::Percent(_)));
    let taken = || if is_percent() { rounded(of("of") * of("value")) } else { of("value") };
    let unit = Decimal::from(10_i64.pow(document.currency.exponent()));
    Some(match step.rule {
        Rule::LineAmount => rounded(of("quantity") * of("price") / of("per") * unit),
        Rule::LineDiscount => -taken(),
        Rule::LineCharge | Rule::DocumentDiscount | Rule::DocumentCharge => taken(),
        Rule::TaxOnNet | Rule::Withheld if by_group => rounded(of("net") * of("rate")),
        Rule::NetOfGross => rounded(of("gross") / (Decimal::ONE + of("rate"))),
        Rule::NetTotal => of("lines") - of("discounts") + of("charges"),
        Rule::GrossTotal => of("net") + of("tax"),
        Rule::AmountDue => of("gross") - of("withheld") - of("prepaid") + of("rounding"),
        _ => return None,
    })
}

/// The shares that follow a total, each total with the sum of its shares.
fn shared(steps: &[Step]) -> Vec<(String, Decimal, Decimal)> {
    let mut totals: Vec<(String, Decimal, Decimal)> = Vec::new();
    let mut open: BTreeMap<String, usize> = BTreeMap::new();
    for step in steps {
        let (name, is_total) = match (&step.rule, &step.subject) {
            (Rule::DocumentDiscount, _) => ("discount".to_owned(), true),
            (Rule::DiscountShare, _) => ("discount".to_owned(), false),
            (Rule::TaxOnNet | Rule::TaxWithinGross, Subject::Group(tax)) => (tax.to_string(), true),
            (Rule::TaxShare, Subject::LineTax(_, tax)) => (tax.to_string(), false),
            _ => continue,
        };
        if is_total {
            open.insert(name.clone(), totals.len());
            totals.push((name, number(&step.output), Decimal::ZERO));
        } else {
            totals[open[&name]].2 += number(&step.output);
        }
    }
    totals
}

fn output(priced: &Priced, rule: Rule) -> Option<Minor> {
    priced.trace.steps.iter().find(|step| step.rule == rule).and_then(|step| match step.output {
        Datum::Money(amount) => Some(amount),
        _ => None,
    })
}

/// Every step follows from its inputs, shares add up to what is shared, and the totals are where the steps lead.
pub(crate) fn assert_proved(document: &Document, priced: &Priced) -> Result<(), TestCaseError> {
    for step in &priced.trace.steps {
        if let Some(expected) = expected(step, document) {
            prop_assert_eq!(number(&step.output), expected, "{:?}", step);
        }
    }
    for (name, total, shares) in shared(&priced.trace.steps) {
        prop_assert_eq!(total, shares, "{}", name);
    }
    let totals = priced.totals;
    for (rule, total) in [
        (Rule::SumOfLines, totals.lines),
        (Rule::SumOfDiscounts, totals.discounts),
        (Rule::SumOfCharges, totals.charges),
        (Rule::NetTotal, totals.net),
        (Rule::TaxTotal, totals.tax),
        (Rule::GrossTotal, totals.gross),
        (Rule::AmountDue, totals.due),
    ] {
        prop_assert_eq!(output(priced, rule), Some(total), "{:?}", rule);
    }
    Ok(())
}
