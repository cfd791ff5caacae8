//! Delivery notes: what left for a customer, or was rendered, by the document that says so.
//!
//! ```text
//!  create          issue            dispatch               confirm
//!  ──────▶ DRAFT ─────────▶ ISSUED ─────────▶ DISPATCHED ─────────▶ DELIVERED | PARTLY_REFUSED
//!          ▲   │             │  │                            ▲
//!          └───┘ update      │  └────────────confirm─────────┘
//!                            └──void──▶ VOID
//! ```
//!
//! A delivery note is one row; its lines lie in it as JSON. A draft takes over from its order what stands on it
//! (`requests.rs`), and what is in its kits (`../kit`). Issuing takes the quantities out of the order's, under the lock of
//! the order; voiding gives them back (`moves.rs`), and so does the customer who refuses something (`confirm.rs`). Serial
//! numbers that are with customers are rows of their own, of which there is one for each product and number
//! (`serials.rs`). Locks are taken note first, then order, then the counter.

mod api;
mod confirm;
mod content;
mod model;
mod moves;
mod parse;
mod render;
mod requests;
mod serials;
mod store;

pub use self::{
    api::Api,
    content::{Line, Lines, is_count},
    model::{DeliveryNote, State},
    serials::{give_back, take_again},
};

#[cfg(test)]
mod tests;
