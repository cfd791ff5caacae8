//! Parked tasks: what billing could not do on its own, and why.
//!
//! An event whose consumer failed stays with the inbox. What jobs do by the clock, what a bank statement brings beside what can be
//! booked, and documents that a caller wants of what was sold or came back and that cannot be made until somebody has mended
//! something (`asked.rs`, `asking.rs`, and `ending.rs`, which ends them), are parked here (`park.rs`), told by a metric (`count.rs`),
//! and tried again by the job and by whoever has mended it (`api.rs`, which knows how each kind is tried).

mod api;
mod asked;
mod asking;
mod count;
mod ending;
mod model;
mod park;
mod store;

pub use self::{
    api::{Api, Attempt, By},
    asked::{Ask, DELETED, DRAFT, Once, naming, tried},
    asking::{Asking, first_id},
    count::{NAME as COUNT, PERIOD as COUNT_PERIOD, run as count},
    model::ParkedTask,
    park::{Failure, Parking, is_parked},
};
