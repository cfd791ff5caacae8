//! Small readers and makers of JSON, so that tests say what they mean and not how it is nested.

use serde_json::{Value, json};

/// The text in a field; empty where there is none.
pub fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}

/// The resource name of a message.
pub fn name(value: &Value) -> String {
    text(value, "name").to_owned()
}

/// The list in a field; empty where there is none.
pub fn list<'v>(value: &'v Value, field: &str) -> &'v [Value] {
    value[field].as_array().map_or(&[], Vec::as_slice)
}

/// Every element's text in a field.
pub fn texts(values: &[Value], field: &str) -> Vec<String> {
    values.iter().map(|value| text(value, field).to_owned()).collect()
}

/// Whole dollars.
pub fn dollars(units: i64) -> Value {
    json!({ "currencyCode": "USD", "units": units.to_string() })
}

/// Minor units of a `google.type.Money`, for sums; nothing for an amount that is not known.
pub fn cents(money: &Value) -> i64 {
    let units: i64 = whole(&money["units"]);
    units * 100 + whole(&money["nanos"]) / 10_000_000
}

/// A whole number, which JSON carries as text where it has 64 bits.
pub fn whole(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default()
}

/// A day.
pub fn day(year: i32, month: u32, day: u32) -> Value {
    json!({ "year": year, "month": month, "day": day })
}
