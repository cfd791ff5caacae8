//! Paths and parameters: templates as OpenAPI writes them, and fields that travel in the query.

use std::collections::HashMap;

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::{json::Object, schemas::Schemas};
use crate::{
    routes::{Binding, Body},
    template::Segment,
};

/// How deeply fields of messages are offered as parameters.
const MAX_DEPTH: usize = 3;

/// A path as OpenAPI writes it, and its parameters.
pub struct Path {
    /// `/v1/books/{book}:lend`
    pub text: String,
    /// The parameters in the path.
    pub parameters: Vec<Object>,
}

/// Gives each wildcard a name of its own: a capture of one segment its field's, others that of a member of the collection
/// before it.
pub fn path(binding: &Binding, members: &HashMap<String, String>) -> Path {
    let template = &binding.template;
    let mut text = String::new();
    let mut names: Vec<String> = Vec::new();
    let mut parameters = Vec::new();
    for (index, segment) in template.segments.iter().enumerate() {
        text.push('/');
        if let Segment::Literal(literal) = segment {
            text.push_str(literal);
            continue;
        }
        let captured = |capture: &&crate::template::Capture| {
            capture.start <= index && capture.end.is_none_or(|end| index < end)
        };
        let capture = template.captures.iter().find(captured);
        let before = index.checked_sub(1).map(|before| &template.segments[before]);
        let mut name = match (capture, before) {
            (Some(capture), _) if capture.is_single || *segment == Segment::Rest => capture.field.join("_"),
            (_, Some(Segment::Literal(collection))) => {
                members.get(collection).cloned().unwrap_or_else(|| singular(collection))
            }
            _ => "part".to_owned(),
        };
        while names.contains(&name) {
            name.push('_');
        }
        let description = match capture {
            Some(capture) if !capture.is_single => {
                let part = template.segments[capture.start..=index].iter().map(|segment| match segment {
                    Segment::Literal(literal) => literal.clone(),
                    _ => format!("{{{name}}}"),
                });
                format!("Part of `{}`: `{}`", capture.field.join("."), part.collect::<Vec<_>>().join("/"))
            }
            _ => String::new(),
        };
        text.push_str(&format!("{{{name}}}"));
        let schema = Object::new().with("type", "string");
        let parameter = Object::new().with("name", name.clone()).with("in", "path").with("required", true);
        parameters.push(parameter.with_text("description", &description).with("schema", schema));
        names.push(name);
    }
    if let Some(verb) = &template.verb {
        text.push(':');
        text.push_str(verb);
    }
    Path { text, parameters }
}

/// For collections without a pattern: `accounts` → `account`, `opportunities` → `opportunity`.
fn singular(collection: &str) -> String {
    if let Some(stem) = collection.strip_suffix("ies") {
        return format!("{stem}y");
    }
    match collection.strip_suffix("sses").or_else(|| collection.strip_suffix("xes")) {
        Some(stem) => format!("{stem}{}", if collection.ends_with("sses") { "ss" } else { "x" }),
        None => collection.strip_suffix('s').unwrap_or(collection).to_owned(),
    }
}

/// The fields that may stand in the query: those that neither path nor body carry.
pub fn query(schemas: &mut Schemas<'_>, input: &MessageDescriptor, binding: &Binding) -> Vec<Object> {
    let mut parameters = Vec::new();
    if binding.body != Body::Whole {
        let mut walk = Walk { schemas, binding, parameters: &mut parameters };
        walk.fields(input, "", "", MAX_DEPTH);
    }
    parameters
}

struct Walk<'w, 'p> {
    schemas: &'w mut Schemas<'p>,
    binding: &'w Binding,
    parameters: &'w mut Vec<Object>,
}

impl Walk<'_, '_> {
    fn fields(&mut self, message: &MessageDescriptor, prefix: &str, json_prefix: &str, depth: usize) {
        for (position, field) in by_number(message).into_iter().enumerate() {
            let is_body = prefix.is_empty() && self.binding.body == Body::Field(position);
            let path = format!("{prefix}{}", field.name());
            if is_body || self.binding.captures.iter().any(|capture| capture.name == path) || field.is_map() {
                continue;
            }
            let name = format!("{json_prefix}{}", field.json_name());
            match field.kind() {
                Kind::Message(inner) if !is_text(&inner) => {
                    if !field.is_list() && depth > 1 && !inner.full_name().starts_with("google.protobuf.") {
                        self.fields(&inner, &format!("{path}."), &format!("{name}."), depth - 1);
                    }
                }
                _ => {
                    let schema = self.schemas.field(&field);
                    let mut parameter = Object::new().with("name", name).with("in", "query");
                    // A field of a field is required only where its parent is there.
                    if prefix.is_empty() && self.schemas.is_required(&field) {
                        parameter.put("required", true);
                    }
                    let file = field.parent_message().parent_file();
                    let comment = self.schemas.comments.at(file.name(), field.path()).to_owned();
                    self.parameters.push(parameter.with_text("description", &comment).with("schema", schema));
                }
            }
        }
    }
}

/// The order in which bindings count positions.
fn by_number(message: &MessageDescriptor) -> Vec<FieldDescriptor> {
    let mut fields: Vec<_> = message.fields().collect();
    fields.sort_by_key(FieldDescriptor::number);
    fields
}

/// Messages that a query writes as one text.
fn is_text(message: &MessageDescriptor) -> bool {
    message.full_name().strip_prefix("google.protobuf.").is_some_and(|name| {
        matches!(name, "Timestamp" | "Duration" | "FieldMask")
            || name.ends_with("Value") && !matches!(name, "Value" | "ListValue")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collections_are_put_into_the_singular() {
        for (plural, expected) in [
            ("accounts", "account"),
            ("opportunities", "opportunity"),
            ("addresses", "address"),
            ("boxes", "box"),
            ("staff", "staff"),
        ] {
            assert_eq!(singular(plural), expected);
        }
    }
}
