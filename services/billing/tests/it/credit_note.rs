//! Credit notes: what they take of an invoice, and that all of them together never take more than there is.

use futures::future::join_all;
use tonic::{Code, Response, Status};
use trato_proto::billing::v1::{
    CreateCreditNoteRequest, CreditNote, GetInvoiceRequest, Invoice, IssueCreditNoteRequest, NumberSeries,
    TaxCode, UpdateCreditNoteRequest, VoidInvoiceRequest,
    credit_note::{Line, State},
    invoice,
    number_series::DocumentKind,
    tax_code::Category,
    verify_chain_response::Fault,
};
use uuid::Uuid;

use crate::harness::{Billing, Desk, date, eur, field, invoices, paths, rate, refusal, vat, violations};

/// What the database says where what is left of an invoice changes, and what is credited does not change with it.
pub const UNCREDITED: &str = "and does not change otherwise";

impl Billing {
    pub async fn credits(&self, desk: &Desk) -> NumberSeries {
        let document_kind = DocumentKind::CreditNote.into();
        let series = NumberSeries { document_kind, ..invoices(&desk.legal_entity, "C") };
        self.create_series(series).await.expect("a series")
    }

    /// An issued invoice of these lines: key, quantity and price.
    pub async fn issued(&self, desk: &Desk, lines: &[(&str, &str, &str)]) -> Invoice {
        let lines = lines.iter().map(|(key, quantity, price)| desk.line(key, quantity, price)).collect();
        let draft = Invoice { account: self.account().await, ..desk.invoice(lines) };
        let draft = self.create_invoice(draft).await.expect("a draft");
        self.issue(&draft, &desk.series).await.expect("issued")
    }

    pub async fn create_credit_note(&self, credit_note: CreditNote) -> Result<CreditNote, Status> {
        let request = CreateCreditNoteRequest { credit_note: Some(credit_note), ..Default::default() };
        self.credit_notes().create_credit_note(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn issue_credit(
        &self,
        draft: &CreditNote,
        series: &NumberSeries,
    ) -> Result<CreditNote, Status> {
        let request = crediting(draft, series);
        self.credit_notes().issue_credit_note(self.admin.request(request)).await.map(Response::into_inner)
    }

    /// Credits these lines of an invoice for good.
    pub async fn credit(
        &self,
        invoice: &Invoice,
        lines: Vec<Line>,
        series: &NumberSeries,
    ) -> Result<CreditNote, Status> {
        let draft = self.create_credit_note(of(invoice, lines)).await?;
        self.issue_credit(&draft, series).await
    }

    pub async fn get_invoice(&self, invoice: &Invoice) -> Invoice {
        let request = GetInvoiceRequest { name: invoice.name.clone() };
        let answer = self.invoices().get_invoice(self.admin.request(request)).await;
        answer.expect("it is there").into_inner()
    }
}

pub fn of(invoice: &Invoice, lines: Vec<Line>) -> CreditNote {
    let reason = "Came back broken".into();
    CreditNote { invoice: invoice.name.clone(), reason, lines, ..Default::default() }
}

fn crediting(draft: &CreditNote, series: &NumberSeries) -> IssueCreditNoteRequest {
    IssueCreditNoteRequest {
        name: draft.name.clone(),
        number_series: series.name.clone(),
        request_id: Uuid::now_v7().to_string(),
        ..Default::default()
    }
}

/// So much of a line.
pub fn quantity(key: &str, quantity: &str) -> Line {
    Line { key: key.into(), quantity: quantity.into(), ..Default::default() }
}

/// DOC-06: a full credit is exactly the invoice, and leaves exactly zero.
#[tokio::test]
async fn a_full_credit_leaves_exactly_zero() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    let invoice = billing.issued(&desk, &[("1", "3", "9.995"), ("2", "1", "0.333333")]).await;

    let draft = billing.create_credit_note(of(&invoice, vec![])).await.expect("a draft");
    let untouched = billing.get_invoice(&invoice).await;
    let issued = billing.issue_credit(&draft, &series).await.expect("issued");
    let credited = billing.get_invoice(&invoice).await;
    let again = billing.create_credit_note(of(&invoice, vec![])).await;

    assert_eq!((draft.state(), untouched.credited), (State::Draft, eur("0.00")), "a draft takes nothing");
    let (totals, whole) = (issued.totals.clone().expect("totals"), invoice.totals.expect("totals"));
    assert_eq!((totals.net, totals.tax), (whole.net, whole.tax));
    assert_eq!((totals.gross.clone(), totals.due), (whole.gross, whole.due));
    assert_eq!((issued.number.as_str(), issued.hash.len()), ("C0001", 64));
    assert_eq!((&issued.account, &issued.currency_code), (&invoice.account, &invoice.currency_code));
    assert_eq!(credited.credited, totals.gross);
    assert_eq!((credited.hash, credited.lines), (invoice.hash, invoice.lines), "nothing else has changed");
    assert_eq!(refusal(again), (Code::FailedPrecondition, "NOTHING_TO_CREDIT".to_owned()));
    let events = billing.event_types().await;
    assert_eq!(events[events.len() - 2..], ["invoice.updated", "credit_note.issued"]);
}

/// DOC-06: thirds of an amount never add up by themselves; the last credit takes what the others left.
#[tokio::test]
async fn partial_credits_add_up_to_the_invoice() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    // 3 × 33.333333 are 100.00 net and 21.00 tax.
    let invoice = billing.issued(&desk, &[("1", "3", "33.333333"), ("2", "1", "50")]).await;
    let cents = |credit_note: &CreditNote| {
        let gross = credit_note.totals.clone().and_then(|totals| totals.gross).expect("a total");
        gross.units * 100 + i64::from(gross.nanos) / 10_000_000
    };

