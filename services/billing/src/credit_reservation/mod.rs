//! Credit reservations: what of an account's limit is kept for its orders. One for each order, set by whoever confirms it, and
//! given back by whoever cancels it.

mod api;
mod model;
mod store;
mod wire;

pub use self::{api::Api, model::CreditReservation};
