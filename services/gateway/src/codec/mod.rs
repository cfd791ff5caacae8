//! Wire bytes → canonical proto3 JSON, in one pass over the bytes and without a message in between.
//!
//! Every field is printed, also one that holds its default, except unset messages, unset members of a oneof and
//! unset `optional` fields: a client sees the whole shape, and still sees what was never set.

mod known;
mod normal;
pub mod text;
pub mod wire;

pub use known::{DURATION_LIMIT, TIMESTAMP_RANGE};
use text::{put_bytes, put_f32, put_f64, put_i64, put_string, put_u64};
use wire::{MAX_DEPTH, Reader};

use crate::schema::{Field, Form, Kind, Message, MessageId, Schema, Shape};

/// Why bytes are not the message they are said to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CodecError {
    /// The bytes end early, or a tag or number is not one.
    #[error("the message is not in protobuf's wire format")]
    Malformed,
    /// A field stands in another wire type than its declaration says.
    #[error("a field has an unexpected wire type")]
    WireType,
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    Utf8,
    /// Messages are nested deeper than is read.
    #[error("messages are nested too deeply")]
    TooDeep,
    /// A time, duration or number is outside what JSON can say.
    #[error("a value is outside the range of its JSON form")]
    Range,
}

type Result<T = ()> = std::result::Result<T, CodecError>;

/// Writes the message in `wire` as JSON behind what `out` holds. After an error `out` holds half a message.
pub fn write_message(schema: &Schema, id: MessageId, wire: &[u8], out: &mut Vec<u8>) -> Result {
    Writer { schema }.message(id, wire, out, MAX_DEPTH)
}

/// Writes one field of the message in `wire` as JSON: the `response_body` of a binding.
pub fn write_field(
    schema: &Schema,
    id: MessageId,
    position: usize,
    wire: &[u8],
    out: &mut Vec<u8>,
) -> Result {
    let message = schema.message(id);
    let field = &message.fields[position];
    let normal = normal::field_only(message, position, wire)?;
    let writer = Writer { schema };
    let mut reader = Reader::new(&normal);
    match reader.tag()? {
        Some(tag) => writer.occurrences(field, tag.wire_type, &mut reader, out, MAX_DEPTH),
        None if field.absent.is_empty() => {
            out.extend_from_slice(b"null");
            Ok(())
        }
        None => {
            out.extend_from_slice(&field.absent[field.key.len()..]);
            Ok(())
        }
    }
}

/// Where all methods find the tables.
#[derive(Clone, Copy)]
struct Writer<'s> {
    schema: &'s Schema,
}

