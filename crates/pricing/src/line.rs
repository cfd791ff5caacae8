//! The amount of a line as it is priced: quantity times price, then its discounts and charges.

use trato_types::{Currency, Minor};

use crate::{
    AdjustmentKind, Line, Percent, PricingError, Quantity, UnitPrice, Value,
    exact::{amount, minus, sum, wide},
    trace::{Datum, Rule, Subject, Trace},
};

/// What came of a line before the document's discounts and taxes.
#[derive(Debug)]
pub(crate) struct LineAmount {
    /// Quantity times price.
    pub(crate) base: Minor,
    /// What each adjustment took off or put on; off is below zero on a line above zero.
    pub(crate) adjustments: Vec<Minor>,
    /// The base with all of them.
    pub(crate) priced: Minor,
}

/// A hundred percent, in millionths.
pub(crate) const WHOLE: i128 = 100_000_000;

/// What so much comes to at a price of one, in the minor unit of the currency: rounded once, as it is on a line.
/// `AMOUNT_TOO_LARGE` beyond 64 bits.
pub fn line_amount(
    quantity: Quantity,
    unit_price: UnitPrice,
    currency: Currency,
) -> Result<Minor, PricingError> {
    base(quantity, unit_price, Quantity::ONE, currency)
}

/// Prices one line. Each amount that is printed is rounded once, and from there on is what it says: a discount is taken
/// of what is left of the printed amount, so that the line adds up on paper.
pub(crate) fn price_line(
    line: &Line,
    currency: Currency,
    trace: &mut Trace,
) -> Result<LineAmount, PricingError> {
    let subject = || Subject::Line(line.key.clone());
    let base = base(line.quantity, line.unit_price, line.per, currency)?;
    let inputs = [
        ("quantity", Datum::Quantity(line.quantity)),
        ("price", Datum::Price(line.unit_price)),
        ("per", Datum::Quantity(line.per)),
    ];
    trace.step(Rule::LineAmount, subject(), inputs, Datum::Money(base));

    let mut adjustments = Vec::with_capacity(line.adjustments.len());
    let mut rest = base;
    for adjustment in &line.adjustments {
        let (rule, change) = match adjustment.kind {
            AdjustmentKind::Discount => {
                (Rule::LineDiscount, minus(Minor(0), discount(adjustment.value, rest)?)?)
            }
            AdjustmentKind::Charge => (Rule::LineCharge, charge(adjustment.value, rest, line.quantity)?),
        };
        let inputs = [
            ("of", Datum::Money(rest)),
            ("value", shown(adjustment.value)),
            ("reason", Datum::text(&adjustment.reason)),
        ];
        trace.step(rule, subject(), inputs, Datum::Money(change));
        rest = sum([rest, change])?;
        adjustments.push(change);
    }
    Ok(LineAmount { base, adjustments, priced: rest })
}

/// Quantity times the price of `per`, rounded once.
pub(crate) fn base(
    quantity: Quantity,
    unit_price: UnitPrice,
    per: Quantity,
    currency: Currency,
) -> Result<Minor, PricingError> {
    if per <= Quantity::ZERO {
        return Err(PricingError::NotPositive);
    }
    let product = quantity.millionths() * unit_price.millionths();
    amount(product, per.millionths() * 10_i128.pow(6 - currency.exponent()))
}

/// What a discount takes of an amount: never more than there is, never with the other sign.
pub(crate) fn discount(value: Value, of: Minor) -> Result<Minor, PricingError> {
    let taken = part(value, of)?;
    let fits = taken.is_zero()
        || (taken.0.signum() == of.0.signum() && taken.0.unsigned_abs() <= of.0.unsigned_abs());
    if fits { Ok(taken) } else { Err(PricingError::DiscountExceedsAmount) }
}

/// What a charge puts on a line: never with the sign opposite to that of its quantity, or it would be a discount without
/// a limit.
fn charge(value: Value, of: Minor, quantity: Quantity) -> Result<Minor, PricingError> {
    let put = part(value, of)?;
    let reduces = if quantity < Quantity::ZERO { put > Minor(0) } else { put < Minor(0) };
    if reduces { Err(PricingError::ChargeReduces) } else { Ok(put) }
}

/// A share of an amount, or the amount that is given.
pub(crate) fn part(value: Value, of: Minor) -> Result<Minor, PricingError> {
    match value {
        Value::Amount(amount) => Ok(amount),
        Value::Percent(percent) => percentage(percent, of),
    }
}

/// So much of a hundred of an amount, rounded once.
pub(crate) fn percentage(percent: Percent, of: Minor) -> Result<Minor, PricingError> {
    amount(wide(of) * percent.millionths(), WHOLE)
}

pub(crate) fn shown(value: Value) -> Datum {
    match value {
        Value::Percent(percent) => Datum::Percent(percent),
        Value::Amount(amount) => Datum::Money(amount),
    }
}
