//! Returns: what comes back of a delivery, whether it may, and what becomes of it.
//!
//! ```text
//!  create              authorise              receive            inspect             settle
//!  ──────▶ REQUESTED ───────────▶ AUTHORISED ────────▶ RECEIVED ────────▶ INSPECTED ────────▶ SETTLED
//!          ▲   │ │                 │                                          │
//!          └───┘ └─────reject──────┴──────────▶ REJECTED ◀──all is rejected───┘
//! ```
//!
//! A return is one row; its lines lie in it as JSON, with what was received and found of each (`content.rs`). It is
//! judged by the version of a return policy that is published when it is requested, which it keeps (`requests.rs`).
//! What was received is the order's `returned` from then on; what is repaired or rejected goes to the customer again
//! when it is settled (`moves.rs`).

mod api;
mod content;
mod model;
mod moves;
mod parse;
mod render;
mod requests;
mod store;

pub use self::{api::Api, model::SalesReturn};

#[cfg(test)]
mod tests;
