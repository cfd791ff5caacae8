//! Money as whole minor units of one currency; never a float.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::error::FieldError;

/// An amount in the minor unit of its document's currency (cents for USD, yen for JPY); a whole number in JSON.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Minor(pub i64);

/// An ISO 4217 currency code.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Currency([u8; 3]);

/// Currencies whose minor unit is not a hundredth (ISO 4217, table A.1).
const OTHER_EXPONENTS: &[(&str, u32)] = &[
    ("BHD", 3),
    ("BIF", 0),
    ("CLF", 4),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("IQD", 3),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("PYG", 0),
    ("RWF", 0),
    ("TND", 3),
    ("UGX", 0),
    ("UYI", 0),
    ("UYW", 4),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
];

/// Currencies that documents can be made out in: list one of ISO 4217 as of 2026 with the last three that were replaced
/// (ANG, BGN, HRK), which older documents bear, and the units of account CLF, UYI and UYW; without metals, other funds
/// and codes for testing.
const CODES: &str = "\
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD \
    CAD CDF CHF CLF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP \
    GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD \
    KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO \
    NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS \
    SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYI UYU UYW UZS VED VES VND \
    VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";

/// Nanos in one unit, as `google.type.Money` counts them.
const NANOS: i128 = 1_000_000_000;

impl Currency {
    /// US dollar.
    pub const USD: Self = Self(*b"USD");

    /// Parses three capital letters.
    pub fn parse(code: &str) -> Result<Self, MoneyError> {
        match code.as_bytes() {
            [a, b, c] if [a, b, c].iter().all(|byte| byte.is_ascii_uppercase()) => Ok(Self([*a, *b, *c])),
            _ => Err(MoneyError::Currency),
        }
    }

    /// The three letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Parses the code of a currency that exists.
    pub fn parse_existing(code: &str) -> Result<Self, MoneyError> {
        Self::parse(code)?.existing()
    }

    /// Itself, if there is such a currency.
    pub fn existing(self) -> Result<Self, MoneyError> {
        if self.exists() { Ok(self) } else { Err(MoneyError::Unknown) }
    }

    /// True when there is such a currency. `parse` does not ask, so that what is stored can be read whatever ISO does next.
    pub fn exists(&self) -> bool {
        CODES.as_bytes().chunks(4).any(|code| code.starts_with(&self.0))
    }

    /// Decimal places of the minor unit.
    pub fn exponent(&self) -> u32 {
        OTHER_EXPONENTS.iter().find(|(code, _)| *code == self.code()).map_or(2, |(_, exponent)| *exponent)
    }

    /// Reads `google.type.Money`'s units and nanos; anything finer than the minor unit is refused, never rounded.
    pub fn minor(&self, units: i64, nanos: i32) -> Result<Minor, MoneyError> {
        if i128::from(nanos).abs() >= NANOS || (units > 0 && nanos < 0) || (units < 0 && nanos > 0) {
            return Err(MoneyError::Nanos);
        }
        let total = i128::from(units) * NANOS + i128::from(nanos);
        let per_minor = NANOS / 10_i128.pow(self.exponent());
        if total % per_minor != 0 {
            return Err(MoneyError::TooFine);
        }
        i64::try_from(total / per_minor).map(Minor).map_err(|_| MoneyError::Overflow)
    }
}

impl Minor {
    /// `google.type.Money`'s units and nanos of this amount.
    pub fn units_and_nanos(self, currency: Currency) -> (i64, i32) {
        let factor = 10_i64.pow(currency.exponent());
        let per_minor = 1_000_000_000 / factor;
        // The remainder is below `factor`, so the product is below 10^9 and fits.
        (self.0 / factor, i32::try_from(self.0 % factor * per_minor).unwrap_or_default())
    }

    /// True for zero.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&code).map_err(D::Error::custom)
    }
}

/// Why an amount was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MoneyError {
    /// Not a currency code.
    #[error("must be an ISO 4217 currency code of three capital letters")]
    Currency,
    /// None of the currencies that documents are made out in.
    #[error("must be a currency that exists")]
    Unknown,
    /// Nanos out of range or of the other sign.
    #[error("nanos must be within one unit and have the sign of units")]
    Nanos,
    /// Finer than the currency's minor unit.
    #[error("has more decimals than the currency's minor unit")]
    TooFine,
    /// Larger than 2^63 minor units.
    #[error("is too large")]
    Overflow,
}

impl FieldError for MoneyError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Currency => "INVALID_CURRENCY",
            Self::Unknown => "UNKNOWN_CURRENCY",
            Self::Nanos => "INVALID_NANOS",
            Self::TooFine => "AMOUNT_TOO_FINE",
            Self::Overflow => "AMOUNT_TOO_LARGE",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_survives_the_wire_in_currencies_of_zero_two_and_three_decimals() {
        for code in ["JPY", "USD", "KWD"] {
            let currency = Currency::parse(code).expect("a code");
            for minor in [0, 1, -1, 99, -12_345, i64::MAX, i64::MIN] {
                let (units, nanos) = Minor(minor).units_and_nanos(currency);
                assert_eq!(currency.minor(units, nanos), Ok(Minor(minor)), "{code} {minor}");
            }
        }
    }

    #[test]
    fn a_currency_exists_when_iso_lists_it() {
        for code in ["EUR", "JPY", "KWD", "CLF", "AED", "ZWG"] {
            assert!(Currency::parse(code).is_ok_and(|currency| currency.exists()), "{code}");
        }
        for code in ["ABC", "XXX", "XTS", "XAU", "AAA", "ZZZ"] {
            assert!(Currency::parse(code).is_ok_and(|currency| !currency.exists()), "{code}");
        }
        let listed = |code: &&str| CODES.split(' ').any(|known| known == *code);
        assert!(OTHER_EXPONENTS.iter().all(|(code, _)| listed(code)));
    }

    #[test]
    fn an_amount_finer_than_a_cent_is_refused() {
        assert_eq!(Currency::USD.minor(1, 5_000_000), Err(MoneyError::TooFine));
        assert_eq!(Currency::USD.minor(1, -10_000_000), Err(MoneyError::Nanos));
        assert_eq!(Currency::USD.minor(i64::MAX, 0), Err(MoneyError::Overflow));
    }
}
