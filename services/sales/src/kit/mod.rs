//! What is in kits that were sold. A kit is one line of every document; what is in it is kept with the order when that is
//! confirmed, and with the delivery note, which lists it for whoever packs.
//!
//! It is kept by product, for one of each kit, in a column of its own (`model.rs`): many lines of one kit have it once, and a
//! program that does not know the column leaves it as it is. How much is in a line is told when it is shown.

mod model;
mod render;
pub mod store;

pub use self::{
    model::{Contents, Kits},
    render::{render_contents, render_kits},
};

trato_platform::json_column!(Kits);

#[cfg(test)]
mod tests;
