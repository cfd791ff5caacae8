//! Parked tasks: what billing could not do on its own, and why.
//!
//! What a caller asks for is refused to the caller, and an event whose consumer failed stays with the inbox. What jobs do by the
//! clock has neither, nor has what a bank statement brings beside what can be booked; so that it is parked here (`park.rs`), told by
//! a metric (`count.rs`), and tried again by the job and by whoever has mended it (`api.rs`, which knows how each kind is tried).

mod api;
mod count;
mod model;
mod park;
mod store;

pub use self::{
    api::{Api, Attempt},
    count::{NAME as COUNT, PERIOD as COUNT_PERIOD, run as count},
    model::ParkedTask,
    park::{Failure, Parking, is_parked},
};
