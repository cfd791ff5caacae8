//! Invoices as drafts: what they come to, and what is refused.

use tonic::{Code, Response, Status};
use trato_proto::{
    billing::v1::{
        BatchCreateInvoicesRequest, CreateInvoiceFromSourceRequest, CreateInvoiceRequest,
        CreatePaymentTermRequest, DeleteInvoiceRequest, DeletePaymentTermRequest, DeleteTaxCodeRequest,
        Invoice, ListInvoicesRequest, PaymentTerm, PreviewInvoiceRequest, PreviewInvoiceResponse, TaxCode,
        UpdateInvoiceRequest, UpsertInvoiceRequest,
        batch_create_invoices_response::result::Outcome,
        create_invoice_from_source_request,
        invoice::{Discount, Line, State},
        legal_entity::TaxRounding,
    },
    google::value::Money,
};
use uuid::Uuid;

use crate::harness::{Billing, Desk, cents, date, eur, field, paths, refusal, vat, violations};

impl Billing {
    async fn preview(&self, invoice: Invoice) -> Result<PreviewInvoiceResponse, Status> {
        let request = PreviewInvoiceRequest { invoice: Some(invoice) };
        self.invoices().preview_invoice(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn update_invoice(&self, invoice: Invoice, mask: &[&str]) -> Result<Invoice, Status> {
        let update_mask = Some(paths(mask));
        let request = UpdateInvoiceRequest { invoice: Some(invoice), update_mask, ..Default::default() };
        self.invoices().update_invoice(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn invoices_of(&self, filter: &str) -> Vec<Invoice> {
        let request = ListInvoicesRequest { filter: filter.into(), ..Default::default() };
        let page = self.invoices().list_invoices(self.admin.request(request)).await.expect("a page");
        page.into_inner().invoices
    }
}

fn percent(percent: &str) -> Discount {
    Discount { percent: percent.into(), ..Default::default() }
}

/// 3 × 9.995 is 29.99; 100 less 10 % is 90; 21 % of 119.99 is 25.20.
fn two_lines(desk: &Desk) -> Vec<Line> {
    let discounts = vec![percent("10")];
    vec![desk.line("1", "3", "9.995"), Line { discounts, ..desk.line("2", "1", "100") }]
}

/// DOC-06: a draft has its amounts, each rounded once, and the lines add up to the totals.
#[tokio::test]
async fn a_draft_is_priced_when_it_is_recorded() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;

    let draft = billing.create_invoice(desk.invoice(two_lines(&desk))).await.expect("a draft");

    let totals = draft.totals.clone().expect("totals");
    assert_eq!((totals.net, totals.tax, totals.gross), (eur("119.99"), eur("25.20"), eur("145.19")));
    assert_eq!((totals.withheld, totals.due), (eur("0.00"), eur("145.19")));
    let of_lines: Vec<_> = draft.lines.iter().map(|line| (line.net.clone(), line.gross.clone())).collect();
    assert_eq!(of_lines, [(eur("29.99"), eur("36.29")), (eur("90.00"), eur("108.90"))]);
    let tax = &draft.lines[0].taxes[0];
    assert_eq!((tax.code.as_str(), tax.percent.as_str(), tax.amount.clone()), ("ES-S", "21", eur("6.30")));
    let group = &draft.tax_groups[0];
    assert_eq!((group.category_code.as_str(), group.tax_amount.clone()), ("S", eur("25.20")));
    assert_eq!((draft.state(), draft.number.as_str()), (State::Draft, ""));
    assert_eq!(billing.invoices_of("state = DRAFT AND gross = 14519").await, [draft]);
    assert_eq!(billing.event_types().await.last().map(String::as_str), Some("invoice.created"));
}

/// DOC-06: a preview comes to the same as the invoice, says how, and leaves nothing behind.
#[tokio::test]
async fn a_preview_says_how_it_came_about_and_records_nothing() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let events = billing.event_types().await;

    let preview = billing.preview(desk.invoice(two_lines(&desk))).await.expect("a preview");

    assert!(billing.invoices_of("").await.is_empty());
    assert_eq!(billing.event_types().await, events);
    let has = |part: &str| preview.trace.iter().any(|sentence| sentence.contains(part));
    assert!(has("line 1: quantity times price, rounded once"), "{:#?}", preview.trace);
    assert!(has("145.19 EUR"), "{:#?}", preview.trace);
    let draft = billing.create_invoice(desk.invoice(two_lines(&desk))).await.expect("a draft");
    assert_eq!((preview.totals, preview.lines), (draft.totals, draft.lines));
    assert_eq!((preview.tax_groups, preview.supply_date), (draft.tax_groups, draft.supply_date));
}

#[tokio::test]
async fn all_that_is_wrong_with_an_invoice_is_said_at_once() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let thirty = format!("1.{}", "1".repeat(30));
    let lines = vec![
        Line { unit: "x".repeat(21), ..desk.line("", &thirty, "-1") },
        Line { description: " ".into(), tax_codes: vec![], ..desk.line("2", "0", "1e3") },
        Line { tax_codes: vec!["ES-S".into()], ..desk.line("3", "-1", "1000000000000") },
        Line {
            discounts: vec![
                percent("x"),
                Discount::default(),
                Discount { amount: eur("0.01"), ..percent("5") },
            ],
            ..desk.line("4", "1", "1")
        },
    ];
    let wrong = Invoice {
        account: "Hotel".into(),
        currency_code: "XXX".into(),
        bill_to: None,
        supply_date: date(2026, 2, 30),
        note: "x".repeat(2001),
        ..desk.invoice(lines)
    };

    let answer = billing.create_invoice(wrong).await;

    let expected = [
        field("invoice.account", "INVALID_RESOURCE_NAME"),
        field("invoice.bill_to", "REQUIRED"),
        field("invoice.currency_code", "UNKNOWN_CURRENCY"),
        field("invoice.lines[0].key", "REQUIRED"),
        field("invoice.lines[0].quantity", "TOO_MANY_DECIMALS"),
        field("invoice.lines[0].unit", "TOO_LONG"),
        field("invoice.lines[0].unit_price", "NEGATIVE_AMOUNT"),
        field("invoice.lines[1].description", "EMPTY"),
        field("invoice.lines[1].quantity", "NOT_POSITIVE"),
        field("invoice.lines[1].tax_codes", "REQUIRED"),
        field("invoice.lines[1].unit_price", "NOT_A_DECIMAL"),
        field("invoice.lines[2].quantity", "NOT_POSITIVE"),
        field("invoice.lines[2].tax_codes[0]", "INVALID_RESOURCE_NAME"),
        field("invoice.lines[2].unit_price", "AMOUNT_TOO_LARGE"),
        field("invoice.lines[3].discounts[0].percent", "NOT_A_DECIMAL"),
        field("invoice.lines[3].discounts[1]", "REQUIRED"),
        field("invoice.lines[3].discounts[2]", "BOTH_GIVEN"),
        field("invoice.note", "TOO_LONG"),
        field("invoice.supply_date", "INVALID_DATE"),
    ];
    assert_eq!(violations(answer), expected);
}

/// DOC-06: what has no meaning as a whole is refused under the names of the invoice's own fields.
#[tokio::test]
async fn amounts_without_meaning_are_refused() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let twice = vec![desk.line("1", "1", "1"), desk.line("1", "1", "1")];
    let too_much = vec![Line { discounts: vec![percent("101")], ..desk.line("1", "1", "1") }];
    let huge = vec![desk.line("1", "999999999999", "999999999999")];
    let dollars = Discount {
        amount: eur("0.01").map(|money| Money { currency_code: "USD".into(), ..money }),
        ..Default::default()
    };