    let mut credited = Vec::new();
    for _ in 0..3 {
        let third = billing.credit(&invoice, vec![quantity("1", "1")], &series).await.expect("a third");
        credited.push(cents(&third));
    }
    let too_much = billing.create_credit_note(of(&invoice, vec![quantity("1", "0.000001")])).await;
    let gross = Line { key: "2".into(), gross: eur("10.00"), ..Default::default() };
    credited.push(cents(&billing.credit(&invoice, vec![gross], &series).await.expect("an amount")));
    let rest = billing.credit(&invoice, vec![], &series).await.expect("the rest");
    credited.push(cents(&rest));

    assert_eq!(credited[..3].iter().sum::<i64>(), 12_100);
    assert_eq!(credited.iter().sum::<i64>(), 18_150);
    assert_eq!(violations(too_much), [field("credit_note.lines[0]", "CREDIT_EXCEEDS_REST")]);
    assert_eq!(billing.get_invoice(&invoice).await.credited, eur("181.50"));
}

/// DOC-06: two drafts may each want all of it; the second finds nothing left. However many are issued at once, no cent is
/// credited twice.
#[tokio::test]
async fn credits_at_once_never_exceed_the_invoice() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    let invoice = billing.issued(&desk, &[("1", "10", "9.99")]).await;
    let mut drafts = Vec::new();
    for _ in 0..16 {
        let draft = billing.create_credit_note(of(&invoice, vec![quantity("1", "1")])).await;
        drafts.push(draft.expect("a draft"));
    }

    let answers = join_all(drafts.iter().map(|draft| billing.issue_credit(draft, &series))).await;

    let (issued, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((issued.len(), refused.len()), (10, 6));
    for answer in refused {
        assert_eq!(violations(answer), [field("credit_note.lines[0]", "CREDIT_EXCEEDS_REST")]);
    }
    let mut numbers: Vec<String> =
        issued.into_iter().flatten().map(|credit_note| credit_note.number).collect();
    numbers.sort();
    assert_eq!(numbers, (1..=10).map(|number| format!("C{number:04}")).collect::<Vec<_>>());
    let whole = billing.get_invoice(&invoice).await;
    assert_eq!(whole.credited, whole.totals.expect("totals").gross);
    let verified = billing.verify(&series, 0, 0).await.expect("an answer");
    assert_eq!((verified.verified, verified.fault()), (10, Fault::Unspecified));
}

