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

    fn subject(&self) -> &str {
        &self.sales_return
    }
    fn take_request_id(&mut self) -> String {
        std::mem::take(&mut self.request_id)
    }
    fn validate_only(&self) -> bool {
        self.validate_only
    }
    /// A return is credited once, and whole.
    fn covers(&self, _: &Self) -> bool {
        true
    }
}

impl Attempt for Returns {
    fn attempt<'a>(&'a self, by: By<'a>, task: &'a ParkedTask) -> BoxFuture<'a, Result<()>> {
        async move {
            let (request, key) = self.asking.asked(by, task)?;
            tried(self.create_once(by, &key, &request).await)
        }
        .boxed()
    }
}
