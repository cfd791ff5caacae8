//! Legal entities: the companies in whose name documents are made out. They say in which currency books are kept, by
//! which zone a day is told, and how taxes are rounded; and which logo stands at the head (`logo.rs`).

mod api;
mod logo;
mod model;
mod store;

pub use self::{
    api::{Api, render_seller},
    logo::Logos,
    model::{LegalEntity, Seller, TaxId, TaxRounding, TimeZone},
};
