//! Issuing: numbers, days and states, also when many issue at once.

use std::collections::BTreeSet;

use futures::future::join_all;
use tonic::{Code, Response, Status};
use trato_proto::billing::v1::{
    Address, BatchCreateInvoicesRequest, CreateInvoiceRequest, CreatePaymentTermRequest,
    DeleteInvoiceRequest, DeleteNumberSeriesRequest, Invoice, IssueInvoiceRequest, LegalEntity, NumberSeries,
    PaymentTerm, PreviewNumberRequest, SendInvoiceRequest, TaxCode, UpdateInvoiceRequest,
    UpdateTaxCodeRequest, VoidInvoiceRequest,
    batch_create_invoices_response::{self, result::Outcome},
    invoice::{Seller, State},
    legal_entity::TaxId,
    number_series::{DocumentKind, Period},
    verify_chain_response::Fault,
};

use crate::harness::{Billing, Desk, date, eur, field, invoices, issuing, paths, rate, refusal, violations};

impl Billing {
    async fn draft(&self, desk: &Desk) -> Invoice {
        self.create_invoice(desk.invoice(vec![desk.line("1", "1", "100")])).await.expect("a draft")
    }

    async fn drafts(&self, desk: &Desk, count: usize) -> Vec<Invoice> {
        let draft = || Some(desk.invoice(vec![desk.line("1", "1", "100")]));
        let item = |_| CreateInvoiceRequest { invoice: draft(), ..Default::default() };
        let request =
            BatchCreateInvoicesRequest { requests: (0..count).map(item).collect(), ..Default::default() };
        let answer = self.invoices().batch_create_invoices(self.admin.request(request)).await;
        let results = answer.expect("each item is answered").into_inner().results;
        let draft = |result: batch_create_invoices_response::Result| match result.outcome {
            Some(Outcome::Invoice(draft)) => draft,
            other => panic!("{other:?}"),
        };
        results.into_iter().map(draft).collect()
    }

