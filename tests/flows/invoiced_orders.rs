//! Invoices of orders, of the quotes they came of and of their delivery notes: together they come to what the order says, and never
//! to more.

use chrono::{Datelike as _, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    orders::{Trade, trade},
    quotes::verb,
};
use crate::harness::{
    eventually::{SOON, eventually},
    tenant::Tenant,
    values::{cents, day, dollars, list, name, text, texts},
};

impl Trade {
    /// Series of everything that sales numbers, and one of invoices.
    pub async fn numbers_to_invoice(&self) -> String {
        self.all_numbers().await;
        self.billing_numbers("INVOICE", "F").await
    }

    /// An accepted quote, and its order, confirmed on these terms.
    async fn ordered(&self, document: Value, terms: Value) -> (String, Value) {
        let quote = self.accepted_quote(document).await;
        let order = self.seller.post("/v1/orders:createFromQuote", json!({ "quote": quote })).await.ok();
        let order = name(&order);
        self.seller.patch(&format!("/v1/{order}"), terms).await.ok();
        (quote, verb(&self.seller, &order, "confirm", json!({})).await)
    }

    /// An issued delivery note of so much of the first line of an order.
    pub async fn delivered(&self, order: &str, quantity: &str) -> String {
        let lines = json!([{ "orderLine": "1", "quantity": quantity }]);
        let note = self.made("deliveryNotes", json!({ "order": order, "lines": lines })).await;
        verb(&self.seller, &note, "issue", json!({})).await;
        note
    }
}

/// Pieces at a thousand dollars, and freight of fifty.
fn with_freight(product: &str, quantity: &str) -> Value {
    json!({
        "currencyCode": "USD", "lines": [{ "product": product, "quantity": quantity }],
        "charges": [{ "key": "freight", "reason": "Freight", "amount": dollars(50), "taxClass": "VAT-21" }],
    })
}

/// Lines of the source and how much of them is invoiced.
fn invoiced(invoice: &Value) -> Vec<(&str, &str)> {
    list(invoice, "lines").iter().map(|line| (text(line, "sourceLine"), text(line, "quantity"))).collect()
}

fn net(document: &Value) -> i64 {
    cents(&document["totals"]["net"])
}

/// DOC-04, DOC-07: a quote that has become an order is invoiced as the order is: not what was cancelled of it, not before it is
/// delivered where that counts, and not at all once the order is cancelled.
#[tokio::test]
async fn a_quote_is_invoiced_as_its_order_is() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    let series = trade.numbers_to_invoice().await;
    let ordered = async |policy: &str| {
        let terms = json!({ "invoicingPolicy": policy });
        let (quote, order) = trade.ordered(with_freight(&product, "10"), terms).await;
        (quote, name(&order))
    };
    let invoice = async |source: &str| trade.invoice(trade.invoicing(source, &series)).await;

    let (quote, order) = ordered("ORDERED").await;
    let cut = json!({ "lines": [{ "line": "1", "quantity": "6" }] });
    verb(&trade.seller, &order, "cancelLines", cut).await;
    assert_eq!(invoiced(&invoice(&order).await.ok()), [("1", "4"), ("freight", "1")]);
    invoice(&quote).await.refused_as("ALREADY_INVOICED");

    let (quote, order) = ordered("DELIVERED").await;
    for source in [&quote, &order] {
        let refusal = invoice(source).await.refused_as("NOTHING_TO_INVOICE");
        assert_eq!(refusal.code, "FAILED_PRECONDITION", "nobody takes it for done");
    }
    let note = trade.delivered(&order, "4").await;
    assert_eq!(invoiced(&invoice(&quote).await.ok()), [("1", "4"), ("freight", "1")]);
    for source in [&order, &note] {
        invoice(source).await.refused_as("ALREADY_INVOICED");
    }

    let (quote, order) = ordered("ORDERED").await;
    verb(&trade.seller, &order, "cancel", json!({ "reason": "Not wanted" })).await;
    for source in [&quote, &order] {
        invoice(source).await.refused_as("SOURCE_NOT_READY");
    }
}

/// DOC-05, DOC-07, DOC-09: what came back, is refunded and credited is not invoiced again, by whichever name; nor is the freight.
/// Nothing of it is invoiced any more, and nothing may be.
#[tokio::test]
async fn what_is_refunded_and_credited_is_not_invoiced_again() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    let series = trade.numbers_to_invoice().await;
    let credits = trade.billing_numbers("CREDIT_NOTE", "C").await;
    trade.publish_return_policy().await;
    let (quote, order) = trade.ordered(with_freight(&product, "2"), json!({ "customerPo": "PO 1" })).await;
    let order = name(&order);
    let note = trade.delivered(&order, "2").await;
    verb(&trade.seller, &note, "confirm", json!({ "proof": { "receiver": "Eva" } })).await;
    let invoice = name(&trade.invoice(trade.invoicing(&order, &series)).await.ok());

    let two = [("1", "2")];
    let back = trade.bring_back(&note, &two).await;
    trade.inspect(&back, &two).await;
    verb(&trade.seller, &back, "settle", json!({})).await;
    let credit = trade.made("creditNotes", json!({ "invoice": invoice, "reason": "Returned" })).await;
    verb(&trade.biller, &credit, "issue", json!({ "numberSeries": credits })).await;

    for source in [&quote, &order, &note] {
        trade.invoice(trade.invoicing(source, &series)).await.refused_as("NOTHING_TO_INVOICE");
    }
}

