//! Promotions: price rules, coupons and gifts. What they give is computed by the pricing crate; here they are kept, found
//! and handed to it.

mod api;
mod effect;
mod model;
mod store;
mod taking;

pub use self::{
    api::Api,
    model::{Promotion, one_currency},
    taking::{give_back, take},
};
