//! Payments: money that came from an account or went to it, and which invoices it paid.
//!
//! ```text
//!  create            submit            settle             refund
//!  ──────▶ INITIATED ──────▶ PENDING ──────────▶ SUCCEEDED ──────▶ PARTLY_REFUNDED ──────▶ REFUNDED
//!                               │ │ ╲                │                   │
//!                               │ │  ▼   reconcile   │ charge back       │
//!                               │ │ UNKNOWN ────▶ SUCCEEDED, FAILED      │
//!                               │ ▼                  ▼                   ▼
//!                               └▶ FAILED       CHARGED_BACK ◀───────────┘
//! ```
//!
//! A payment is one row (`model.rs`); what it pays of invoices lies in it as JSON, and once more as rows that only grow, each with
//! its day (`till.rs`). What is PENDING or UNKNOWN for too long is counted for an alarm (`unsettled.rs`). Its own row is locked
//! first, then those of the invoices in the order of their identifiers, so that no two wait for one another.
//!
//! What another system received is taken over SUCCEEDED, with what is left of it (`takeover.rs`).

mod allocations;
mod api;
mod model;
mod references;
mod requests;
mod store;
mod takeover;
mod till;
mod unsettled;
mod wire;

pub use self::{
    allocations::Wish,
    api::Api,
    model::Payment,
    requests::record,
    takeover::take_over,
    till::Till,
    unsettled::{NAME as COUNT, PERIOD as COUNT_PERIOD, count_at as count_unsettled, run as count},
};
