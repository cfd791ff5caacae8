//! Dunning: who pays late, what was done about it, and since when.
//!
//! What is due is told from the books on a day, by the policy, and by nothing else (`rules.rs`): when the last run was plays no
//! part, so that none is skipped by a check that came late. What was done stands in one row for each account, legal entity and
//! currency (`model.rs`); the two are brought together account by account, each in a transaction (`run.rs`), by a call or every
//! hour (`job.rs`). A later day never gives way to an earlier one (`books.rs`).

mod api;
mod books;
mod job;
mod model;
mod rules;
mod run;
mod store;
mod wire;

#[cfg(test)]
mod tests;

pub use self::{
    api::Api,
    job::{NAME as JOB, PERIOD, run as run_job, run_at as run_dunning},
    model::DunningState,
    run::Runner,
};
