//! Descriptor pool → tables. Refuses what JSON over HTTP cannot carry, so that it shows at start.

use std::collections::HashMap;

use prost_reflect::{Cardinality, DescriptorPool, EnumDescriptor, FieldDescriptor, MessageDescriptor};

use super::{Enum, EnumId, Field, Form, Kind, Message, MessageId, Schema, Shape};

/// Why descriptors cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// Groups have no JSON form.
    #[error("field {0} is a group, which has no JSON form")]
    Group(String),
    /// More fields or oneofs than the tables can number.
    #[error("message {0} has too many fields or oneofs")]
    TooLarge(String),
}

impl Schema {
    /// Makes the tables of every message and enum in `pool`.
    pub fn new(pool: &DescriptorPool) -> Result<Self, SchemaError> {
        let ids = Ids::new(pool);
        let mut messages = Vec::with_capacity(ids.messages.len());
        for descriptor in pool.all_messages() {
            messages.push(message(&descriptor, &ids)?);
        }
        let enums = pool.all_enums().map(|descriptor| enumeration(&descriptor)).collect();
        let by_name = ids.messages.into_iter().map(|(name, id)| (name.into_boxed_str(), id)).collect();
        Ok(Self { messages, enums, by_name })
    }
}

/// Position of every message and enum, so that tables may refer to later ones and to themselves.
struct Ids {
    messages: HashMap<String, MessageId>,
    enums: HashMap<String, EnumId>,
}

impl Ids {
    fn new(pool: &DescriptorPool) -> Self {
        let messages = (0..).map(MessageId).zip(pool.all_messages());
        let enums = (0..).map(EnumId).zip(pool.all_enums());
        Self {
            messages: messages.map(|(id, message)| (message.full_name().to_owned(), id)).collect(),
            enums: enums.map(|(id, enumeration)| (enumeration.full_name().to_owned(), id)).collect(),
        }
    }
}

fn message(descriptor: &MessageDescriptor, ids: &Ids) -> Result<Message, SchemaError> {
    let too_large = || SchemaError::TooLarge(descriptor.full_name().to_owned());
    let oneofs: Vec<_> = descriptor.oneofs().filter(|oneof| !oneof.is_synthetic()).collect();
    // The codec keeps the oneofs it has seen as bits of one word.
    if oneofs.len() > 64 {
        return Err(too_large());
    }
    let mut fields = Vec::new();
    for field in descriptor.fields() {
        let oneof = field
            .containing_oneof()
            .and_then(|own| oneofs.iter().position(|oneof| *oneof == own))
            .and_then(|position| u8::try_from(position).ok());
        fields.push(self::field(&field, oneof, ids)?);
    }
    fields.sort_by_key(|field| field.number);
    let mut names = HashMap::new();
    for (position, field) in fields.iter().enumerate() {
        let position = u16::try_from(position).map_err(|_| too_large())?;
        names.insert(field.name.clone(), position);
        names.insert(field.json_name.clone(), position);
    }
    let name = descriptor.full_name();
    Ok(Message { name: name.into(), form: form(name), fields: fields.into_boxed_slice(), names })
}

fn form(full_name: &str) -> Form {
    match full_name.strip_prefix("google.protobuf.") {
        Some("Timestamp") => Form::Timestamp,
        Some("Duration") => Form::Duration,
        Some("FieldMask") => Form::FieldMask,
        Some("Struct") => Form::Struct,
        Some("Value") => Form::Value,
        Some("ListValue") => Form::ListValue,
        Some("Any") => Form::Any,
        Some("Empty") => Form::Empty,
        Some(
            "DoubleValue" | "FloatValue" | "Int64Value" | "UInt64Value" | "Int32Value" | "UInt32Value"
            | "BoolValue" | "StringValue" | "BytesValue",
        ) => Form::Wrapper,
        _ => Form::Plain,
    }
}

