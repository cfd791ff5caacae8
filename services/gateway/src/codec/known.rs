//! The messages that have a JSON form of their own.

use super::{
    CodecError, Result, Writer,
    text::{put_bytes, put_escaped, put_f64, put_i64, put_padded, put_string},
    utf8,
    wire::{Reader, Tag, last_delimited},
};
use crate::schema::{Form, Kind, Message};

impl Writer<'_> {
    pub(super) fn well_known(
        self,
        message: &Message,
        wire: &[u8],
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Result {
        match message.form {
            Form::Timestamp => timestamp(wire, out),
            Form::Duration => duration(wire, out),
            Form::FieldMask => field_mask(wire, out),
            Form::Struct => self.structure(wire, out, depth),
            Form::Value => self.any_value(wire, out, depth),
            Form::ListValue => self.list_value(wire, out, depth),
            Form::Any => self.any(wire, out, depth),
            Form::Wrapper => self.wrapper(message, wire, out),
            Form::Plain | Form::Empty => Err(CodecError::Malformed),
        }
    }

    fn wrapper(self, message: &Message, wire: &[u8], out: &mut Vec<u8>) -> Result {
        let Some(field) = message.fields.first() else { return Err(CodecError::Malformed) };
        let mut reader = Reader::new(wire);
        let mut last = None;
        while let Some(tag) = reader.tag()? {
            let value = reader.skip(tag)?;
            if tag.number == field.number {
                last = Some((tag.wire_type, value));
            }
        }
        match last {
            Some((wire_type, value)) => self.value(field.kind, wire_type, &mut Reader::new(value), out, 0),
            None => {
                out.extend_from_slice(&field.absent[field.key.len()..]);
                Ok(())
            }
        }
    }

    fn structure(self, wire: &[u8], out: &mut Vec<u8>, depth: usize) -> Result {
        let mut entries = Vec::new();
        let mut reader = Reader::new(wire);
        while let Some(tag) = reader.tag()? {
            match (tag.number, tag.wire_type) {
                (1, 2) => entries.push(super::normal::map_entry(reader.delimited()?)?),
                _ => drop(reader.skip(tag)?),
            }
        }
        super::normal::keep_last_of_each_key(&mut entries);
        out.push(b'{');
        for (index, entry) in entries.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            self.map_key(Kind::String, entry.key, out)?;
            out.push(b':');
            let value = entry.value.map_or(Ok(&[][..]), |(wire_type, value)| delimited(wire_type, value))?;
            self.any_value(value, out, nested(depth)?)?;
        }
        out.push(b'}');
        Ok(())
    }

    fn list_value(self, wire: &[u8], out: &mut Vec<u8>, depth: usize) -> Result {
        out.push(b'[');
        let start = out.len();
        let mut reader = Reader::new(wire);
        while let Some(tag) = reader.tag()? {
            match (tag.number, tag.wire_type) {
                (1, 2) => {
                    if out.len() > start {
                        out.push(b',');
                    }
                    self.any_value(reader.delimited()?, out, nested(depth)?)?;
                }
                _ => drop(reader.skip(tag)?),
            }
        }
        out.push(b']');
        Ok(())
    }

    /// `google.protobuf.Value`; without a kind it is null.
    fn any_value(self, wire: &[u8], out: &mut Vec<u8>, depth: usize) -> Result {
        let mut reader = Reader::new(wire);
        let mut last: Option<(Tag, &[u8])> = None;
        // Two objects, or two lists, in one value are merged; encoders never write them.
        let mut merged = Vec::new();
        while let Some(tag) = reader.tag()? {
            let value = reader.skip(tag)?;
            match last {
                Some((before, first)) if before.number == tag.number && matches!(tag.number, 5 | 6) => {
                    if merged.is_empty() {
                        merged.extend_from_slice(delimited(before.wire_type, first)?);
                    }
                    merged.extend_from_slice(delimited(tag.wire_type, value)?);
                }
                _ if (1..=6).contains(&tag.number) => merged.clear(),
                _ => continue,
            }
            last = Some((tag, value));
        }
        if let (Some((tag, _)), false) = (last, merged.is_empty()) {
            let depth = nested(depth)?;
            return if tag.number == 5 {
                self.structure(&merged, out, depth)
            } else {
                self.list_value(&merged, out, depth)
            };
        }
        let Some((tag, value)) = last else {
            out.extend_from_slice(b"null");
            return Ok(());
        };
        match (tag.number, tag.wire_type) {
            (1, 0) => out.extend_from_slice(b"null"),
            (2, 1) => {
                let number = f64::from_bits(Reader::new(value).fixed64()?);
                if !number.is_finite() {
                    return Err(CodecError::Range);
                }
                put_f64(out, number);
            }
            (3, 2) => put_string(out, utf8(delimited(2, value)?)?),
            (4, 0) => {
                out.extend_from_slice(if Reader::new(value).varint()? == 0 { b"false" } else { b"true" })
            }
            (5, 2) => self.structure(delimited(2, value)?, out, nested(depth)?)?,
            (6, 2) => self.list_value(delimited(2, value)?, out, nested(depth)?)?,
            _ => return Err(CodecError::WireType),
        }
        Ok(())
    }

    /// The message inside, with its type. A type that is not in the descriptors is given as base64 under `value`,
    /// so that one unknown detail does not spoil an answer.
    fn any(self, wire: &[u8], out: &mut Vec<u8>, depth: usize) -> Result {
        let type_url = utf8(last_delimited(wire, 1).unwrap_or_default())?;
        let value = last_delimited(wire, 2).unwrap_or_default();
        let start = out.len();
        out.push(b'{');
        if type_url.is_empty() && value.is_empty() {
            out.push(b'}');
            return Ok(());
        }
        out.extend_from_slice(b"\"@type\":");
        put_string(out, type_url);
        let full_name = type_url.rsplit('/').next().unwrap_or_default();
        let known = self.schema.find(full_name);
        match known.map(|id| (id, self.schema.message(id))) {
            Some((_, message)) if message.form == Form::Plain => {
                return self.members(message, value, out, start, nested(depth)?);
            }
            Some((id, _)) => {
                out.extend_from_slice(b",\"value\":");
                self.message(id, value, out, depth)?;
            }
            None => {
                out.extend_from_slice(b",\"value\":");
                put_bytes(out, value);
            }
        }
        out.push(b'}');
        Ok(())
    }
}

