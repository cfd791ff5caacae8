//! Bytes to elements, with bounds on everything that the sender decides.
//!
//! A document type is refused before anything in it is looked at, so there are no entities that could be expanded, and
//! nothing is fetched. Only the five entities and the character references of XML itself are replaced.

use std::borrow::Cow;

use quick_xml::{
    NsReader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesDecl, BytesRef, BytesStart, Event},
    name::ResolveResult,
};

use super::{
    DEEPEST, MOST_ATTRIBUTES, MOST_BYTES, MOST_ELEMENTS, Spaces,
    element::{Element, Fault},
};
use crate::EInvoiceError;

/// Namespace of `xsi:schemaLocation`, the one attribute with a prefix that many senders add; it is passed over.
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Elements that are open, and how many there were.
struct Tree<'s> {
    spaces: &'s Spaces,
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

/// Reads a document whose elements are of these namespaces.
pub(crate) fn read(document: &[u8], spaces: &Spaces) -> Result<Element, Fault> {
    let whole = |error| Fault::new("document", 0, &error);
    if document.len() > MOST_BYTES {
        return Err(whole(EInvoiceError::DocumentTooLarge));
    }
    let text = std::str::from_utf8(document).map_err(|_| whole(EInvoiceError::NotUtf8))?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let skipped = document.len() - text.len();
    let mut reader = NsReader::from_str(text);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.check_comments = true;
    reader.resolver_mut().set_max_declarations_per_element(MOST_ATTRIBUTES);
    let mut tree = Tree { spaces, open: Vec::new(), root: None, elements: 0 };
    let mut is_first = true;
    loop {
        let at = skipped + usize::try_from(reader.buffer_position()).unwrap_or(text.len());
        let fail = |error| Fault::new("document", at, &error);
        let event = reader.read_event().map_err(|_| fail(EInvoiceError::Malformed))?;
        match event {
            Event::Start(start) => {
                let name = tree.name_of(&reader, &start, at)?;
                let attributes = attributes(&reader, &start, at)?;
                tree.open(Element { name, at, attributes, ..Element::default() })?;
            }
            Event::End(_) => tree.close(at)?,
            Event::Text(part) => {
                tree.text(&part.xml10_content().map_err(|_| fail(EInvoiceError::Malformed))?, at)?;
            }
            Event::CData(part) => {
                tree.text(&part.xml10_content().map_err(|_| fail(EInvoiceError::Malformed))?, at)?;
            }
            Event::GeneralRef(reference) => tree.text(&replacement(&reference).map_err(fail)?, at)?,
            Event::Decl(declaration) if is_first => check_declaration(&declaration).map_err(fail)?,
            Event::DocType(_) => return Err(fail(EInvoiceError::DtdNotAllowed)),
            Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => return tree.finish(at),
            Event::Decl(_) | Event::Empty(_) => return Err(fail(EInvoiceError::Malformed)),
        }
        is_first = false;
    }
}

/// XML 1.0 in UTF-8, if it says what it is.
fn check_declaration(declaration: &BytesDecl) -> Result<(), EInvoiceError> {
    let version = declaration.version().map_err(|_| EInvoiceError::Malformed)?;
    let encoding = declaration.encoding().transpose().map_err(|_| EInvoiceError::Malformed)?;
    let is_utf8 = encoding.is_none_or(|encoding| encoding.eq_ignore_ascii_case(b"UTF-8"));
    if &*version == b"1.0" && is_utf8 { Ok(()) } else { Err(EInvoiceError::NotUtf8) }
}

/// What a reference stands for.
fn replacement(reference: &BytesRef) -> Result<Cow<'static, str>, EInvoiceError> {
    if let Some(char) = reference.resolve_char_ref().map_err(|_| EInvoiceError::Malformed)? {
        return Ok(char.to_string().into());
    }
    let name = reference.decode().map_err(|_| EInvoiceError::Malformed)?;
    resolve_predefined_entity(&name).map(Cow::Borrowed).ok_or(EInvoiceError::UnknownEntity)
}

/// Attributes without a prefix, by their names.
fn attributes(
    reader: &NsReader<&[u8]>,
    start: &BytesStart,
    at: usize,
) -> Result<Vec<(String, String)>, Fault> {
    let fail = |error| Fault::new("document", at, &error);
    let mut found = Vec::new();
    for (number, attribute) in start.attributes().enumerate() {
        if number >= MOST_ATTRIBUTES {
            return Err(fail(EInvoiceError::DocumentTooLarge));
        }
        let attribute = attribute.map_err(|_| fail(EInvoiceError::Malformed))?;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        match reader.resolver().resolve_attribute(attribute.key) {
            (ResolveResult::Unbound, local) => {
                let name = String::from_utf8_lossy(local.into_inner()).into_owned();
                let value = attribute.normalized_value(XmlVersion::Implicit1_0);
                let value = value.map_err(|_| fail(EInvoiceError::Malformed))?;
                found.push((name, value.into_owned()));
            }
            (ResolveResult::Bound(space), _) if space.into_inner() == INSTANCE.as_bytes() => {}
            _ => return Err(fail(EInvoiceError::NotSupported)),
        }
    }
    Ok(found)
}

impl Tree<'_> {
    /// The name under which the syntax knows the element, or one under which nothing is known.
    fn name_of(&self, reader: &NsReader<&[u8]>, start: &BytesStart, at: usize) -> Result<String, Fault> {
        let (space, local) = reader.resolver().resolve_element(start.name());
        let local = String::from_utf8_lossy(local.into_inner()).into_owned();
        match space {
            ResolveResult::Bound(space) => {
                let known = self.spaces.iter().find(|(_, uri)| uri.as_bytes() == space.into_inner());
                Ok(known.map_or_else(|| format!("?:{local}"), |(prefix, _)| format!("{prefix}:{local}")))
            }
            ResolveResult::Unbound => Ok(format!("?:{local}")),
            ResolveResult::Unknown(_) => Err(Fault::new("document", at, &EInvoiceError::Malformed)),
        }
    }

    fn open(&mut self, element: Element) -> Result<(), Fault> {
        self.elements += 1;
        let error = if self.open.len() >= DEEPEST {
            EInvoiceError::TooDeep
        } else if self.elements > MOST_ELEMENTS {
            EInvoiceError::DocumentTooLarge
        } else if self.root.is_some() {
            EInvoiceError::Malformed
        } else {
            self.open.push(element);
            return Ok(());
        };
        Err(element.fault(error))
    }

    fn close(&mut self, at: usize) -> Result<(), Fault> {
        let malformed = || Fault::new("document", at, &EInvoiceError::Malformed);
        let element = self.open.pop().ok_or_else(malformed)?;
        if !element.children.is_empty() && !element.text.trim().is_empty() {
            return Err(element.fault(EInvoiceError::NotSupported));
        }
        match self.open.last_mut() {
            Some(parent) => {
                parent.children.entry(element.name.clone()).or_default().push(element);
            }
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str, at: usize) -> Result<(), Fault> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(Fault::new("document", at, &EInvoiceError::Malformed)),
        }
        Ok(())
    }

    fn finish(self, at: usize) -> Result<Element, Fault> {
        let malformed = || Fault::new("document", at, &EInvoiceError::Malformed);
        if self.open.is_empty() { self.root.ok_or_else(malformed) } else { Err(malformed()) }
    }
}