    async fn send(&self, invoice: &Invoice) -> Result<Invoice, Status> {
        let request = SendInvoiceRequest { name: invoice.name.clone(), ..Default::default() };
        self.invoices().send_invoice(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn void(&self, invoice: &Invoice, reason: &str) -> Result<Invoice, Status> {
        let request =
            VoidInvoiceRequest { name: invoice.name.clone(), reason: reason.into(), ..Default::default() };
        self.invoices().void_invoice(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn next_number(&self, series: &NumberSeries) -> String {
        let request = PreviewNumberRequest { name: series.name.clone(), date: None };
        let answer = self.number_series().preview_number(self.admin.request(request)).await;
        answer.expect("a number").into_inner().number
    }
}

/// DOC-06: an issued invoice has its number, its days and its hash; repeated, the request takes no second number.
#[tokio::test]
async fn issuing_gives_a_number_once() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let term =
        PaymentTerm { code: "30D".into(), display_name: "30 days".into(), days: 30, ..Default::default() };
    let request = CreatePaymentTermRequest { payment_term: Some(term), ..Default::default() };
    let term = billing.payment_terms().create_payment_term(billing.admin.request(request)).await;
    let payment_term = term.expect("a payment term").into_inner().name;
    let draft = Invoice { payment_term, ..desk.invoice(vec![desk.line("1", "1", "100")]) };
    let draft = billing.create_invoice(draft).await.expect("a draft");
    let request = issuing(&draft, &desk.series);

    let tried = IssueInvoiceRequest { validate_only: true, ..request.clone() };
    let tried = billing.invoices().issue_invoice(billing.admin.request(tried)).await.expect("it would pass");
    let issued = billing.invoices().issue_invoice(billing.admin.request(request.clone())).await;
    let issued = issued.expect("issued").into_inner();
    let again = billing.invoices().issue_invoice(billing.admin.request(request)).await.expect("the answer");
    let anew = billing.issue(&draft, &desk.series).await;

    assert_eq!((tried.get_ref().number.as_str(), issued.number.as_str()), ("F0001", "F0001"));
    assert_eq!((issued.state(), &issued.number_series), (State::Issued, &desk.series.name));
    let day = |date: Option<trato_proto::google::value::Date>| {
        let date = date.expect("a day");
        chrono::NaiveDate::from_ymd_opt(date.year, date.month.unsigned_abs(), date.day.unsigned_abs())
    };
    assert_eq!(day(issued.due_date), day(issued.issue_date).map(|day| day + chrono::Days::new(30)));
    assert_eq!(issued.hash.len(), 64, "{}", issued.hash);
    assert_eq!(again.into_inner(), issued);
    assert_eq!(refusal(anew), (Code::FailedPrecondition, "INVOICE_NOT_DRAFT".to_owned()));
    assert_eq!(billing.next_number(&desk.series).await, "F0002");
    let events = billing.service.published(billing.admin.tenant).await;
    let last = events.last().expect("events");
    assert_eq!(last.kind, "trato.billing.v1.invoice.issued");
    assert_eq!(last.resource::<Invoice>().expect("the whole invoice"), issued);
}

/// DOC-06: a number is only taken from a series that suits, and by a request that can be repeated.
#[tokio::test]
async fn a_series_must_suit() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let other = billing.legal_entity("Lusitania").await;
    let of_another = billing.series(&other, "F").await;
    let credits =
        NumberSeries { document_kind: DocumentKind::CreditNote.into(), ..invoices(&desk.legal_entity, "C") };
    let credits = billing.create_series(credits).await.expect("a series");
    let gone = billing.series(&desk.legal_entity, "G").await;
    let delete = DeleteNumberSeriesRequest { name: gone.name.clone(), ..Default::default() };
    billing.number_series().delete_number_series(billing.admin.request(delete)).await.expect("deleted");
    let draft = billing.draft(&desk).await;

    for (series, reason) in
        [(&of_another, "SERIES_UNSUITED"), (&credits, "SERIES_UNSUITED"), (&gone, "SERIES_NOT_FOUND")]
    {
        let answer = billing.issue(&draft, series).await;
        assert_eq!(refusal(answer), (Code::FailedPrecondition, reason.to_owned()));
    }
    let hasty = IssueInvoiceRequest { request_id: String::new(), ..issuing(&draft, &desk.series) };
    let hasty = billing.invoices().issue_invoice(billing.admin.request(hasty)).await;
    assert_eq!(violations(hasty), [field("request_id", "REQUIRED")]);
    let nowhere = IssueInvoiceRequest { number_series: String::new(), ..issuing(&draft, &desk.series) };
    let nowhere = billing.invoices().issue_invoice(billing.admin.request(nowhere)).await;
    assert_eq!(violations(nowhere), [field("number_series", "REQUIRED")]);
    assert_eq!(billing.next_number(&desk.series).await, "F0001", "nothing took a number");
}

/// DOC-06: an invoice is voided before it is sent, keeps its number, and is credited afterwards.
#[tokio::test]
async fn an_invoice_is_voided_only_before_it_is_sent() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let (first, second) = (billing.draft(&desk).await, billing.draft(&desk).await);

    let too_early = (billing.send(&first).await, billing.void(&first, "Wrong").await);
    let first = billing.issue(&first, &desk.series).await.expect("issued");
    let second = billing.issue(&second, &desk.series).await.expect("issued");
    let without_reason = billing.void(&first, " ").await;
    let voided = billing.void(&first, "Wrong customer").await.expect("voided");
    let sent = billing.send(&second).await.expect("sent");
    let again = billing.send(&second).await.expect("it is sent already");
    let too_late = billing.void(&second, "Wrong").await;
    let twice = billing.void(&first, "Wrong").await;

    for refused in [refusal(too_early.0), refusal(too_early.1), refusal(twice)] {
        assert_eq!(refused, (Code::FailedPrecondition, "INVOICE_NOT_ISSUED".to_owned()));
    }
    assert_eq!(violations(without_reason), [field("reason", "REQUIRED")]);
    assert_eq!((voided.state(), voided.number.as_str()), (State::Void, "F0001"));
    assert_eq!(voided.void_reason, "Wrong customer");
    assert_eq!((sent.state(), again.send_time), (State::Sent, sent.send_time));
    assert_eq!(refusal(too_late), (Code::FailedPrecondition, "INVOICE_SENT".to_owned()));
    let events = billing.event_types().await;
    assert_eq!(events[events.len() - 2..], ["invoice.voided", "invoice.sent"]);
}

/// DOC-06: a series that has given a number stays, and no number is given by two series.
#[tokio::test]
async fn a_number_is_given_once_for_all() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let two_digits = NumberSeries { padding: 2, ..invoices(&desk.legal_entity, "A") };
    let two_digits = billing.create_series(two_digits).await.expect("a series");
    let plain = NumberSeries { padding: 0, ..invoices(&desk.legal_entity, "B") };
    let plain = billing.create_series(plain).await.expect("a series");
    // Such a series cannot be recorded; the table of invoices refuses its numbers all the same.
    billing.tamper("update number_series set prefix = 'A0' where prefix = 'B'", true).await.expect("done");
    let (first, second) = (billing.draft(&desk).await, billing.draft(&desk).await);

