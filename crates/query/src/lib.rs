//! Lists: AIP-160 filters, AIP-132 orders and AIP-158 pages become SQL text and bound values.
//!
//! A resource declares the fields a caller may name ([`Field`]). From them and from nothing else come the identifiers
//! in the text; whatever the caller wrote is a bound value or an INVALID_ARGUMENT that says where the fault is. The
//! crate does no I/O and reads no clock; the same filter also runs in memory, for streams of events.

mod check;
mod fault;
mod field;
mod filter;
mod lexer;
mod listing;
mod order;
mod page;
mod parser;
mod predicate;
mod sql;
mod value;

#[cfg(test)]
mod tests;

pub use field::{
    Field, STANDARD, Type, boolean, choice, date, integer, member, minor, reference, text, timestamp, uuid,
};
pub use filter::{Filter, MAX_FILTER_BYTES, MAX_FILTER_DEPTH, MAX_FILTER_TERMS};
pub use listing::{DEFAULT_PAGE_SIZE, Listing, ListingRequest, MAX_PAGE_SIZE, Range};
pub use order::{MAX_SORT_KEYS, SortKey};
pub use page::TOKEN_DAYS;
pub use sql::Fragment;
pub use value::Value;
