//! Reading protobuf's wire format, field by field, without copying.

use super::CodecError;

/// Deepest nesting of messages that is read; the same limit as other protobuf libraries have.
pub const MAX_DEPTH: usize = 100;

/// One field as it stands on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Tag {
    /// Field number.
    pub number: u32,
    /// 0 varint, 1 eight bytes, 2 length-delimited, 3 and 4 groups, 5 four bytes.
    pub wire_type: u8,
}

/// A cursor over the bytes of one message.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first field of a message, or at the first value of a packed list.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// True at the end of the message.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Bytes that are left.
    pub fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// The next tag; `None` at the end.
    #[inline]
    pub fn tag(&mut self) -> Result<Option<Tag>, CodecError> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let number = u32::try_from(key >> 3).map_err(|_| CodecError::Malformed)?;
        if number == 0 || number > 0x1FFF_FFFF {
            return Err(CodecError::Malformed);
        }
        // Three bits.
        Ok(Some(Tag { number, wire_type: (key & 7) as u8 }))
    }

    /// A number of up to ten bytes.
    #[inline]
    pub fn varint(&mut self) -> Result<u64, CodecError> {
        match self.bytes {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.bytes = rest;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, CodecError> {
        let mut value = 0_u64;
        for (index, byte) in self.bytes.iter().take(10).enumerate() {
            if index == 9 && *byte > 1 {
                return Err(CodecError::Malformed);
            }
            value |= u64::from(byte & 0x7F) << (7 * index);
            if *byte < 0x80 {
                self.bytes = &self.bytes[index + 1..];
                return Ok(value);
            }
        }
        Err(CodecError::Malformed)
    }

    /// Four bytes, little endian.
    pub fn fixed32(&mut self) -> Result<u32, CodecError> {
        let (value, rest) = self.bytes.split_first_chunk().ok_or(CodecError::Malformed)?;
        self.bytes = rest;
        Ok(u32::from_le_bytes(*value))
    }

    /// Eight bytes, little endian.
    pub fn fixed64(&mut self) -> Result<u64, CodecError> {
        let (value, rest) = self.bytes.split_first_chunk().ok_or(CodecError::Malformed)?;
        self.bytes = rest;
        Ok(u64::from_le_bytes(*value))
    }

    /// A length and that many bytes.
    #[inline]
    pub fn delimited(&mut self) -> Result<&'a [u8], CodecError> {
        let length = usize::try_from(self.varint()?).map_err(|_| CodecError::Malformed)?;
        if length > self.bytes.len() {
            return Err(CodecError::Malformed);
        }
        let (value, rest) = self.bytes.split_at(length);
        self.bytes = rest;
        Ok(value)
    }

    /// Goes past the value after a tag and returns its bytes, the length of a delimited one included.
    pub fn skip(&mut self, tag: Tag) -> Result<&'a [u8], CodecError> {
        let start = self.bytes;
        self.skip_value(tag, MAX_DEPTH)?;
        Ok(&start[..start.len() - self.bytes.len()])
    }

    fn skip_value(&mut self, tag: Tag, depth: usize) -> Result<(), CodecError> {
        match tag.wire_type {
            0 => self.varint().map(drop),
            1 => self.fixed64().map(drop),
            2 => self.delimited().map(drop),
            3 => self.skip_group(tag.number, depth),
            5 => self.fixed32().map(drop),
            _ => Err(CodecError::Malformed),
        }
    }

    fn skip_group(&mut self, number: u32, depth: usize) -> Result<(), CodecError> {
        let depth = depth.checked_sub(1).ok_or(CodecError::TooDeep)?;
        loop {
            let tag = self.tag()?.ok_or(CodecError::Malformed)?;
            if tag.wire_type == 4 {
                return if tag.number == number { Ok(()) } else { Err(CodecError::Malformed) };
            }
            self.skip_value(tag, depth)?;
        }
    }
}

/// Writes a number in as few bytes as possible.
#[inline]
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        // The low seven bits, marked as not the last.
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Writes a tag.
#[inline]
pub fn put_tag(out: &mut Vec<u8>, number: u32, wire_type: u8) {
    put_varint(out, u64::from(number) << 3 | u64::from(wire_type));
}

/// Writes a tag, a length and the bytes.
pub fn put_delimited(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_tag(out, number, 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Opens a length-delimited value whose length is not known yet; [`close`] ends it.
pub fn open(out: &mut Vec<u8>) -> usize {
    out.push(0);
    out.len()
}

/// Ends what [`open`] began at `start` by putting the length in front of it.
pub fn close(out: &mut Vec<u8>, start: usize) {
    let length = out.len() - start;
    if length < 0x80 {
        // Nearly always: the byte kept free is enough.
        out[start - 1] = length as u8;
        return;
    }
    let mut prefix = Vec::with_capacity(10);
    put_varint(&mut prefix, length as u64);
    out.resize(out.len() + prefix.len() - 1, 0);
    out.copy_within(start..start + length, start + prefix.len() - 1);
    out[start - 1..start - 1 + prefix.len()].copy_from_slice(&prefix);
}

/// The last value of a length-delimited field at the top of a message, when the message can be read.
pub fn last_delimited(message: &[u8], number: u32) -> Option<&[u8]> {
    let mut reader = Reader::new(message);
    let mut found = None;
    while let Ok(Some(tag)) = reader.tag() {
        if tag.number == number && tag.wire_type == 2 {
            found = Some(reader.delimited().ok()?);
        } else {
            reader.skip(tag).ok()?;
        }
    }
    found
}
