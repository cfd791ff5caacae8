//! Credit reservations: what of an account's limit is kept for its orders. One for each order, set by whoever confirms it, and
//! given back by whoever cancels it; once an order is confirmed, its reservation follows it by its events (`follow.rs`).

mod api;
mod follow;
mod model;
mod ordered;
mod store;
mod wire;

pub use self::{api::Api, follow::follow_orders, model::CreditReservation, store::order_of_quote};
