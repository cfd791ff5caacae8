//! Fields that several resources of billing have: codes and words. Pure.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use trato_types::{
    error::FieldError,
    text::{TextError, line},
};

/// What people call a thing in short: 1 to 40 letters, digits or `._-`, such as `ES-S`.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Code(String);

impl Code {
    /// Most characters.
    pub const MAX_LENGTH: usize = 40;
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
}