/// DOC-04, DOC-07: of a delivery note of which all was refused nothing is invoiced, nor anything to invoice: what another one brought
/// says nothing of it, freight neither. Of the order all that may be is.
#[tokio::test]
async fn of_what_was_refused_nothing_is_invoiced() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    let series = trade.numbers_to_invoice().await;
    let terms = json!({ "invoicingPolicy": "DELIVERED" });
    let (_, order) = trade.ordered(with_freight(&product, "2"), terms).await;
    let order = name(&order);
    let (taken, refused) = (trade.delivered(&order, "1").await, trade.delivered(&order, "1").await);
    let invoice = async |source: &str| trade.invoice(trade.invoicing(source, &series)).await;

    let none = json!({
        "proof": { "receiver": "Eva" }, "refusals": [{ "line": "1", "quantity": "1", "reason": "Scratched" }],
    });
    verb(&trade.seller, &refused, "confirm", none).await;
    let made = invoice(&taken).await.ok();

    assert_eq!(invoiced(&made), [("1", "1"), ("charges/freight", "1")]);
    invoice(&refused).await.refused_as("NOTHING_TO_INVOICE");
    for source in [&order, &taken] {
        invoice(source).await.refused_as("ALREADY_INVOICED");
    }
}

/// DOC-04, DOC-05, DOC-07: of an order that is invoiced as it is delivered, fees are invoiced with the order, freight with the first
/// delivery note, and everything once; together it is what was agreed on.
#[tokio::test]
async fn fees_and_freight_of_what_is_delivered_are_invoiced_once() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    let series = trade.numbers_to_invoice().await;
    let mut document = with_freight(&product, "4");
    let fee = json!({ "key": "fee", "product": product, "quantity": "1", "unitPrice": "9.99" });
    document["lines"] = json!([{ "product": product, "quantity": "4" }, fee]);
    let terms = json!({ "invoicingPolicy": "DELIVERED", "undeliveredLines": ["fee"] });
    let (_, order) = trade.ordered(document, terms).await;
    let source = name(&order);
    let invoice = async |source: &str| trade.invoice(trade.invoicing(source, &series)).await;

    let fee = invoice(&source).await.ok();
    invoice(&source).await.refused_as("ALREADY_INVOICED");
    let first = invoice(&trade.delivered(&source, "1").await).await.ok();
    let second = invoice(&trade.delivered(&source, "3").await).await.ok();

    assert_eq!(invoiced(&fee), [("fee", "1")]);
    assert_eq!(invoiced(&first), [("1", "1"), ("charges/freight", "1")]);
    assert_eq!(invoiced(&second), [("1", "3")]);
    assert_eq!(net(&fee) + net(&first) + net(&second), net(&order["document"]));
    invoice(&source).await.refused_as("ALREADY_INVOICED");
}

/// DOC-04, DOC-07: milestones release their share of lines and charges alike, and the invoices of all of them come to the order.
#[tokio::test]
async fn milestones_of_an_order_add_up_to_it() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    let series = trade.numbers_to_invoice().await;
    let mut document = with_freight(&product, "1");
    document["charges"][0]["amount"] = json!({ "currencyCode": "USD", "units": "10", "nanos": 10_000_000 });
    let (quote, order) = trade.ordered(document, json!({ "invoicingPolicy": "MILESTONE" })).await;
    let source = name(&order);
    let invoice = async |source: &str| trade.invoice(trade.invoicing(source, &series)).await;

    invoice(&source).await.refused_as("NOTHING_TO_INVOICE");
    let mut together = 0;
    for (released, by, part) in [("30", &source, "0.3"), ("55", &quote, "0.25"), ("100", &source, "0.45")] {
        verb(&trade.seller, &source, "releaseMilestone", json!({ "releasedPercent": released })).await;
        let made = invoice(by).await.ok();
        let counted = invoiced(&made).into_iter().filter(|(line, _)| !line.is_empty());
        assert_eq!(counted.collect::<Vec<_>>(), [("1", part), ("freight", part)]);
        invoice(&source).await.refused_as("ALREADY_INVOICED");
        together += net(&made);
    }

    assert_eq!(together, net(&order["document"]));
}

