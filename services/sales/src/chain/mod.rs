//! Settings from quote to cash that stand still: which document waits, since when, and what for.
//!
//! Nothing is kept of them: they are told from the documents at the moment of the question (`store.rs`). Billing's part is known
//! by its events, of which the states of orders are functions. How many there are is told by a metric (`count.rs`).

mod api;
mod count;
mod model;
mod settings;
mod store;

pub use self::{
    api::Api,
    count::{NAME as COUNT, PERIOD as COUNT_PERIOD, run as count},
    settings::Settings,
    store::count as count_stalled,
};
