//! Products: what is sold and bought, and what bundles and kits consist of. A resource without states; a price here is a
//! suggestion, what a sale is worth stands in the opportunity. The database keeps that no bundle is within itself.

mod api;
mod attributes;
mod bundle;
mod model;
mod parts;
mod store;

pub use self::{api::Api, model::Product};
