//! What several resources of the catalogue have on the wire: periods, decimals above zero, ranges.

use std::str::FromStr;

use trato_pricing::PricingError;
use trato_proto::{
    google::value::{Date as WireDate, Money},
    wire,
};
use trato_types::{Currency, Date, Error, Minor, Result, Violations, error::FieldError};

/// A number that is out of the range of its field.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be {least} to {most}")]
pub struct RangeError {
    least: i32,
    most: i32,
}

impl FieldError for RangeError {
    fn reason(&self) -> &'static str {
        "OUT_OF_RANGE"
    }
}

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

/// Reads an amount in a currency that exists.
pub fn parse_existing(field: &str, amount: &Money, violations: &mut Violations) -> Option<(Minor, Currency)> {
    let (amount, currency) = violations.keep(field, wire::parse_money(amount))?;
    violations.keep(field, currency.existing()).map(|currency| (amount, currency))
}

/// Reads a decimal that stands for `absent` when the text is empty.
pub fn parse_decimal<T: FromStr<Err = PricingError>>(text: &str, absent: T) -> Result<T, PricingError> {
    if text.is_empty() { Ok(absent) } else { text.parse() }
}

/// INVALID_ARGUMENT `REQUIRED` unless the request can be repeated: what takes a number must not take a second one.
pub fn require_request_id(request_id: &str) -> Result<()> {
    if request_id.is_empty() {
        let message = "a lost answer must not cost a second number";
        return Err(Error::invalid("request_id", "REQUIRED", message));
    }
    Ok(())
}

/// Takes a number of -1,000 to 1,000, by which things are put into an order.
pub fn rank(number: i32) -> Result<i32, RangeError> {
    let (least, most) = (-1_000, 1_000);
    if (least..=most).contains(&number) { Ok(number) } else { Err(RangeError { least, most }) }
}
