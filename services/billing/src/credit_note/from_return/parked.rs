//! Returns that could not be credited until somebody has mended something, and how one is tried again.

use futures::{FutureExt as _, future::BoxFuture};
use trato_proto::billing::v1 as pb;
use trato_types::Result;

use super::create::Returns;
use crate::parked_task::{Ask, Attempt, By, ParkedTask, tried};

impl Ask for pb::CreateCreditNoteFromReturnRequest {
    const KIND: &'static str = "create-credit-note-from-return";
    const METHOD: &'static str = "trato.billing.v1.CreditNoteService/CreateCreditNoteFromReturn";
    const PERMISSION: &'static str = "billing.creditNotes.createFromReturn";
    const IS_MADE: &'static str = "select exists (
        select from credit_note
        where tenant_id = $1 and sales_return = $2 and sales_return <> '' and id >= $3 and delete_time is null
    )";

    fn subject(&self) -> &str {
        &self.sales_return
    }
    fn take_request_id(&mut self) -> String {
        std::mem::take(&mut self.request_id)
    }
    fn validate_only(&self) -> bool {
        self.validate_only
    }
    fn wants_issued(&self) -> bool {
        self.issue
    }
    /// A return is credited once, and whole.
    fn takes_all(&self) -> bool {
        true
    }
    /// Where it was to be issued, by what is issued.
    fn covers(&self, other: &Self) -> bool {
        self.issue || !other.issue
    }
    /// It names no more than the return, and a series, of which it is told.
    fn names_what_is_missing(&self, _: &str) -> bool {
        false
    }
}

impl Attempt for Returns {
    fn attempt<'a>(&'a self, by: By<'a>, task: &'a ParkedTask) -> BoxFuture<'a, Result<()>> {
        async move {
            let (request, key) = self.asking.asked(by, task)?;
            tried(&request, self.create_once(by, &key, &request).await)
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XTR-05: drafts do not end what was to be issued; what is issued ends drafts that were wanted.
    #[test]
    fn drafts_do_not_end_what_was_to_be_issued() {
        let of = |issue| pb::CreateCreditNoteFromReturnRequest { issue, ..Default::default() };
        assert!(of(true).covers(&of(true)) && of(true).covers(&of(false)) && of(false).covers(&of(false)));
        assert!(!of(false).covers(&of(true)));
    }
}
