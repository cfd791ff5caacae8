//! Quantities, prices of a unit, percentages and exchange rates: exact decimals with the digits the columns have.
//!
//! They are kept as whole numbers, since a product of two `Decimal`s that needs more than 28 digits is rounded without a
//! word, and the amount would then be rounded twice.

use std::{fmt, str::FromStr};

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use trato_types::Minor;

use crate::{
    PricingError,
    exact::{amount, divide, wide},
};

/// Decimals of a quantity, a price or a percentage: `numeric(18,6)`.
const PLACES: u32 = 6;
/// The first number that has more than 18 digits.
const LIMIT: i128 = 10_i128.pow(18);
/// One, in millionths.
pub(crate) const ONE: i128 = 10_i128.pow(PLACES);

/// How much of something: up to six decimals, below zero for what is taken back.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Quantity(i64);

/// Price of a unit in units of the currency: up to six decimals, zero or more (EN 16931, BR-27).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct UnitPrice(i64);

/// A percentage, such as 21 for a tax rate of 21 %: up to six decimals, zero or more, below 1,000.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Percent(i64);

/// Units of one currency for a unit of another: more than zero, up to twelve decimals and 18 digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ExchangeRate {
    digits: i64,
    scale: u32,
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One.
    pub const ONE: Self = Self(1_000_000);

    /// Itself, if it is more than nothing.
    pub fn positive(self) -> Result<Self, PricingError> {
        if self > Self::ZERO { Ok(self) } else { Err(PricingError::NotPositive) }
    }

    /// Itself, if it is nothing or more.
    pub fn not_negative(self) -> Result<Self, PricingError> {
        if self >= Self::ZERO { Ok(self) } else { Err(PricingError::Negative) }
    }

    /// A whole number.
    pub fn whole(number: i64) -> Result<Self, PricingError> {
        Self::from_millionths(i128::from(number) * ONE)
    }

    /// The quantity of a part when one of the whole has `factor` of them; finer than a millionth is refused.
    pub fn times(self, factor: Self) -> Result<Self, PricingError> {
        let product = self.millionths() * factor.millionths();
        if product % ONE != 0 {
            return Err(PricingError::TooManyDecimals);
        }
        Self::from_millionths(product / ONE)
    }

    /// What so much comes to when one of it is `each`, rounded once.
    pub fn of(self, each: Minor) -> Result<Minor, PricingError> {
        amount(wide(each) * self.millionths(), ONE)
    }

    /// So much of a hundred of it, rounded once.
    pub fn share(self, percent: Percent) -> Result<Self, PricingError> {
        Self::from_millionths(divide(self.millionths() * percent.millionths(), 100 * ONE))
    }

    /// How often another quantity fits, in whole numbers; once when it is zero.
    pub fn how_often(self, other: Self) -> Result<Self, PricingError> {
        if other.is_zero() {
            return Ok(Self::ONE);
        }
        Self::from_millionths(self.millionths() / other.millionths() * ONE)
    }

    /// The sum.
    pub fn plus(self, other: Self) -> Result<Self, PricingError> {
        Self::from_millionths(self.millionths() + other.millionths())
    }

    /// The same with the other sign.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self(-self.0)
    }

    fn from_millionths(millionths: i128) -> Result<Self, PricingError> {
        within_digits(millionths).map(Self)
    }
}

impl UnitPrice {
    fn from_millionths(millionths: i128) -> Result<Self, PricingError> {
        if millionths < 0 {
            return Err(PricingError::Negative);
        }
        within_digits(millionths).map(Self)
    }
}

impl Percent {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The whole.
    pub const HUNDRED: Self = Self(100_000_000);

    /// The sum of the rates of a line. It may be more than one rate may be.
    pub(crate) fn from_sum(millionths: i128) -> Result<Self, PricingError> {
        within_digits(millionths).map(Self)
    }

    fn from_millionths(millionths: i128) -> Result<Self, PricingError> {
        match millionths {
            ..0 => Err(PricingError::Negative),
            // `numeric(9,6)`: a tax of more than the whole exists (on tobacco), one of ten times the whole does not.
            0..1_000_000_000 => within_digits(millionths).map(Self),
            _ => Err(PricingError::TooLarge),
        }
    }
}

impl ExchangeRate {
    const PLACES: u32 = 12;

    /// Within one currency.
    pub const ONE: Self = Self { digits: 1, scale: 0 };

    pub(crate) fn digits(self) -> i128 {
        i128::from(self.digits)
    }

