//! Amounts as text and back, exactly.

use std::borrow::Cow;

use trato_types::{Currency, Minor};

use crate::EInvoiceError;

/// `-12.30` for 1,230 cents below zero; as many decimals as the currency has.
pub(crate) fn amount(Minor(minor): Minor, currency: Currency) -> String {
    let places = currency.exponent() as usize;
    let sign = if minor < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", minor.unsigned_abs(), width = places + 1);
    match digits.split_at(digits.len() - places) {
        (whole, "") => format!("{sign}{whole}"),
        (whole, fraction) => format!("{sign}{whole}.{fraction}"),
    }
}

/// Reads an amount. Decimals beyond the currency's must be zeros.
pub(crate) fn minor(text: &str, currency: Currency) -> Result<Minor, EInvoiceError> {
    let text = decimal(text)?;
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, &*text),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let places = currency.exponent() as usize;
    if fraction.len() > places {
        return Err(EInvoiceError::AmountTooFine);
    }
    // Twenty digits are more than 64 bits have, and fewer than overflow the sum.
    if whole.len() > 20 {
        return Err(EInvoiceError::AmountTooLarge);
    }
    let zeros = std::iter::repeat_n(b'0', places - fraction.len());
    let digits = whole.bytes().chain(fraction.bytes()).chain(zeros);
    let number = digits.fold(0_i128, |number, digit| number * 10 + i128::from(digit - b'0'));
    i64::try_from(if negative { -number } else { number })
        .map(Minor)
        .map_err(|_| EInvoiceError::AmountTooLarge)
}

/// A decimal number of XML Schema, `+.5` say, in the form that numbers are read in elsewhere: `0.5`.
pub(crate) fn decimal(text: &str) -> Result<Cow<'_, str>, EInvoiceError> {
    let (sign, unsigned) = match text.as_bytes() {
        [b'-', ..] => ("-", &text[1..]),
        [b'+', ..] => ("", &text[1..]),
        _ => ("", text),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return Err(EInvoiceError::NotADecimal);
    }
    match (whole, fraction) {
        ("", fraction) => Ok(format!("{sign}0.{fraction}").into()),
        (whole, "") => Ok(format!("{sign}{whole}").into()),
        _ if text.starts_with('+') => Ok(unsigned.into()),
        _ => Ok(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).expect("a code")
    }

    #[test]
    fn an_amount_has_the_decimals_of_its_currency_and_comes_back() {
        for (code, minor_units, text) in [
            ("EUR", 1_230, "12.30"),
            ("EUR", -5, "-0.05"),
            ("EUR", 0, "0.00"),
            ("JPY", -1_230, "-1230"),
            ("JPY", 0, "0"),
            ("EUR", i64::MIN, "-92233720368547758.08"),
            ("JPY", i64::MAX, "9223372036854775807"),
        ] {
            assert_eq!(amount(Minor(minor_units), currency(code)), text);
            assert_eq!(minor(text, currency(code)), Ok(Minor(minor_units)), "{text}");
        }
    }

    #[test]
    fn an_amount_is_read_exactly_or_refused() {
        let thirty = format!("1.{}1", "0".repeat(29));
        let huge = "9".repeat(1_000_000);
        for (text, read) in [
            ("+1", Ok(100)),
            (".5", Ok(50)),
            ("5.", Ok(500)),
            ("-0", Ok(0)),
            ("0001.1000000000000000000000000000000", Ok(110)),
            ("1.005", Err(EInvoiceError::AmountTooFine)),
            (thirty.as_str(), Err(EInvoiceError::AmountTooFine)),
            ("92233720368547758.08", Err(EInvoiceError::AmountTooLarge)),
            (huge.as_str(), Err(EInvoiceError::AmountTooLarge)),
            ("", Err(EInvoiceError::NotADecimal)),
            (".", Err(EInvoiceError::NotADecimal)),
            ("1e3", Err(EInvoiceError::NotADecimal)),
            ("1,5", Err(EInvoiceError::NotADecimal)),
            ("--1", Err(EInvoiceError::NotADecimal)),
            ("NaN", Err(EInvoiceError::NotADecimal)),
            ("1 000", Err(EInvoiceError::NotADecimal)),
            ("١", Err(EInvoiceError::NotADecimal)),
        ] {
            assert_eq!(minor(text, currency("EUR")), read.map(Minor), "{text:.40}");
        }
    }
}
