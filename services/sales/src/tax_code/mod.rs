//! Tax codes, as sales knows them. They belong to billing; sales computes documents with them, also while billing is down.
//!
//! `store.rs` keeps a projection fed by the events of billing, and finds in it how something is taxed on a day.

mod heard;
mod model;
pub mod store;

pub use self::{
    heard::read,
    model::{TaxCode, TaxError},
};
