//! Invoices of what sales has agreed on: an accepted quote, a confirmed order or an issued delivery note becomes an invoice in one
//! call. The document is read from sales before any transaction, with the caller's token (`read.rs`); how much of it may be invoiced
//! follows from how far the order has come (`basis.rs`), as it does whenever sales tells of one (`follow.rs`), and stands with what
//! is left of it in the ledger of quantities (`../../billable.rs`); its prices are taken over as they were frozen (`convert.rs`);
//! and the draft is written, and issued if that is asked for, in one transaction (`create.rs`), or it is said why nothing is left
//! to invoice (`spent.rs`). What cannot be made until somebody has mended something is parked (`parked.rs`), until it is made, or done
//! by another way (`done.rs`).

mod basis;
mod convert;
mod create;
mod done;
mod follow;
mod parked;
mod read;
mod sold;
mod spent;

pub use self::{create::Sourcing, done::note_issued, follow::follow_bases, read::Reader};
