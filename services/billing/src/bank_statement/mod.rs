//! Bank statements: what a bank says has come, as CAMT.053 (`camt.rs`) or CSV (`csv.rs`), matched with what is open
//! (`matching.rs`) and recorded as payments (`import.rs`).
//!
//! A file is read whole before anything is done, and done whole or not at all. What was recorded is known by the bank's own
//! reference, the external key of its payment (`known.rs`), so that the same statement twice has no second effect. What cannot be
//! recorded is parked by its key (`parked.rs`), until it is, or somebody gives it up.

mod camt;
mod csv;
mod import;
mod known;
mod matching;
mod model;
mod parked;
mod service;
mod xml;

pub use self::{
    import::Importer,
    parked::{BankEntry, KIND, render_entry},
    service::Api,
};
