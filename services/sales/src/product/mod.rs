//! Products: what is sold and bought, what bundles and kits consist of, and what can be chosen of them. A resource
//! without states; a price here is a suggestion, what a document asks stands in price lists. The database keeps that no
//! bundle is within itself.

mod api;
mod attributes;
mod bundle;
mod model;
mod options;
#[cfg(test)]
mod options_tests;
mod parts;
mod store;

pub use self::{
    api::Api,
    bundle::{Component, Link, Within, open},
    model::Product,
    options::{Choice, Chosen, Issue, OptionGroups, SurchargeError, option_key},
};
