//! JSON → wire bytes by the tables, in one pass. Wrong fields are collected, so that a client mends all at once.

use std::{borrow::Cow, collections::HashSet, fmt};

use trato_types::Violations;

use super::{
    json::{Json, Next, SyntaxError},
    known,
    scalar::{self, Reject},
};
use crate::{
    codec::wire::{close, open, put_tag},
    schema::{Field, Form, Kind, Message, MessageId, Schema, Shape},
};

/// Most violations that are collected; more would only be noise.
const MAX_VIOLATIONS: usize = 50;

/// Where in the request a value stands; a chain on the stack that costs nothing until something is wrong.
#[derive(Clone, Copy)]
pub enum Path<'p> {
    /// The request itself.
    Root,
    /// A field, by its proto name, or by the name the client gave an unknown one.
    Field(&'p Path<'p>, &'p str),
    /// An element of a list.
    Index(&'p Path<'p>, usize),
    /// An entry of a map.
    Key(&'p Path<'p>, &'p str),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Self::Root, name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
            Self::Key(parent, key) => write!(f, "{parent}[{key:?}]"),
        }
    }
}

/// A body being read.
pub struct Body<'b> {
    pub(super) schema: &'b Schema,
    pub(super) json: Json<'b>,
    pub(super) out: &'b mut Vec<u8>,
    violations: &'b mut Violations,
    noted: usize,
}

pub(super) type Result<T = ()> = std::result::Result<T, SyntaxError>;

impl<'b> Body<'b> {
    /// Reads `json` into wire bytes behind what `out` holds. What `out` holds after a violation is of no use.
    pub fn new(
        schema: &'b Schema,
        json: Json<'b>,
        out: &'b mut Vec<u8>,
        violations: &'b mut Violations,
    ) -> Self {
        Self { schema, json, out, violations, noted: 0 }
    }

    /// Reads the whole text as a message.
    pub fn whole(mut self, id: MessageId) -> Result {
        self.message(id, &Path::Root)?;
        self.json.end()
    }

    /// Reads the whole text as one field of a message.
    pub fn only_field(mut self, field: &Field) -> Result {
        self.field(field, &Path::Field(&Path::Root, &field.name))?;
        self.json.end()
    }

    pub(super) fn note(&mut self, path: &Path<'_>, reject: Reject) {
        self.noted += 1;
        if self.noted <= MAX_VIOLATIONS {
            let field = match path {
                Path::Root => "body".to_owned(),
                path => path.to_string(),
            };
            self.violations.add(field, reject.reason, reject.description);
        }
    }

    /// Notes that the next value is of the wrong type, and goes past it.
    pub(super) fn refuse(&mut self, path: &Path<'_>, expected: &'static str) -> Result {
        self.note(path, Reject::new("WRONG_TYPE", expected));
        self.json.skip()
    }

    /// Reads the fields of a message, without tag and length.
    pub(super) fn message(&mut self, id: MessageId, path: &Path<'_>) -> Result {
        let message = self.schema.message(id);
        let next = self.json.next()?;
        match (message.form, next) {
            (Form::Plain | Form::Empty, Next::Object) => self.object(message, path, None),
            (Form::Plain | Form::Empty, _) => self.refuse(path, "must be an object"),
            (Form::Timestamp | Form::Duration | Form::FieldMask, Next::String) => {
                let text = self.json.string()?;
                if let Err(reject) = known::put_text(message.form, &text, self.out) {
                    self.note(path, reject);
                }
                Ok(())
            }
            (Form::Timestamp | Form::Duration | Form::FieldMask, _) => self.refuse(path, "must be a text"),
            (Form::Wrapper, _) => match message.fields.first() {
                Some(value) => self.one(value, path),
                None => self.json.skip(),
            },
            (Form::Value, _) => self.any_value(path),
            (Form::Struct, Next::Object) => self.structure(path),
            (Form::Struct, _) => self.refuse(path, "must be an object"),
            (Form::ListValue, Next::Array) => self.list_value(path),
            (Form::ListValue, _) => self.refuse(path, "must be an array"),
            (Form::Any, Next::Object) => self.any(path),
            (Form::Any, _) => self.refuse(path, "must be an object with @type"),
        }
    }

    /// Reads an object's members as fields. `besides` is a member that is no field and was read before.
    pub(super) fn object(&mut self, message: &Message, path: &Path<'_>, besides: Option<&str>) -> Result {
        self.json.object()?;
        let mut seen = Seen::default();
        let mut oneofs = 0_u64;
        let mut is_first = true;
        while let Some(key) = self.json.key(&mut is_first)? {
            if besides == Some(&*key) {
                self.json.skip()?;
                continue;
            }
            let Some(position) = message.position_by_name(&key) else {
                let description = format!("is not a field of {}", message.name);
                self.note(&Path::Field(path, &key), Reject::new("UNKNOWN_FIELD", description));
                self.json.skip()?;
                continue;
            };
            let field = &message.fields[position];
            let path = Path::Field(path, &field.name);
            if !seen.insert(position) {
                self.note(&path, Reject::new("DUPLICATE_FIELD", "is given twice"));
                self.json.skip()?;
                continue;
            }
            let oneof = field.oneof.map_or(0, |oneof| 1 << oneof);
            if oneofs & oneof != 0 {
                self.note(
                    &path,
                    Reject::new("ONEOF_CONFLICT", "another field that excludes it is given as well"),
                );
            }
            let is_set = self.field(field, &path)?;
            if is_set {
                oneofs |= oneof;
            }
        }
        Ok(())
    }

