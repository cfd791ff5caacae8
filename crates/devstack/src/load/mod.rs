//! `cargo dev load`: brings the export of another CRM in, as an ordinary client of the gateway.
//!
//! It may be interrupted and run again: what is there already is left as it is, by its source and external id.

mod export;
mod funnel;
pub mod generate;
mod mapping;
mod money;
mod options;
mod place;
mod report;
mod subject;
mod table;
#[cfg(test)]
mod tests;

pub use export::Export;
pub use funnel::{Comparison, Totals};
pub use generate::{Generated, generate};
pub use mapping::{Field, Mapping, Question, questions, table};
pub use options::LoadOptions;
pub use place::run;
pub use report::{LoadReport, Tally, Unplaced};
