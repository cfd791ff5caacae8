//! What the path captured and what the query says, as wire bytes behind those of the body.
//!
//! Appending is enough: protobuf merges a message that stands twice, and the last value of a scalar wins.

use std::borrow::Cow;

use trato_types::Violations;

use super::{
    known,
    scalar::{self, Reject},
};
use crate::{
    codec::wire::{close, last_delimited, open, put_tag},
    routes::{BoundCapture, hex},
    schema::{Field, Form, Kind, MessageId, Schema, Shape},
};

/// Appends a captured value. A body that says another value for the same text is refused.
pub fn put_capture(
    schema: &Schema,
    capture: &BoundCapture,
    value: &str,
    out: &mut Vec<u8>,
    start: usize,
    violations: &mut Violations,
) {
    let Some(leaf) = capture.leaf(schema) else { return };
    if leaf.kind == Kind::String {
        let mut numbers =
            capture.steps.iter().map(|(message, position)| schema.message(*message).fields[*position].number);
        let given = numbers.try_fold(&out[start..], last_delimited);
        match given {
            Some(given) if given == value.as_bytes() => return,
            Some(given) if !given.is_empty() => {
                violations.add(&*capture.name, "PATH_MISMATCH", "differs from the value in the path");
                return;
            }
            _ => {}
        }
    }
    if let Err(reject) = put_nested(schema, &capture.steps, value, out) {
        violations.add(&*capture.name, reject.reason, reject.description);
    }
}

/// Appends `value` as the field that the steps lead to.
fn put_nested(
    schema: &Schema,
    steps: &[(MessageId, usize)],
    value: &str,
    out: &mut Vec<u8>,
) -> Result<(), Reject> {
    let Some(((message, position), deeper)) = steps.split_first() else { return Ok(()) };
    let field = &schema.message(*message).fields[*position];
    if deeper.is_empty() {
        return put_leaf(schema, field, value, out);
    }
    put_tag(out, field.number, 2);
    let start = open(out);
    put_nested(schema, deeper, value, out)?;
    close(out, start);
    Ok(())
}

fn put_leaf(schema: &Schema, field: &Field, value: &str, out: &mut Vec<u8>) -> Result<(), Reject> {
    put_tag(out, field.number, field.kind.wire_type());
    let Kind::Message(id) = field.kind else { return scalar::put_text(schema, field.kind, value, out) };
    let message = schema.message(id);
    let start = open(out);
    match (message.form, message.fields.first()) {
        (Form::Wrapper, Some(inner)) => put_leaf(schema, inner, value, out)?,
        (Form::Timestamp | Form::Duration | Form::FieldMask, _) => known::put_text(message.form, value, out)?,
        _ => return Err(Reject::new("WRONG_TYPE", "is a message; name its fields with dots")),
    }
    close(out, start);
    Ok(())
}

/// What a query may set.
pub struct Query<'q> {
    /// The tables.
    pub schema: &'q Schema,
    /// The request message.
    pub message: MessageId,
    /// Paths that are set by the path or by the body, by proto names.
    pub taken: &'q [Cow<'q, str>],
}

impl Query<'_> {
    /// Appends every parameter of a query string.
    pub fn put(&self, query: &str, out: &mut Vec<u8>, violations: &mut Violations) {
        let mut seen = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (Some(name), Some(value)) = (decode(name), decode(value)) else {
                violations.add("query", "INVALID_ENCODING", "must be percent-encoded UTF-8");
                continue;
            };
            if let Err(reject) = self.put_one(&name, &value, &mut seen, out) {
                violations.add(&*name, reject.reason, reject.description);
            }
        }
    }

    fn put_one(
        &self,
        name: &str,
        value: &str,
        seen: &mut Vec<String>,
        out: &mut Vec<u8>,
    ) -> Result<(), Reject> {
        let steps = self.resolve(name)?;
        let fields = steps.iter().map(|(message, position)| &self.schema.message(*message).fields[*position]);
        let path = fields.clone().map(|field| &*field.name).collect::<Vec<_>>().join(".");
        let is_taken = |taken: &Cow<'_, str>| {
            path.strip_prefix(&**taken).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        if self.taken.iter().any(is_taken) {
            return Err(Reject::new(
                "UNKNOWN_PARAMETER",
                "is given by the path or the body, not by a parameter",
            ));
        }
        let is_list = fields.clone().next_back().is_some_and(|field| field.shape != Shape::Singular);
        if !is_list && seen.contains(&path) {
            return Err(Reject::new("DUPLICATE_FIELD", "is given twice"));
        }
        seen.push(path);
        put_nested(self.schema, &steps, value, out)
    }

    /// Finds the fields that a name with dots leads through, in either spelling.
    fn resolve(&self, name: &str) -> Result<Vec<(MessageId, usize)>, Reject> {
        let unknown = || {
            let message = &self.schema.message(self.message).name;
            Reject::new("UNKNOWN_PARAMETER", format!("is not a field of {message}"))
        };
        let mut steps = Vec::new();
        let mut message = Some(self.message);
        for part in name.split('.') {
            let id = message.ok_or_else(unknown)?;
            let table = self.schema.message(id);
            // The inside of a well-known message is not addressed; it is one value.
            if !steps.is_empty() && table.form != Form::Plain {
                return Err(unknown());
            }
            let position = table.position_by_name(part).ok_or_else(unknown)?;
            let field = &table.fields[position];
            steps.push((id, position));
            message = match (field.shape, field.kind) {
                (Shape::Singular, Kind::Message(id)) => Some(id),
                (Shape::Map, _) => {
                    return Err(Reject::new("WRONG_TYPE", "is a map, which only a body can carry"));
                }
                _ => None,
            };
        }
        Ok(steps)
    }
}

/// Undoes the encoding of forms: `+` is a space, `%XX` a byte.
pub fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => {
                let (digits, after) = rest.split_first_chunk::<2>()?;
                decoded.push(hex(digits[0])? << 4 | hex(digits[1])?);
                rest = after;
            }
            byte => decoded.push(*byte),
        }
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}
