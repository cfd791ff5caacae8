//! Postal addresses, as they stand on documents. An address is a value: it has no name and no history.
//!
//! It is laid out like a resource, so that whoever looks for its rules, its column or its wire form knows where.

mod api;
mod model;
mod store;

pub use self::{
    api::{parse, render},
    model::Address,
};