    let first = billing.issue(&first, &two_digits).await.expect("issued");
    let taken = billing.issue(&second, &plain).await;
    let delete = DeleteNumberSeriesRequest { name: two_digits.name.clone(), ..Default::default() };
    let deleted = billing.number_series().delete_number_series(billing.admin.request(delete)).await;

    assert_eq!(first.number, "A01");
    assert_eq!(refusal(taken), (Code::AlreadyExists, "NUMBER_TAKEN".to_owned()));
    assert_eq!(refusal(deleted), (Code::FailedPrecondition, "SERIES_IN_USE".to_owned()));
    assert_eq!(billing.next_number(&plain).await, "A01", "what was refused took no number");
}

/// DOC-06: a draft is issued only while it comes to what it came to when it was written. A refusal costs no number, not even
/// one of a plain series.
#[tokio::test]
async fn a_draft_whose_price_has_changed_is_written_again() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let plain = NumberSeries { gap_free: false, ..invoices(&desk.legal_entity, "P") };
    let plain = billing.create_series(plain).await.expect("a series");
    let draft = billing.draft(&desk).await;
    let rates = vec![rate("22", date(2012, 9, 1), None)];
    let request = UpdateTaxCodeRequest {
        tax_code: Some(TaxCode { rates, ..desk.tax_code.clone() }),
        update_mask: Some(paths(&["rates"])),
        ..Default::default()
    };
    billing.tax_codes().update_tax_code(billing.admin.request(request)).await.expect("updated");

    for series in [&desk.series, &plain] {
        let answer = billing.issue(&draft, series).await;
        assert_eq!(refusal(answer), (Code::FailedPrecondition, "PRICE_CHANGED".to_owned()));
    }
    let request = UpdateInvoiceRequest {
        invoice: Some(draft.clone()),
        update_mask: Some(paths(&["note"])),
        ..Default::default()
    };
    let written = billing.invoices().update_invoice(billing.admin.request(request)).await;
    let written = written.expect("written again").into_inner();
    let issued = billing.issue(&written, &plain).await.expect("issued");

    let tax = |invoice: &Invoice| invoice.totals.clone().expect("totals").tax;
    assert_eq!((tax(&draft), tax(&written), tax(&issued)), (eur("21.00"), eur("22.00"), eur("22.00")));
    assert_eq!(issued.number, "P0001");
    assert_eq!(billing.next_number(&desk.series).await, "F0001");
}

