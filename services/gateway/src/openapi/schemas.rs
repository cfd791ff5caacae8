//! Messages and enums as JSON Schema (draft 2020-12), as the gateway's JSON has them.

use std::collections::BTreeMap;

use prost_reflect::{DescriptorPool, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value};

use super::{
    comments::{Comments, behaviours, option},
    json::{Json, Object},
};

/// Number of the field `value` in `EnumDescriptorProto`.
const VALUE_TAG: i32 = 2;

/// Collects the schemas that operations refer to.
#[derive(Debug)]
pub struct Schemas<'p> {
    pool: &'p DescriptorPool,
    /// Comments of the contract.
    pub comments: Comments,
    done: BTreeMap<String, Json>,
}

impl<'p> Schemas<'p> {
    /// None yet.
    pub fn new(pool: &'p DescriptorPool) -> Self {
        Self { pool, comments: Comments::new(pool), done: BTreeMap::new() }
    }

    /// All schemas collected, by full name.
    pub fn finish(self) -> Object {
        self.done.into_iter().fold(Object::new(), |all, (name, schema)| all.with(name, schema))
    }

    /// The schema of a message where it is used: a reference, or the form a well-known message has.
    pub fn message(&mut self, message: &MessageDescriptor) -> Object {
        if let Some(known) = well_known(message.full_name()) {
            return known;
        }
        let name = message.full_name().to_owned();
        if !self.done.contains_key(&name) {
            // Entered before it is made, as messages may hold themselves.
            self.done.insert(name.clone(), Object::new().into());
            let schema = self.object(message, |_| true);
            self.done.insert(name.clone(), schema.into());
        }
        reference(&name)
    }

    /// The schema of a message with only some of its fields.
    pub fn object(&mut self, message: &MessageDescriptor, keep: impl Fn(&FieldDescriptor) -> bool) -> Object {
        let comment = self.comments.at(message.parent_file().name(), message.path()).to_owned();
        let mut properties = Object::new();
        let mut required: Vec<String> = Vec::new();
        for field in message.fields().filter(keep) {
            if self.is_required(&field) {
                required.push(field.json_name().to_owned());
            }
            properties.put(field.json_name().to_owned(), self.field(&field));
        }
        let mut schema = Object::new().with("type", "object").with_text("description", &comment);
        if !properties.is_empty() {
            schema.put("properties", properties);
        }
        if !required.is_empty() {
            schema.put("required", required);
        }
        schema.with("additionalProperties", false)
    }

    /// Whether requests must carry the field.
    pub fn is_required(&self, field: &FieldDescriptor) -> bool {
        behaviours(self.pool, &field.options()).iter().any(|behaviour| behaviour == "REQUIRED")
    }

    /// The schema of a field, with its comment and behaviour.
    pub fn field(&mut self, field: &FieldDescriptor) -> Object {
        let mut schema = match field.kind() {
            Kind::Message(entry) if field.is_map() => {
                let value = self.value(&entry.map_entry_value_field().kind());
                Object::new().with("type", "object").with("additionalProperties", value)
            }
            kind if field.is_list() => Object::new().with("type", "array").with("items", self.value(&kind)),
            kind => self.value(&kind),
        };
        let options = field.options();
        let behaviours = behaviours(self.pool, &options);
        let is = |name: &str| behaviours.iter().any(|behaviour| behaviour == name);
        let mut comment =
            self.comments.at(field.parent_message().parent_file().name(), field.path()).to_owned();
        if is("IMMUTABLE") {
            comment = format!("{comment} Cannot be changed once it is set.").trim_start().to_owned();
        }
        schema = schema.with_text("description", &comment);
        if is("OUTPUT_ONLY") {
            schema.put("readOnly", true);
        }
        if is("INPUT_ONLY") {
            schema.put("writeOnly", true);
        }
        if field.field_descriptor_proto().options.as_ref().is_some_and(|options| options.deprecated()) {
            schema.put("deprecated", true);
        }
        if option(self.pool, &options, super::PERSONAL) == Some(Value::Bool(true)) {
            schema.put("x-personal", true);
        }
        schema
    }

    fn value(&mut self, kind: &Kind) -> Object {
        let schema = Object::new();
        match kind {
            Kind::Double => schema.with("type", "number").with("format", "double"),
            Kind::Float => schema.with("type", "number").with("format", "float"),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
                schema.with("type", "integer").with("format", "int32")
            }
            Kind::Uint32 | Kind::Fixed32 => {
                schema.with("type", "integer").with("format", "uint32").with("minimum", 0)
            }
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
                schema.with("type", "string").with("format", "int64")
            }
            Kind::Uint64 | Kind::Fixed64 => schema.with("type", "string").with("format", "uint64"),
            Kind::Bool => schema.with("type", "boolean"),
            Kind::String => schema.with("type", "string"),
            Kind::Bytes => schema.with("type", "string").with("contentEncoding", "base64"),
            Kind::Enum(enumeration) => self.enumeration(enumeration),
            Kind::Message(message) => self.message(message),
        }
    }

    fn enumeration(&mut self, enumeration: &EnumDescriptor) -> Object {
        let name = enumeration.full_name().to_owned();
        if name == "google.protobuf.NullValue" {
            return Object::new().with("type", "null");
        }
        if !self.done.contains_key(&name) {
            let file = enumeration.parent_file();
            let mut comment = self.comments.at(file.name(), enumeration.path()).to_owned();
            let mut names = Vec::new();
            // In the order of the contract, which is not that of the numbers.
            for (index, value) in (0..).zip(&enumeration.enum_descriptor_proto().value) {
                let path = [enumeration.path(), &[VALUE_TAG, index]].concat();
                let meaning = self.comments.at(file.name(), &path);
                if !meaning.is_empty() {
                    let gap = if names.is_empty() { "\n\n" } else { "\n" };
                    comment.push_str(&format!("{gap}- `{}`: {meaning}", value.name()));
                }
                names.push(value.name().to_owned());
            }
            let schema = Object::new().with("type", "string").with("enum", names);
            self.done.insert(name.clone(), schema.with_text("description", comment.trim()).into());
        }
        reference(&name)
    }
}

fn reference(name: &str) -> Object {
    Object::new().with("$ref", format!("#/components/schemas/{name}"))
}

fn well_known(full_name: &str) -> Option<Object> {
    let schema = Object::new();
    let nullable = |kind: &'static str| Object::new().with("type", vec![kind, "null"]);
    Some(match full_name.strip_prefix("google.protobuf.")? {
        "Timestamp" => schema.with("type", "string").with("format", "date-time"),
        "Duration" => schema.with("type", "string").with("pattern", r"^-?\d+(\.\d{1,9})?s$"),
        "FieldMask" => schema.with("type", "string").with("examples", vec!["displayName,owner"]),
        "Struct" => schema.with("type", "object").with("additionalProperties", true),
        "Value" => schema,
        "ListValue" => schema.with("type", "array").with("items", Object::new()),
        "Empty" => schema.with("type", "object"),
        "Any" => schema
            .with("type", "object")
            .with("properties", Object::new().with("@type", Object::new().with("type", "string")))
            .with("required", vec!["@type"])
            .with("additionalProperties", true),
        "DoubleValue" | "FloatValue" => nullable("number"),
        "Int32Value" | "UInt32Value" => nullable("integer"),
        "Int64Value" | "UInt64Value" | "StringValue" | "BytesValue" => nullable("string"),
        "BoolValue" => nullable("boolean"),
        _ => return None,
    })
}
