//! Technical attributes: what a data sheet says, by key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trato_types::{Result, Violations, error::FieldError, text::line};

/// Texts, numbers and truth values by key, at most 200.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Attributes(BTreeMap<String, AttributeValue>);

/// What an attribute says.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(untagged)]
pub enum AttributeValue {
    /// At most 500 characters.
    Text(String),
    /// A finite number.
    Number(f64),
    /// Yes or no.
    Truth(bool),
}

/// Why something is no attribute.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AttributeError {
    /// The key has another form.
    #[error("must have keys of 1 to 40 lower-case letters, digits or -")]
    Key,
    /// The value is of another kind, or no number.
    #[error("must be a text, a finite number or a truth value")]
    Value,
}

impl FieldError for AttributeError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Key => "INVALID_ATTRIBUTE_KEY",
            Self::Value => "INVALID_ATTRIBUTE",
        }
    }
}

impl Attributes {
    /// Most attributes of a product.
    pub const MAX: usize = 200;
    /// Longest text, in characters.
    const LONGEST_TEXT: usize = 500;

    /// Takes attributes, `None` for a value of a kind that is not taken; INVALID_ARGUMENT with all that is wrong.
    pub fn new(given: impl IntoIterator<Item = (String, Option<AttributeValue>)>) -> Result<Self> {
        let mut violations = Violations::new();
        let mut attributes = BTreeMap::new();
        for (key, value) in given {
            if !is_key(&key) {
                violations.keep("attributes", Err::<(), _>(AttributeError::Key));
                continue;
            }
            let field = format!("attributes.{key}");
            let value = match value {
                Some(AttributeValue::Text(text)) => {
                    violations.keep(&field, line(&text, Self::LONGEST_TEXT)).map(AttributeValue::Text)
                }
                Some(value) if value.is_finite() => Some(value),
                _ => violations.keep(&field, Err(AttributeError::Value)),
            };
            attributes.extend(value.map(|value| (key, value)));
        }
        violations.into_result(Some(Self(attributes)))
    }

    /// All of them, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &AttributeValue)> {
        self.0.iter()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl AttributeValue {
    fn is_finite(&self) -> bool {
        !matches!(self, Self::Number(number) if !number.is_finite())
    }
}

/// True for 1 to 40 lower-case letters, digits or `-`.
pub fn is_key(key: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=40).contains(&key.len()) && key.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(given: &[(&str, Option<AttributeValue>)]) -> Vec<&'static str> {
        let given = given.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
        let Err(error) = Attributes::new(given) else { return Vec::new() };
        error.violations().iter().map(|violation| violation.reason).collect()
    }

    /// MDM-05: a product has technical attributes.
    #[test]
    fn an_attribute_is_a_text_a_number_or_a_truth_value_under_a_plain_key() {
        let text = |text: &str| Some(AttributeValue::Text(text.to_owned()));
        let right = [
            ("power-kw", Some(AttributeValue::Number(2.2))),
            ("colour", text("red")),
            ("hot", Some(AttributeValue::Truth(false))),
        ];
        assert_eq!(reasons(&right), [""; 0]);
        assert_eq!(
            reasons(&[("Power", text("x")), ("", text("x")), ("a_b", text("x"))]),
            ["INVALID_ATTRIBUTE_KEY"; 3]
        );
        let wrong = [
            ("a", None),
            ("b", Some(AttributeValue::Number(f64::NAN))),
            ("c", Some(AttributeValue::Number(f64::INFINITY))),
        ];
        assert_eq!(reasons(&wrong), ["INVALID_ATTRIBUTE"; 3]);
        assert_eq!(reasons(&[("a", text(&"x".repeat(501)))]), ["TOO_LONG"]);
    }
}
