//! Members: the people and service accounts that work with the suite, with their teams, skills and absences.
//!
//! Identity and passwords stay with the organisation's issuer: a member is named by the subject of its tokens,
//! `members/{subject}`, and may act before the directory knows it.

mod api;
mod model;
mod store;

pub use self::{api::Api, model::Member};