    /// Reads a field's value with its tags; false when it is `null`, which is the same as not there.
    fn field(&mut self, field: &Field, path: &Path<'_>) -> Result<bool> {
        let next = self.json.next()?;
        if next == Next::Null && !self.takes_null(field) {
            self.json.literal(next)?;
            return Ok(false);
        }
        match (field.shape, next) {
            (Shape::Singular, _) => self.one(field, path)?,
            (Shape::Repeated { .. }, Next::Array) => self.list(field, path)?,
            (Shape::Repeated { .. }, _) => self.refuse(path, "must be an array")?,
            (Shape::Map, Next::Object) => self.map(field, path)?,
            (Shape::Map, _) => self.refuse(path, "must be an object")?,
        }
        Ok(true)
    }

    fn takes_null(&self, field: &Field) -> bool {
        field.shape == Shape::Singular
            && match field.kind {
                Kind::Message(id) => self.schema.message(id).form == Form::Value,
                Kind::Enum(id) => self.schema.enumeration(id).is_null_value,
                _ => false,
            }
    }

    /// One value with its tag.
    pub(super) fn one(&mut self, field: &Field, path: &Path<'_>) -> Result {
        put_tag(self.out, field.number, field.kind.wire_type());
        match field.kind {
            Kind::Message(id) => {
                let start = open(self.out);
                self.message(id, path)?;
                close(self.out, start);
                Ok(())
            }
            kind => self.scalar(kind, path),
        }
    }

    fn list(&mut self, field: &Field, path: &Path<'_>) -> Result {
        self.json.array()?;
        let is_packed = field.kind.wire_type() != 2;
        let mut is_first = true;
        let mut index = 0;
        let begun = self.out.len();
        if is_packed {
            put_tag(self.out, field.number, 2);
        }
        let start = if is_packed { open(self.out) } else { begun };
        while self.json.element(&mut is_first)? {
            let path = Path::Index(path, index);
            index += 1;
            if is_packed { self.scalar(field.kind, &path)? } else { self.one(field, &path)? }
        }
        match (is_packed, index) {
            (true, 0) => self.out.truncate(begun),
            (true, _) => close(self.out, start),
            _ => {}
        }
        Ok(())
    }

    fn map(&mut self, field: &Field, path: &Path<'_>) -> Result {
        let Kind::Message(entry) = field.kind else { return self.refuse(path, "cannot be read") };
        let [key_field, value_field] = &*self.schema.message(entry).fields else {
            return self.refuse(path, "cannot be read");
        };
        self.json.object()?;
        let mut keys = HashSet::new();
        let mut is_first = true;
        while let Some(key) = self.json.key(&mut is_first)? {
            let path = Path::Key(path, &key);
            put_tag(self.out, field.number, 2);
            let start = open(self.out);
            put_tag(self.out, key_field.number, key_field.kind.wire_type());
            let key_start = self.out.len();
            if let Err(reject) = scalar::put_text(self.schema, key_field.kind, &key, self.out) {
                self.note(&path, reject);
            } else if !keys.insert(self.out[key_start..].to_vec()) {
                self.note(&path, Reject::new("DUPLICATE_FIELD", "is given twice"));
            }
            self.one(value_field, &path)?;
            close(self.out, start);
        }
        Ok(())
    }

    /// A scalar without its tag.
    fn scalar(&mut self, kind: Kind, path: &Path<'_>) -> Result {
        let next = self.json.next()?;
        let text: Cow<'_, str> = match (kind, next) {
            (Kind::Bool, Next::True | Next::False) => {
                self.json.literal(next)?;
                self.out.push(u8::from(next == Next::True));
                return Ok(());
            }
            (Kind::Bool, _) => return self.refuse(path, "must be true or false"),
            (Kind::String | Kind::Bytes, Next::String) => self.json.string()?,
            (Kind::String | Kind::Bytes, _) => return self.refuse(path, "must be a text"),
            (Kind::Enum(id), Next::Null) if self.schema.enumeration(id).is_null_value => {
                self.json.literal(next)?;
                self.out.push(0);
                return Ok(());
            }
            (Kind::Enum(_), Next::String | Next::Number) => self.text_or_number(next)?,
            (Kind::Enum(_), _) => return self.refuse(path, "must be the name of a value"),
            (_, Next::String | Next::Number) => self.text_or_number(next)?,
            _ => return self.refuse(path, "must be a number"),
        };
        if let Err(reject) = scalar::put_text(self.schema, kind, &text, self.out) {
            self.note(path, reject);
        }
        Ok(())
    }

    fn text_or_number(&mut self, next: Next) -> Result<Cow<'b, str>> {
        if next == Next::String { self.json.string() } else { self.json.number().map(Cow::Borrowed) }
    }
}

/// Which fields were there already.
#[derive(Default)]
struct Seen {
    low: u128,
    high: Vec<usize>,
}

impl Seen {
    fn insert(&mut self, position: usize) -> bool {
        if position < 128 {
            let bit = 1 << position;
            let is_new = self.low & bit == 0;
            self.low |= bit;
            return is_new;
        }
        let is_new = !self.high.contains(&position);
        self.high.push(position);
        is_new
    }
}
