//! Number series: the numbers of documents, in their order. How far a series has come stands in a row of its own for each
//! period, which is locked for a moment by whoever takes a number.

mod api;
mod model;
mod store;

pub use self::{
    api::Api,
    model::{DocumentKind, NumberSeries, Place},
};
