//! Requests whose failures are parked: which of them are, how one is remembered, and what ends one.

use trato_platform::db::{RequestKey, Tx};
use trato_types::{Context, Error, Kind, Result};
use uuid::Uuid;

/// What a call answers when nothing is wrong that somebody could mend: the document is not there, not ready, or has nothing left,
/// or the caller meant another one.
const ANSWERS: &[&str] = &[
    "SOURCE_NOT_FOUND",
    "SOURCE_NOT_READY",
    "ORDER_ON_HOLD",
    "LEGAL_ENTITY_DIFFERS",
    "BASIS_EXCEEDED",
    "NOTHING_TO_INVOICE",
    "NOTHING_TO_CREDIT",
    "SERIES_NOT_FOUND",
    "SERIES_UNSUITED",
];
/// What a call answers when it is made already, by whatever way.
const MADE: &[&str] = &["ALREADY_INVOICED", "RETURN_CREDITED"];

/// Key of the detail by which such an answer names what was made and is not issued yet.
pub const DRAFT: &str = "draft";
/// The same of what was made with the rest, and deleted as a draft.
pub const DELETED: &str = "deleted";

/// Such an answer with what it names, of which there may be none.
pub fn naming<const N: usize>(error: Error, names: [(&'static str, Option<String>); N]) -> Error {
    let names = names.into_iter().filter_map(|(key, name)| Some((key, name?)));
    names.fold(error, |error, (key, name)| error.with(key, name))
}

/// A request whose failures are parked.
pub trait Ask: prost::Message + Default + Clone {
    /// Kind of the tasks.
    const KIND: &'static str;
    /// Full name of the method.
    const METHOD: &'static str;
    /// What it takes to call it.
    const PERMISSION: &'static str;
    /// SQL that tells whether something was made of document $2 of tenant $1 whose id is not before $3.
    const IS_MADE: &'static str;

    /// Name of the document that it is about.
    fn subject(&self) -> &str;
    /// What makes repeating it safe; it is left empty.
    fn take_request_id(&mut self) -> String;
    /// Nothing is to be written.
    fn validate_only(&self) -> bool;
    /// A draft is not enough.
    fn wants_issued(&self) -> bool;
    /// It wants all that is left of the document, whatever else was asked for.
    fn takes_all(&self) -> bool;
    /// Nothing is left of another request of the same document when this one is done.
    fn covers(&self, other: &Self) -> bool;
    /// What is refused for this reason is named by the request itself, so that another request mends it.
    fn names_what_is_missing(&self, reason: &str) -> bool;
}

/// A request id, and in whose name it is remembered.
#[derive(Debug)]
pub struct Once {
    /// Who asked first, by the method that was called.
    pub asker: Context,
    /// The identifier.
    pub key: RequestKey,
}

impl Once {
    /// Remembers the answer in the name of who asked first.
    pub async fn remember(&self, tx: &mut Tx, answer: Vec<u8>) -> Result<()> {
        let by = self.put_in_place(tx);
        let remembered = tx.remember(&self.key, answer).await;
        tx.set_cx(by);
        remembered
    }

    /// The same of an answer that an event has.
    pub async fn remember_event(&self, tx: &mut Tx, event: Uuid) -> Result<()> {
        let by = self.put_in_place(tx);
        let remembered = tx.remember_event(&self.key, event).await;
        tx.set_cx(by);
        remembered
    }

    fn put_in_place(&self, tx: &mut Tx) -> Context {
        let by = tx.cx().clone();
        tx.set_cx(self.asker.clone());
        by
    }
}

/// What came of trying a task again: that nothing is left to be done is as good as that it was done.
pub fn tried<M>(request: &impl Ask, made: Result<M>) -> Result<()> {
    match made {
        Err(error) if is_done(&error, request) || error.reason() == "NOTHING_TO_CREDIT" => Ok(()),
        made => made.map(drop),
    }
}

/// True for a failure that the caller cannot help by asking in another way.
pub fn must_be_mended(error: &Error, request: &impl Ask) -> bool {
    let reason = error.reason();
    match error.kind() {
        Kind::Precondition => !ANSWERS.contains(&reason) && !request.names_what_is_missing(reason),
        Kind::Internal => true,
        _ => false,
    }
}

/// True where it was made already, by whatever way.
pub fn is_made_already(error: &Error) -> bool {
    MADE.contains(&error.reason())
}

/// True where nothing of the request is left to be done, since it was made already: a draft does not do what was to be issued, or
/// nobody would issue it; nor does one that was deleted.
pub fn is_done(error: &Error, request: &impl Ask) -> bool {
    let is_unissued = error.metadata().iter().any(|(key, _)| [DRAFT, DELETED].contains(key));
    is_made_already(error) && !(is_unissued && request.wants_issued())
}

#[cfg(test)]
mod tests {
    use trato_proto::billing::v1::CreateInvoiceFromSourceRequest;

    use super::*;

    /// XTR-05: what somebody has to mend is parked, and what is the answer to the question is not; nor is what passes by itself.
    #[test]
    fn what_somebody_has_to_mend_is_parked() {
        let request = CreateInvoiceFromSourceRequest::default();
        let is_parked = |kind, reason| must_be_mended(&Error::new(kind, reason, "it cannot be"), &request);
        for reason in [
            "TAX_RATE_NOT_FOUND",
            "TAX_CODE_NOT_FOUND",
            "PERIOD_CLOSED",
            "EXCHANGE_RATE_NOT_FOUND",
            "INVOICE_WRITTEN_OFF",
        ] {
            assert!(is_parked(Kind::Precondition, reason), "{reason}");
        }
        assert!(must_be_mended(&Error::internal("no luck"), &request));
        for reason in [
            "SOURCE_NOT_FOUND",
            "SOURCE_NOT_READY",
            "ORDER_ON_HOLD",
            "LEGAL_ENTITY_DIFFERS",
            "BASIS_EXCEEDED",
            "NOTHING_TO_INVOICE",
            "NOTHING_TO_CREDIT",
            "SERIES_NOT_FOUND",
            "SERIES_UNSUITED",
        ] {
            assert!(!is_parked(Kind::Precondition, reason), "{reason}");
        }
        for kind in [Kind::Invalid, Kind::AlreadyExists, Kind::Forbidden, Kind::Unavailable, Kind::Stale] {
            assert!(!is_parked(kind, "INTERNAL"), "{kind:?}");
        }
    }

    /// XTR-05: what is missing is the caller's to mend where the request names it, and somebody else's where the document does.
    #[test]
    fn what_the_request_names_is_the_callers_to_mend() {
        let missing = ["PAYMENT_TERM_NOT_FOUND", "LEGAL_ENTITY_NOT_FOUND"]
            .map(|reason| Error::new(Kind::Precondition, reason, "there is none"));
        let silent = CreateInvoiceFromSourceRequest::default();
        let named = CreateInvoiceFromSourceRequest {
            payment_term: "paymentTerms/1".into(),
            legal_entity: "legalEntities/1".into(),
            ..Default::default()
        };

        assert_eq!(missing.each_ref().map(|error| must_be_mended(error, &silent)), [true, true]);
        assert_eq!(missing.each_ref().map(|error| must_be_mended(error, &named)), [false, false]);
    }

    /// XTR-05: of what was tried again, that nothing is left to be done is an end of the task.
    #[test]
    fn what_is_there_already_is_done() {
        let request = CreateInvoiceFromSourceRequest { issue: true, ..Default::default() };
        let error = |kind, reason| Err::<(), _>(Error::new(kind, reason, "it cannot be"));
        assert!(tried(&request, error(Kind::AlreadyExists, "ALREADY_INVOICED")).is_ok());
        assert!(tried(&request, error(Kind::Precondition, "NOTHING_TO_CREDIT")).is_ok());
        let still = tried(&request, error(Kind::Precondition, "PERIOD_CLOSED"));
        assert_eq!(still.expect_err("it is still closed").reason(), "PERIOD_CLOSED");
    }

    /// XTR-05: what was to be issued is not done while a draft is all that there is of it, or was; what was to be drafted is.
    #[test]
    fn a_draft_is_not_the_end_of_what_was_to_be_issued() {
        let of = |issue| CreateInvoiceFromSourceRequest { issue, ..Default::default() };
        for key in [DRAFT, DELETED] {
            let drafted = || {
                let error = Error::new(Kind::AlreadyExists, "ALREADY_INVOICED", "it is drafted");
                Err::<(), _>(error.with("invoice", "invoices/1").with(key, "invoices/2"))
            };
            assert!(tried(&of(false), drafted()).is_ok(), "{key}");
            let still = tried(&of(true), drafted()).expect_err("nobody has issued it");
            assert_eq!(still.reason(), "ALREADY_INVOICED", "{key}");
        }
    }
}
