//! Credit profiles: how much an account may owe; and how it stands: what it owes and has ordered (`exposure.rs`), and how well it
//! has paid (`score.rs`), both told from facts whenever somebody asks.

mod api;
mod exposure;
mod hold;
mod model;
mod references;
mod score;
mod store;

pub use self::{
    api::Api,
    exposure::{exposure, limit_of},
    hold::{HOLD_REASON, Holds},
    model::CreditProfile,
};
