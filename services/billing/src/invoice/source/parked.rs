//! Documents that could not be invoiced until somebody has mended something, and how one is tried again.

use futures::{FutureExt as _, future::BoxFuture};
use trato_proto::billing::v1 as pb;
use trato_types::Result;

use super::create::Sourcing;
use crate::parked_task::{Ask, Attempt, By, ParkedTask, tried};

impl Ask for pb::CreateInvoiceFromSourceRequest {
    const KIND: &'static str = "create-invoice-from-source";
    const METHOD: &'static str = "trato.billing.v1.InvoiceService/CreateInvoiceFromSource";
    const PERMISSION: &'static str = "billing.invoices.createFromSource";
    const IS_MADE: &'static str = "select exists (
        select from invoice
        where tenant_id = $1 and source_document = $2 and source_document <> '' and id >= $3 and delete_time is null
    )";

    fn subject(&self) -> &str {
        &self.source_document
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
    fn takes_all(&self) -> bool {
        self.lines.is_empty()
    }
    /// All that is left, or the same parts, and issued where that was wanted. Where it is other parts, those that are parked are
    /// not invoiced yet.
    fn covers(&self, other: &Self) -> bool {
        (self.takes_all() || self.lines == other.lines) && (self.issue || !other.issue)
    }
    fn names_what_is_missing(&self, reason: &str) -> bool {
        match reason {
            "PAYMENT_TERM_NOT_FOUND" => !self.payment_term.is_empty(),
            "LEGAL_ENTITY_NOT_FOUND" => !self.legal_entity.is_empty(),
            _ => false,
        }
    }
}

impl Attempt for Sourcing {
    fn attempt<'a>(&'a self, by: By<'a>, task: &'a ParkedTask) -> BoxFuture<'a, Result<()>> {
        async move {
            let (request, key) = self.asking.asked(by, task)?;
            tried(&request, self.create_once(by, Some(&key), &request).await)
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use trato_proto::billing::v1::create_invoice_from_source_request::Line;

    use super::*;

    /// XTR-05: an invoice of all that is left ends what is parked of its document; one of parts only what wanted the same.
    #[test]
    fn parts_end_what_wanted_the_same_parts() {
        let of = |quantities: &[&str]| pb::CreateInvoiceFromSourceRequest {
            lines: quantities
                .iter()
                .map(|quantity| Line { source_line: "1".into(), quantity: (*quantity).into() })
                .collect(),
            ..Default::default()
        };
        assert!(of(&[]).covers(&of(&["1"])) && of(&[]).covers(&of(&[])) && of(&["1"]).covers(&of(&["1"])));
        assert!(!of(&["1"]).covers(&of(&[])) && !of(&["1"]).covers(&of(&["2"])));
    }
    /// XTR-05: a draft does not end what was to be issued; what is issued ends a draft that was wanted.
    #[test]
    fn a_draft_does_not_end_what_was_to_be_issued() {
        let of = |issue| pb::CreateInvoiceFromSourceRequest { issue, ..Default::default() };
        assert!(of(true).covers(&of(true)) && of(true).covers(&of(false)) && of(false).covers(&of(false)));
        assert!(!of(false).covers(&of(true)));
    }
}
