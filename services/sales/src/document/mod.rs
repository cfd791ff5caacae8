//! Documents: what quotes, carts and orders have in common. Lines, discounts, charges and terms lie as JSON in the row of what they
//! belong to, with what they cost when they were written last.
//!
//! A document is priced within the transaction that writes it (`pricing.rs`), by the functions that answer PriceDocument; from
//! then on prices, promotions, coupons and taxes are those of then. Who buys is there: customers is asked for accounts that
//! nobody knows here yet, before any transaction (`../account.rs`).
//!
//! A resource that is such a document has a column of type `Document`, parses and renders it under a field `document`, and has
//! in its `standard::Draft` `Accounts::learn` to prepare and `complete` to complete.

mod model;
mod parse;
mod pricing;
mod render;

pub use self::{
    model::{Document, Line},
    parse::parse,
    pricing::{Sale, complete, same_price},
    render::render,
};

trato_platform::json_column!(Document);
