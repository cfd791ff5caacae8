//! XML to a small tree, with bounds on everything that the sender decides. A document type is refused before anything in it is
//! looked at, so that there are no entities that could be expanded, and nothing is fetched.

use quick_xml::{
    NsReader, XmlVersion, escape::resolve_predefined_entity, events::Event, name::ResolveResult,
};

use super::model::StatementError;

/// Most elements of a file.
const MOST_ELEMENTS: usize = 400_000;
/// Most elements within each other; fourteen are needed.
const DEEPEST: usize = 24;
/// Most namespaces that an element declares.
const MOST_DECLARATIONS: usize = 16;

/// An element; its name is without prefix.
#[derive(Clone, Debug, Default)]
pub struct Element {
    /// Its name.
    pub name: String,
    /// Its currency, of an amount.
    pub currency: String,
    /// Its text.
    pub text: String,
    /// What is in it, in order.
    pub children: Vec<Element>,
}

impl Element {
    /// The elements in it of a name.
    pub fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first element at a path of names, such as `Acct/Id/IBAN`.
    pub fn at(&self, path: &str) -> Option<&Self> {
        path.split('/')
            .try_fold(self, |element, name| element.children.iter().find(|child| child.name == name))
    }

    /// The text at a path; none where nothing is.
    pub fn text_at(&self, path: &str) -> Option<&str> {
        self.at(path).map(|element| element.text.trim()).filter(|text| !text.is_empty())
    }
}

/// Reads a document whose root is in a namespace that begins like this.
pub fn read(content: &[u8], space: &str) -> Result<Element, StatementError> {
    let text =
        std::str::from_utf8(content).map_err(|error| StatementError::Malformed(error.valid_up_to()))?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut reader = NsReader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    reader.config_mut().check_comments = true;
    reader.resolver_mut().set_max_declarations_per_element(MOST_DECLARATIONS);
    let (mut open, mut root): (Vec<Element>, Option<Element>) = (Vec::new(), None);
    let mut elements = 0;
    loop {
        let at = usize::try_from(reader.buffer_position()).unwrap_or(text.len());
        let malformed = || StatementError::Malformed(at);
        match reader.read_event().map_err(|_| malformed())? {
            Event::Start(start) => {
                elements += 1;
                if open.len() >= DEEPEST || elements > MOST_ELEMENTS {
                    return Err(StatementError::TooLarge);
                }
                let (resolved, local) = reader.resolver().resolve_element(start.name());
                let is_of_space = matches!(resolved, ResolveResult::Bound(uri) if uri.into_inner().starts_with(space.as_bytes()));
                if root.is_some() || !is_of_space {
                    return Err(malformed());
                }
                let currency = start.try_get_attribute("Ccy").map_err(|_| malformed())?;
                let currency = currency.map(|own| own.normalized_value(XmlVersion::Implicit1_0)).transpose();
                let currency = currency.map_err(|_| malformed())?.unwrap_or_default().into_owned();
                let name = String::from_utf8_lossy(local.into_inner()).into_owned();
                open.push(Element { name, currency, ..Element::default() });
            }
            Event::End(_) => {
                let element = open.pop().ok_or_else(malformed)?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None => root = Some(element),
                }
            }
            Event::Text(part) => append(&mut open, &part.xml10_content().map_err(|_| malformed())?, at)?,
            Event::CData(part) => append(&mut open, &part.xml10_content().map_err(|_| malformed())?, at)?,
            Event::GeneralRef(reference) => {
                let char = reference.resolve_char_ref().map_err(|_| malformed())?;
                match char {
                    Some(char) => append(&mut open, char.encode_utf8(&mut [0; 4]), at)?,
                    None => {
                        let name = reference.decode().map_err(|_| malformed())?;
                        let known = resolve_predefined_entity(&name).ok_or(StatementError::DtdNotAllowed)?;
                        append(&mut open, known, at)?;
                    }
                }
            }
            Event::DocType(_) => return Err(StatementError::DtdNotAllowed),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Empty(_) => return Err(malformed()),
            Event::Eof => {
                return if open.is_empty() { root.ok_or_else(malformed) } else { Err(malformed()) };
            }
        }
    }
}

fn append(open: &mut [Element], text: &str, at: usize) -> Result<(), StatementError> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(StatementError::Malformed(at)),
    }
    Ok(())
}
