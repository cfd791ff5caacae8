//! Whose data a message holds: found once in the descriptors, read of every answer from its bytes.
//!
//! A type says by `(trato.options.v1.recorded_by)` which of its fields names whose data it holds. Every type that leads
//! to such a type gets a plan of the fields to follow; nothing else of a message is looked at.

use std::{collections::BTreeSet, sync::Arc};

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use prost_reflect::{ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value};

/// The plan of one type of message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Subjects {
    /// The field of this number names whose data the message is.
    Named(u32),
    /// The fields of these numbers are messages that lead to some that are.
    Within(Vec<(u32, Arc<Subjects>)>),
}

/// Bytes that are no message of the type they were given for.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the message cannot be read")]
pub struct Malformed;

impl Subjects {
    /// The plan of a type, `None` when no message of it can hold anybody's data. `Any` is not followed: what contains
    /// one names whose data it is by itself.
    pub fn of(message: &MessageDescriptor, recorded_by: &ExtensionDescriptor) -> Option<Self> {
        plan(message, recorded_by, &mut Vec::new())
    }

    /// Adds the names of the resources whose data the message holds: of a part, such as an entry of a timeline, the name
    /// of the whole.
    pub fn read(&self, mut message: &[u8], names: &mut BTreeSet<String>) -> Result<(), Malformed> {
        while !message.is_empty() {
            let (number, wire) = decode_key(&mut message).map_err(|_| Malformed)?;
            if wire != WireType::LengthDelimited {
                skip_field(wire, number, &mut message, DecodeContext::default()).map_err(|_| Malformed)?;
                continue;
            }
            let length = decode_varint(&mut message).map_err(|_| Malformed)?;
            let length = usize::try_from(length).map_err(|_| Malformed)?;
            let (value, rest) = message.split_at_checked(length).ok_or(Malformed)?;
            message = rest;
            match self {
                Self::Named(name) if *name == number => {
                    names.insert(whole(std::str::from_utf8(value).map_err(|_| Malformed)?).to_owned());
                    // Our own writers send a field once, and nothing else of the message is of interest.
                    return Ok(());
                }
                Self::Named(_) => {}
                Self::Within(parts) => {
                    if let Some((_, part)) = parts.iter().find(|(field, _)| *field == number) {
                        part.read(value, names)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// `accounts/1/timelineEntries/2` → `accounts/1`.
pub fn whole(name: &str) -> &str {
    name.match_indices('/').nth(1).map_or(name, |(end, _)| &name[..end])
}

fn plan(
    message: &MessageDescriptor,
    recorded_by: &ExtensionDescriptor,
    path: &mut Vec<String>,
) -> Option<Subjects> {
    let options = message.options();
    if let Value::String(name) = options.get_extension(recorded_by).as_ref()
        && let Some(field) = message.get_field_by_name(name)
    {
        return Some(Subjects::Named(field.number()));
    }
    // A type within itself would never end.
    if path.iter().any(|outer| outer == message.full_name()) {
        return None;
    }
    path.push(message.full_name().to_owned());
    let follow = |field: FieldDescriptor| match field.kind() {
        Kind::Message(inner) => Some((field.number(), Arc::new(plan(&inner, recorded_by, path)?))),
        _ => None,
    };
    let parts: Vec<_> = message.fields().filter_map(follow).collect();
    path.pop();
    if parts.is_empty() { None } else { Some(Subjects::Within(parts)) }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use trato_contract::access::v1::{AccessRecord, ListAccessRecordsResponse};

    use super::*;

    fn names(plan: &Subjects, message: &[u8]) -> Result<Vec<String>, Malformed> {
        let mut names = BTreeSet::new();
        plan.read(message, &mut names)?;
        Ok(names.into_iter().collect())
    }

    #[test]
    fn names_are_read_once_each_from_the_fields_that_lead_to_them() {
        let plan = Subjects::Within(vec![(1, Arc::new(Subjects::Named(3)))]);
        let record = |actor: &str| AccessRecord {
            actor: actor.to_owned(),
            method: "members/no".to_owned(),
            create_time: Some(prost_types::Timestamp { seconds: 1, nanos: 2 }),
            ..AccessRecord::default()
        };
        let page = ListAccessRecordsResponse {
            access_records: ["members/b", "members/a/parts/1", "members/b", ""].map(record).to_vec(),
            next_page_token: "members/no".to_owned(),
        };

        let bytes = page.encode_to_vec();

        assert_eq!(names(&plan, &bytes).expect("readable"), ["members/a", "members/b"]);
        assert_eq!(names(&plan, &[]).expect("readable"), Vec::<String>::new());
        assert!(names(&plan, &bytes[..bytes.len() - 1]).is_err());
        assert!(names(&plan, b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").is_err());
    }

    #[test]
    fn a_part_stands_under_the_name_of_the_whole() {
        assert_eq!(whole("accounts/1/timelineEntries/2"), "accounts/1");
        assert_eq!(whole("accounts/1"), "accounts/1");
        assert_eq!(whole(""), "");
    }
}