    pub(crate) fn scale(self) -> u32 {
        self.scale
    }

    fn from_digits((digits, scale): (i128, u32)) -> Result<Self, PricingError> {
        if scale > Self::PLACES {
            return Err(PricingError::TooManyDecimals);
        }
        if digits <= 0 {
            return Err(PricingError::NotPositive);
        }
        within_digits(digits).map(|digits| Self { digits, scale })
    }
}

fn within_digits(number: i128) -> Result<i64, PricingError> {
    if number.abs() >= LIMIT {
        return Err(PricingError::TooLarge);
    }
    i64::try_from(number).map_err(|_| PricingError::TooLarge)
}

/// Reads `-12.50` as -125 and one decimal. `Decimal` would take `1_0`, `+1` and, cut to fit, thirty decimals.
fn digits_and_scale(text: &str) -> Result<(i128, u32), PricingError> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return Err(PricingError::NotADecimal);
    }
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    // As many digits as `Decimal` holds; no value of ours has more, and none of them is dropped.
    if fraction.len() > 18 {
        return Err(PricingError::TooManyDecimals);
    }
    if whole.len() > 18 {
        return Err(PricingError::TooLarge);
    }
    let digits = whole.bytes().chain(fraction.bytes());
    let number = digits.fold(0_i128, |number, digit| number * 10 + i128::from(digit - b'0'));
    let scale = u32::try_from(fraction.len()).map_err(|_| PricingError::TooManyDecimals)?;
    Ok((if negative { -number } else { number }, scale))
}

fn of_decimal(decimal: Decimal) -> (i128, u32) {
    let decimal = decimal.normalize();
    (decimal.mantissa(), decimal.scale())
}

fn to_millionths((digits, scale): (i128, u32)) -> Result<i128, PricingError> {
    let missing = PLACES.checked_sub(scale).ok_or(PricingError::TooManyDecimals)?;
    digits.checked_mul(10_i128.pow(missing)).ok_or(PricingError::TooLarge)
}

macro_rules! in_millionths {
    ($($type:ty),*) => {$(
        impl $type {
            pub(crate) fn millionths(self) -> i128 {
                i128::from(self.0)
            }

            /// True for zero.
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }
        }

        impl TryFrom<Decimal> for $type {
            type Error = PricingError;

            fn try_from(decimal: Decimal) -> Result<Self, PricingError> {
                Self::from_millionths(to_millionths(of_decimal(decimal))?)
            }
        }

        impl FromStr for $type {
            type Err = PricingError;

            fn from_str(text: &str) -> Result<Self, PricingError> {
                Self::from_millionths(to_millionths(digits_and_scale(text)?)?)
            }
        }

        impl From<$type> for Decimal {
            fn from(value: $type) -> Self {
                Self::new(value.0, PLACES).normalize()
            }
        }
    )*};
}
in_millionths!(Quantity, UnitPrice, Percent);

impl TryFrom<Decimal> for ExchangeRate {
    type Error = PricingError;

    fn try_from(decimal: Decimal) -> Result<Self, PricingError> {
        Self::from_digits(of_decimal(decimal))
    }
}

impl FromStr for ExchangeRate {
    type Err = PricingError;

    fn from_str(text: &str) -> Result<Self, PricingError> {
        let (digits, scale) = digits_and_scale(text)?;
        // `1.50` and `1.5` are one rate, and so are `100` and what a column with decimals gives back for it.
        Self::from_digits((digits, scale))
    }
}

impl From<ExchangeRate> for Decimal {
    fn from(rate: ExchangeRate) -> Self {
        Self::new(rate.digits, rate.scale)
    }
}

