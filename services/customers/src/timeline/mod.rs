//! The timeline: what happened with an account or a contact, whatever service it happened in.
//!
//! A read model, fed by events only (`subscriptions.rs`): one entry per event and parent, a fact as it was at the time. It
//! can be emptied and made again from the log.

mod api;
mod model;
pub mod store;

pub use self::{
    api::Api,
    model::{Entry, summarize},
};
