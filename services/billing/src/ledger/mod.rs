//! Ledgers: how the books of a legal entity are kept: which accounts are posted to, whose rates hold, and how far they are
//! closed. A legal entity without one is posted to the default accounts.

mod api;
mod export;
mod model;
mod opening;
mod parquet_file;
mod store;
mod wire;

pub use self::{
    api::Api,
    model::{Accounts, Ledger},
};