/// DOC-04, DOC-07: an order that is held is not invoiced, nor is its quote; what has left is owed, and who pays first needs an
/// invoice to pay.
#[tokio::test]
async fn an_order_that_is_held_is_not_invoiced() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    let series = trade.numbers_to_invoice().await;
    let (quote, order) = trade.ordered(with_freight(&product, "3"), json!({ "customerPo": "PO 1" })).await;
    let order = name(&order);
    let note = trade.delivered(&order, "1").await;
    let invoice = async |source: &str| trade.invoice(trade.invoicing(source, &series)).await;

    verb(&trade.seller, &order, "hold", json!({ "reason": "FRAUD" })).await;
    for source in [&order, &quote] {
        invoice(source).await.refused_as("ORDER_ON_HOLD");
    }
    let sent = invoice(&note).await.ok();
    verb(&trade.seller, &order, "release", json!({})).await;
    verb(&trade.seller, &order, "hold", json!({ "reason": "CREDIT" })).await;
    let rest = invoice(&quote).await.ok();

    let lines = |invoice: &Value| texts(list(invoice, "lines"), "sourceLine");
    assert_eq!(
        (lines(&sent), invoiced(&rest)),
        (vec!["1".into(), "charges/freight".into()], vec![("1", "2")])
    );
}

/// DOC-04, DOC-07: nor is the quote while its order is held as a draft, nor once that was cancelled; it is until then.
#[tokio::test]
async fn a_quote_is_not_invoiced_past_its_draft_order() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    let series = trade.numbers_to_invoice().await;
    let drafted = async || {
        let quote = trade.accepted_quote(with_freight(&product, "1")).await;
        let order = trade.seller.post("/v1/orders:createFromQuote", json!({ "quote": quote })).await.ok();
        (quote, name(&order))
    };
    let invoice = async |source: &str| trade.invoice(trade.invoicing(source, &series)).await;

    for reason in ["FRAUD", "MANUAL"] {
        let (quote, order) = drafted().await;
        verb(&trade.seller, &order, "hold", json!({ "reason": reason })).await;
        invoice(&quote).await.refused_as("ORDER_ON_HOLD");
        verb(&trade.seller, &order, "release", json!({})).await;
        assert_eq!(invoiced(&invoice(&quote).await.ok()), [("1", "1"), ("freight", "1")]);
    }
    let (quote, order) = drafted().await;
    verb(&trade.seller, &order, "cancel", json!({ "reason": "Not wanted" })).await;
    invoice(&quote).await.refused_as("SOURCE_NOT_READY");
}

/// DOC-05, DOC-06, DOC-07: an invoice is rounded as what was sold was, in the name of whoever made that out, as of the day on which
/// it arrived there; and says the numbers of order, delivery note and the customer's own order.
#[tokio::test]
async fn an_invoice_is_made_out_as_what_was_sold() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    let series = trade.numbers_to_invoice().await;
    let line = json!({ "product": product, "quantity": "1", "unitPrice": "0.25" });
    let document = json!({
        "currencyCode": "USD", "lines": [line, line], "taxRounding": "LINE",
        "smallestPayment": { "currencyCode": "USD", "nanos": 250_000_000 },
    });
    let (_, order) = trade.ordered(document, json!({ "customerPo": "PO 77" })).await;
    let note = json!({ "order": name(&order), "legalEntity": trade.legal_entity });
    let note = trade.made("deliveryNotes", note).await;
    let path = format!("/v1/{note}:issue");
    let issue = || async { trade.seller.post(&path, json!({ "requestId": Uuid::new_v4() })).await.status };
    eventually(SOON, "sales to hear of the legal entity", issue, |status| *status == 200).await;
    // After midnight in Madrid, at most a day from now.
    let today = Utc::now().date_naive();
    let arrived = format!("{today}T23:30:00Z");
    let arrived = json!({ "proof": { "receiver": "Eva" }, "deliveryTime": arrived });
    verb(&trade.seller, &note, "confirm", arrived).await;
    let other = json!({
        "displayName": "Other", "legalName": "Other S.L.", "timeZone": "UTC", "baseCurrencyCode": "USD",
    });
    let other = trade.made("legalEntities", other).await;

    let by = |legal_entity: &str| {
        let mut request = trade.invoicing(&note, &series);
        request["legalEntity"] = json!(legal_entity);
        request
    };
    let refusal = trade.invoice(by(&other)).await.refused_as("LEGAL_ENTITY_DIFFERS");
    let invoice = trade.invoice(by("")).await.ok();

    assert_eq!(refusal.metadata["legal_entity"], trade.legal_entity);
    assert_eq!(text(&invoice, "legalEntity"), trade.legal_entity);
    let totals =
        |document: &Value| ["tax", "gross", "rounding", "due"].map(|field| cents(&document["totals"][field]));
    assert_eq!(totals(&order["document"]), [10, 60, -10, 50]);
    assert_eq!(totals(&invoice), totals(&order["document"]));
    let next = today.succ_opt().expect("there is a next day");
    assert_eq!(invoice["supplyDate"], day(next.year(), next.month(), next.day()));
    let numbers = ["purchaseOrder", "salesOrderNumber", "deliveryNoteNumber"];
    assert_eq!(numbers.map(|field| text(&invoice, field)), ["PO 77", "O1", "D1"]);
}
