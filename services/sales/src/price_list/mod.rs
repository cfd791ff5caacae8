//! Price lists: for whom prices are, in which currency, and when. The prices are resources of their own (`price/`), so
//! that a list of a hundred thousand is loaded like anything else.

mod api;
mod audience;
mod model;
mod store;

pub use self::{
    api::{Api, parse_audience, parse_prices, render_audience, render_prices},
    audience::{Audience, note_twins},
    model::{Inclusion, PriceList},
};
