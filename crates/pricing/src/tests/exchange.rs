//! A document adds up in the base currency as it does in its own.

use proptest::prelude::*;
use rust_decimal::Decimal;
use trato_types::Minor;

use super::{
    currency, document, line, priced,
    properties::{rounded, sum},
    vat,
};
use crate::{Converted, ExchangeRate, Priced, PricingError, convert};

/// A document in the base currency: net and tax are the gross, lines are the totals, and the gross is the one that the rate
/// makes of it.
pub(crate) fn assert_adds_up(priced: &Priced, base: &Converted) -> Result<(), TestCaseError> {
    for item in &base.items {
        prop_assert_eq!(item.net.0 + sum(item.taxes.iter().map(|tax| tax.amount)), item.gross.0);
    }
    prop_assert_eq!(sum(base.items.iter().map(|item| item.net)), base.net.0);
    prop_assert_eq!(sum(base.items.iter().map(|item| item.gross)), base.gross.0);
    prop_assert_eq!(sum(base.groups.iter().map(|group| group.tax)), base.tax.0);
    prop_assert_eq!(base.net.0 + base.tax.0, base.gross.0);
    let withheld = base.items.iter().flat_map(|item| &item.withheld).map(|one| one.amount);
    prop_assert_eq!(sum(withheld), base.withheld.0);
    let due = base.gross.0 - base.withheld.0 - base.prepaid.0 + base.rounding.0;
    prop_assert_eq!(due, base.due.0);
    let shift = Decimal::from(10_i64.pow(base.currency.exponent()))
        / Decimal::from(10_i64.pow(priced.currency.exponent()));
    for (own, here) in [(priced.totals.gross, base.gross), (priced.totals.tax, base.tax)] {
        let exact = Decimal::from(own.0) * Decimal::from(base.rate) * shift;
        prop_assert_eq!(rounded(exact), Decimal::from(here.0));
    }
    Ok(())
}

/// erpnext#50863, #54633: the base total was a cent from the sum of its parts.
#[test]
fn parts_of_a_document_share_its_converted_totals() {
    let invoice = priced(&document(["a", "b", "c"].map(|key| line(key, "1", "0.10", vat("21")))));
    let base = invoice.convert(currency("USD"), "1.16".parse().expect("a rate")).expect("it is small");

    // By itself each 0.10 would be 0.12, and together 0.36.
    assert_eq!([base.net, base.tax, base.gross], [Minor(35), Minor(7), Minor(42)]);
    let nets: Vec<i64> = base.items.iter().map(|item| item.net.0).collect();
    assert_eq!(nets, [12, 12, 11]);
}

#[test]
fn an_amount_is_converted_by_itself_or_refused() {
    let rate = |text: &str| text.parse::<ExchangeRate>().expect("a rate");
    let dollars =
        |amount, into, text: &str| convert(Minor(amount), currency("USD"), currency(into), rate(text));

    assert_eq!(dollars(10_000, "JPY", "161.705"), Ok(Minor(16_171)));
    assert_eq!(dollars(-10_000, "JPY", "161.705"), Ok(Minor(-16_171)));
    assert_eq!(dollars(10_000, "KWD", "0.30745"), Ok(Minor(30_745)));
    assert_eq!(dollars(10_000, "USD", "1"), Ok(Minor(10_000)));
    assert_eq!(dollars(10_000, "USD", "1.1"), Err(PricingError::RateWithinCurrency));
    assert_eq!(dollars(10_000, "ABC", "1.1"), Err(PricingError::UnknownCurrency));
    assert_eq!(dollars(i64::MAX, "VND", "27000"), Err(PricingError::TooLarge));
    assert_eq!(dollars(i64::MAX, "CLF", "999999999999999999"), Err(PricingError::TooLarge));
}
