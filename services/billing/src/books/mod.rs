//! The books: what is posted when a document is issued, credited, voided, paid or written off.
//!
//! A posting (`posting.rs`) is pure: its lines add up to zero, in its own currency and in that of the books. The chart
//! (`chart.rs`) knows the accounts, the rates and the closed period of a legal entity, and writes it in the transaction of what
//! it is posted for. What a document or payment has left in the currency of the books goes along with it (`claim.rs`), so that
//! what takes the rest leaves zero in both.

mod chart;
mod claim;
mod posting;

pub use self::{
    chart::{Chart, Turn, rate},
    claim::{Books, Claim, NotPosted, part},
    posting::{Kind, Posting, Role, Sides, minus},
};