macro_rules! as_text {
    ($($type:ty),*) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&Decimal::from(*self), f)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    )*};
}
as_text!(Quantity, UnitPrice, Percent, ExchangeRate);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_taken_exactly_or_refused() {
        for (text, same) in
            [("1", "1"), ("0012.50", "12.5"), ("-0.000001", "-0.000001"), ("0.0", "0"), ("-0", "0")]
        {
            assert_eq!(
                text.parse::<Quantity>().map(|value| value.to_string()),
                Ok(same.to_owned()),
                "{text}"
            );
        }
        let thirty = format!("1.{}1", "0".repeat(29));
        for (text, error) in [
            (thirty.as_str(), PricingError::TooManyDecimals),
            ("0.0000001", PricingError::TooManyDecimals),
            ("1000000000000", PricingError::TooLarge),
            ("1000000000000000000000000000000000000000", PricingError::TooLarge),
            ("", PricingError::NotADecimal),
            ("1e1000000", PricingError::NotADecimal),
            ("1_000", PricingError::NotADecimal),
            ("+1", PricingError::NotADecimal),
            (" 1", PricingError::NotADecimal),
            ("1.", PricingError::NotADecimal),
            (".5", PricingError::NotADecimal),
            ("NaN", PricingError::NotADecimal),
            ("١", PricingError::NotADecimal),
        ] {
            assert_eq!(text.parse::<Quantity>(), Err(error), "{text}");
        }
        assert_eq!(format!("1.{}", "0".repeat(30)).parse(), Ok(Quantity::ONE));
        assert_eq!(
            "999999999999.999999".parse::<Quantity>().map(|value| value.0),
            Ok(999_999_999_999_999_999)
        );
    }

    #[test]
    fn a_column_gives_back_what_was_stored() {
        for text in ["0", "1", "-12.345678", "999999999999.999999"] {
            let quantity: Quantity = text.parse().expect("a quantity");
            assert_eq!(Quantity::try_from(Decimal::from(quantity)), Ok(quantity));
        }
        let padded = Decimal::from_str_exact("1.500000").expect("a decimal");
        assert_eq!(ExchangeRate::try_from(padded), "1.5".parse());
    }

    #[test]
    fn a_negative_price_and_an_exchange_rate_of_zero_are_refused() {
        assert_eq!("-0.01".parse::<UnitPrice>(), Err(PricingError::Negative));
        assert_eq!("-1".parse::<Percent>(), Err(PricingError::Negative));
        assert_eq!("1000".parse::<Percent>(), Err(PricingError::TooLarge));
        for text in ["0", "0.0", "-0", "-1.5"] {
            assert_eq!(text.parse::<ExchangeRate>(), Err(PricingError::NotPositive), "{text}");
        }
        assert_eq!("0.0000000000001".parse::<ExchangeRate>(), Err(PricingError::TooManyDecimals));
    }

    #[test]
    fn it_is_counted_how_often_a_quantity_fits() {
        let often = |one: &str, other: &str| {
            let [one, other]: [Quantity; 2] = [one, other].map(|text| text.parse().expect("a quantity"));
            one.how_often(other).map(|value| value.to_string())
        };
        assert_eq!(often("7", "3"), Ok("2".to_owned()));
        assert_eq!(often("0.9", "0.3"), Ok("3".to_owned()));
        assert_eq!(often("7", "0"), Ok("1".to_owned()));
        assert_eq!(often("999999999999", "0.000001"), Err(PricingError::TooLarge));
    }

    #[test]
    fn a_share_of_a_quantity_is_rounded_once() {
        let share = |quantity: &str, percent: &str| {
            let quantity: Quantity = quantity.parse().expect("a quantity");
            quantity.share(percent.parse().expect("a percentage")).map(|share| share.to_string())
        };
        assert_eq!(share("3", "50"), Ok("1.5".to_owned()));
        assert_eq!(share("3", "33.333333"), Ok("1".to_owned()));
        assert_eq!(share("-0.000001", "50"), Ok("-0.000001".to_owned()));
        assert_eq!(share("999999999999.999999", "100"), Ok("999999999999.999999".to_owned()));
        assert_eq!(share("999999999999.999999", "101"), Err(PricingError::TooLarge));
    }

    #[test]
    fn so_many_of_an_amount_are_rounded_once_half_away_from_zero() {
        let of = |quantity: &str, each| {
            let quantity: Quantity = quantity.parse().expect("a quantity");
            quantity.of(Minor(each)).map(|amount| amount.0)
        };
        assert_eq!(of("2.5", 5), Ok(13));
        assert_eq!(of("-2.5", 5), Ok(-13));
        assert_eq!(of("0.000001", 499_999), Ok(0));
        assert_eq!(of("999999999999", i64::MAX), Err(PricingError::TooLarge));
    }

    #[test]
    fn the_parts_of_a_kit_are_counted_exactly() {
        let [three, half]: [Quantity; 2] = ["3", "0.5"].map(|text| text.parse().expect("a quantity"));
        assert_eq!(three.times(half).map(|value| value.to_string()), Ok("1.5".to_owned()));
        let tiny: Quantity = "0.001".parse().expect("a quantity");
        assert_eq!(tiny.times("0.0001".parse().expect("a quantity")), Err(PricingError::TooManyDecimals));
    }
}
