//! Charges of lines: what they come to, that they are credited with their line, and where they stand on documents.

use trato_einvoice::{Adjustment, EInvoice};
use trato_proto::{
    billing::v1::{
        CreditNote, Invoice, PreviewInvoiceRequest, TaxCode,
        invoice::{Charge, Discount, Line},
        rendered_document::{Format, Paper},
        tax_code::Category,
        verify_chain_response::Fault,
    },
    google::value::Money,
};

use crate::{
    credit_note::quantity,
    harness::{Billing, Desk, cents, date, eur, field, rate, vat, violations},
    render::{assert_says, attachment, sale, text},
};

fn amount(amount: &str, reason: &str) -> Charge {
    Charge { amount: eur(amount), reason: reason.into(), ..Default::default() }
}

fn percent(percent: &str) -> Charge {
    Charge { percent: percent.into(), ..Default::default() }
}

fn off(percent: &str) -> Discount {
    Discount { percent: percent.into(), reason: "friend".into(), ..Default::default() }
}

/// 20.00, with 10 % and 3.00 on top, are 25.00; and half of that is taken off. The other is free but for its charge of 100.00.
fn two_lines(desk: &Desk) -> Vec<Line> {
    let first = Line {
        charges: vec![percent("10"), amount("3.00", "Rush")],
        discounts: vec![off("50")],
        ..desk.line("1", "2", "10")
    };
    let charges = vec![amount("100.00", "Big drive")];
    vec![first, Line { charges, discounts: vec![off("10")], ..desk.line("2", "1", "0") }]
}

/// DOC-06: charges are put on a line before its discounts are taken off, so that these may be more than the price alone; a preview
/// says how, and what is issued is proven with them.
#[tokio::test]
async fn charges_are_put_on_before_discounts_are_taken_off() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = desk.invoice(two_lines(&desk));

    let request = PreviewInvoiceRequest { invoice: Some(invoice.clone()) };
    let preview = billing.invoices().preview_invoice(billing.admin.request(request)).await;
    let preview = preview.expect("a preview").into_inner();
    let draft = billing.create_invoice(invoice.clone()).await.expect("a draft");
    let issued = billing.issue(&draft, &desk.series).await.expect("issued");
    let verified = billing.verify(&desk.series, 0, 0).await.expect("an answer");

    let nets: Vec<_> = draft.lines.iter().map(|line| line.net.clone()).collect();
    assert_eq!(nets, [eur("12.50"), eur("90.00")]);
    let totals = issued.totals.clone().expect("totals");
    assert_eq!((totals.net, totals.tax, totals.gross), (eur("102.50"), eur("21.53"), eur("124.03")));
    let charges = |lines: &[Line]| lines.iter().map(|line| line.charges.clone()).collect::<Vec<_>>();
    assert_eq!(charges(&issued.lines), charges(&invoice.lines));
    assert_eq!(preview.lines, draft.lines);
    let step = r#"line 1: charge of the line: of 22.00 EUR, value 3.00 EUR, reason "Rush" = 3.00 EUR"#;
    assert!(preview.trace.iter().any(|sentence| sentence == step), "{:#?}", preview.trace);
    assert_eq!((verified.verified, verified.fault()), (1, Fault::Unspecified));
}

/// DOC-06: what is wrong with charges is said by their own fields, and a discount is named by its place among discounts.
#[tokio::test]
async fn charges_without_meaning_are_refused() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let dollars = eur("0.01").map(|money| Money { currency_code: "USD".into(), ..money });
    let wrong = vec![
        Charge::default(),
        Charge { percent: "5".into(), ..amount("0.01", "") },
        amount("-0.01", ""),
        percent("1000"),
        Charge { amount: dollars, ..Default::default() },
        amount("0.01", &"x".repeat(201)),
    ];
    let wrong = Line { charges: wrong, ..desk.line("1", "1", "1") };
    let many = Line { charges: vec![percent("1"); 21], ..desk.line("2", "1", "1") };
    let discounts = vec![off("1"), off("101")];
    let too_much = Line { charges: vec![percent("250")], discounts, ..desk.line("1", "1", "1") };

    let wrong = billing.create_invoice(desk.invoice(vec![wrong, many])).await;
    let too_much = billing.create_invoice(desk.invoice(vec![too_much])).await;

    let expected = [
        field("invoice.lines[0].charges[0]", "REQUIRED"),
        field("invoice.lines[0].charges[1]", "BOTH_GIVEN"),
        field("invoice.lines[0].charges[2].amount", "NEGATIVE"),
        field("invoice.lines[0].charges[3].percent", "AMOUNT_TOO_LARGE"),
        field("invoice.lines[0].charges[4].amount", "CURRENCY_DIFFERS"),
        field("invoice.lines[0].charges[5].reason", "TOO_LONG"),
        field("invoice.lines[1].charges", "TOO_MANY"),
    ];
    assert_eq!(violations(wrong), expected);
    assert_eq!(violations(too_much), [field("invoice.lines[0].discounts[1].value", "PERCENT_OUT_OF_RANGE")]);
}

