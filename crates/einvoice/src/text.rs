//! Text that XML can hold and gives back as it was: trimmed, of bounded length, without control characters.

use std::{fmt, str::FromStr};

use trato_types::text::{TextError, line, paragraph};

/// One line of text: 1 to 500 characters.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Text(String);

/// Text of several lines: 1 to 10,000 characters. Lines end with a line feed.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Paragraph(String);

impl Text {
    /// Longest text, in characters.
    pub const MAX_LENGTH: usize = 500;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Paragraph {
    /// Longest text, in characters.
    pub const MAX_LENGTH: usize = 10_000;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Text {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        checked(line(text, Self::MAX_LENGTH)?).map(Self)
    }
}

impl FromStr for Paragraph {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        // As a reader of XML sees line ends.
        let text = paragraph(text, Self::MAX_LENGTH)?.replace("\r\n", "\n").replace('\r', "\n");
        checked(text).map(Self)
    }
}

/// The two characters besides control characters that XML 1.0 does not have.
fn checked(text: String) -> Result<String, TextError> {
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    if text.contains(['\u{FFFE}', '\u{FFFF}']) {
        return Err(TextError::ControlCharacter);
    }
    Ok(text)
}

macro_rules! display_as_text {
    ($($type:ty),*) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )*};
}
display_as_text!(Text, Paragraph);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_what_xml_gives_back() {
        assert_eq!(" a <b> & 'c' \u{A0}".parse::<Text>().map(|text| text.0), Ok("a <b> & 'c'".to_owned()));
        assert_eq!("a\r\nb\rc\td".parse::<Paragraph>().map(|text| text.0), Ok("a\nb\nc\td".to_owned()));
        assert_eq!(" \n".parse::<Paragraph>(), Err(TextError::Empty));
        for wrong in ["a\nb", "a\tb", "a\u{0}b", "a\u{1F}b", "a\u{FFFE}b", "a\u{FFFF}b", "a\u{202E}b"] {
            assert_eq!(wrong.parse::<Text>(), Err(TextError::ControlCharacter), "{wrong:?}");
        }
        assert_eq!("a".repeat(501).parse::<Text>(), Err(TextError::TooLong { max: 500 }));
        assert_eq!("a".repeat(10_001).parse::<Paragraph>(), Err(TextError::TooLong { max: 10_000 }));
        assert!("ß".repeat(500).parse::<Text>().is_ok());
    }
}
