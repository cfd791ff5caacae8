//! BR-CO-10 to BR-CO-16: every total is the sum of what it stands over. The amounts are given; none is computed anew.

use rust_decimal::Decimal;
use trato_pricing::UnitPrice;
use trato_types::Minor;

use super::Faults;
use crate::{
    EInvoiceError,
    model::{DocumentAdjustment, Invoice},
};

/// An amount with room for sums of many.
pub(super) fn wide(Minor(amount): Minor) -> i128 {
    i128::from(amount)
}

/// The sum of the amounts of allowances or charges.
fn sum_of(all: &[DocumentAdjustment]) -> i128 {
    all.iter().map(|one| wide(one.adjustment.amount)).sum()
}

/// True when a price is another less a third.
pub(super) fn is_difference(net: UnitPrice, gross: UnitPrice, discount: UnitPrice) -> bool {
    Decimal::from(gross) - Decimal::from(discount) == Decimal::from(net)
}

pub(super) fn check(faults: &mut Faults, invoice: &Invoice) {
    let totals = &invoice.totals;
    let lines: i128 = invoice.lines.iter().map(|line| wide(line.net)).sum();
    let taxes: i128 = invoice.taxes.iter().map(|group| wide(group.tax)).sum();
    let sums = [
        ("totals.lines", totals.lines, lines),
        ("totals.allowances", totals.allowances, sum_of(&invoice.allowances)),
        ("totals.charges", totals.charges, sum_of(&invoice.charges)),
        ("totals.net", totals.net, wide(totals.lines) - wide(totals.allowances) + wide(totals.charges)),
        ("totals.tax", totals.tax, taxes),
        ("totals.gross", totals.gross, wide(totals.net) + wide(totals.tax)),
        ("totals.due", totals.due, wide(totals.gross) - wide(totals.prepaid) + wide(totals.rounding)),
    ];
    for (field, total, sum) in sums {
        faults.unless(wide(total) == sum, field, EInvoiceError::SumDiffers);
    }
}
