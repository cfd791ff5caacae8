//! Amounts of an export as `google.type.Money`, by decimal arithmetic from text to wire.

use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use serde_json::{Value, json};

/// Currency of all amounts in an export.
pub const CURRENCY: &str = "USD";

/// Decimals the wire can carry.
const NANO_DIGITS: u32 = 9;

/// Reads an amount such as `1100.04`; none for an empty cell.
pub fn parse(text: &str) -> Result<Option<Decimal>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let amount =
        Decimal::from_str_exact(text).ok().filter(|amount| amount.normalize().scale() <= NANO_DIGITS);
    amount.map(Some).ok_or_else(|| format!("`{text}` is not an amount"))
}

/// Millions as units; none when the number is out of range.
pub fn millions(amount: Decimal) -> Option<Decimal> {
    amount.checked_mul(Decimal::from(1_000_000))
}

/// The message in JSON.
pub fn to_json(amount: Decimal) -> Value {
    let units = amount.trunc();
    let nanos = ((amount - units) * Decimal::from(1_000_000_000)).to_i32().unwrap_or_default();
    json!({ "currencyCode": CURRENCY, "units": units.normalize().to_string(), "nanos": nanos })
}

/// Reads the message in JSON.
pub fn from_json(money: &Value) -> Option<Decimal> {
    let units: Decimal = match &money["units"] {
        Value::String(text) => text.parse().ok()?,
        Value::Number(number) => number.as_i64()?.into(),
        _ => Decimal::ZERO,
    };
    let nanos = Decimal::new(money["nanos"].as_i64().unwrap_or_default(), 9);
    Some((units + nanos).normalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn millions_with_decimals_become_exact_units() {
        for (text, units, nanos) in [
            ("1100.04", "1100040000", 0),
            ("4.54", "4540000", 0),
            ("0.0000012", "1", 200_000_000),
            ("11698.03", "11698030000", 0),
        ] {
            let amount = millions(parse(text).expect("an amount").expect("not empty")).expect("in range");

            assert_eq!(
                to_json(amount),
                json!({ "currencyCode": "USD", "units": units, "nanos": nanos }),
                "{text}"
            );
        }
    }

    #[test]
    fn an_amount_survives_the_wire() {
        for text in ["0", "4514", "-12.34", "10005534", "0.01"] {
            let amount = parse(text).expect("an amount").expect("not empty");

            assert_eq!(from_json(&to_json(amount)), Some(amount.normalize()), "{text}");
        }
        assert_eq!(from_json(&json!({ "currencyCode": "USD", "units": "7" })), Some(Decimal::from(7)));
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        assert_eq!(parse(""), Ok(None));
        for wrong in
            ["1,100.04", "12 USD", "NaN", "1e3", "--1", "0.0000000001", "99999999999999999999999999999999"]
        {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
