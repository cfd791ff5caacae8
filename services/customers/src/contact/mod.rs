//! Contacts: the people we communicate with, each tied to any number of accounts.
//!
//! A link to an account begins with LinkContact and ends with UnlinkContact; an ended one stays as history, and the same
//! two may be linked again later. While a contact has current links, exactly one of them is primary: the account it is
//! filed under.

mod api;
mod links;
mod model;
mod store;

pub use self::{api::Api, model::Contact};
