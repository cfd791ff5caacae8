//! Bank statements: what a bank says has come, as CAMT.053 (`camt.rs`) or CSV (`csv.rs`), matched with what is open
//! (`matching.rs`) and recorded as payments (`import.rs`).
//!
//! A file is read whole before anything is done, and done whole or not at all. What was recorded is known by the bank's own
//! reference, the external key of its payment, so that the same statement twice has no second effect.

mod camt;
mod csv;
mod import;
mod matching;
mod model;
mod service;
mod xml;

pub use self::service::Api;
