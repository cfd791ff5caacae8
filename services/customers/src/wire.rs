//! Google's common types on the wire, and the vocabulary they stand for.

use std::str::FromStr;

use trato_platform::db::Record;
use trato_proto::google::value::{Date as WireDate, Money};
use trato_types::{Currency, Date, Minor, Timestamp, error::FieldError, money::MoneyError};

/// A number that stands for none of an enum's names.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be one of the names the contract lists")]
pub struct UnknownName;

impl FieldError for UnknownName {
    fn reason(&self) -> &'static str {
        "UNKNOWN_VALUE"
    }
}

/// A list with more items than its field takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must have at most {max} items")]
pub struct TooMany {
    max: usize,
}

impl FieldError for TooMany {
    fn reason(&self) -> &'static str {
        "TOO_MANY"
    }
}

/// Takes a list of at most `max` items. Asked before the items are looked at: a million of them may be a million faults.
pub fn at_most<T>(items: &[T], max: usize) -> Result<&[T], TooMany> {
    if items.len() > max { Err(TooMany { max }) } else { Ok(items) }
}

/// Reads a text that may be empty, which is none.
pub fn optional<T: FromStr>(text: &str) -> Result<Option<T>, T::Err> {
    if text.trim().is_empty() { Ok(None) } else { text.parse().map(Some) }
}

/// A text that may be absent, as the wire has it.
pub fn text(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

/// System a record came from and its identifier there; both empty when it is from here.
pub fn external<T>(record: &Record<T>) -> (String, String) {
    record.external.clone().map(|external| (external.source, external.id)).unwrap_or_default()
}

/// A text that is not a date.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be a day of the calendar, with year, month and day")]
pub struct DateError;

impl FieldError for DateError {
    fn reason(&self) -> &'static str {
        "INVALID_DATE"
    }
}

/// An instant.
pub fn timestamp(time: Timestamp) -> prost_types::Timestamp {
    let nanos = i32::try_from(time.timestamp_subsec_nanos()).unwrap_or_default();
    prost_types::Timestamp { seconds: time.timestamp(), nanos }
}

/// A civil date.
pub fn date(date: Date) -> WireDate {
    use chrono::Datelike as _;
    let part = |number: u32| i32::try_from(number).unwrap_or_default();
    WireDate { year: date.year(), month: part(date.month()), day: part(date.day()) }
}

/// Reads a whole civil date of the years 1 to 9999; `google.type.Date` could leave parts out.
pub fn parse_date(date: &WireDate) -> Result<Date, DateError> {
    let part = |number: i32| u32::try_from(number).map_err(|_| DateError);
    let year = Some(date.year).filter(|year| (1..=9999).contains(year)).ok_or(DateError)?;
    Date::from_ymd_opt(year, part(date.month)?, part(date.day)?).ok_or(DateError)
}

/// Reads a date that must be there.
pub fn require_date(date: Option<&WireDate>) -> Result<Date, DateError> {
    date.ok_or(DateError).and_then(parse_date)
}

/// An amount.
pub fn money(amount: Minor, currency: Currency) -> Money {
    let (units, nanos) = amount.units_and_nanos(currency);
    Money { currency_code: currency.code().to_owned(), units, nanos }
}

/// Reads an amount; one finer than the currency's minor unit is refused.
pub fn parse_money(money: &Money) -> Result<(Minor, Currency), MoneyError> {
    let currency = Currency::parse(&money.currency_code)?;
    Ok((currency.minor(money.units, money.nanos)?, currency))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_survives_the_wire_and_half_a_date_is_none() {
        let day = Date::from_ymd_opt(2024, 2, 29).expect("a day");

        assert_eq!(parse_date(&date(day)), Ok(day));
        for (year, month, day) in
            [(2023, 2, 29), (2024, 2, 0), (2024, 0, 0), (0, 1, 1), (10_000, 1, 1), (2024, -1, 1)]
        {
            assert_eq!(parse_date(&WireDate { year, month, day }), Err(DateError), "{year}-{month}-{day}");
        }
    }
}
