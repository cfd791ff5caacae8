//! Credits of what was free: they take a quantity and no amount, stand on a document, and post nothing.

use rust_decimal::Decimal;
use tonic::Code;
use trato_einvoice::{EInvoice, Kind};
use trato_proto::billing::v1::{
    CreditNote, Invoice, TaxCode,
    credit_note::Line,
    invoice::{self, PaymentState},
    rendered_document::Format,
    tax_code::Category,
};

use crate::{
    credit_note::{of, quantity},
    harness::{Billing, Desk, cents, date, eur, field, rate, refusal, vat, violations},
    render::{assert_says, attachment, sale, text},
};

impl Billing {
    /// An issued invoice of a machine at 100.00 and two gifts.
    pub async fn with_gifts(&self, desk: &Desk) -> Invoice {
        self.issued(desk, &[("1", "1", "100"), ("gift", "2", "0")]).await
    }

    /// Records that no tax is due, and answers the tax code.
    async fn exempt(&self) -> String {
        let exempt = TaxCode {
            category: Category::Exempt.into(),
            rates: vec![rate("0", date(2010, 1, 1), None)],
            legal_note: "Article 20 of Law 37/1992".into(),
            ..vat("ES-X")
        };
        self.create_tax_code(exempt).await.expect("a tax code").name
    }

    /// Records that 15 % are withheld, and answers the tax code.
    async fn withholding(&self) -> String {
        let withholding = TaxCode {
            tax: "IRPF".into(),
            category: Category::Withholding.into(),
            rates: vec![rate("15", date(2015, 7, 12), None)],
            inclusive_allowed: false,
            ..vat("ES-IRPF")
        };
        self.create_tax_code(withholding).await.expect("a tax code").name
    }

    /// How much of the lines of documents of sales is credited.
    async fn credited_lines(&self) -> Vec<Decimal> {
        let mut tx = self.service.transaction(self.admin.tenant).await;
        sqlx::query_scalar("select credited from billable_line order by document, line")
            .fetch_all(tx.connection())
            .await
            .expect("sums")
    }
}

/// Quantities, and cents of gross and due.
fn brief(credit_note: &CreditNote) -> (Vec<&str>, [i64; 2]) {
    let totals = credit_note.totals.clone().expect("totals");
    let quantities = credit_note.items.iter().map(|item| item.quantity.as_str()).collect();
    (quantities, [cents(totals.gross.as_ref()), cents(totals.due.as_ref())])
}

/// DOC-06, DOC-07: a gift is credited by its quantity, as often as there is one, and posts nothing; the rest of the invoice is owed as
/// before, and nothing but what has neither quantity nor amount is refused.
#[tokio::test]
async fn a_gift_is_credited_by_its_quantity() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    let invoice = billing.with_gifts(&desk).await;
    let posted = billing.journal(&desk).await.len();
    let gift = || vec![quantity("gift", "1")];
    let rest = Line { key: "gift".into(), ..Default::default() };

    let first = billing.credit(&invoice, gift(), &series).await.expect("the first");
    let void = billing.void(&invoice, "Wrong").await;
    let second = billing.credit(&invoice, gift(), &series).await.expect("the second");
    let third = billing.credit(&invoice, gift(), &series).await;
    let nothing = billing.credit(&invoice, vec![rest], &series).await;
    let between = billing.get_invoice(&invoice).await;
    let postings = billing.journal(&desk).await.len();
    let machine = billing.credit(&invoice, vec![], &series).await.expect("the rest");
    let after = billing.get_invoice(&invoice).await;

    assert_eq!([brief(&first), brief(&second)], [(vec!["1"], [0, 0]), (vec!["1"], [0, 0])]);
    assert_eq!((first.number.as_str(), second.number.as_str()), ("C0001", "C0002"));
    assert_eq!(refusal(void), (Code::FailedPrecondition, "INVOICE_CREDITED".to_owned()));
    assert_eq!(violations(third), [field("credit_note.lines[0]", "CREDIT_EXCEEDS_REST")]);
    assert_eq!(refusal(nothing), (Code::FailedPrecondition, "NOTHING_TO_CREDIT".to_owned()));
    assert_eq!((between.credited, between.open, postings), (eur("0.00"), eur("121.00"), posted));
    assert_eq!(brief(&machine), (vec!["1"], [12_100, 12_100]), "of the gifts nothing is left to be said");
    assert_eq!((after.open.clone(), after.payment_state()), (eur("0.00"), PaymentState::Paid));
    billing.assert_books_are_even(&desk, &["1200", "2200", "4000"]).await;
}

