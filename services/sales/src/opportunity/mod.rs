//! Opportunities: the sales under way, won and lost.
//!
//! ```text
//!            move             win
//!          ┌──────┐      ┌───────────▶ WON ──┐
//!  create  ▼      │      │                   │ reopen
//!  ──────▶ OPEN ──┴──────┤                   │
//!          ▲             │ lose              │
//!          │             └───────────▶ LOST ─┤
//!          └─────────────────────────────────┘
//! ```
//!
//! An opportunity is one row. The way it went, step by step with the amount and the chance of then, lies in it as JSON
//! (`history.rs`), so that every verb is the platform's one statement. What comes from other systems brings its past
//! along (`past.rs`, `import.rs`). What it refers to is checked before it is written (`references.rs`, `requests.rs`).

mod api;
mod batch;
mod history;
mod import;
mod model;
mod past;
mod references;
mod requests;
mod stage_changes;
pub mod store;
mod winning;

pub use self::{
    api::Api,
    model::{Opportunity, State},
    winning::win_by,
};

#[cfg(test)]
mod tests;
