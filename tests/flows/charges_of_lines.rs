//! What is put on a line in sales, such as what an option costs, from the quote to the invoice and back by credit notes.

use serde_json::{Value, json};

use super::{
    orders::{Trade, trade},
    quotes::verb,
    returns_credited::issue,
};
use crate::harness::{
    tenant::Tenant,
    values::{cents, dollars, list, name, text, texts},
};

/// Three plotters with a drive that costs 100.01 more each, 10.00 for the rush by hand, and 5 % off: 3,000.00 and 310.03, less 165.50.
pub async fn configured(trade: &Trade) -> Value {
    let surcharge = json!({ "currencyCode": "USD", "units": "100", "nanos": 10_000_000 });
    let big = json!({ "key": "big", "displayName": "Big drive", "surcharges": [surcharge] });
    let product = json!({
        "displayName": "Plotter", "sellable": true, "listPrice": dollars(1_000), "taxClass": "VAT-21",
        "optionGroups": [
            { "key": "drive", "displayName": "Drive", "minCount": 1, "maxCount": 1, "options": [big] },
        ],
    });
    let product = trade.made("products", product).await;
    let line = json!({
        "product": product, "quantity": "3", "choices": [{ "option": "big", "count": 1 }],
        "adjustments": [
            { "kind": "CHARGE", "amount": dollars(10), "reason": "Rush" },
            { "kind": "DISCOUNT", "percent": "5", "reason": "Loyal" },
        ],
    });
    json!({ "currencyCode": "USD", "lines": [line] })
}

/// Cents of net and gross.
fn sums(document: &Value) -> [i64; 2] {
    ["net", "gross"].map(|sum| cents(&document["totals"][sum]))
}

impl Trade {
    /// A quote of a document becomes an order, which is delivered and invoiced by its note; answers the note and the invoice.
    async fn delivered_and_invoiced(&self, document: &Value, series: &str) -> (String, Value) {
        let quote = self.accepted_quote(document.clone()).await;
        let order = self.seller.post("/v1/orders:createFromQuote", json!({ "quote": quote })).await.ok();
        let confirmed = verb(&self.seller, &name(&order), "confirm", json!({})).await;
        let note = self.received(&name(&order)).await;
        let invoice = self.invoice(self.invoicing(&note, series)).await.ok();
        assert_eq!(sums(&invoice), sums(&confirmed["document"]));
        (note, invoice)
    }

    /// Credits so much of the first line of a delivery note, which has come back; answers net and gross.
    async fn credited(&self, note: &str, quantity: &str, series: &str) -> [i64; 2] {
        let back = self.refunded(note, &[("1", quantity)]).await;
        let credited = self.credit(&back, issue(series)).await.ok();
        let [note] = list(&credited, "creditNotes") else { panic!("one credit note: {credited}") };
        sums(note)
    }

    /// What is open of an invoice, in cents.
    async fn open(&self, invoice: &Value) -> i64 {
        cents(&self.biller.get(&format!("/v1/{}", name(invoice))).await.ok()["open"])
    }
}

/// DOC-05, DOC-07, DOC-09: a configured product that comes back is credited with what its options cost and with what was put on it by
/// hand: all at once, or in parts that add up to the cent; and then nothing of its invoice is open.
#[tokio::test]
async fn a_configured_product_that_comes_back_is_credited_whole() {
    let tenant = Tenant::fresh();
    let (trade, _) = trade(&tenant).await;
    let (invoices, credits) = trade.ready().await;
    let document = configured(&trade).await;

    let (whole, invoice) = trade.delivered_and_invoiced(&document, &invoices).await;
    let all = trade.credited(&whole, "3", &credits).await;
    let (parted, other) = trade.delivered_and_invoiced(&document, &invoices).await;
    let first = trade.credited(&parted, "1", &credits).await;
    let between = trade.open(&other).await;
    let rest = trade.credited(&parted, "2", &credits).await;

    let [line] = list(&invoice, "lines") else { panic!("one line: {invoice}") };
    assert_eq!(texts(list(line, "charges"), "reason"), ["Big drive", "Rush"]);
    assert_eq!(texts(list(line, "discounts"), "reason"), ["Loyal"]);
    assert_eq!((all, sums(&invoice)[0]), (sums(&invoice), 314_453));
    assert_eq!(trade.open(&invoice).await, 0);
    assert_eq!(first[0], 104_818, "a third of what the line comes to");
    assert_eq!(between, sums(&other)[1] - first[1]);
    assert_eq!([first[0] + rest[0], first[1] + rest[1]], sums(&other));
    assert_eq!(trade.open(&other).await, 0);
}