    let twice = billing.create_invoice(desk.invoice(twice)).await;
    let too_much = billing.create_invoice(desk.invoice(too_much)).await;
    let huge = billing.create_invoice(desk.invoice(huge)).await;
    let plain = desk.invoice(vec![desk.line("1", "1", "1")]);
    let dollars = billing.create_invoice(Invoice { discounts: vec![dollars], ..plain }).await;
    let nothing = billing.create_invoice(desk.invoice(vec![])).await;
    let off = |amount| Discount { amount: eur(amount), ..Default::default() };
    let below = vec![off("-0.01"), percent("-5")];
    let below = vec![Line { discounts: below, ..desk.line("1", "1", "1") }];
    let below = billing.create_invoice(desk.invoice(below)).await;
    let beyond = vec![Line { discounts: vec![off("1.01")], ..desk.line("1", "1", "1") }];
    let beyond = billing.create_invoice(desk.invoice(beyond)).await;

    assert_eq!(violations(twice), [field("invoice.lines[1].key", "DUPLICATE_LINE_KEY")]);
    let discount = field("invoice.lines[0].discounts[0].value", "PERCENT_OUT_OF_RANGE");
    assert_eq!(violations(too_much), [discount]);
    assert_eq!(violations(huge), [field("invoice.lines[0]", "AMOUNT_TOO_LARGE")]);
    assert_eq!(violations(dollars), [field("invoice.discounts[0].amount", "CURRENCY_DIFFERS")]);
    assert_eq!(violations(nothing), [field("invoice.lines", "REQUIRED")]);
    let negative = [
        field("invoice.lines[0].discounts[0].amount", "NEGATIVE"),
        field("invoice.lines[0].discounts[1].percent", "NEGATIVE_AMOUNT"),
    ];
    assert_eq!(violations(below), negative);
    assert_eq!(violations(beyond), [field("invoice.lines[0]", "DISCOUNT_EXCEEDS_AMOUNT")]);
}

