//! What is written: elements in the order in which they are added. What holds nothing is not written.

use std::borrow::Cow;

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};
use trato_types::{Error, Result};

use super::{MOST_BYTES, MOST_ELEMENTS};
use crate::EInvoiceError;

/// An element with its attributes, and either text or elements.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    name: &'static str,
    attributes: Vec<(&'static str, Cow<'a, str>)>,
    text: Option<Cow<'a, str>>,
    children: Vec<Self>,
    is_kept: bool,
}

impl<'a> Node<'a> {
    /// An element that holds nothing yet.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, attributes: Vec::new(), text: None, children: Vec::new(), is_kept: false }
    }

    /// An element with text.
    pub(crate) fn leaf(name: &'static str, text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: Some(text.into()), ..Self::new(name) }
    }

    /// With an attribute.
    pub(crate) fn attribute(mut self, name: &'static str, value: impl Into<Cow<'a, str>>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// With an attribute where there is a value.
    pub(crate) fn attribute_if(self, name: &'static str, value: Option<impl Into<Cow<'a, str>>>) -> Self {
        match value {
            Some(value) => self.attribute(name, value),
            None => self,
        }
    }

    /// Written even when it holds nothing, since the schema wants it.
    pub(crate) fn kept(mut self) -> Self {
        self.is_kept = true;
        self
    }

    /// With a further element at the end, unless that holds nothing.
    pub(crate) fn add(mut self, child: Self) -> Self {
        if child.is_kept || child.text.is_some() || !child.children.is_empty() {
            self.children.push(child);
        }
        self
    }

    /// With further elements at the end.
    pub(crate) fn add_all(self, children: impl IntoIterator<Item = Self>) -> Self {
        children.into_iter().fold(self, Self::add)
    }

    /// With a further element of text at the end.
    pub(crate) fn text(self, name: &'static str, text: impl Into<Cow<'a, str>>) -> Self {
        self.add(Self::leaf(name, text))
    }

    /// With a further element of text at the end, where there is a text.
    pub(crate) fn text_if(self, name: &'static str, text: Option<&'a (impl AsRef<str> + ?Sized)>) -> Self {
        match text {
            Some(text) => self.text(name, text.as_ref()),
            None => self,
        }
    }

    fn elements(&self) -> usize {
        1 + self.children.iter().map(Self::elements).sum::<usize>()
    }

    /// The document. It is refused when it is larger than what is read again.
    pub(crate) fn into_document(self) -> Result<Vec<u8>> {
        if self.elements() > MOST_ELEMENTS {
            return Err(too_large());
        }
        let mut writer = Writer::new_with_indent(Vec::new(), b' ', 1);
        let written = writer
            .write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))
            .and_then(|()| self.write(&mut writer));
        written.map_err(Error::internal)?;
        let mut document = writer.into_inner();
        document.push(b'\n');
        if document.len() > MOST_BYTES { Err(too_large()) } else { Ok(document) }
    }

    fn write(self, writer: &mut Writer<Vec<u8>>) -> std::io::Result<()> {
        let mut start = BytesStart::new(self.name);
        for (name, value) in &self.attributes {
            start.push_attribute((*name, value.as_ref()));
        }
        if self.text.is_none() && self.children.is_empty() {
            return writer.write_event(Event::Empty(start));
        }
        writer.write_event(Event::Start(start))?;
        if let Some(text) = &self.text {
            writer.write_event(Event::Text(BytesText::new(text)))?;
        }
        for child in self.children {
            child.write(writer)?;
        }
        writer.write_event(Event::End(BytesEnd::new(self.name)))
    }
}

fn too_large() -> Error {
    let error = EInvoiceError::DocumentTooLarge;
    Error::invalid("document", error.reason(), error.to_string())
}