/// DOC-07: what is credited by hand and invoiced again from its source comes to the same again, and not to more.
#[tokio::test]
async fn what_is_credited_by_hand_is_invoiced_again_at_the_same() {
    let tenant = Tenant::fresh();
    let (trade, _) = trade(&tenant).await;
    let (invoices, credits) = trade.ready().await;
    let quote = trade.accepted_quote(configured(&trade).await).await;
    let invoice = trade.invoice(trade.invoicing(&quote, &invoices)).await.ok();

    let lines = json!([{ "key": "1", "quantity": "3" }]);
    let credit = json!({ "invoice": name(&invoice), "reason": "Wrong address", "lines": lines });
    let credit = trade.made("creditNotes", credit).await;
    let credited = verb(&trade.biller, &credit, "issue", json!({ "numberSeries": credits })).await;
    let again = trade.invoice(trade.invoicing(&quote, &invoices)).await.ok();

    assert_eq!((sums(&credited), trade.open(&invoice).await), (sums(&invoice), 0));
    assert_eq!((sums(&again), &again["lines"]), (sums(&invoice), &invoice["lines"]));
}

/// DOC-06, DOC-07: what validating answers of a document of sales is previewed as it is: it comes to the same, as the invoice does, and
/// each step is told.
#[tokio::test]
async fn what_would_be_invoiced_is_previewed_with_its_arithmetic() {
    let tenant = Tenant::fresh();
    let (trade, _) = trade(&tenant).await;
    let (invoices, _) = trade.ready().await;
    let quote = trade.accepted_quote(configured(&trade).await).await;
    let mut trial = trade.invoicing(&quote, &invoices);
    (trial["issue"], trial["validateOnly"]) = (json!(false), json!(true));

    let draft = trade.invoice(trial).await.ok();
    let preview = trade.biller.post("/v1/invoices:preview", json!({ "invoice": draft })).await.ok();
    let invoice = trade.invoice(trade.invoicing(&quote, &invoices)).await.ok();

    for field in ["lines", "taxGroups", "totals", "supplyDate"] {
        assert_eq!((field, &preview[field]), (field, &draft[field]));
    }
    assert_eq!(sums(&preview), sums(&invoice));
    let trace: Vec<_> = list(&preview, "trace").iter().filter_map(Value::as_str).collect();
    let step = r#"reason "Big drive" = 300.03 USD"#;
    assert!(trace.iter().any(|sentence| sentence.contains(step)), "{trace:#?}");
}

/// DOC-07: the largest document that sales has is invoiced in one call: a thousand lines, each with a charge, and freight.
#[tokio::test]
async fn a_thousand_lines_with_charges_and_freight_are_one_invoice() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    trade.numbers("QUOTE", "Q").await;
    let series = trade.billing_numbers("INVOICE", "F").await;
    let line = json!({
        "product": product, "quantity": "1.5", "unitPrice": "9.999",
        "adjustments": [{ "kind": "CHARGE", "percent": "7", "reason": "Rush" }],
    });
    let freight =
        json!({ "key": "freight", "reason": "Freight", "amount": dollars(50), "taxClass": "VAT-21" });
    let document = json!({ "currencyCode": "USD", "lines": vec![line; 1_000], "charges": [freight] });
    let quote = trade.accepted_quote(document).await;
    let agreed = trade.seller.get(&format!("/v1/{quote}")).await.ok();

    let invoice = trade.invoice(trade.invoicing(&quote, &series)).await.ok();

    let lines = list(&invoice, "lines");
    assert_eq!((lines.len(), text(&lines[1_000], "sourceLine")), (1_001, "freight"));
    assert_eq!(sums(&invoice), sums(&agreed["document"]));
}