/// DOC-06: an invoice has up to 1,100 lines; one of more is refused as a whole, and so is asking for more of a document of sales.
#[tokio::test]
async fn an_invoice_has_at_most_eleven_hundred_lines() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let lines = |count: usize| (0..count).map(|at| desk.line(&at.to_string(), "1", "0.333333")).collect();

    let wish = create_invoice_from_source_request::Line { source_line: "1".into(), quantity: "1".into() };
    let wishes = CreateInvoiceFromSourceRequest {
        source_document: format!("orders/{}", Uuid::now_v7()),
        lines: vec![wish; 1101],
        request_id: Uuid::now_v7().to_string(),
        ..Default::default()
    };

    let most = billing.create_invoice(desk.invoice(lines(1100))).await.expect("a draft");
    let more = billing.create_invoice(desk.invoice(lines(1101))).await;
    let asked = billing.invoices().create_invoice_from_source(billing.admin.request(wishes)).await;

    assert_eq!(most.lines.len(), 1100);
    assert_eq!(most.totals.expect("totals").net, eur("363.00"));
    assert_eq!(violations(more), [field("invoice.lines", "TOO_MANY")]);
    assert_eq!(violations(asked), [field("lines", "TOO_MANY")]);
}

/// DOC-06: an invoice refers to what is there, and to nothing that was deleted.
#[tokio::test]
async fn an_invoice_refers_to_what_is_there() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let request = CreatePaymentTermRequest {
        payment_term: Some(PaymentTerm {
            code: "30D".into(),
            display_name: "30 days".into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let term = billing.payment_terms().create_payment_term(billing.admin.request(request)).await;
    let payment_term = term.expect("a payment term").into_inner().name;
    let delete = DeletePaymentTermRequest { name: payment_term.clone(), ..Default::default() };
    billing.payment_terms().delete_payment_term(billing.admin.request(delete)).await.expect("deleted");
    let with = || desk.invoice(vec![desk.line("1", "1", "1")]);

    let nobody = Invoice { legal_entity: format!("legalEntities/{}", Uuid::now_v7()), ..with() };
    let nobody = billing.create_invoice(nobody).await;
    let deleted_term = billing.create_invoice(Invoice { payment_term, ..with() }).await;
    let net_only = TaxCode { inclusive_allowed: false, ..vat("ES-N") };
    let net_only = billing.create_tax_code(net_only).await.expect("a tax code").name;
    let line = Line { tax_codes: vec![net_only], ..desk.line("1", "1", "1") };
    let inclusive = Invoice { tax_inclusive: true, ..desk.invoice(vec![line]) };
    let inclusive = billing.create_invoice(inclusive).await;
    let delete = DeleteTaxCodeRequest { name: desk.tax_code.name.clone(), ..Default::default() };
    billing.tax_codes().delete_tax_code(billing.admin.request(delete)).await.expect("deleted");
    let untaxed = billing.create_invoice(with()).await;

    for (answer, reason) in [
        (nobody, "LEGAL_ENTITY_NOT_FOUND"),
        (deleted_term, "PAYMENT_TERM_NOT_FOUND"),
        (inclusive, "TAX_NOT_INCLUSIVE"),
        (untaxed, "TAX_CODE_NOT_FOUND"),
    ] {
        assert_eq!(refusal(answer), (Code::FailedPrecondition, reason.to_owned()));
    }
}

/// DOC-06: a draft is priced again whenever it changes, and can be deleted; an issued one stays.
#[tokio::test]
async fn a_draft_changes_and_an_issued_invoice_does_not() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let draft = billing.create_invoice(desk.invoice(two_lines(&desk))).await.expect("a draft");

    let discounts = vec![percent("50")];
    let halved = billing.update_invoice(Invoice { discounts, ..draft.clone() }, &["discounts"]).await;
    let halved = halved.expect("updated");
    let stale = Invoice { etag: draft.etag.clone(), note: "late".into(), ..halved.clone() };
    let stale = billing.update_invoice(stale, &["note"]).await;
    let issued = billing.issue(&halved, &desk.series).await.expect("issued");
    let changed = billing.update_invoice(Invoice { note: "late".into(), ..issued.clone() }, &["note"]).await;
    let delete = DeleteInvoiceRequest { name: issued.name.clone(), ..Default::default() };
    let deleted = billing.invoices().delete_invoice(billing.admin.request(delete)).await;

    // 50 % of 119.99 are 60.00, rounded once.
    assert_eq!(halved.totals.as_ref().expect("totals").net, eur("59.99"));
    assert_eq!(refusal(stale), (Code::Aborted, "ETAG_MISMATCH".to_owned()));
    for refused in [refusal(changed), refusal(deleted)] {
        assert_eq!(refused, (Code::FailedPrecondition, "INVOICE_NOT_DRAFT".to_owned()));
    }
    assert_eq!(billing.invoices_of("state = ISSUED").await, [issued]);
    let other = billing.create_invoice(desk.invoice(two_lines(&desk))).await.expect("a draft");
    let delete = DeleteInvoiceRequest { name: other.name, ..Default::default() };
    billing.invoices().delete_invoice(billing.admin.request(delete)).await.expect("a draft can be deleted");
}

/// DOC-06: a load can be repeated, and one bad invoice of a batch does not hold the others up.
#[tokio::test]
async fn invoices_of_another_system_are_taken_over_once() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let from_erp = |id: &str, note: &str| Invoice {
        source: "erp".into(),
        external_id: id.into(),
        note: note.into(),
        ..desk.invoice(vec![desk.line("1", "1", "1")])
    };
    let upsert = async |invoice: Invoice| {
        let request = UpsertInvoiceRequest { invoice: Some(invoice), ..Default::default() };
        billing.invoices().upsert_invoice(billing.admin.request(request)).await.map(Response::into_inner)
    };

    let first = upsert(from_erp("1", "first")).await.expect("recorded");
    let second = upsert(from_erp("1", "second")).await.expect("changed");
    let taken = billing.create_invoice(from_erp("1", "third")).await;
    let item = |invoice| CreateInvoiceRequest { invoice: Some(invoice), ..Default::default() };
    let undated = Invoice { supply_date: date(2000, 1, 1), ..from_erp("3", "") };
    let requests = vec![item(from_erp("1", "")), item(from_erp("2", "")), item(undated)];
    let batch = BatchCreateInvoicesRequest { requests, ..Default::default() };
    let batch = billing.invoices().batch_create_invoices(billing.admin.request(batch)).await;

    assert_eq!((&second.name, second.note.as_str()), (&first.name, "second"));
    assert_eq!(refusal(taken), (Code::AlreadyExists, "EXTERNAL_ID_TAKEN".to_owned()));
    let results = batch.expect("each item is answered").into_inner().results;
    assert_eq!(results.iter().map(|result| result.created).collect::<Vec<_>>(), [false, true, false]);
    let Some(Outcome::Error(error)) = &results[2].outcome else { panic!("{:?}", results[2]) };
    assert!(error.message.contains("no rate"), "{error:?}");
}

