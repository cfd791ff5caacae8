//! Credit notes: what is taken back of an invoice.
//!
//! A draft says what it would credit of what is left now. Issuing takes it for good: under the lock of the invoice, whose row
//! says what is left and how much is credited, so that all credits together never exceed it, and the last one takes the rest. What
//! came back and is refunded becomes credit notes in one call (`from_return`).

mod api;
mod chain;
mod from_return;
mod issue;
mod model;
mod requests;
mod store;
mod wire;

#[cfg(test)]
pub use self::wire::parse;
pub use self::{
    api::Api,
    from_return::Returns,
    model::{CreditNote, CreditNoteError, State},
};