/// DOC-06: an issued invoice says of itself who made it out, whatever becomes of the legal entity.
#[tokio::test]
async fn an_issued_invoice_keeps_its_seller() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let tax_ids = vec![TaxId { country_code: "ES".into(), scheme: "NIF".into(), value: "B12345678".into() }];
    let address = Some(Address { locality: "Madrid".into(), ..Default::default() });
    let entity =
        LegalEntity { tax_ids: tax_ids.clone(), address: address.clone(), ..desk.legal_entity.clone() };
    let entity = billing.update_legal_entity(entity, &["tax_ids", "address"]).await.expect("updated");
    let draft = billing.draft(&desk).await;

    let issued = billing.issue(&draft, &desk.series).await.expect("issued");
    let moved = LegalEntity { legal_name: "Hispania S.A.".into(), tax_ids: vec![], ..entity };
    billing.update_legal_entity(moved, &["legal_name", "tax_ids"]).await.expect("updated");
    let sent = billing.send(&issued).await.expect("sent");

    let seller = Seller { legal_name: "Hispania S.L.".into(), tax_ids, address, ..Default::default() };
    assert_eq!((draft.seller, &issued.seller, &sent.seller), (None, &Some(seller.clone()), &Some(seller)));
    billing
        .tamper("update invoice set seller = jsonb_set(seller, '{legal_name}', '\"X\"')", true)
        .await
        .expect("done");
    let found = billing.verify(&desk.series, 0, 0).await.expect("an answer");
    assert_eq!((found.fault(), found.fault_ordinal), (Fault::Changed, 1));
}

/// XTR-05: a request that cannot pass costs no number of a plain series.
#[tokio::test]
async fn a_request_that_cannot_pass_costs_no_number() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let plain = NumberSeries { gap_free: false, ..invoices(&desk.legal_entity, "P") };
    let plain = billing.create_series(plain).await.expect("a series");
    let (draft, gone) = (billing.draft(&desk).await, billing.draft(&desk).await);
    let delete = DeleteInvoiceRequest { name: gone.name.clone(), ..Default::default() };
    billing.invoices().delete_invoice(billing.admin.request(delete)).await.expect("deleted");
    let issue = async |request| {
        let answer = billing.invoices().issue_invoice(billing.admin.request(request)).await;
        answer.map(Response::into_inner)
    };

    let unnamed = issue(IssueInvoiceRequest { request_id: "1".into(), ..issuing(&draft, &plain) }).await;
    let stale = issue(IssueInvoiceRequest { etag: "stale".into(), ..issuing(&draft, &plain) }).await;
    let deleted = issue(issuing(&gone, &plain)).await;
    let request = issuing(&draft, &plain);
    let issued = issue(request.clone()).await.expect("issued");
    let another = billing.draft(&desk).await;
    let reused =
        issue(IssueInvoiceRequest { request_id: request.request_id, ..issuing(&another, &plain) }).await;

    assert_eq!(violations(unnamed), [field("request_id", "INVALID_REQUEST_ID")]);
    assert_eq!(refusal(stale), (Code::Aborted, "ETAG_MISMATCH".to_owned()));
    assert_eq!(refusal(deleted), (Code::FailedPrecondition, "DELETED".to_owned()));
    assert!(reused.is_err(), "{reused:?}");
    assert_eq!((issued.number, billing.next_number(&plain).await), ("P0001".into(), "P0002".into()));
}

/// XTR-05: a series that begins again each year says the year of the day of issue.
#[tokio::test]
async fn a_yearly_series_says_the_year() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let yearly = NumberSeries { period: Period::Year.into(), ..invoices(&desk.legal_entity, "Y") };
    let yearly = billing.create_series(yearly).await.expect("a series");
    let draft = billing.draft(&desk).await;

    let issued = billing.issue(&draft, &yearly).await.expect("issued");

    let year = issued.issue_date.expect("a day").year;
    assert_eq!(issued.number, format!("Y{year}-0001"));
}

