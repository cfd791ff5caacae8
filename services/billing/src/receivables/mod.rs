//! Receivables: what accounts owe, at any date. All of it is read off the books and the allocations by their days; nothing of it
//! is stored.

mod aging;
mod history;
mod service;
mod statement;

pub use self::{
    history::{Figures, figures},
    service::Api,
};
