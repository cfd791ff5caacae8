//! Messages whose content is open: any JSON value, and a message of any type.

use std::collections::HashSet;

use super::{
    body::{Body, Path, Result},
    json::Next,
    scalar::{self, Reject},
};
use crate::{
    codec::wire::{close, open, put_delimited, put_tag},
    schema::{Form, Kind, MessageId},
};

impl Body<'_> {
    pub(super) fn any_value(&mut self, path: &Path<'_>) -> Result {
        match self.json.next()? {
            next @ Next::Null => {
                self.json.literal(next)?;
                put_tag(self.out, 1, 0);
                self.out.push(0);
            }
            Next::Number => {
                put_tag(self.out, 2, 1);
                let number = self.json.number()?;
                if let Err(reject) = scalar::put_text(self.schema, Kind::Double, number, self.out) {
                    self.note(path, reject);
                }
            }
            Next::String => {
                let text = self.json.string()?;
                put_delimited(self.out, 3, text.as_bytes());
            }
            next @ (Next::True | Next::False) => {
                self.json.literal(next)?;
                put_tag(self.out, 4, 0);
                self.out.push(u8::from(next == Next::True));
            }
            Next::Object => {
                put_tag(self.out, 5, 2);
                let start = open(self.out);
                self.structure(path)?;
                close(self.out, start);
            }
            Next::Array => {
                put_tag(self.out, 6, 2);
                let start = open(self.out);
                self.list_value(path)?;
                close(self.out, start);
            }
        }
        Ok(())
    }

    pub(super) fn structure(&mut self, path: &Path<'_>) -> Result {
        self.json.object()?;
        let mut keys = HashSet::new();
        let mut is_first = true;
        while let Some(key) = self.json.key(&mut is_first)? {
            let path = Path::Key(path, &key);
            put_tag(self.out, 1, 2);
            let start = open(self.out);
            put_delimited(self.out, 1, key.as_bytes());
            put_tag(self.out, 2, 2);
            let value = open(self.out);
            self.any_value(&path)?;
            close(self.out, value);
            close(self.out, start);
            if !keys.insert(key.clone()) {
                self.note(&path, Reject::new("DUPLICATE_FIELD", "is given twice"));
            }
        }
        Ok(())
    }

    pub(super) fn list_value(&mut self, path: &Path<'_>) -> Result {
        self.json.array()?;
        let mut is_first = true;
        let mut index = 0;
        while self.json.element(&mut is_first)? {
            put_tag(self.out, 1, 2);
            let start = open(self.out);
            self.any_value(&Path::Index(path, index))?;
            close(self.out, start);
            index += 1;
        }
        Ok(())
    }

    /// Reads the object twice: first for its `@type`, which may stand anywhere, then for its fields.
    pub(super) fn any(&mut self, path: &Path<'_>) -> Result {
        let mut ahead = self.json;
        ahead.object()?;
        let (mut type_url, mut types, mut members) = (None, 0, 0);
        let mut is_first = true;
        while let Some(key) = ahead.key(&mut is_first)? {
            members += 1;
            if key == "@type" && ahead.next()? == Next::String {
                type_url = Some(ahead.string()?);
                types += 1;
            } else {
                ahead.skip()?;
            }
        }
        if members == 0 {
            self.json = ahead;
            return Ok(());
        }
        let type_url = match type_url {
            Some(type_url) if types == 1 => type_url,
            _ => return self.refuse(path, "must have exactly one @type"),
        };
        let full_name = type_url.rsplit('/').next().unwrap_or_default();
        let Some(id) = self.schema.find(full_name).filter(|_| type_url.contains('/')) else {
            self.note(
                &Path::Field(path, "@type"),
                Reject::new("UNKNOWN_TYPE", "is not a known message type"),
            );
            return self.json.skip();
        };
        put_delimited(self.out, 1, type_url.as_bytes());
        put_tag(self.out, 2, 2);
        let start = open(self.out);
        let message = self.schema.message(id);
        if message.form == Form::Plain {
            self.object(message, path, Some("@type"))?;
        } else {
            self.known_in_any(id, path)?;
        }
        close(self.out, start);
        Ok(())
    }

    /// A well-known message inside an `Any` stands under `value`.
    fn known_in_any(&mut self, id: MessageId, path: &Path<'_>) -> Result {
        self.json.object()?;
        let mut is_first = true;
        let mut values = 0;
        while let Some(key) = self.json.key(&mut is_first)? {
            let path = Path::Field(path, &key);
            match &*key {
                "@type" => self.json.skip()?,
                "value" if values == 0 => {
                    values += 1;
                    self.message(id, &path)?;
                }
                _ => {
                    self.note(&path, Reject::new("UNKNOWN_FIELD", "only @type and one value may stand here"));
                    self.json.skip()?;
                }
            }
        }
        Ok(())
    }
}