/// DOC-06: of three pieces that cost a cent together each can come back by itself, and together they give back the cent.
#[tokio::test]
async fn pieces_that_cost_a_cent_together_come_back_one_by_one() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    let invoice = billing.issued(&desk, &[("1", "3", "0.003")]).await;

    let mut given = Vec::new();
    for _ in 0..3 {
        let piece = billing.credit(&invoice, vec![quantity("1", "1")], &series).await.expect("a piece");
        given.push(brief(&piece).1);
    }
    let after = billing.get_invoice(&invoice).await;

    assert_eq!(given, [[0, 0], [1, 1], [0, 0]]);
    assert_eq!((after.credited, after.open), (eur("0.01"), eur("0.00")));
    billing.assert_books_are_even(&desk, &["1200", "4000"]).await;
}

/// DOC-06, DOC-07: what an order gave away is invoiced and credited in the ledger of quantities as what it sold is, also where the whole
/// invoice was free.
#[tokio::test]
async fn free_goods_of_an_order_are_counted_as_credited() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    billing.hear_basis("orders/a", 10).await;
    let free = invoice::Line { source_line: "1".into(), ..desk.line("1", "10", "0") };
    let draft = Invoice { source_document: "orders/a".into(), ..desk.invoice(vec![free]) };
    let draft = billing.create_invoice(draft).await.expect("a draft");
    let invoice = billing.issue(&draft, &desk.series).await.expect("issued");

    billing.credit(&invoice, vec![quantity("1", "4")], &series).await.expect("four");
    let part = billing.credited_lines().await;
    billing.credit(&invoice, vec![], &series).await.expect("the rest");
    let all = billing.credited_lines().await;
    let again = billing.create_credit_note(of(&invoice, vec![])).await;

    assert_eq!((part, all), (vec![Decimal::from(4)], vec![Decimal::from(10)]));
    assert_eq!(refusal(again), (Code::FailedPrecondition, "NOTHING_TO_CREDIT".to_owned()));
    assert!(billing.journal(&desk).await.is_empty(), "nothing is posted of nothing");
}

/// DOC-06, DOC-10: of parts that cost less than a cent nothing is withheld, so that none of them is less than nothing; and nothing is left
/// to be withheld when nothing is left of the price.
#[tokio::test]
async fn of_parts_that_cost_less_than_a_cent_nothing_is_withheld() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    let tax_codes = vec![billing.exempt().await, billing.withholding().await];
    let line = |key: &str| invoice::Line { tax_codes: tax_codes.clone(), ..desk.line(key, "1", "1") };
    let keys = ["1", "2", "3", "4", "5", "6", "7"];
    let draft = billing.create_invoice(desk.invoice(keys.map(line).to_vec())).await.expect("a draft");
    let invoice = billing.issue(&draft, &desk.series).await.expect("issued");

    let mut given = Vec::new();
    for part in ["0.0049", "0.9902", "0.0049"] {
        let parts = keys.map(|key| quantity(key, part)).to_vec();
        let note = billing.credit(&invoice, parts, &series).await.expect("a part");
        let totals = note.totals.expect("totals");
        given.push([totals.gross, totals.withheld, totals.due].map(|sum| cents(sum.as_ref())));
    }
    let after = billing.get_invoice(&invoice).await;

    let due = invoice.totals.expect("totals").due;
    assert_eq!((due, given), (eur("5.95"), vec![[0, 0, 0], [700, 105, 595], [0, 0, 0]]));
    assert_eq!((after.open.clone(), after.payment_state()), (eur("0.00"), PaymentState::Paid));
    billing.assert_books_are_even(&desk, &["1200", "4000"]).await;
}

/// XTR-05: a credit note of nothing but a gift says what came back, on paper and as an e-invoice.
#[tokio::test]
async fn a_credit_note_of_a_gift_is_a_document() {
    let billing = Billing::start().await;
    let desk = billing.office().await;
    let series = billing.credits(&desk).await;
    let mut draft = sale(&desk);
    draft.lines.push(desk.line("gift", "2", "0"));
    let draft = billing.create_invoice(draft).await.expect("a draft");
    let invoice = billing.issue(&draft, &desk.series).await.expect("issued");
    let note = billing.credit(&invoice, vec![quantity("gift", "2")], &series).await.expect("credited");

    let pdf = billing.render_credit(&note, Format::PdfHybrid).await.expect("a PDF");
    let ubl = billing.render_credit(&note, Format::Ubl).await.expect("UBL");

    assert_says(&text(&pdf), &["Factura rectificativa C0001", "Coffee machine", "Total rectificado"]);
    let e_invoice = EInvoice::from_cii(&attachment(&pdf)).expect("it is CII");
    assert_eq!(EInvoice::from_ubl(&ubl.content).expect("it is UBL"), e_invoice);
    let said = e_invoice.invoice();
    assert_eq!((said.kind, said.lines.len(), said.totals.gross.0), (Kind::CreditNote, 1, 0));
    assert_eq!(said.lines[0].quantity.to_string(), "2");
}
