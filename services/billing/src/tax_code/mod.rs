//! Tax codes: how a line is taxed, at which rate and since when. A day has one rate at most, and a document takes that of
//! its day of supply. Sales keeps a projection of them, so that a quote is taxed like its invoice.

mod api;
mod model;
mod store;

pub use self::{
    api::{Api, render_category},
    model::{Category, TaxCode},
};