fn field(descriptor: &FieldDescriptor, oneof: Option<u8>, ids: &Ids) -> Result<Field, SchemaError> {
    if descriptor.is_group() {
        return Err(SchemaError::Group(descriptor.full_name().to_owned()));
    }
    let kind = kind(descriptor, ids);
    let shape = if descriptor.is_map() {
        Shape::Map
    } else if descriptor.cardinality() == Cardinality::Repeated {
        Shape::Repeated { packed: descriptor.is_packed() }
    } else {
        Shape::Singular
    };
    let json_name = descriptor.json_name();
    let key = format!(",{}:", serde_json::Value::from(json_name));
    let absent = match default(descriptor, kind, shape) {
        Some(default) => format!("{key}{default}"),
        None => String::new(),
    };
    Ok(Field {
        number: descriptor.number(),
        name: descriptor.name().into(),
        json_name: json_name.into(),
        kind,
        shape,
        oneof,
        key: key.into_bytes().into(),
        absent: absent.into_bytes().into(),
    })
}

/// What is printed for a field that is not on the wire; nothing for those that tell absence from a default.
fn default(descriptor: &FieldDescriptor, kind: Kind, shape: Shape) -> Option<String> {
    let text = match (shape, kind) {
        (Shape::Map, _) => "{}",
        (Shape::Repeated { .. }, _) => "[]",
        (Shape::Singular, _) if descriptor.supports_presence() => return None,
        (_, Kind::Int64 | Kind::Uint64 | Kind::Sint64 | Kind::Fixed64 | Kind::Sfixed64) => "\"0\"",
        (_, Kind::Double | Kind::Float) => "0.0",
        (_, Kind::Bool) => "false",
        (_, Kind::String | Kind::Bytes) => "\"\"",
        (_, Kind::Enum(_)) => {
            return descriptor.kind().as_enum().map(|enumeration| match enumeration.full_name() {
                "google.protobuf.NullValue" => "null".to_owned(),
                _ => format!("\"{}\"", enumeration.default_value().name()),
            });
        }
        _ => "0",
    };
    Some(text.to_owned())
}

fn kind(descriptor: &FieldDescriptor, ids: &Ids) -> Kind {
    use prost_reflect::Kind as Described;
    match descriptor.kind() {
        Described::Double => Kind::Double,
        Described::Float => Kind::Float,
        Described::Int32 => Kind::Int32,
        Described::Int64 => Kind::Int64,
        Described::Uint32 => Kind::Uint32,
        Described::Uint64 => Kind::Uint64,
        Described::Sint32 => Kind::Sint32,
        Described::Sint64 => Kind::Sint64,
        Described::Fixed32 => Kind::Fixed32,
        Described::Fixed64 => Kind::Fixed64,
        Described::Sfixed32 => Kind::Sfixed32,
        Described::Sfixed64 => Kind::Sfixed64,
        Described::Bool => Kind::Bool,
        Described::String => Kind::String,
        Described::Bytes => Kind::Bytes,
        // The pool resolved every reference when it was built, so both names are there.
        Described::Enum(enumeration) => Kind::Enum(ids.enums[enumeration.full_name()]),
        Described::Message(message) => Kind::Message(ids.messages[message.full_name()]),
    }
}

fn enumeration(descriptor: &EnumDescriptor) -> Enum {
    let mut names: HashMap<i32, Box<[u8]>> = HashMap::new();
    let mut numbers = HashMap::new();
    for value in descriptor.values() {
        let quoted = format!("\"{}\"", value.name()).into_bytes().into();
        names.entry(value.number()).or_insert(quoted);
        numbers.insert(value.name().into(), value.number());
    }
    let first = (0..).map_while(|number| names.get(&number).cloned()).collect();
    let is_null_value = descriptor.full_name() == "google.protobuf.NullValue";
    Enum { name: descriptor.full_name().into(), names, first, numbers, is_null_value }
}
