//! What a bank statement says, whatever form it has. Pure.

use serde::{Deserialize, Serialize};
use trato_types::{Currency, Date, DomainError, Kind, Minor};

/// Most minor units of an entry.
const MOST: i64 = 1_000_000_000_000_000;
/// Most entries of a file.
pub const MOST_LINES: usize = 1000;

/// A statement: entries in the order of the file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Statement {
    /// What moved.
    pub lines: Vec<Line>,
}

/// Money that moved. One that is parked is stored as JSON.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Line {
    /// What the bank calls it; the same in every statement it stands in.
    pub key: String,
    /// Day of value.
    pub date: Date,
    /// How much; more than zero.
    pub amount: Minor,
    /// Its currency; that there is such a one is for the importer to ask.
    pub currency: Currency,
    /// True when it came in.
    pub is_credit: bool,
    /// True when it takes back another entry.
    pub is_reversal: bool,
    /// What the payer wrote; may be empty.
    pub reference: String,
    /// Who paid; may be empty.
    pub counterparty: String,
}

/// Why a file is refused as a whole.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StatementError {
    /// It is not what it says it is, or ends in the middle.
    #[error("the file is not whole, or not of this form, near byte {0}")]
    Malformed(usize),
    /// It has a document type.
    #[error("a document type or an entity of its own is not taken")]
    DtdNotAllowed,
    /// More than can be read.
    #[error("the file has more than 1,000 entries, or is nested too deep")]
    TooLarge,
    /// Something that must be there is not, or cannot be read.
    #[error("{0}")]
    Field(String),
    /// Its entries do not lead from the opening balance to the closing one.
    #[error(
        "the entries do not lead from the opening balance to the closing one, or are not as many as was said"
    )]
    NotEven,
    /// Two entries have one reference.
    #[error("two entries have the reference {0}")]
    Twice(String),
}

impl DomainError for StatementError {
    fn kind(&self) -> Kind {
        Kind::Invalid
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "STATEMENT_MALFORMED",
            Self::DtdNotAllowed => "DTD_NOT_ALLOWED",
            Self::TooLarge => "STATEMENT_TOO_LARGE",
            Self::Field(_) => "STATEMENT_FIELD_INVALID",
            Self::NotEven => "STATEMENT_NOT_EVEN",
            Self::Twice(_) => "STATEMENT_LINE_TWICE",
        }
    }
}

impl Line {
    /// How much; below zero when it went out.
    pub fn signed(&self) -> Minor {
        if self.is_credit { self.amount } else { Minor(-self.amount.0) }
    }

    /// True for what somebody has paid.
    pub fn is_payment(&self) -> bool {
        self.is_credit && !self.is_reversal
    }
}

impl Statement {
    /// Takes entries of which no two are the same.
    pub fn new(lines: Vec<Line>) -> Result<Self, StatementError> {
        if lines.len() > MOST_LINES {
            return Err(StatementError::TooLarge);
        }
        let mut keys: Vec<&str> = lines.iter().map(|line| line.key.as_str()).collect();
        keys.sort_unstable();
        if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(StatementError::Twice(pair[0].to_owned()));
        }
        Ok(Self { lines })
    }
}

/// Reads an amount such as `1234.5` in a currency: zero or more, never rounded.
pub fn amount(text: &str, currency: Currency) -> Option<Minor> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let nanos: i32 = format!("{fraction:0<9}").parse().ok()?;
    let amount = currency.minor(whole.parse().ok()?, nanos).ok()?;
    (amount <= Minor(MOST)).then_some(amount)
}

/// A text of one line without what no column takes, at most so many characters.
pub fn plain(text: &str, most: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().filter(|char| !char.is_control()).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_exactly_or_not_at_all() {
        let of = |text: &str, code: &str| amount(text, Currency::parse(code).expect("a code"));
        for (text, code, minor) in [
            ("12", "EUR", 1200),
            ("0.5", "EUR", 50),
            ("12.340", "EUR", 1234),
            ("7", "JPY", 7),
            ("1.234", "KWD", 1234),
        ] {
            assert_eq!(of(text, code), Some(Minor(minor)), "{text} {code}");
        }
        for (text, code) in [
            ("", "EUR"),
            ("-1", "EUR"),
            ("1,5", "EUR"),
            ("1e3", "EUR"),
            ("0.005", "EUR"),
            ("7.5", "JPY"),
            ("99999999999999999999", "EUR"),
            (".5", "EUR"),
        ] {
            assert_eq!(of(text, code), None, "{text} {code}");
        }
    }
}
