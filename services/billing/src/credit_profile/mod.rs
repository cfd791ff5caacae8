//! Credit profiles: how much an account may owe; and how it stands: what it owes and has ordered (`exposure.rs`), and how well it
//! has paid (`score.rs`), both told from facts whenever somebody asks (`assess.rs`). Where orders count only when they are
//! delivered or invoiced, what is beyond the limit then holds the account (`over_limit.rs`).

mod api;
mod assess;
mod exposure;
mod hold;
mod model;
mod over_limit;
mod references;
mod score;
mod store;

pub use self::{
    api::Api,
    exposure::{beyond, limit_of},
    hold::{Holder, Holds},
    model::CreditProfile,
    over_limit::hold_over_limit,
};
