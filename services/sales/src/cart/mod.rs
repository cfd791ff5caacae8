//! Carts: what somebody is about to buy online, how far that gets, and where it is given up.
//!
//! ```text
//!  create          nobody writes it for long              checkOut
//!  ──────▶ OPEN ─────────────────────────────▶ ABANDONED ─────────▶ CHECKED_OUT, with an order in its place
//!          │ ▲ ▲              update              │                      ▲
//!   update └─┘ └──────────────────────────────────┘          checkOut    │
//!          └─────────────────────────────────────────────────────────────┘
//! ```
//!
//! A cart is one row with its document in it (`../document`), of an account or of a session; it is priced whenever it is written
//! (`requests.rs`), as an order is. Checking out makes an order of it, once (`check_out.rs`). Who stops writing it has abandoned it
//! at the step at which he was, which a job finds (`abandonment.rs`). How many do so where is counted from the rows themselves at
//! the moment of the question (`question.rs`, `figures.rs`).

mod abandonment;
mod api;
mod check_out;
mod figures;
mod model;
mod parse;
mod question;
mod render;
mod requests;
mod store;

pub use self::{
    abandonment::{JOB, PERIOD, Settings, abandon, run as run_abandonment},
    api::Api,
    model::Cart,
};

#[cfg(test)]
mod tests;