impl Writer<'_> {
    fn message(self, id: MessageId, wire: &[u8], out: &mut Vec<u8>, depth: usize) -> Result {
        let depth = depth.checked_sub(1).ok_or(CodecError::TooDeep)?;
        let message = self.schema.message(id);
        match message.form {
            Form::Plain | Form::Empty => {
                let start = out.len();
                out.push(b'{');
                self.members(message, wire, out, start, depth)
            }
            _ => self.well_known(message, wire, out, depth),
        }
    }

    /// Writes the fields and the closing brace. `start` is where the object's opening brace stands, and what lies
    /// behind it (an `@type`) is kept when the bytes turn out to need a second look.
    fn members(
        self,
        message: &Message,
        wire: &[u8],
        out: &mut Vec<u8>,
        start: usize,
        depth: usize,
    ) -> Result {
        let begun = out.len();
        let fields = &*message.fields;
        // Encoders write fields by ascending number. The ones passed over are absent, and one that comes too late
        // means that the bytes are from another kind of encoder.
        let mut next = 0;
        let mut oneofs = 0_u64;
        let mut reader = Reader::new(wire);
        while let Some(tag) = reader.tag()? {
            while let Some(field) = fields.get(next).filter(|field| field.number < tag.number) {
                put_member(out, start, &field.absent);
                next += 1;
            }
            match fields.get(next) {
                Some(field) if field.number == tag.number => {
                    let oneof = field.oneof.map_or(0, |position| 1 << position);
                    if oneofs & oneof != 0 {
                        return self.unordered(message, wire, out, begun, start, depth);
                    }
                    oneofs |= oneof;
                    put_member(out, start, &field.key);
                    self.occurrences(field, tag.wire_type, &mut reader, out, depth)?;
                    next += 1;
                }
                _ if message.position(tag.number).is_some() => {
                    return self.unordered(message, wire, out, begun, start, depth);
                }
                _ => drop(reader.skip(tag)?),
            }
        }
        for field in &fields[next..] {
            put_member(out, start, &field.absent);
        }
        out.push(b'}');
        Ok(())
    }

    /// Brings the bytes into the usual order, which merges what stands there twice, and begins again.
    fn unordered(
        self,
        message: &Message,
        wire: &[u8],
        out: &mut Vec<u8>,
        begun: usize,
        start: usize,
        depth: usize,
    ) -> Result {
        out.truncate(begun);
        let normal = normal::message(message, wire)?;
        self.members(message, &normal, out, start, depth)
    }

    /// Writes the value of a field whose first tag was just read, and reads all that follow of the same field.
    fn occurrences(
        self,
        field: &Field,
        wire_type: u8,
        reader: &mut Reader<'_>,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Result {
        match field.shape {
            Shape::Singular => self.value(field.kind, wire_type, reader, out, depth),
            Shape::Repeated { .. } => {
                out.push(b'[');
                let start = out.len();
                each(field.number, wire_type, reader, |wire_type, reader| {
                    self.elements(field.kind, wire_type, reader, out, start, depth)
                })?;
                out.push(b']');
                Ok(())
            }
            Shape::Map => self.map(field, wire_type, reader, out, depth),
        }
    }

    /// One element, or all elements of a packed run.
    fn elements(
        self,
        kind: Kind,
        wire_type: u8,
        reader: &mut Reader<'_>,
        out: &mut Vec<u8>,
        start: usize,
        depth: usize,
    ) -> Result {
        let element = |reader: &mut Reader<'_>, wire_type, out: &mut Vec<u8>| {
            if out.len() > start {
                out.push(b',');
            }
            self.value(kind, wire_type, reader, out, depth)
        };
        if wire_type == 2 && kind.wire_type() != 2 {
            let mut packed = Reader::new(reader.delimited()?);
            while !packed.is_empty() {
                element(&mut packed, kind.wire_type(), out)?;
            }
            return Ok(());
        }
        element(reader, wire_type, out)
    }

    fn map(
        self,
        field: &Field,
        wire_type: u8,
        reader: &mut Reader<'_>,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Result {
        let Kind::Message(entry) = field.kind else { return Err(CodecError::WireType) };
        let [key_field, value_field] = &*self.schema.message(entry).fields else {
            return Err(CodecError::Malformed);
        };
        let mut entries = Vec::new();
        each(field.number, wire_type, reader, |wire_type, reader| {
            if wire_type != 2 {
                return Err(CodecError::WireType);
            }
            entries.push(normal::map_entry(reader.delimited()?)?);
            Ok(())
        })?;
        normal::keep_last_of_each_key(&mut entries);
        out.push(b'{');
        let start = out.len();
        for entry in entries {
            if out.len() > start {
                out.push(b',');
            }
            self.map_key(key_field.kind, entry.key, out)?;
            out.push(b':');
            match entry.value {
                Some((wire_type, value)) => {
                    self.value(value_field.kind, wire_type, &mut Reader::new(value), out, depth)?;
                }
                // The default of the value's type, as an encoder leaves it out.
                None => match value_field.kind {
                    Kind::Message(id) => self.message(id, b"", out, depth)?,
                    _ => out.extend_from_slice(&value_field.absent[value_field.key.len()..]),
                },
            }
        }
        out.push(b'}');
        Ok(())
    }

    /// Keys are texts in JSON whatever they are on the wire.
    fn map_key(self, kind: Kind, key: Option<(u8, &[u8])>, out: &mut Vec<u8>) -> Result {
        let quoted = matches!(
            kind,
            Kind::String | Kind::Int64 | Kind::Uint64 | Kind::Sint64 | Kind::Fixed64 | Kind::Sfixed64
        );
        if !quoted {
            out.push(b'"');
        }
        match (key, kind) {
            (Some((wire_type, key)), _) => self.value(kind, wire_type, &mut Reader::new(key), out, 0)?,
            (None, Kind::String) => out.extend_from_slice(b"\"\""),
            (None, Kind::Bool) => out.extend_from_slice(b"false"),
            (None, _) if quoted => out.extend_from_slice(b"\"0\""),
            (None, _) => out.push(b'0'),
        }
        if !quoted {
            out.push(b'"');
        }
        Ok(())
    }

    /// One value.
    #[inline]
    fn value(
        self,
        kind: Kind,
        wire_type: u8,
        reader: &mut Reader<'_>,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Result {
        if wire_type != kind.wire_type() {
            return Err(CodecError::WireType);
        }
        match kind {
            Kind::String => put_string(out, utf8(reader.delimited()?)?),
            Kind::Message(id) => self.message(id, reader.delimited()?, out, depth)?,
            Kind::Enum(id) => {
                // Negative numbers are sign-extended to ten bytes, so the low half is the number.
                let number = reader.varint()? as i32;
                let enumeration = self.schema.enumeration(id);
                match enumeration.quoted_name(number) {
                    _ if enumeration.is_null_value => out.extend_from_slice(b"null"),
                    Some(name) => out.extend_from_slice(name),
                    None => put_i64(out, number.into()),
                }
            }
            Kind::Bool => out.extend_from_slice(if reader.varint()? == 0 { b"false" } else { b"true" }),
            Kind::Int32 => put_i64(out, (reader.varint()? as i32).into()),
            Kind::Uint32 => put_u64(out, (reader.varint()? as u32).into()),
            Kind::Sint32 => put_i64(out, unzigzag(u64::from(reader.varint()? as u32))),
            Kind::Fixed32 => put_u64(out, reader.fixed32()?.into()),
            Kind::Sfixed32 => put_i64(out, reader.fixed32()?.cast_signed().into()),
            Kind::Int64 => put_quoted(out, reader.varint()?.cast_signed()),
            Kind::Sint64 => put_quoted(out, unzigzag(reader.varint()?)),
            Kind::Sfixed64 => put_quoted(out, reader.fixed64()?.cast_signed()),
            Kind::Uint64 => put_quoted_u64(out, reader.varint()?),
            Kind::Fixed64 => put_quoted_u64(out, reader.fixed64()?),
            Kind::Double => put_f64(out, f64::from_bits(reader.fixed64()?)),
            Kind::Float => put_f32(out, f32::from_bits(reader.fixed32()?)),
            Kind::Bytes => put_bytes(out, reader.delimited()?),
        }
        Ok(())
    }
}

/// Calls `read` for the occurrence at hand and for every one that follows it without another field in between.
fn each<'a>(
    number: u32,
    mut wire_type: u8,
    reader: &mut Reader<'a>,
    mut read: impl FnMut(u8, &mut Reader<'a>) -> Result,
) -> Result {
    loop {
        read(wire_type, reader)?;
        let mut ahead = *reader;
        match ahead.tag()? {
            Some(tag) if tag.number == number => {
                *reader = ahead;
                wire_type = tag.wire_type;
            }
            _ => return Ok(()),
        }
    }
}

/// Appends `,"name":…`, without the comma for the first member of the object that begins at `start`.
#[inline]
fn put_member(out: &mut Vec<u8>, start: usize, member: &[u8]) {
    let is_first = out.len() == start + 1;
    out.extend_from_slice(member.get(usize::from(is_first)..).unwrap_or_default());
}

fn put_quoted(out: &mut Vec<u8>, value: i64) {
    out.push(b'"');
    put_i64(out, value);
    out.push(b'"');
}

fn put_quoted_u64(out: &mut Vec<u8>, value: u64) {
    out.push(b'"');
    put_u64(out, value);
    out.push(b'"');
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| CodecError::Utf8)
}
