//! Dunning policies: when somebody who pays late is reminded, and what is done after that.

mod api;
mod model;
mod store;

pub use self::{
    api::{Api, render_action},
    model::{Action, DunningPolicy, Step},
};

#[cfg(test)]
pub use self::model::{Minimums, Steps};
