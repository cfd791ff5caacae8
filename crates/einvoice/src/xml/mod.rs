//! Documents as elements, in both directions. What is XML is left to quick-xml.

mod element;
mod node;
mod number;
mod read;

pub(crate) use element::{Element, Fault};
pub(crate) use node::Node;
pub(crate) use number::amount;
pub(crate) use read::read;

/// Most bytes of a document. Ten thousand lines with everything on them have fewer.
pub(crate) const MOST_BYTES: usize = 64 << 20;
/// Most elements of a document.
pub(crate) const MOST_ELEMENTS: usize = 1 << 20;
/// Most elements within each other; eight are needed.
const DEEPEST: usize = 16;
/// Most attributes of an element, namespaces included.
const MOST_ATTRIBUTES: usize = 32;

/// Namespaces of a syntax, by the prefixes under which its elements are written and asked for.
pub(crate) type Spaces = [(&'static str, &'static str)];
