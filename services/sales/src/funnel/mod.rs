//! The funnel: how sales move through the stages, counted from the opportunities themselves at the moment of the
//! question. Nothing is kept, so nothing can be stale; one statement counts, so all figures are of one instant.

mod api;
mod model;
mod store;

pub use self::{api::Api, model::rate};
