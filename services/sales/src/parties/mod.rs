//! Who makes out a document and who gets it, as it is printed. Legal entities belong to billing and accounts to customers; sales
//! keeps what of them stands on paper, fed by their events (`heard.rs`), and prints also while both are down.
//!
//! What is known when a quote is sent or a delivery note is issued is kept with it (`Parties`), so that it is printed again as it
//! was. Logos are kept by their content, and never taken away.

mod heard;
mod model;
mod render;
pub mod store;
mod zone;

pub use self::{
    heard::{read_legal_entity, read_recipient},
    model::{Issuer, Parties, Recipient},
    render::{render_issuer, render_recipient},
    zone::{day_in, end_of},
};

trato_platform::json_column!(Parties);
