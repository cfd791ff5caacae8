//! Orders: what a customer has ordered, and how far it is delivered and invoiced.
//!
//! ```text
//!  create          confirm              deliver                  deliver              close
//!  ──────▶ DRAFT ─────────▶ CONFIRMED ─────────▶ IN_FULFILMENT ─────────▶ FULFILLED ─────────▶ CLOSED
//!          │ │ ▲             │  ▲                 │        ▲                │
//!          │ └─┘ update      │  └─────────────────┘        └────────────────┘
//!          └──────┬──────────┘           what was voided, refused or returned goes back, also from CLOSED
//!                 └─ cancel ─▶ CANCELLED
//! ```
//!
//! An order is one row with its document (`../document`) and its quantities (`ledger/`); whoever moves quantities
//! holds the lock of that row. The table keeps the quantities once more, line by line under constraints, so that
//! nothing that is written by whatever way is delivered beyond what was ordered. From confirmation to fulfilment the
//! state follows from them. Billing keeps credit for an order before it is confirmed (`credit.rs`); what it invoices and
//! credits of lines and charges is heard from its events (`billed.rs`); days that pass while something is promised are
//! found by a job (`promises.rs`). What is in kits is kept when it is confirmed (`../kit`). An account that billing has on
//! hold holds what is open of its orders (`account_hold.rs`).

mod account_hold;
mod api;
mod billed;
mod charges;
mod credit;
mod from_quote;
mod goods;
mod holds;
mod ledger;
mod locked;
mod model;
mod moves;
mod parse;
mod promises;
mod render;
mod requests;
mod store;
mod verbs;

pub use self::{
    account_hold::hold_orders,
    api::Api,
    billed::{record_credit_notes, record_invoices},
    from_quote::find_order_of,
    goods::Good,
    ledger::LedgerError,
    locked::{find_orders, insert_order, lock_order, order_not_found, save_order},
    model::{Order, OrderError, reason_of},
    promises::{JOB, PERIOD, break_promises, watch_promises},
    render::render_broken,
};

#[cfg(test)]
mod tests;
