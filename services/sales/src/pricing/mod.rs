//! Pricing: what a document costs, and what bundles consist of. The arithmetic is the pricing crate's; here the catalogue
//! is found in a few statements, whatever the number of lines, and what is wrong is named by line.
//!
//! Documents that are kept are priced by the same functions, within the transaction that writes them (`../document`).

mod api;
mod bundles;
mod catalogue;
mod fallback;
mod frozen;
#[cfg(test)]
mod frozen_tests;
mod model;
mod parse;
mod render;
mod store;
mod trace;

pub use self::{
    api::Api,
    frozen::{Frozen, FrozenLine},
    model::{Question, Wanted, WantedCharge},
    parse::question,
    render::Writer,
    store::find_in,
};
