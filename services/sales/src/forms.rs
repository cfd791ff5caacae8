//! What several resources of the catalogue have on the wire: periods, quantities above zero.

use trato_pricing::{PricingError, Quantity};
use trato_proto::{google::value::Date as WireDate, wire};
use trato_types::{Date, Violations};

/// Reads first and last day; either may be open. Notes END_BEFORE_START.
pub fn parse_period(
    start: Option<&WireDate>,
    end: Option<&WireDate>,
    violations: &mut Violations,
) -> (Option<Date>, Option<Date>) {
    let start = start.and_then(|date| violations.keep("start_date", wire::parse_date(date)));
    let end = end.and_then(|date| violations.keep("end_date", wire::parse_date(date)));
    if start.zip(end).is_some_and(|(start, end)| end < start) {
        violations.add("end_date", "END_BEFORE_START", "must not be before start_date");
    }
    (start, end)
}

/// Takes a quantity above zero.
pub fn positive(quantity: Quantity) -> Result<Quantity, PricingError> {
    if quantity > Quantity::ZERO { Ok(quantity) } else { Err(PricingError::NotPositive) }
}