/// DOC-06: the database itself refuses more than the invoice, and any change of an issued credit note.
#[tokio::test]
async fn the_database_refuses_more_than_the_invoice() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    let invoice = billing.issued(&desk, &[("1", "10", "9.99")]).await;
    billing.credit(&invoice, vec![quantity("1", "1")], &series).await.expect("credited");

    for (statement, said) in [
        ("update invoice set credited = gross + 1, balance = '{}'", UNCREDITED),
        ("update invoice set credited = credited + 1", UNCREDITED),
        ("update invoice set credited = 0, balance = 'null'", UNCREDITED),
        ("update credit_note set gross = 1", "issued credit note does not change"),
        ("delete from credit_note", "issued credit note does not change"),
        ("truncate credit_note", "credit_note is not emptied"),
    ] {
        let error = billing.tamper(statement, false).await.expect_err(statement);
        assert!(error.to_string().contains(said), "{statement}: {error}");
    }
    let error = billing.tamper("update invoice set credited = gross + 1", true).await.expect_err("too much");
    assert!(error.to_string().contains("invoice_credited_check"), "not even past the triggers: {error}");
    billing.tamper("update credit_note set reason = 'x'", true).await.expect("done");
    let found = billing.verify(&series, 0, 0).await.expect("an answer");
    assert_eq!((found.fault(), found.fault_ordinal), (Fault::Changed, 1));
}

/// DOC-06: a draft is computed again whenever it changes, an issued one stays, and only issued invoices are credited.
#[tokio::test]
async fn a_credit_note_credits_an_issued_invoice() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    let unissued =
        billing.create_invoice(desk.invoice(vec![desk.line("1", "1", "1")])).await.expect("a draft");
    let invoice = billing.issued(&desk, &[("1", "10", "9.99")]).await;

    let too_early = billing.create_credit_note(of(&unissued, vec![])).await;
    let nobody = Invoice { name: format!("invoices/{}", Uuid::now_v7()), ..invoice.clone() };
    let nobody = billing.create_credit_note(of(&nobody, vec![])).await;
    let draft = billing.create_credit_note(of(&invoice, vec![quantity("1", "1")])).await.expect("a draft");
    let update = |credit_note: CreditNote| UpdateCreditNoteRequest {
        credit_note: Some(credit_note),
        update_mask: Some(paths(&["lines"])),
        ..Default::default()
    };
    let two = update(CreditNote { lines: vec![quantity("1", "2")], ..draft.clone() });
    let two = billing.credit_notes().update_credit_note(billing.admin.request(two)).await;
    let two = two.expect("updated").into_inner();
    let wrong_series = billing.issue_credit(&two, &desk.series).await;
    let issued = billing.issue_credit(&two, &series).await.expect("issued");
    let late = update(CreditNote { lines: vec![], ..issued.clone() });
    let late = billing.credit_notes().update_credit_note(billing.admin.request(late)).await;
    let void =
        VoidInvoiceRequest { name: invoice.name.clone(), reason: "Wrong".into(), ..Default::default() };
    let void = billing.invoices().void_invoice(billing.admin.request(void)).await;

    assert_eq!(two.totals.expect("totals").net, eur("19.98"));
    for (refused, reason) in [
        (refusal(too_early), "INVOICE_NOT_ISSUED"),
        (refusal(nobody), "INVOICE_NOT_FOUND"),
        (refusal(wrong_series), "SERIES_UNSUITED"),
        (refusal(late), "CREDIT_NOTE_NOT_DRAFT"),
        (refusal(void), "INVOICE_CREDITED"),
    ] {
        assert_eq!(refused, (Code::FailedPrecondition, reason.to_owned()));
    }
}

