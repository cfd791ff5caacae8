//! Credit notes of what came back: a return of sales that is settled by refund becomes credit notes of the invoices that billed it,
//! in one call. Return and order are read from sales before any transaction, with the caller's token; how much is credited of which
//! invoice is worked out from them and from what is left of the invoices (`returned.rs`); and the drafts are written, and issued if
//! that is asked for, in one transaction (`create.rs`), where none are there yet (`credited.rs`). What cannot be made until somebody has
//! mended something is parked (`parked.rs`).

mod create;
mod credited;
mod parked;
mod returned;

pub use self::{create::Returns, credited::note_issued};