/// DOC-06: an invoice that says how it is rounded is rounded so, whatever its legal entity does, also when it is issued; what is due is
/// a multiple of the smallest payment, and it says what that adds.
#[tokio::test]
async fn an_invoice_is_rounded_as_was_agreed_on() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let lines = vec![desk.line("1", "1", "0.25"), desk.line("2", "1", "0.25")];
    let agreed = Invoice {
        tax_rounding: TaxRounding::Line.into(),
        smallest_payment: eur("0.25"),
        ..desk.invoice(lines.clone())
    };

    let by_default = billing.create_invoice(desk.invoice(lines.clone())).await.expect("a draft");
    let draft = billing.create_invoice(agreed).await.expect("a draft");
    let issued = billing.issue(&draft, &desk.series).await.expect("issued");
    let wrong = Invoice {
        tax_rounding: 9,
        smallest_payment: eur("1.00").map(|euro| Money { currency_code: "USD".into(), ..euro }),
        purchase_order: "9".repeat(101),
        ..desk.invoice(lines)
    };
    let refused = billing.create_invoice(wrong).await;

    let totals = |invoice: &Invoice| {
        let totals = invoice.totals.clone().expect("totals");
        [totals.tax, totals.gross, totals.rounding, totals.due].map(|amount| cents(amount.as_ref()))
    };
    assert_eq!(totals(&by_default), [11, 61, 0, 61]);
    assert_eq!(totals(&draft), [10, 60, -10, 50]);
    assert_eq!((totals(&issued), cents(issued.open.as_ref())), (totals(&draft), 50));
    assert_eq!(
        violations(refused),
        [
            field("invoice.purchase_order", "TOO_LONG"),
            field("invoice.smallest_payment", "CURRENCY_DIFFERS"),
            field("invoice.tax_rounding", "UNKNOWN_VALUE"),
        ]
    );
}
