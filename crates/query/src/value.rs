//! Bound values, and how each type of field reads one from a literal and writes it again for a page token.

use std::cmp::Ordering;

use chrono::{DateTime, SecondsFormat};
use trato_types::{Date, MemberRef, Timestamp, id::parse_name};
use uuid::Uuid;

use crate::field::Type;

/// A value to bind, or one of a row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Value {
    /// Of text, choice and member fields.
    Text(String),
    /// Of integer and minor fields.
    Integer(i64),
    /// Of boolean fields.
    Boolean(bool),
    /// Of reference and uuid fields.
    Uuid(Uuid),
    /// Of date fields.
    Date(Date),
    /// Of timestamp fields, in microseconds.
    Timestamp(Timestamp),
}

impl Value {
    /// The order PostgreSQL gives two values of one type (text by bytes, as collation "C"); none across types.
    pub(crate) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            (Self::Integer(a), Self::Integer(b)) => Some(a.cmp(b)),
            (Self::Boolean(a), Self::Boolean(b)) => Some(a.cmp(b)),
            (Self::Uuid(a), Self::Uuid(b)) => Some(a.cmp(b)),
            (Self::Date(a), Self::Date(b)) => Some(a.cmp(b)),
            (Self::Timestamp(a), Self::Timestamp(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// Writes the value as a literal of its bare column.
    pub(crate) fn write(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Integer(number) => number.to_string(),
            Self::Boolean(truth) => truth.to_string(),
            Self::Uuid(id) => id.to_string(),
            Self::Date(date) => date.format("%Y-%m-%d").to_string(),
            Self::Timestamp(time) => time.to_rfc3339_opts(SecondsFormat::Micros, true),
        }
    }
}

impl Type {
    /// True when the column is text.
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Choice(_) | Self::Member)
    }

    /// True when a filter may ask for more or less than a literal.
    pub(crate) fn is_ordered(self) -> bool {
        matches!(self, Self::Text | Self::Integer | Self::Minor | Self::Date | Self::Timestamp)
    }

    /// Reads a literal, or says in a sentence what is taken instead.
    pub(crate) fn read(self, literal: &str) -> Result<Value, String> {
        match self {
            Self::Text if literal.contains('\0') => Err("must not contain U+0000".to_owned()),
            Self::Text => Ok(Value::Text(literal.to_owned())),
            Self::Choice(values) if values.contains(&literal) => Ok(Value::Text(literal.to_owned())),
            Self::Choice(values) => Err(format!("must be one of {}", values.join(", "))),
            Self::Integer => whole(literal).ok_or_else(|| "must be a whole number of 64 bits".to_owned()),
            Self::Minor => whole(literal)
                .ok_or_else(|| "must be a whole number of minor units, such as 10050 for 100.50 USD".to_owned()),
            Self::Boolean => match literal {
                "true" => Ok(Value::Boolean(true)),
                "false" => Ok(Value::Boolean(false)),
                _ => Err("must be true or false".to_owned()),
            },
            Self::Date => day(literal).ok_or_else(|| "must be a date such as 2026-01-31".to_owned()),
            Self::Timestamp => instant(literal).ok_or_else(|| {
                "must be an RFC 3339 time such as 2026-01-31T12:00:00Z, with at most six decimals of a second".to_owned()
            }),
            Self::Uuid => canonical(literal).ok_or_else(|| "must be a UUID in lower case".to_owned()),
            Self::Reference(collection) => {
                parse_name(collection, literal).map(Value::Uuid).map_err(|error| error.to_string())
            }
            Self::Member => MemberRef::parse(literal)
                .map(|member| Value::Text(member.subject().to_owned()))
                .map_err(|error| error.to_string()),
        }
    }

    /// The type of the bare column. It reads what [`Value::write`] wrote, whatever the field itself takes today: a row
    /// may hold a choice that a later release no longer offers, and pages must go on behind it.
    pub(crate) fn stored(self) -> Self {
        match self {
            Self::Choice(_) | Self::Member => Self::Text,
            Self::Minor => Self::Integer,
            Self::Reference(_) => Self::Uuid,
            plain => plain,
        }
    }
}

/// Digits with at most a minus before them; `parse` alone would take a plus as well.
fn whole(literal: &str) -> Option<Value> {
    literal.parse().ok().filter(|_| !literal.starts_with('+')).map(Value::Integer)
}

/// Exactly `YYYY-MM-DD`; chrono alone would take `+2026-1-1` as well.
fn day(literal: &str) -> Option<Value> {
    let exact = literal.len() == 10 && literal.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    literal.parse().ok().filter(|_| exact).map(Value::Date)
}

/// Refuses what the column cannot keep instead of rounding it, as a rounded bound would be another question.
fn instant(literal: &str) -> Option<Value> {
    let time = DateTime::parse_from_rfc3339(literal).ok()?;
    if time.timestamp_subsec_nanos() % 1_000 != 0 {
        return None;
    }
    // By way of microseconds a leap second becomes the second after it, as in PostgreSQL.
    DateTime::from_timestamp_micros(time.timestamp_micros()).map(Value::Timestamp)
}

fn canonical(literal: &str) -> Option<Value> {
    let id = Uuid::parse_str(literal).ok()?;
    (id.to_string() == literal).then_some(Value::Uuid(id))
}
