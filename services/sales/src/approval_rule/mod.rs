//! Approval rules: which quotes somebody must approve before they are sent, and who. A resource without states; a quote is
//! measured by them when it is submitted.

mod api;
mod model;
mod store;

pub use self::{
    api::Api,
    model::{ApprovalRule, Measure, matching},
    store::find,
};