fn nested(depth: usize) -> Result<usize> {
    depth.checked_sub(1).ok_or(CodecError::TooDeep)
}

fn delimited(wire_type: u8, value: &[u8]) -> Result<&[u8]> {
    if wire_type == 2 { Reader::new(value).delimited() } else { Err(CodecError::WireType) }
}

/// Reads `int64 seconds = 1; int32 nanos = 2`.
fn seconds_and_nanos(wire: &[u8]) -> Result<(i64, i32)> {
    let (mut seconds, mut nanos) = (0, 0);
    let mut reader = Reader::new(wire);
    while let Some(tag) = reader.tag()? {
        match (tag.number, tag.wire_type) {
            (1, 0) => seconds = reader.varint()?.cast_signed(),
            (2, 0) => nanos = reader.varint()? as i32,
            (1 | 2, _) => return Err(CodecError::WireType),
            _ => drop(reader.skip(tag)?),
        }
    }
    Ok((seconds, nanos))
}

/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, in seconds from 1970.
pub const TIMESTAMP_RANGE: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// Ten thousand years, as `google.protobuf.Duration` has it, in seconds.
pub const DURATION_LIMIT: i64 = 315_576_000_000;

fn timestamp(wire: &[u8], out: &mut Vec<u8>) -> Result {
    let (seconds, nanos) = seconds_and_nanos(wire)?;
    let nanos = u32::try_from(nanos).ok().filter(|nanos| *nanos < 1_000_000_000).ok_or(CodecError::Range)?;
    if !TIMESTAMP_RANGE.contains(&seconds) {
        return Err(CodecError::Range);
    }
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400).cast_unsigned());
    let (year, month, day) = civil(days);
    out.push(b'"');
    put_padded(out, year, 4);
    out.push(b'-');
    put_padded(out, month, 2);
    out.push(b'-');
    put_padded(out, day, 2);
    out.push(b'T');
    put_padded(out, second / 3600, 2);
    out.push(b':');
    put_padded(out, second / 60 % 60, 2);
    out.push(b':');
    put_padded(out, second % 60, 2);
    put_fraction(out, nanos);
    out.extend_from_slice(b"Z\"");
    Ok(())
}

/// Year, month and day of a day counted from 1970-01-01, for years 1 to 9999 of the Gregorian calendar.
fn civil(days: i64) -> (u64, u64, u64) {
    // Counted from 0000-03-01, so that the leap day is the last of its year, and never negative in our range.
    let days = (days + 719_468).cast_unsigned();
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// A fraction of a second in 0, 3, 6 or 9 digits.
fn put_fraction(out: &mut Vec<u8>, nanos: u32) {
    if nanos == 0 {
        return;
    }
    out.push(b'.');
    let nanos = u64::from(nanos);
    match nanos {
        _ if nanos % 1_000_000 == 0 => put_padded(out, nanos / 1_000_000, 3),
        _ if nanos % 1000 == 0 => put_padded(out, nanos / 1000, 6),
        _ => put_padded(out, nanos, 9),
    }
}

fn duration(wire: &[u8], out: &mut Vec<u8>) -> Result {
    let (seconds, nanos) = seconds_and_nanos(wire)?;
    let same_sign = (seconds >= 0 || nanos <= 0) && (seconds <= 0 || nanos >= 0);
    if !same_sign || seconds.abs() > DURATION_LIMIT || nanos.unsigned_abs() >= 1_000_000_000 {
        return Err(CodecError::Range);
    }
    out.push(b'"');
    if seconds == 0 && nanos < 0 {
        out.push(b'-');
    }
    put_i64(out, seconds);
    put_fraction(out, nanos.unsigned_abs());
    out.extend_from_slice(b"s\"");
    Ok(())
}

fn field_mask(wire: &[u8], out: &mut Vec<u8>) -> Result {
    out.push(b'"');
    let start = out.len();
    let mut reader = Reader::new(wire);
    while let Some(tag) = reader.tag()? {
        if (tag.number, tag.wire_type) != (1, 2) {
            reader.skip(tag)?;
            continue;
        }
        if out.len() > start {
            out.push(b',');
        }
        put_camel_case(out, utf8(reader.delimited()?)?);
    }
    out.push(b'"');
    Ok(())
}

/// `display_name` → `displayName`. An underscore that no small letter follows is kept, so that nothing is lost.
fn put_camel_case(out: &mut Vec<u8>, path: &str) {
    let mut rest = path;
    while let Some(at) = rest.find('_') {
        put_escaped(out, &rest[..at]);
        rest = &rest[at + 1..];
        match rest.as_bytes().first() {
            Some(letter) if letter.is_ascii_lowercase() => {
                out.push(letter.to_ascii_uppercase());
                rest = &rest[1..];
            }
            _ => out.push(b'_'),
        }
    }
    put_escaped(out, rest);
}
