//! Quotes: what is offered to whom, and what becomes of it.
//!
//! ```text
//!  create           submit                  approve             send            accept
//!  ──────▶ DRAFT ───────────▶ IN_APPROVAL ───────────▶ APPROVED ──────▶ SENT ──────────▶ ACCEPTED
//!          ▲   ▲  no rule matches │                       ▲              │ ├──decline──▶ DECLINED
//!   update └───┘ ─────────────────┼───────────────────────┘              │ └──(a day)──▶ EXPIRED
//!          ▲        reject        ▼                                      │
//!          └─update──────────  REJECTED          each that is open ──────┴─▶ SUPERSEDED by a revision, or CANCELLED
//! ```
//!
//! A quote is one row with its document in it (`../document`). Each version is a row of its own; they are found by the first of
//! them, and the table keeps that one at most is open or accepted (`revise.rs`). A draft is priced whenever it is written
//! (`requests.rs`) and measured by the approval rules when it is submitted (`submit.rs`); from then on the table refuses every
//! change but that of where it is. Accepting takes what its promotions give (`accept.rs`); who never answers lets it expire
//! (`expiry.rs`).

mod accept;
mod api;
mod approvals;
mod error;
mod expiry;
mod model;
mod parse;
mod render;
mod requests;
mod revise;
mod send;
mod store;
mod submit;

pub use self::{
    api::Api,
    expiry::{NAME as EXPIRY, PERIOD as EXPIRY_PERIOD, expire, run as run_expiry},
    model::{Quote, State},
};

#[cfg(test)]
mod tests;
