//! Payment terms: when what is invoiced is due, told from the day of issue.

mod api;
mod model;
mod store;

pub use self::{api::Api, model::PaymentTerm};
