//! Accounts: the companies and departments we deal with, and what each is to us.
//!
//! Accounts of one tenant form trees: a department belongs to a company, a subsidiary to its parent. An account becomes a
//! customer by hand, or when an opportunity of it is won (`subscriptions.rs`).

mod api;
mod model;
pub mod store;

pub use self::{api::Api, model::Account};
