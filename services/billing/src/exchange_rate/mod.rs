//! Exchange rates: what a unit of one currency was worth in another on a day, by somebody's account.

mod api;
mod model;
mod store;

pub use self::{api::Api, model::ExchangeRate};
