//! The descriptors as plain tables, made once at start.
//!
//! Reading and writing messages then needs no look-up by name, no reflection and no allocation per field.

mod build;

use std::collections::HashMap;

pub use build::SchemaError;

/// Index of a message in a [`Schema`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct MessageId(u32);

/// Index of an enum in a [`Schema`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct EnumId(u32);

/// Every message and enum of a descriptor pool.
#[derive(Debug)]
pub struct Schema {
    messages: Vec<Message>,
    enums: Vec<Enum>,
    by_name: HashMap<Box<str>, MessageId>,
}

impl Schema {
    /// The table of a message.
    pub fn message(&self, id: MessageId) -> &Message {
        &self.messages[id.0 as usize]
    }

    /// The table of an enum.
    pub fn enumeration(&self, id: EnumId) -> &Enum {
        &self.enums[id.0 as usize]
    }

    /// Finds a message by its full name, `google.rpc.Status`.
    pub fn find(&self, full_name: &str) -> Option<MessageId> {
        self.by_name.get(full_name).copied()
    }
}

/// How one message is read and written.
#[derive(Debug)]
pub struct Message {
    /// Full name, `trato.events.v1.Event`.
    pub name: Box<str>,
    /// Whether JSON gives the message a form of its own.
    pub form: Form,
    /// All fields, by ascending number.
    pub fields: Box<[Field]>,
    names: HashMap<Box<str>, u16>,
}

impl Message {
    /// Position of the field with this number.
    pub fn position(&self, number: u32) -> Option<usize> {
        self.fields.binary_search_by_key(&number, |field| field.number).ok()
    }

    /// Position of the field with this name, in proto (`display_name`) or in JSON spelling (`displayName`).
    pub fn position_by_name(&self, name: &str) -> Option<usize> {
        self.names.get(name).map(|position| usize::from(*position))
    }

    /// The field with this name, in either spelling.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.position_by_name(name).map(|position| &self.fields[position])
    }
}

/// The JSON form of a message (proto3 JSON mapping).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// An object with a member per field.
    Plain,
    /// `google.protobuf.Timestamp`: an RFC 3339 text.
    Timestamp,
    /// `google.protobuf.Duration`: seconds with the suffix `s`.
    Duration,
    /// `google.protobuf.FieldMask`: comma-separated paths in camelCase.
    FieldMask,
    /// `google.protobuf.Struct`: any object.
    Struct,
    /// `google.protobuf.Value`: anything.
    Value,
    /// `google.protobuf.ListValue`: any array.
    ListValue,
    /// `google.protobuf.Any`: the object of the message inside, with `@type`.
    Any,
    /// `google.protobuf.StringValue` and its kin: the bare value of field 1.
    Wrapper,
    /// `google.protobuf.Empty`: `{}`. Inside an `Any` it stands under `value` as all well-known types do.
    Empty,
}

/// How one field is read and written.
#[derive(Debug)]
pub struct Field {
    /// Field number.
    pub number: u32,
    /// Name in the `.proto`.
    pub name: Box<str>,
    /// Name in JSON.
    pub json_name: Box<str>,
    /// What one value of it is.
    pub kind: Kind,
    /// How many values it has.
    pub shape: Shape,
    /// Position of the (real) oneof it belongs to.
    pub oneof: Option<u8>,
    /// `,"displayName":`, written before a value; the comma is left out for the first member.
    pub key: Box<[u8]>,
    /// `,"displayName":""`, written when the field is not on the wire; empty when nothing is printed.
    pub absent: Box<[u8]>,
}

/// How many values a field has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shape {
    /// At most one.
    Singular,
    /// A list.
    Repeated {
        /// Whether the numbers stand together on the wire. Both forms are read.
        packed: bool,
    },
    /// A map; the kind is the entry message with key 1 and value 2.
    Map,
}

/// What one value is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// `double`
    Double,
    /// `float`
    Float,
    /// `int32`
    Int32,
    /// `int64`
    Int64,
    /// `uint32`
    Uint32,
    /// `uint64`
    Uint64,
    /// `sint32`
    Sint32,
    /// `sint64`
    Sint64,
    /// `fixed32`
    Fixed32,
    /// `fixed64`
    Fixed64,
    /// `sfixed32`
    Sfixed32,
    /// `sfixed64`
    Sfixed64,
    /// `bool`
    Bool,
    /// `string`
    String,
    /// `bytes`
    Bytes,
    /// An enum.
    Enum(EnumId),
    /// A message.
    Message(MessageId),
}

impl Kind {
    /// The wire type of one value that stands alone.
    pub fn wire_type(self) -> u8 {
        match self {
            Self::Double | Self::Fixed64 | Self::Sfixed64 => 1,
            Self::String | Self::Bytes | Self::Message(_) => 2,
            Self::Float | Self::Fixed32 | Self::Sfixed32 => 5,
            _ => 0,
        }
    }
}

/// The names of an enum's values.
#[derive(Debug)]
pub struct Enum {
    /// Full name.
    pub name: Box<str>,
    /// Name of each value in quotes, by number; the first of several names wins.
    names: HashMap<i32, Box<[u8]>>,
    /// The same for the numbers from 0 on, as far as they have no gap.
    first: Box<[Box<[u8]>]>,
    numbers: HashMap<Box<str>, i32>,
    /// `google.protobuf.NullValue`, which is `null` in JSON.
    pub is_null_value: bool,
}

impl Enum {
    /// The name of a number, in quotes.
    pub fn quoted_name(&self, number: i32) -> Option<&[u8]> {
        let direct = usize::try_from(number).ok().and_then(|index| self.first.get(index));
        direct.or_else(|| self.names.get(&number)).map(|name| &**name)
    }

    /// The number of a name; aliases included.
    pub fn number(&self, name: &str) -> Option<i32> {
        self.numbers.get(name).copied()
    }
}
