//! Parked tasks: what billing could not do on its own, and why.
//!
//! What a caller asks for is refused to the caller, and an event whose consumer failed stays with the inbox. What jobs do by the
//! clock has neither, so that a failure for a reason of the business is parked here (`park.rs`), told by a metric (`count.rs`),
//! and tried again by the job and by whoever has mended it (`api.rs`, which knows how each kind is tried).

mod api;
mod count;
mod model;
mod park;
mod store;

pub use self::{
    api::Api,
    count::{NAME as COUNT, PERIOD as COUNT_PERIOD, run as count},
    model::ParkedTask,
    park::{Parking, is_parked},
};
