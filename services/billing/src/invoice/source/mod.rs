//! Invoices of what sales has agreed on: an accepted quote, a confirmed order or an issued delivery note becomes an invoice in one
//! call. The document is read from sales before any transaction, with the caller's token (`read.rs`); what of it is left to be
//! invoiced stands in the ledger of quantities (`../../billable.rs`); its prices are taken over as they were frozen
//! (`convert.rs`); and the draft is written, and issued if that is asked for, in one transaction (`create.rs`).

mod convert;
mod create;
mod read;
mod sold;

pub use self::{create::Sourcing, read::Reader};
