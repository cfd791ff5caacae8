//! Well-known messages that JSON and queries write as a text: times, durations, field masks.

use super::scalar::Reject;
use crate::{
    codec::{
        DURATION_LIMIT, TIMESTAMP_RANGE,
        wire::{put_delimited, put_tag, put_varint},
    },
    schema::Form,
};

/// Writes the fields of the message that `text` stands for. Only for forms that are a text in JSON.
pub fn put_text(form: Form, text: &str, out: &mut Vec<u8>) -> Result<(), Reject> {
    match form {
        Form::Timestamp => {
            let (seconds, nanos) = timestamp(text).ok_or_else(|| {
                Reject::new("INVALID_TIMESTAMP", "must be an RFC 3339 time such as 2026-01-31T09:30:00Z")
            })?;
            put_time(seconds, nanos, out);
        }
        Form::Duration => {
            let (seconds, nanos) = duration(text).ok_or_else(|| {
                Reject::new("INVALID_DURATION", "must be seconds with the suffix s, such as 1.5s")
            })?;
            put_time(seconds, nanos, out);
        }
        Form::FieldMask => field_mask(text, out)?,
        _ => return Err(Reject::new("WRONG_TYPE", "must not be a text")),
    }
    Ok(())
}

fn put_time(seconds: i64, nanos: i64, out: &mut Vec<u8>) {
    for (number, value) in [(1, seconds), (2, nanos)] {
        if value != 0 {
            put_tag(out, number, 0);
            put_varint(out, value.cast_unsigned());
        }
    }
}

/// Seconds from 1970 and nanoseconds.
fn timestamp(text: &str) -> Option<(i64, i64)> {
    let bytes = text.as_bytes();
    let (date, time) = (bytes.get(..10)?, bytes.get(11..19)?);
    if (date[4], date[7], bytes[10], time[2], time[5]) != (b'-', b'-', b'T', b':', b':') {
        return None;
    }
    let (year, month, day) = (digits(&date[..4])?, digits(&date[5..7])?, digits(&date[8..])?);
    let (hour, minute, second) = (digits(&time[..2])?, digits(&time[3..5])?, digits(&time[6..])?);
    let date = chrono::NaiveDate::from_ymd_opt(
        i32::try_from(year).ok()?,
        u32::try_from(month).ok()?,
        u32::try_from(day).ok()?,
    )?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (nanos, zone) = fraction(&bytes[19..])?;
    let offset = match zone {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), zone @ ..] if zone.len() == 5 && zone[2] == b':' => {
            let (hours, minutes) = (digits(&zone[..2])?, digits(&zone[3..])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = hours * 3600 + minutes * 60;
            if *sign == b'-' { -offset } else { offset }
        }
        _ => return None,
    };
    let days = date.signed_duration_since(chrono::NaiveDate::default()).num_days();
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset;
    TIMESTAMP_RANGE.contains(&seconds).then_some((seconds, nanos))
}

/// Seconds and nanoseconds, both of one sign.
fn duration(text: &str) -> Option<(i64, i64)> {
    let text = text.strip_suffix('s')?;
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, text),
    };
    let whole = text.find('.').unwrap_or(text.len());
    let seconds = digits(&text.as_bytes()[..whole]).filter(|seconds| *seconds <= DURATION_LIMIT)?;
    let (nanos, rest) = fraction(&text.as_bytes()[whole..])?;
    rest.is_empty().then_some((sign * seconds, sign * nanos))
}

/// Up to twelve digits and nothing else.
fn digits(bytes: &[u8]) -> Option<i64> {
    if bytes.is_empty() || bytes.len() > 12 || !bytes.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(bytes.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0')))
}

/// A fraction of one to nine digits, in nanoseconds, and what follows it; 0 when there is none.
fn fraction(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let Some(bytes) = bytes.strip_prefix(b".") else { return Some((0, bytes)) };
    let length = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 || length > 9 {
        return None;
    }
    let places = u32::try_from(9 - length).ok()?;
    Some((digits(&bytes[..length])? * 10_i64.pow(places), &bytes[length..]))
}

/// `displayName,account.amount` → paths in proto names. Paths that are in proto names already stay as they are.
fn field_mask(text: &str, out: &mut Vec<u8>) -> Result<(), Reject> {
    if text.is_empty() {
        return Ok(());
    }
    for path in text.split(',') {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.*".contains(&byte);
        if path.is_empty() || !path.bytes().all(allowed) {
            return Err(Reject::new("INVALID_FIELD_MASK", "must be field paths separated by commas"));
        }
        let mut snake = String::with_capacity(path.len() + 4);
        for letter in path.chars() {
            if letter.is_ascii_uppercase() {
                snake.push('_');
            }
            snake.push(letter.to_ascii_lowercase());
        }
        put_delimited(out, 1, snake.as_bytes());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_zone_and_fraction() {
        assert_eq!(timestamp("1970-01-01T00:00:00Z"), Some((0, 0)));
        assert_eq!(timestamp("2026-11-22T10:00:00.5+02:00"), Some((1_795_334_400, 500_000_000)));
        assert_eq!(timestamp("0001-01-01T00:00:00Z"), Some((*TIMESTAMP_RANGE.start(), 0)));
        assert_eq!(timestamp("9999-12-31T23:59:59.999999999Z"), Some((*TIMESTAMP_RANGE.end(), 999_999_999)));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026-11-22",
            "2026-11-22 10:00:00Z",
            "2026-11-22T10:00:00",
            "2026-02-29T00:00:00Z",
            "2026-11-22T24:00:00Z",
            "2026-11-22T10:00:60Z",
            "2026-11-22T10:00:00.Z",
            "2026-11-22T10:00:00.1234567890Z",
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59-01:00",
            "2026-11-22T10:00:00+2:00",
            "２026-11-22T10:00:00Z",
        ] {
            assert_eq!(timestamp(text), None, "{text}");
        }
    }

    #[test]
    fn durations_have_a_suffix_and_bounds() {
        assert_eq!(duration("1.5s"), Some((1, 500_000_000)));
        assert_eq!(duration("-0.000000001s"), Some((0, -1)));
        assert_eq!(duration("315576000000s"), Some((DURATION_LIMIT, 0)));
        for text in ["", "s", "1", "1.s", "--1s", "315576000001s", "1.0000000000s", "1e3s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn a_mask_is_read_in_both_spellings() {
        let mut camel = Vec::new();
        let mut snake = Vec::new();
        field_mask("displayName,account.closeDate", &mut camel).expect("a mask");
        field_mask("display_name,account.close_date", &mut snake).expect("a mask");

        assert_eq!(camel, snake);
        assert!(field_mask("a,,b", &mut camel).is_err());
        assert!(field_mask("a b", &mut camel).is_err());
    }
}
