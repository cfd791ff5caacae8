//! Return policies: what may come back, until when, and who pays for it.
//!
//! ```text
//!  create          publish               retire, or the next version is published
//!  ──────▶ DRAFT ──────────▶ PUBLISHED ──────────▶ RETIRED
//!          ▲   │
//!          └───┘ update
//! ```
//!
//! Each version is a row of its own; all of them share a code, of which one is published at a time. A published version
//! does not change, so that each return shows by what it was judged.

mod api;
mod model;
mod publish;
mod store;

pub use self::{
    api::{Api, render_payer},
    model::{Payer, ReturnPolicy, code, window_end},
    publish::find_published,
};
