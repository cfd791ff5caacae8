//! Prices: what a product costs in a price list from a quantity on. Neither list nor product ever changes; the database
//! keeps that a living price is of living ones, and that there is one for each quantity.

mod api;
mod model;
mod store;

pub use self::{api::Api, model::Price};
