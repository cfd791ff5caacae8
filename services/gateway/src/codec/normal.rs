//! The slow path: bytes in an unusual order, or with a field twice, brought into the order encoders write.
//!
//! Protobuf says that the last value of a scalar wins, that messages merge and that lists join.

use std::collections::{HashMap, HashSet};

use super::{
    CodecError,
    wire::{Reader, put_delimited, put_tag},
};
use crate::schema::{Field, Kind, Message, Shape};

/// One field as found: where it belongs, its wire type and its value (for delimited ones with the length in front).
struct Found<'a> {
    position: usize,
    wire_type: u8,
    value: &'a [u8],
}

/// Rewrites a message by ascending field number, each field once.
pub fn message(message: &Message, wire: &[u8]) -> Result<Vec<u8>, CodecError> {
    let mut found = find(message, wire)?;
    drop_overruled_members(message, &mut found);
    found.sort_by_key(|found| found.position);
    let mut out = Vec::with_capacity(wire.len());
    for group in found.chunk_by(|a, b| a.position == b.position) {
        put_group(&message.fields[group[0].position], group, &mut out)?;
    }
    Ok(out)
}

/// Only the occurrences of one field, merged.
pub fn field_only(message: &Message, position: usize, wire: &[u8]) -> Result<Vec<u8>, CodecError> {
    let mut found = find(message, wire)?;
    drop_overruled_members(message, &mut found);
    found.retain(|found| found.position == position);
    let mut out = Vec::new();
    if !found.is_empty() {
        put_group(&message.fields[position], &found, &mut out)?;
    }
    Ok(out)
}

fn find<'a>(message: &Message, wire: &'a [u8]) -> Result<Vec<Found<'a>>, CodecError> {
    let mut found = Vec::new();
    let mut reader = Reader::new(wire);
    while let Some(tag) = reader.tag()? {
        let value = reader.skip(tag)?;
        if let Some(position) = message.position(tag.number) {
            found.push(Found { position, wire_type: tag.wire_type, value });
        }
    }
    Ok(found)
}

/// Of the members of a oneof only the one set last counts.
fn drop_overruled_members(message: &Message, found: &mut Vec<Found<'_>>) {
    let mut winners = HashMap::new();
    for found in found.iter() {
        if let Some(oneof) = message.fields[found.position].oneof {
            winners.insert(oneof, found.position);
        }
    }
    found.retain(|found| match message.fields[found.position].oneof {
        Some(oneof) => winners.get(&oneof) == Some(&found.position),
        None => true,
    });
}

fn put_group(field: &Field, group: &[Found<'_>], out: &mut Vec<u8>) -> Result<(), CodecError> {
    let put = |out: &mut Vec<u8>, found: &Found<'_>| {
        put_tag(out, field.number, found.wire_type);
        out.extend_from_slice(found.value);
    };
    match (field.shape, field.kind, group) {
        (Shape::Singular, Kind::Message(_), [_, _, ..]) => {
            let mut joined = Vec::new();
            for found in group {
                if found.wire_type != 2 {
                    return Err(CodecError::WireType);
                }
                joined.extend_from_slice(Reader::new(found.value).delimited()?);
            }
            put_delimited(out, field.number, &joined);
        }
        (Shape::Singular, _, [.., last]) => put(out, last),
        _ => group.iter().for_each(|found| put(out, found)),
    }
    Ok(())
}

/// One entry of a map. An absent part is the default of its type.
pub struct MapEntry<'a> {
    /// Wire type and value of field 1; absent as well when the default was written out, so that both are one key.
    pub key: Option<(u8, &'a [u8])>,
    /// Wire type and value of field 2.
    pub value: Option<(u8, &'a [u8])>,
}

/// Splits a map entry.
pub fn map_entry(wire: &[u8]) -> Result<MapEntry<'_>, CodecError> {
    let mut reader = Reader::new(wire);
    let mut entry = MapEntry { key: None, value: None };
    while let Some(tag) = reader.tag()? {
        let value = reader.skip(tag)?;
        match tag.number {
            1 => {
                entry.key = Some((tag.wire_type, value)).filter(|(_, key)| key.iter().any(|byte| *byte != 0))
            }
            2 => entry.value = Some((tag.wire_type, value)),
            _ => {}
        }
    }
    Ok(entry)
}

/// A key that stands twice counts with its last value; JSON must not repeat it.
pub fn keep_last_of_each_key(entries: &mut Vec<MapEntry<'_>>) {
    let mut seen = HashSet::with_capacity(entries.len());
    let mut kept: Vec<bool> = entries.iter().rev().map(|entry| seen.insert(entry.key)).collect();
    drop(seen);
    entries.retain(|_| kept.pop().unwrap_or(true));
}
