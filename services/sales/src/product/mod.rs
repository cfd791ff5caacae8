//! Products: what is sold and bought. A plain resource without states; a price here is a suggestion, what a sale is
//! worth stands in the opportunity.

mod api;
mod model;
mod store;

pub use self::{api::Api, model::Product};
