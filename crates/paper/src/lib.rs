//! Documents that people hand on, as PDF: invoices, credit notes, quotes, orders and delivery notes.
//!
//! A [`Document`] says what stands on the paper, a [`Language`] in which words and formats, a [`Paper`] on which sheet.
//! [`Document::to_pdf`] sets it; [`Document::to_hybrid`] puts an e-invoice inside, as Factur-X and ZUGFeRD want it.
//!
//! Nothing here does I/O, reads the clock or computes an amount. **The same document gives the same bytes**, so that a
//! reprint is the document that was sent.
//!
//! What comes out is PDF/A-3a and PDF/UA-1: it can be kept, and it can be read aloud. The order of reading is that of the
//! structure (`structure.rs`), never that of the drawing. A character that the font does not have is drawn as a
//! replacement character, and stays in the text that is copied or read aloud.

mod document;
mod error;
mod font;
mod hybrid;
mod language;
mod layout;
mod logo;
mod pdf;
mod sheet;
mod structure;
mod totals;

#[cfg(test)]
mod tests;

pub use document::{Detail, Document, Issuer, Kind, Line, Mark, Payment, Recipient, Signature, Sum, Value};
pub use error::PaperError;
pub use hybrid::Attachment;
pub use language::{Language, Word};
pub use logo::Logo;
pub use sheet::Paper;
pub use totals::Totals;
