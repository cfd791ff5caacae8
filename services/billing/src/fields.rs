//! Fields that several resources of billing have: codes and words. Pure.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use trato_platform::rpc::status::to_status;
use trato_proto::{google::value::Money, wire};
use trato_types::{
    Currency, Date, Error, Minor,
    error::FieldError,
    money::MoneyError,
    text::{TextError, line},
};

/// What people call a thing in short: 1 to 40 letters, digits or `._-`, such as `ES-S`.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Code(String);

impl Code {
    /// Most characters.
    pub const MAX_LENGTH: usize = 40;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let text = text.trim();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(CodeError)
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no code.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be 1 to 40 letters, digits or ._-")]
pub struct CodeError;

impl FieldError for CodeError {
    fn reason(&self) -> &'static str {
        "INVALID_CODE"
    }
}

/// Checks a text of one line that must not be empty: at most `max` characters.
pub fn word(text: &str, max: usize) -> Result<String, TextError> {
    let text = line(text, max)?;
    if text.is_empty() { Err(TextError::Empty) } else { Ok(text) }
}

/// Checks why something is done: 1 to 500 characters. INVALID_ARGUMENT `REQUIRED` when it is empty.
pub fn reason(field: &'static str, text: &str) -> trato_types::Result<String> {
    let reason = remark(field, text)?;
    if reason.is_empty() { Err(Error::invalid(field, "REQUIRED", "is required")) } else { Ok(reason) }
}

/// Checks a text of one line that may be empty: at most 500 characters.
pub fn remark(field: &'static str, text: &str) -> trato_types::Result<String> {
    line(text, 500).map_err(|error| Error::invalid(field, error.reason(), error.to_string()))
}

/// Most minor units of an amount that is sent alone, so that thousands of them add up.
const MOST: i64 = 1_000_000_000_000_000;

/// Reads an amount of either sign, in a currency that exists.
pub fn amount(money: Option<&Money>) -> Result<(Minor, Currency), MoneyError> {
    let (amount, currency) = wire::parse_money(money.unwrap_or(&Money::default()))?;
    if amount.0.unsigned_abs() > MOST.unsigned_abs() {
        return Err(MoneyError::Overflow);
    }
    Ok((amount, currency.existing()?))
}

/// Reads a day such as `2026-11-30`, of the years that every database has.
pub fn day(text: &str) -> Option<Date> {
    let is_plain = text.len() == 10 && text.starts_with(|first: char| first.is_ascii_digit());
    if is_plain { text.parse().ok() } else { None }
}

/// INVALID_ARGUMENT `REQUIRED` for a call that moves money and could not be repeated.
pub fn require_request_id(request_id: &str) -> Result<(), tonic::Status> {
    if request_id.is_empty() {
        let message = "a lost answer must not move money twice";
        return Err(to_status(Error::invalid("request_id", "REQUIRED", message)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_letters_digits_dots_dashes_and_underscores() {
        for right in ["ES-S", "30D", "v1.2_a", &"x".repeat(40)] {
            assert!(right.parse::<Code>().is_ok(), "{right:?}");
        }
        for wrong in ["", " ", "a b", "ñ", "a/b", "a\u{0}", &"x".repeat(41)] {
            assert_eq!(wrong.parse::<Code>(), Err(CodeError), "{wrong:?}");
        }
    }

    #[test]
    fn a_day_is_one_of_the_calendar_of_now() {
        assert_eq!(day("2026-11-30"), Date::from_ymd_opt(2026, 11, 30));
        for wrong in
            ["", "2026-11-31", "26-11-30", "-200000-01-01", "+12026-1-1", "-026-11-30", "2026-11-30T"]
        {
            assert_eq!(day(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn an_amount_is_bounded_and_of_a_currency_that_exists() {
        let money = |code: &str, units| Money { currency_code: code.into(), units, nanos: 0 };
        assert_eq!(amount(Some(&money("USD", -12))), Ok((Minor(-1200), Currency::USD)));
        assert_eq!(amount(Some(&money("USD", 10_000_000_000_001))), Err(MoneyError::Overflow));
        assert_eq!(amount(Some(&money("XXX", 1))), Err(MoneyError::Unknown));
        assert_eq!(amount(None), Err(MoneyError::Currency));
    }
}
