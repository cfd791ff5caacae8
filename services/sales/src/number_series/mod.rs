//! Number series: the numbers of quotes, orders, delivery notes and returns. How far a series has come stands in a row of its
//! own for each period, which whoever takes a number locks until the transaction of the document ends (`counter.rs`): what
//! fails gives its number back, and none is left out.

mod api;
mod counter;
mod model;
mod store;

pub use self::{
    api::Api,
    counter::{Numbered, take},
    model::{DocumentKind, NumberSeries},
};
