//! Pricing: what a document costs, and what bundles consist of. The arithmetic is the pricing crate's; here the catalogue
//! is found in a few statements, whatever the number of lines, and what is wrong is named by line.

mod api;
mod bundles;
mod catalogue;
mod fallback;
mod model;
mod parse;
mod render;
mod store;
mod trace;

pub use self::api::Api;
