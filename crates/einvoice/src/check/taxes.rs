//! BR-CO-17, BR-CO-18 and the rules of each category: BR-S, BR-Z, BR-E, BR-AE, BR-IC (K), BR-G, BR-O, BR-AF (L), BR-AG (M).

use std::{collections::BTreeMap, fmt};

use rust_decimal::Decimal;
use trato_pricing::{Percent, TaxCategory};
use trato_types::{Currency, Minor};

use super::{At, Faults, sums::wide};
use crate::{
    EInvoiceError,
    model::{Invoice, TaxGroup, Vat},
};

/// What the lines, allowances and charges of a category and rate come to, and whether a breakdown has it.
#[derive(Default)]
struct Taxed {
    basis: i128,
    is_broken_down: bool,
}

pub(super) fn check(faults: &mut Faults, invoice: &Invoice) {
    let mut taxed = BTreeMap::<Vat, Taxed>::new();
    for (at, line) in invoice.lines.iter().enumerate() {
        check_vat(faults, format_args!("lines[{at}].vat"), line.vat);
        taxed.entry(line.vat).or_default().basis += wide(line.net);
    }
    for (name, all, sign) in [("allowances", &invoice.allowances, -1), ("charges", &invoice.charges, 1)] {
        for (at, one) in all.iter().enumerate() {
            check_vat(faults, format_args!("{name}[{at}].vat"), one.vat);
            taxed.entry(one.vat).or_default().basis += sign * wide(one.adjustment.amount);
        }
    }
    check_not_subject(faults, &taxed);
    for (at, group) in invoice.taxes.iter().enumerate() {
        check_group(faults, At("taxes", at), group, invoice.currency, &mut taxed);
    }
    let all_groups = taxed.values().all(|one| one.is_broken_down);
    faults.unless(all_groups, "taxes", EInvoiceError::TaxGroupMissing);
    check_declared(faults, invoice);
}

/// BR-S-05 to BR-S-07 and the like.
fn check_vat(faults: &mut Faults, field: impl fmt::Display, vat: Vat) {
    faults.unless(vat.category.admits(vat.rate), field, EInvoiceError::TaxRateUnsuited);
}

/// BR-O-11 to BR-O-14.
fn check_not_subject(faults: &mut Faults, taxed: &BTreeMap<Vat, Taxed>) {
    let mut is_outside = taxed.keys().map(|vat| vat.category == TaxCategory::NotSubject);
    let first = is_outside.next();
    faults.unless(is_outside.all(|outside| Some(outside) == first), "taxes", EInvoiceError::NotSubjectMixed);
}

fn check_group(
    faults: &mut Faults,
    path: At,
    group: &TaxGroup,
    currency: Currency,
    taxed: &mut BTreeMap<Vat, Taxed>,
) {
    let has_reason = group.reason.is_some() || group.code.is_some();
    let is_reasoned = has_reason == group.vat.category.needs_reason();
    faults.unless(is_reasoned, format_args!("{path}.reason"), EInvoiceError::TaxReasonUnsuited);
    let is_right = is_near(group.basis, group.tax, group.vat.rate, currency.exponent());
    faults.unless(is_right, format_args!("{path}.tax"), EInvoiceError::TaxAmountDiffers);
    match taxed.get_mut(&group.vat) {
        Some(one) if !one.is_broken_down => {
            one.is_broken_down = true;
            let agrees = one.basis == wide(group.basis);
            faults.unless(agrees, format_args!("{path}.basis"), EInvoiceError::TaxBasisDiffers);
        }
        _ => faults.note(path, EInvoiceError::TaxGroupUnsuited),
    }
}

/// BR-CO-17 as its validators take it: less than one unit of the currency from the basis times the rate, rounded to
/// hundredths. So much is needed where prices include the tax, or where the tax is rounded by line.
fn is_near(basis: Minor, tax: Minor, rate: Percent, exponent: u32) -> bool {
    if rate.is_zero() {
        return tax.is_zero();
    }
    let Some(to_hundredths) = 2_u32.checked_sub(exponent).map(|missing| 10_i128.pow(missing)) else {
        return false;
    };
    let rate = Decimal::from(rate);
    // A whole number of hundredths times a rate, and what the rate and its percent are divided by.
    let product = wide(basis) * to_hundredths * rate.mantissa();
    let divisor = 100 * 10_i128.pow(rate.scale());
    let exact = (2 * product.abs() + divisor) / (2 * divisor) * product.signum();
    (wide(tax) * to_hundredths - exact).abs() < 100
}

/// BT-111 has a currency of its own, which the standard allows no more than two decimals either.
fn check_declared(faults: &mut Faults, invoice: &Invoice) {
    let Some(declared) = invoice.declared_tax else { return };
    let field = "declared_tax.currency";
    faults.unless(declared.currency.exists(), field, EInvoiceError::UnknownCurrency);
    faults.unless(declared.currency.exponent() <= 2, field, EInvoiceError::CurrencyTooFine);
    faults.unless(declared.currency != invoice.currency, field, EInvoiceError::CurrencyUnsuited);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(basis: i64, tax: i64, rate: &str, exponent: u32) -> bool {
        is_near(Minor(basis), Minor(tax), rate.parse().expect("a rate"), exponent)
    }

    #[test]
    fn a_tax_may_be_less_than_a_unit_from_its_rate() {
        assert!(near(10_000, 2_100, "21", 2));
        assert!(near(10_000, 2_199, "21", 2) && near(10_000, 2_001, "21", 2));
        assert!(!near(10_000, 2_200, "21", 2) && !near(10_000, 2_000, "21", 2));
        assert!(near(-10_000, -2_100, "21", 2) && !near(-10_000, 2_100, "21", 2));
        assert!(near(100, 8, "8", 0) && !near(100, 9, "8", 0) && !near(100, 7, "8", 0));
        // 8.4 yen may be eight or nine.
        assert!(near(105, 8, "8", 0) && near(105, 9, "8", 0) && !near(105, 10, "8", 0));
        assert!(near(i64::MAX, i64::MAX, "100", 2) && !near(i64::MAX, i64::MIN, "999.999999", 2));
        assert!(near(1, 0, "0", 2) && !near(1, 1, "0", 2));
    }
}
