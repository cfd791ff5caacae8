//! Google's common types on the wire, and the vocabulary they stand for: the same in every service, so that a client
//! learns each form and each reason once.

use std::str::FromStr;

use trato_contract::google::value::{Date as WireDate, Money};
use trato_types::{
    Address, Currency, Date, Minor, Timestamp, error::FieldError, money::MoneyError, time::to_microseconds,
};

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

/// Why a date or an instant was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TimeError {
    /// Half a date, or none of the calendar.
    #[error("must be a day of the calendar, with year, month and day")]
    Date,
    /// Before the year 1 or after 9999.
    #[error("must be a time of the years 1 to 9999")]
    Timestamp,
}

impl FieldError for TimeError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Date => "INVALID_DATE",
            Self::Timestamp => "INVALID_TIMESTAMP",
        }
    }
}

/// Why an amount was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AmountError {
    /// It is no amount of money.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// Below zero.
    #[error("must not be negative")]
    Negative,
}

impl FieldError for AmountError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Money(error) => error.reason(),
            Self::Negative => "NEGATIVE",
        }
    }
}

/// Takes a list of at most `max` items. Asked before the items are looked at: a million of them may be a million faults.
pub fn at_most<T>(items: &[T], max: usize) -> Result<&[T], TooMany> {
    if items.len() > max { Err(TooMany { max }) } else { Ok(items) }
}

macro_rules! addresses {
    ($($package:ident),*) => {$(
        impl From<crate::$package::v1::Address> for Address {
            fn from(sent: crate::$package::v1::Address) -> Self {
                let crate::$package::v1::Address { lines, locality, region, postal_code, country_code } = sent;
                Self { lines, locality, region, postal_code, country_code }
            }
        }

        impl From<Address> for crate::$package::v1::Address {
            fn from(address: Address) -> Self {
                let Address { lines, locality, region, postal_code, country_code } = address;
                Self { lines, locality, region, postal_code, country_code }
            }
        }
    )*};
}
// Each package has an address of its own, so that its contract can change alone; what one is, is said once.
addresses!(billing, customers, sales);

/// A text that may be absent, which is the empty one on the wire.
pub fn text(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

/// Reads a text that may be empty, which is none.
pub fn parse_optional<T: FromStr>(text: &str) -> Result<Option<T>, T::Err> {
    if text.trim().is_empty() { Ok(None) } else { text.parse().map(Some) }
}

/// An instant.
pub fn timestamp(time: Timestamp) -> prost_types::Timestamp {
    let nanos = i32::try_from(time.timestamp_subsec_nanos()).unwrap_or_default();
    prost_types::Timestamp { seconds: time.timestamp(), nanos }
}

/// Reads an instant of the years 1 to 9999, cut to microseconds.
pub fn parse_timestamp(time: &prost_types::Timestamp) -> Result<Timestamp, TimeError> {
    use chrono::Datelike as _;
    let nanos = u32::try_from(time.nanos).map_err(|_| TimeError::Timestamp)?;
    let read = Timestamp::from_timestamp(time.seconds, nanos);
    read.filter(|read| (1..=9999).contains(&read.year())).map(to_microseconds).ok_or(TimeError::Timestamp)
}

/// A civil date.
pub fn date(date: Date) -> WireDate {
    use chrono::Datelike as _;
    let part = |number: u32| i32::try_from(number).unwrap_or_default();
    WireDate { year: date.year(), month: part(date.month()), day: part(date.day()) }
}

/// Reads a whole civil date of the years 1 to 9999; `google.type.Date` could leave parts out.
pub fn parse_date(date: &WireDate) -> Result<Date, TimeError> {
    let part = |number: i32| u32::try_from(number).map_err(|_| TimeError::Date);
    let year = Some(date.year).filter(|year| (1..=9999).contains(year)).ok_or(TimeError::Date)?;
    Date::from_ymd_opt(year, part(date.month)?, part(date.day)?).ok_or(TimeError::Date)
}

/// Reads a date that must be there.
pub fn require_date(date: Option<&WireDate>) -> Result<Date, TimeError> {
    date.ok_or(TimeError::Date).and_then(parse_date)
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

/// Like `parse_money`, for amounts that are never below zero.
pub fn parse_amount(money: &Money) -> Result<(Minor, Currency), AmountError> {
    let (amount, currency) = parse_money(money)?;
    if amount < Minor(0) { Err(AmountError::Negative) } else { Ok((amount, currency)) }
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
            assert_eq!(
                parse_date(&WireDate { year, month, day }),
                Err(TimeError::Date),
                "{year}-{month}-{day}"
            );
        }
    }

    #[test]
    fn an_instant_survives_the_wire_in_microseconds() {
        let wire = prost_types::Timestamp { seconds: -1, nanos: 123_456_789 };

        let read = parse_timestamp(&wire).expect("an instant");

        assert_eq!(timestamp(read), prost_types::Timestamp { seconds: -1, nanos: 123_456_000 });
        for seconds in [i64::MAX, i64::MIN, 253_402_300_800] {
            let wrong = prost_types::Timestamp { seconds, nanos: 0 };
            assert_eq!(parse_timestamp(&wrong), Err(TimeError::Timestamp), "{seconds}");
        }
    }

    #[test]
    fn an_amount_below_zero_is_refused() {
        let wire = |units| Money { currency_code: "EUR".to_owned(), units, nanos: 0 };

        assert_eq!(parse_amount(&wire(-1)), Err(AmountError::Negative));
        assert_eq!(parse_amount(&wire(1)), Ok((Minor(100), Currency::parse("EUR").expect("a code"))));
    }
}