/// Cents of net, tax, gross, withheld and due.
fn sums(credit_note: &CreditNote) -> [i64; 5] {
    let totals = credit_note.totals.clone().expect("totals");
    [totals.net, totals.tax, totals.gross, totals.withheld, totals.due].map(|sum| cents(sum.as_ref()))
}

/// DOC-06: a credit of a quantity has its share of the line's charges, of the tax on them and of what is withheld of them; parts add
/// up to the line, and leave exactly zero.
#[tokio::test]
async fn charges_are_credited_with_their_line() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    let irpf = TaxCode {
        tax: "IRPF".into(),
        category: Category::Withholding.into(),
        rates: vec![rate("15", date(2015, 7, 12), None)],
        inclusive_allowed: false,
        ..vat("ES-IRPF")
    };
    let irpf = billing.create_tax_code(irpf).await.expect("a tax code");
    // 100.00 with 10.01 on top, less 11.00.
    let mut line = Line {
        charges: vec![amount("10.01", "Big drive")],
        discounts: vec![off("10")],
        ..desk.line("1", "3", "33.333333")
    };
    line.tax_codes.push(irpf.name);
    let draft = billing.create_invoice(desk.invoice(vec![line])).await.expect("a draft");
    let invoice = billing.issue(&draft, &desk.series).await.expect("issued");

    let mut credited = [0; 5];
    for part in [vec![quantity("1", "1")], vec![quantity("1", "1")], vec![]] {
        let part = sums(&billing.credit(&invoice, part, &series).await.expect("a part"));
        assert!((3_299..=3_301).contains(&part[0]), "{part:?}");
        credited = std::array::from_fn(|at| credited[at] + part[at]);
    }
    let after = billing.get_invoice(&invoice).await;

    let totals = invoice.totals.expect("totals");
    let whole = [totals.net, totals.tax, totals.gross, totals.withheld, totals.due];
    assert_eq!(credited, whole.map(|sum| cents(sum.as_ref())));
    assert_eq!((credited[0], after.open), (9_901, eur("0.00")));
}

/// Cents and reasons.
fn told(adjustments: &[Adjustment]) -> Vec<(i64, &str)> {
    let reasons = adjustments.iter().map(|one| one.reason.as_ref().map_or("", |reason| reason.as_str()));
    adjustments.iter().map(|one| one.amount.0).zip(reasons).collect()
}

/// XTR-05: charges of a line stand below it on paper, and on the e-invoice where EN 16931 has them (BG-28); a credit note is of the line
/// with them.
#[tokio::test]
async fn charges_stand_on_documents() {
    let billing = Billing::start().await;
    let desk = billing.office().await;
    let series = billing.credits(&desk).await;
    let charges = vec![amount("3.00", "Big drive"), amount("1.00", ""), amount("0.00", "Nothing")];
    let line = Line { charges, discounts: vec![off("10")], ..desk.line("1", "2", "10") };
    let draft = Invoice { lines: vec![line], discounts: Vec::new(), ..sale(&desk) };
    let draft = billing.create_invoice(draft).await.expect("a draft");
    let issued = billing.issue(&draft, &desk.series).await.expect("issued");
    let half = billing.credit(&issued, vec![quantity("1", "1")], &series).await.expect("a half");

    let spanish = billing.render(&issued, Format::PdfHybrid, "es", Paper::A4).await.expect("a PDF");
    let english = billing.pdf(&issued, "en").await;
    let ubl = billing.render(&issued, Format::Ubl, "", Paper::A4).await.expect("UBL");
    let credited = billing.render_credit(&half, Format::Cii).await.expect("CII");

    let in_spanish =
        ["Recargo · Big drive: 3,00", "Recargo: 1,00", "Descuento 10 % · friend: −2,40", "21,60"];
    assert_says(&text(&spanish), &in_spanish);
    assert_says(
        &text(&english),
        &["Charge · Big drive: 3.00", "Charge: 1.00", "Discount 10% · friend: −2.40"],
    );
    assert!(!text(&english).contains("Nothing"), "a charge of nothing is none");
    let e_invoice = EInvoice::from_ubl(&ubl.content).expect("it is UBL");
    assert_eq!(EInvoice::from_cii(&attachment(&spanish)).expect("it is CII"), e_invoice);
    let said = &e_invoice.invoice().lines[0];
    assert_eq!(told(&said.charges), [(300, "Big drive"), (100, "Charge")]);
    assert_eq!((told(&said.allowances), said.net.0), (vec![(240, "friend")], 2_160));
    let credited = EInvoice::from_cii(&credited.content).expect("it is CII");
    assert_eq!(credited.invoice().lines[0].net.0, 1_080);
}
