//! What holds for every document, whatever is in it.

use proptest::prelude::*;
use rust_decimal::{Decimal, RoundingStrategy};
use trato_types::Minor;

use super::{
    cases,
    generate::{documents, negated},
    priced,
    proof::assert_proved,
};
use crate::{Document, Priced, Prices, TaxAmount, TaxRounding};

/// Every amount of every line and charge, by key.
fn amounts(priced: &Priced) -> Vec<(String, Vec<i64>)> {
    let mut all: Vec<(String, Vec<i64>)> = priced
        .items()
        .map(|item| {
            let taxes = item.taxes.iter().map(|tax| tax.amount.0);
            let withheld = item.withheld.iter().map(|one| one.amount.0);
            (
                item.key.to_string(),
                [item.net.0, item.gross.0].into_iter().chain(taxes).chain(withheld).collect(),
            )
        })
        .collect();
    all.sort();
    all
}

fn total_amounts(priced: &Priced) -> Vec<i64> {
    let totals = priced.totals;
    let groups = priced.groups.iter().flat_map(|group| {
        [group.lines, group.discounts, group.charges, group.basis, group.tax].map(|Minor(amount)| amount)
    });
    [
        totals.lines,
        totals.discounts,
        totals.charges,
        totals.net,
        totals.tax,
        totals.gross,
        totals.withheld,
        totals.prepaid,
        totals.rounding,
        totals.due,
    ]
    .map(|Minor(amount)| amount)
    .into_iter()
    .chain(groups)
    .collect()
}

pub(crate) fn sum(amounts: impl Iterator<Item = Minor>) -> i64 {
    amounts.map(|Minor(amount)| amount).sum()
}

/// Rounds by another library than the crate does.
pub(crate) fn rounded(exact: Decimal) -> Decimal {
    exact.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)
}

fn assert_adds_up(document: &Document, priced: &Priced) -> Result<(), TestCaseError> {
    let totals = priced.totals;
    for item in priced.items() {
        let taxes = sum(item.taxes.iter().map(|tax| tax.amount));
        prop_assert_eq!(item.net.0 + taxes, item.gross.0, "line {}", &item.key);
    }
    for line in &priced.lines {
        prop_assert_eq!(line.base.0 + sum(line.adjustments.iter().copied()), line.priced.0);
        prop_assert_eq!(line.line_net.0 - line.discount_net.0, line.amounts.net.0);
    }
    for (number, discount) in priced.discounts.iter().enumerate() {
        prop_assert_eq!(sum(priced.lines.iter().map(|line| line.discounts[number])), discount.0);
    }
    prop_assert_eq!(sum(priced.items().map(|item| item.net)), totals.net.0);
    prop_assert_eq!(sum(priced.items().map(|item| item.gross)), totals.gross.0);
    prop_assert_eq!(sum(priced.groups.iter().map(|group| group.tax)), totals.tax.0);
    prop_assert_eq!(totals.net.0 + totals.tax.0, totals.gross.0);
    prop_assert_eq!(totals.lines.0 - totals.discounts.0 + totals.charges.0, totals.net.0);
    let open = totals.gross.0 - totals.withheld.0 - totals.prepaid.0;
    prop_assert_eq!(open + totals.rounding.0, totals.due.0);
    prop_assert_eq!(totals.due.0 % document.smallest_payment.0, 0);
    prop_assert!(totals.rounding.0.abs() * 2 <= document.smallest_payment.0 || totals.rounding.0 == 0);
    for group in &priced.groups {
        let tax_of =
            |taxes: &[TaxAmount]| taxes.iter().find(|tax| tax.key == group.key).map(|tax| tax.amount);
        let of_group = || priced.items().filter(|item| tax_of(&item.taxes).is_some());
        prop_assert_eq!(sum(of_group().map(|item| item.net)), group.basis.0);
        prop_assert_eq!(sum(of_group().filter_map(|item| tax_of(&item.taxes))), group.tax.0);
        prop_assert_eq!(group.lines.0 - group.discounts.0 + group.charges.0, group.basis.0);
        if document.prices == Prices::Net {
            let rate = Decimal::from(group.key.rate) / Decimal::ONE_HUNDRED;
            if document.tax_rounding == TaxRounding::Group {
                prop_assert_eq!(rounded(Decimal::from(group.basis.0) * rate), Decimal::from(group.tax.0));
            }
            for item in of_group() {
                let exact = Decimal::from(item.net.0) * rate;
                let share = Decimal::from(tax_of(&item.taxes).expect("it has the tax").0);
                prop_assert!((exact - share).abs() < Decimal::ONE, "{} of {}", share, exact);
            }
        }
    }
    Ok(())
}

/// What is priced with taxes included costs what the price says.
fn assert_inclusive_prices_stay(document: &Document, priced: &Priced) -> Result<(), TestCaseError> {
    if document.prices != Prices::TaxInclusive {
        return Ok(());
    }
    for line in &priced.lines {
        let asked = line.priced.0 - sum(line.discounts.iter().copied());
        prop_assert_eq!(line.amounts.gross.0, asked, "line {}", &line.amounts.key);
    }
    if document.tax_rounding == TaxRounding::Group {
        for group in priced.groups.iter().filter(|_| priced.items().all(|item| item.taxes.len() == 1)) {
            let gross = Decimal::from(group.basis.0 + group.tax.0);
            let factor = Decimal::ONE + Decimal::from(group.key.rate) / Decimal::ONE_HUNDRED;
            prop_assert_eq!(rounded(gross / factor), Decimal::from(group.basis.0));
        }
    }
    Ok(())
}

/// Neither the order of lines nor the side of zero matters: the lines in another order, below zero, have the amounts they
/// had, negated.
fn assert_mirrored_in_any_order(
    document: &Document,
    one: &Priced,
    (turn, reverse): (usize, bool),
) -> Result<(), TestCaseError> {
    let mut other = negated(document);
    let turn = turn % other.lines.len();
    other.lines.rotate_left(turn);
    if reverse {
        other.lines.reverse();
    }
    let other = priced(&other);
    let turned = |amounts: Vec<i64>| -> Vec<i64> { amounts.into_iter().map(|amount| -amount).collect() };
    prop_assert_eq!(total_amounts(one), turned(total_amounts(&other)));
    for ((key, one), (other_key, other)) in amounts(one).into_iter().zip(amounts(&other)) {
        prop_assert_eq!((key, one), (other_key, turned(other)));
    }
    for (one, other) in one.discounts.iter().zip(&other.discounts) {
        prop_assert_eq!(one.0, -other.0);
    }
    Ok(())
}

// One test for all of them: to generate a document takes longer than to price it.
proptest! {
    #![proptest_config(cases(1))]

    #[test]
    fn a_document_adds_up_keeps_inclusive_prices_mirrors_its_negation_heeds_no_order_and_proves_it(
        document in documents(),
        order in (0..8_usize, any::<bool>()),
    ) {
        let priced = priced(&document);
        assert_adds_up(&document, &priced)?;
        assert_inclusive_prices_stay(&document, &priced)?;
        assert_mirrored_in_any_order(&document, &priced, order)?;
        assert_proved(&document, &priced)?;
    }
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn a_priced_document_survives_json(document in documents()) {
        let priced = priced(&document);
        let text = serde_json::to_string(&priced).expect("it is JSON");
        prop_assert_eq!(serde_json::from_str::<Priced>(&text).expect("it is read"), priced);
    }
}
