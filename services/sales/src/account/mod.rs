//! Accounts, as sales knows them. They belong to customers; sales only has to know that one exists before it sells to it.
//!
//! `store.rs` keeps a projection fed by the events of customers. An account it does not know yet, created a moment ago,
//! is asked for (`customers.rs`): the one synchronous call that sales makes. When customers is down, opportunities of
//! known accounts are written as ever, and those of unknown ones are answered UNAVAILABLE.

mod customers;
pub mod store;

pub use self::customers::{Customers, Refusal};
