//! Random messages by descriptor, well-known ones within the range that JSON can say.

use proptest::{collection::vec, option::weighted, prelude::*};

use crate::contract;
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage, Value, prost::Message,
};

/// A message of the contract. Its `Debug` shows bytes, as prost-reflect's never ends for a type that holds itself.
#[derive(Clone)]
pub struct Random(pub DynamicMessage);

impl std::fmt::Debug for Random {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {:?}", self.0.descriptor().full_name(), bytes::Bytes::from(self.0.encode_to_vec()))
    }
}

/// Messages of the contract, by short name, nested at most `depth` times.
pub fn random(name: &str, depth: u32) -> BoxedStrategy<Random> {
    messages(&contract::message(name), depth).prop_map(Random).boxed()
}

fn messages(descriptor: &MessageDescriptor, depth: u32) -> BoxedStrategy<DynamicMessage> {
    if let Some(strategy) = well_known(descriptor, depth) {
        return strategy;
    }
    let fields: Vec<FieldDescriptor> = descriptor.fields().collect();
    // Few fields at a time: the interesting thing is which ones are there.
    let values: Vec<_> = fields.iter().map(|field| weighted(0.25, field_values(field, depth))).collect();
    let descriptor = descriptor.clone();
    values
        .prop_map(move |values| {
            let mut message = DynamicMessage::new(descriptor.clone());
            for (field, value) in fields.iter().zip(values) {
                if let Some(value) = value {
                    message.set_field(field, value);
                }
            }
            message
        })
        .boxed()
}

fn field_values(field: &FieldDescriptor, depth: u32) -> BoxedStrategy<Value> {
    let Kind::Message(entry) = field.kind() else {
        return if field.is_list() {
            vec(scalars(field.kind()), 0..4).prop_map(Value::List).boxed()
        } else {
            scalars(field.kind())
        };
    };
    if field.is_map() {
        let value = field_values(&entry.map_entry_value_field(), depth);
        let entries = vec((map_keys(entry.map_entry_key_field().kind()), value), 0..4);
        return entries.prop_map(|entries| Value::Map(entries.into_iter().collect())).boxed();
    }
    let message = match depth.checked_sub(1) {
        Some(depth) => messages(&entry, depth),
        None => {
            let mut empty = DynamicMessage::new(entry);
            // Without a type an `Any` has no JSON that prost-reflect would write.
            if empty.descriptor().full_name() == "google.protobuf.Any" {
                let url = "type.googleapis.com/google.protobuf.Duration".to_owned();
                empty.set_field_by_name("type_url", Value::String(url));
            }
            Just(empty).boxed()
        }
    };
    let message = message.prop_map(Value::Message);
    if field.is_list() { vec(message, 0..3).prop_map(Value::List).boxed() } else { message.boxed() }
}

fn map_keys(kind: Kind) -> BoxedStrategy<MapKey> {
    match kind {
        Kind::String => texts().prop_map(MapKey::String).boxed(),
        Kind::Int64 => any::<i64>().prop_map(MapKey::I64).boxed(),
        Kind::Uint32 => any::<u32>().prop_map(MapKey::U32).boxed(),
        Kind::Bool => any::<bool>().prop_map(MapKey::Bool).boxed(),
        other => panic!("the contract has no map by {other:?}"),
    }
}

fn texts() -> BoxedStrategy<String> {
    prop_oneof![".{0,12}", any::<String>(), Just(String::new())].boxed()
}

fn scalars(kind: Kind) -> BoxedStrategy<Value> {
    match kind {
        Kind::Double => finite().prop_map(Value::F64).boxed(),
        Kind::Float => any::<f32>()
            .prop_filter("NaN is not equal to itself", |value| !value.is_nan())
            .prop_map(Value::F32)
            .boxed(),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => any::<i32>().prop_map(Value::I32).boxed(),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => any::<i64>().prop_map(Value::I64).boxed(),
        Kind::Uint32 | Kind::Fixed32 => any::<u32>().prop_map(Value::U32).boxed(),
        Kind::Uint64 | Kind::Fixed64 => any::<u64>().prop_map(Value::U64).boxed(),
        Kind::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Kind::String => texts().prop_map(Value::String).boxed(),
        Kind::Bytes => any::<Vec<u8>>().prop_map(|bytes| Value::Bytes(bytes.into())).boxed(),
        Kind::Enum(enumeration) if enumeration.full_name() == "google.protobuf.NullValue" => {
            Just(Value::EnumNumber(0)).boxed()
        }
        Kind::Enum(_) => prop_oneof![-6..4, any::<i32>()].prop_map(Value::EnumNumber).boxed(),
        Kind::Message(_) => panic!("a message is no scalar"),
    }
}

