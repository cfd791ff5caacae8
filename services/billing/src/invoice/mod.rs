//! Invoices: what a customer owes, by the document that says so.
//!
//! ```text
//!  create            issue            send
//!  ──────▶ DRAFT ─────────▶ ISSUED ─────────▶ SENT
//!          ▲   │               │
//!          └───┘ update        └─────────▶ VOID
//!                                 void
//! ```
//!
//! An invoice is one row; its lines lie in it as JSON, with their taxes and amounts as they were when it was priced
//! (`pricing.rs`). A draft is priced whenever it is written (`requests.rs`), and once more when it is issued: what it comes to
//! must not have changed. Issuing takes a number and a place in the chain of the series (`issue.rs`, `chain.rs`, and
//! `../issuing.rs`), and is posted (`posting.rs`); from then on the table refuses every change but that of the state, and of
//! what has become of the claim (`settlement.rs`).
//!
//! What another system issued is taken over SENT, as the claim that it is (`takeover.rs`).

mod api;
mod chain;
mod content;
mod issue;
mod model;
mod parse;
mod posting;
mod pricing;
mod references;
mod refunds;
mod render;
mod requests;
mod settlement;
mod source;
mod store;
mod takeover;

pub use self::{
    api::Api,
    content::{Discount, Line, LineTax, Lines, Numbers, Party},
    model::{Invoice, InvoiceError, State},
    parse::parse_party,
    refunds::{
        NAME as REFUNDS, PERIOD as REFUNDS_PERIOD, count_at as count_owed_refunds, run as count_refunds,
    },
    render::render_party,
    source::{Reader, Sourcing, follow_bases},
    takeover::{Takeover, take_over},
};

#[cfg(test)]
mod tests;
