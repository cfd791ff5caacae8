//! Legal entities: the companies in whose name documents are made out. They say in which currency books are kept, by
//! which zone a day is told, and how taxes are rounded.

mod api;
mod model;
mod store;

pub use self::{
    api::{Api, render_seller},
    model::{LegalEntity, Seller, TaxRounding, TimeZone},
};
