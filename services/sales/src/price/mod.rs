//! Prices: what a product costs in a price list from a quantity on. A price stays in its list and with
//! its product. The database keeps that both live when it is recorded or changed, and that there is one living price for
//! each quantity; prices of what is deleted later stay, and count no more.

mod api;
mod model;
mod store;

pub use self::{api::Api, model::Price};
