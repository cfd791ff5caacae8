//! Teams: people who work together, and see each other's resources where a scope says TEAM.
//!
//! A team is a name and a region; who belongs to it is said by its members (`member/`).

mod api;
mod model;
mod store;

pub use self::{api::Api, model::Team};