fn finite() -> BoxedStrategy<f64> {
    any::<f64>()
        .prop_filter("NaN is not equal to itself, and Value takes no infinity", |value| value.is_finite())
        .boxed()
}

fn well_known(descriptor: &MessageDescriptor, depth: u32) -> Option<BoxedStrategy<DynamicMessage>> {
    let name = descriptor.full_name().strip_prefix("google.protobuf.")?;
    let own = descriptor.clone();
    let time = move |seconds: i64, nanos: i32| {
        let mut message = DynamicMessage::new(own.clone());
        message.set_field_by_name("seconds", Value::I64(seconds));
        message.set_field_by_name("nanos", Value::I32(nanos));
        message
    };
    let nanos = prop_oneof![Just(0), (0..1000).prop_map(|ms| ms * 1_000_000), 0..1_000_000_000];
    let own = descriptor.clone();
    Some(match name {
        "Timestamp" => {
            (-62_135_596_800..=253_402_300_799_i64, nanos).prop_map(move |(s, n)| time(s, n)).boxed()
        }
        "Duration" => (0..=315_575_999_999_i64, nanos, any::<bool>())
            .prop_map(move |(s, n, negative)| if negative { time(-s, -n) } else { time(s, n) })
            .boxed(),
        "FieldMask" => vec("[a-z]{1,4}(_[a-z]{1,3}){0,2}(\\.[a-z]{1,3}){0,2}", 0..4)
            .prop_map(move |paths| {
                let mut message = DynamicMessage::new(own.clone());
                let paths = paths.into_iter().map(Value::String).collect();
                message.set_field_by_name("paths", Value::List(paths));
                message
            })
            .boxed(),
        "Value" => values(own, depth),
        "Any" => {
            let inner =
                |name: &str| descriptor.parent_pool().get_message_by_name(name).expect("a known message");
            let choices = [
                "example.library.v1.Everything",
                "example.library.v1.Book",
                "google.protobuf.Duration",
                "google.protobuf.Value",
            ];
            let messages = choices.map(|name| messages(&inner(name), depth.saturating_sub(1)));
            proptest::strategy::Union::new(messages)
                .prop_map(move |inner| {
                    let mut message = DynamicMessage::new(own.clone());
                    let url = format!("type.googleapis.com/{}", inner.descriptor().full_name());
                    message.set_field_by_name("type_url", Value::String(url));
                    message.set_field_by_name("value", Value::Bytes(inner.encode_to_vec().into()));
                    message
                })
                .boxed()
        }
        _ => return None,
    })
}

fn values(descriptor: MessageDescriptor, depth: u32) -> BoxedStrategy<DynamicMessage> {
    let mut kinds: Vec<BoxedStrategy<(&'static str, Value)>> = vec![
        Just(("null_value", Value::EnumNumber(0))).boxed(),
        any::<bool>().prop_map(|value| ("bool_value", Value::Bool(value))).boxed(),
        finite().prop_map(|value| ("number_value", Value::F64(value))).boxed(),
        texts().prop_map(|value| ("string_value", Value::String(value))).boxed(),
    ];
    if let Some(depth) = depth.checked_sub(1) {
        for (name, kind) in [("struct_value", "Struct"), ("list_value", "ListValue")] {
            let inner = descriptor.parent_pool().get_message_by_name(&format!("google.protobuf.{kind}"));
            let inner = messages(&inner.expect("a known message"), depth);
            kinds.push(inner.prop_map(move |inner| (name, Value::Message(inner))).boxed());
        }
    }
    proptest::strategy::Union::new(kinds)
        .prop_map(move |(name, value)| {
            let mut message = DynamicMessage::new(descriptor.clone());
            message.set_field_by_name(name, value);
            message
        })
        .boxed()
}
