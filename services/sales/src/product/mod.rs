//! Products: what is sold and bought, and what bundles and kits consist of. A resource without states; a price here is a
//! suggestion, what a document asks stands in price lists. The database keeps that no bundle is within itself.

mod api;
mod attributes;
mod bundle;
mod model;
mod parts;
mod store;

pub use self::{
    api::Api,
    bundle::{Component, Link, open},
    model::Product,
};