/// DOC-06: a credit note says of itself who credits whom, and why no tax is due, as its invoice does.
#[tokio::test]
async fn a_credit_note_stands_by_itself() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    let exempt = TaxCode {
        category: Category::Exempt.into(),
        rates: vec![rate("0", date(2010, 1, 1), None)],
        legal_note: "Article 20 of Law 37/1992".into(),
        ..vat("ES-X")
    };
    let exempt = billing.create_tax_code(exempt).await.expect("a tax code").name;
    let lines = vec![
        desk.line("1", "1", "100"),
        invoice::Line { tax_codes: vec![exempt], ..desk.line("2", "1", "50") },
    ];
    let invoice = billing.create_invoice(desk.invoice(lines)).await.expect("a draft");
    let invoice = billing.issue(&invoice, &desk.series).await.expect("issued");

    let draft = billing.create_credit_note(of(&invoice, vec![])).await.expect("a draft");
    let issued = billing.issue_credit(&draft, &series).await.expect("issued");

    assert_eq!((draft.seller, &draft.bill_to), (None, &invoice.bill_to));
    assert_eq!((&issued.seller, &issued.bill_to), (&invoice.seller, &invoice.bill_to));
    assert_eq!(issued.seller.expect("a seller").legal_name, "Hispania S.L.");
    assert_eq!(issued.tax_groups, invoice.tax_groups);
    let notes: Vec<_> = issued.tax_groups.into_iter().flat_map(|group| group.reasons).collect();
    assert_eq!(notes, ["Article 20 of Law 37/1992"]);
}

#[tokio::test]
async fn all_that_is_wrong_with_a_credit_note_is_said_at_once() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = billing.issued(&desk, &[("1", "10", "9.99")]).await;
    let thirty = format!("1.{}", "1".repeat(30));
    let net = |net| Line { key: "1".into(), net, ..Default::default() };
    let dollars = || {
        eur("1.00").map(|money| trato_proto::google::value::Money { currency_code: "USD".into(), ..money })
    };

    let wrong = CreditNote {
        invoice: "F0001".into(),
        reason: " ".into(),
        lines: vec![
            quantity("", "1"),
            quantity("1", &thirty),
            quantity("1", "0"),
            net(eur("-1.00")),
            Line { quantity: "1".into(), ..net(eur("1.00")) },
        ],
        ..Default::default()
    };
    let wrong = billing.create_credit_note(wrong).await;
    let unknown = billing.create_credit_note(of(&invoice, vec![quantity("9", "1")])).await;
    let foreign = billing.create_credit_note(of(&invoice, vec![net(dollars())])).await;
    let many = billing.create_credit_note(of(&invoice, vec![quantity("1", "1"); 10_000])).await;

    let expected = [
        field("credit_note.invoice", "INVALID_RESOURCE_NAME"),
        field("credit_note.lines[0].key", "REQUIRED"),
        field("credit_note.lines[1].quantity", "TOO_MANY_DECIMALS"),
        field("credit_note.lines[2].quantity", "NOT_POSITIVE"),
        field("credit_note.lines[3].net", "NEGATIVE"),
        field("credit_note.lines[4].quantity", "BOTH_GIVEN"),
        field("credit_note.reason", "EMPTY"),
    ];
    assert_eq!(violations(wrong), expected);
    assert_eq!(violations(unknown), [field("credit_note.lines[0]", "UNKNOWN_LINE_KEY")]);
    assert_eq!(violations(foreign), [field("credit_note.lines", "CURRENCY_DIFFERS")]);
    assert_eq!(violations(many), [field("credit_note.lines", "TOO_MANY")]);
}
