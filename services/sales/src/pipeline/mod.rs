//! Pipelines: the stages a kind of sale goes through, one per market segment. The living one that was recorded first is
//! the tenant's default. A stage that an open opportunity is at cannot be taken away; the database keeps that rule.

mod api;
mod model;
mod store;

pub use self::{
    api::Api,
    model::{Pipeline, Stage, StageKey, Stages, percent},
};
