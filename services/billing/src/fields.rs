//! Fields that several resources of billing have: codes and words. Pure.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use trato_platform::rpc::status::to_status;
use trato_types::{
    Error,
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
}
