//! Text that was parsed once and is valid ever after.
//!
//! All of it is Unicode normalised by the caller's keyboard, not by us; control characters never get in,
//! so that NUL cannot reach PostgreSQL and a line break cannot reach a header.

use std::{fmt, str::FromStr};

use crate::error::FieldError;

/// Why a text was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TextError {
    /// Nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// Longer than the field allows.
    #[error("must have at most {max} characters")]
    TooLong {
        /// The limit, in characters.
        max: usize,
    },
    /// NUL, line break, bidirectional override or another control character.
    #[error("must not contain control characters")]
    ControlCharacter,
    /// Not an e-mail address (RFC 5321).
    #[error("must be an e-mail address")]
    EmailAddress,
    /// Not a phone number in international form.
    #[error("must be a phone number in international form, such as +34 911 234 567")]
    PhoneNumber,
}

impl FieldError for TextError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Empty => "EMPTY",
            Self::TooLong { .. } => "TOO_LONG",
            Self::ControlCharacter => "CONTROL_CHARACTER",
            Self::EmailAddress => "INVALID_EMAIL_ADDRESS",
            Self::PhoneNumber => "INVALID_PHONE_NUMBER",
        }
    }
}

/// Checks one line of text and trims it: at most `max` characters, no control characters; may be empty.
pub fn line(text: &str, max: usize) -> Result<String, TextError> {
    let text = text.trim();
    if text.chars().any(is_forbidden) {
        return Err(TextError::ControlCharacter);
    }
    within(text, max)
}

/// Checks a longer text, in which line breaks and tabs are allowed; may be empty.
pub fn paragraph(text: &str, max: usize) -> Result<String, TextError> {
    let text = text.trim();
    if text.chars().any(|c| is_forbidden(c) && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(TextError::ControlCharacter);
    }
    within(text, max)
}

fn within(text: &str, max: usize) -> Result<String, TextError> {
    // A character has at most four bytes, so most texts need no counting.
    if text.len() > max && text.chars().count() > max {
        Err(TextError::TooLong { max })
    } else {
        Ok(text.to_owned())
    }
}

/// Control characters, and the bidirectional overrides that make a text read as another (Trojan Source).
fn is_forbidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// What people call a thing: 1 to 200 characters in one line.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct DisplayName(String);

impl DisplayName {
    /// Longest name, in characters.
    pub const MAX_LENGTH: usize = 200;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DisplayName {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let text = line(text, Self::MAX_LENGTH)?;
        if text.is_empty() { Err(TextError::Empty) } else { Ok(Self(text)) }
    }
}

/// An e-mail address, lower-cased: two spellings of one mailbox are one contact.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The normalised address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EmailAddress {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let text = line(text, 254)?;
        let options = email_address::Options::default()
            .without_display_text()
            .without_domain_literal()
            .with_minimum_sub_domains(2);
        email_address::EmailAddress::parse_with_options(&text, options)
            .map_err(|_| TextError::EmailAddress)?;
        Ok(Self(text.to_lowercase()))
    }
}

/// A phone number in E.164 form: `+34911234567`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// The E.164 form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PhoneNumber {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let text = line(text, 40)?;
        // Without a country a national number is ambiguous, so only the international form is taken.
        if !text.starts_with('+') {
            return Err(TextError::PhoneNumber);
        }
        let number = phonenumber::parse(None, &text).map_err(|_| TextError::PhoneNumber)?;
        if !phonenumber::is_valid(&number) {
            return Err(TextError::PhoneNumber);
        }
        Ok(Self(number.format().mode(phonenumber::Mode::E164).to_string()))
    }
}

macro_rules! display_as_text {
    ($($type:ty),*) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}
display_as_text!(DisplayName, EmailAddress, PhoneNumber);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_spellings_of_a_mailbox_are_one_address() {
        let address: EmailAddress = " Ana.Perez@Example.COM ".parse().expect("an address");

        assert_eq!(address.as_str(), "ana.perez@example.com");
        for wrong in ["", "ana", "ana@", "ana@example", "Ana <ana@example.com>", "a\u{0}@example.com"] {
            assert!(wrong.parse::<EmailAddress>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_phone_number_is_kept_in_e164() {
        let number: PhoneNumber = "+34 911 23 45 67".parse().expect("a number");

        assert_eq!(number.as_str(), "+34911234567");
        for wrong in ["", "911234567", "+34", "+00123", "+34 911 23 45 67 89 00 11"] {
            assert!(wrong.parse::<PhoneNumber>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn control_characters_never_get_in() {
        for wrong in ["a\u{0}b", "a\nb", "a\u{202E}b", "a\u{7f}b"] {
            assert_eq!(wrong.parse::<DisplayName>(), Err(TextError::ControlCharacter), "{wrong:?}");
        }
        assert_eq!("   ".parse::<DisplayName>(), Err(TextError::Empty));
        assert_eq!(paragraph("a\nb", 10), Ok("a\nb".to_owned()));
    }
}