/// Issues until it is done: a call that was given up or turned away is repeated under its request id.
async fn issue_at_last(billing: &Billing, request: IssueInvoiceRequest, patience_ms: u64) -> Invoice {
    let mut call = billing.admin.request(request.clone());
    call.set_timeout(std::time::Duration::from_millis(patience_ms));
    let mut answer = billing.invoices().issue_invoice(call).await;
    loop {
        match answer {
            Ok(issued) => return issued.into_inner(),
            Err(status) => {
                let passing = [
                    Code::Unavailable,
                    Code::DeadlineExceeded,
                    Code::Cancelled,
                    Code::ResourceExhausted,
                    Code::Aborted,
                ];
                assert!(passing.contains(&status.code()), "{status:?}");
            }
        }
        answer = billing.invoices().issue_invoice(billing.admin.request(request.clone())).await;
    }
}

/// DOC-06, XTR-05, I12: 64 issue at once in one gap-free series, some only try and some give up in the midst of it; the
/// numbers are 1 to n, without gap or repeat.
#[tokio::test]
async fn many_issuers_at_once_leave_no_gap() {
    const ISSUERS: usize = 64;
    const EACH: usize = 3;
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let drafts: Vec<Invoice> = billing.drafts(&desk, ISSUERS * EACH).await;

    let issuers = drafts.chunks(EACH).enumerate().map(|(issuer, drafts)| {
        let (billing, desk) = (&billing, &desk);
        async move {
            let mut numbers = Vec::new();
            for (at, draft) in drafts.iter().enumerate() {
                if at % 2 == 0 {
                    let tried = IssueInvoiceRequest { validate_only: true, ..issuing(draft, &desk.series) };
                    // Whether it is answered or turned away does not matter: it must not keep its number.
                    let _ = billing.invoices().issue_invoice(billing.admin.request(tried)).await;
                }
                let patience = 1 + u64::try_from((issuer * 7 + at * 13) % 60).expect("it is small");
                let issued = issue_at_last(billing, issuing(draft, &desk.series), patience).await;
                numbers.push(issued.number);
            }
            numbers
        }
    });
    let numbers: Vec<String> = join_all(issuers).await.concat();

    let distinct: BTreeSet<String> = numbers.iter().cloned().collect();
    let expected: BTreeSet<String> = (1..=ISSUERS * EACH).map(|number| format!("F{number:04}")).collect();
    assert_eq!((numbers.len(), distinct), (ISSUERS * EACH, expected));
    assert_eq!(billing.next_number(&desk.series).await, format!("F{:04}", ISSUERS * EACH + 1));
    let verified = billing.verify(&desk.series, 0, 0).await.expect("an answer");
    assert_eq!((verified.verified, verified.fault), (192, 0), "{verified:?}");
}

/// XTR-05: a plain series gives no number twice; its invoices are not chained.
#[tokio::test]
async fn a_plain_series_gives_no_number_twice() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let plain = NumberSeries { gap_free: false, ..invoices(&desk.legal_entity, "P") };
    let plain = billing.create_series(plain).await.expect("a series");
    let drafts: Vec<Invoice> = billing.drafts(&desk, 24).await;

    let tried = IssueInvoiceRequest { validate_only: true, ..issuing(&drafts[0], &plain) };
    let tried = billing.invoices().issue_invoice(billing.admin.request(tried)).await.expect("it would pass");
    let issued =
        join_all(drafts.iter().map(|draft| issue_at_last(&billing, issuing(draft, &plain), 10_000))).await;

    assert_eq!(tried.into_inner().number, "P0001");
    let numbers: BTreeSet<&str> = issued.iter().map(|invoice| invoice.number.as_str()).collect();
    assert_eq!(numbers.len(), drafts.len(), "{numbers:?}");
    assert!(issued.iter().all(|invoice| invoice.hash.is_empty()));
    let answer = billing.verify(&plain, 0, 0).await;
    assert_eq!(refusal(answer), (Code::FailedPrecondition, "SERIES_NOT_CHAINED".to_owned()));
}
