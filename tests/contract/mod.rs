//! The contract against itself, and every method of it against the running product.

mod annotations;
mod answers;
mod billing_samples;
mod bindings;
mod bodies;
mod documentation;
mod examples;
mod foreign_tenant;
mod forgery;
mod fuzz;
mod injection;
mod limits;
mod names;
mod nouns;
pub mod options;
mod order_samples;
mod permissions;
mod read_only;
mod recording;
mod references;
mod repetition;
mod sales_samples;
pub mod samples;
mod sizes;
mod streams;
pub mod transcode;
mod unknown_fields;

pub use samples::World;
