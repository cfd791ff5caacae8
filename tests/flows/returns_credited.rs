//! From a return to the credit notes of what billed it, across sales and billing.

use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    orders::{Trade, trade},
    quotes::verb,
};
use crate::harness::{
    answer::Answer,
    tenant::Tenant,
    values::{cents, list, name, text},
};

impl Trade {
    async fn credit(&self, sales_return: &str, more: Value) -> Answer {
        let mut request = json!({ "salesReturn": sales_return, "requestId": Uuid::new_v4() });
        for (field, value) in more.as_object().into_iter().flatten() {
            request[field] = value.clone();
        }
        self.biller.post("/v1/creditNotes:createFromReturn", request).await
    }

    /// Delivers all of an order and has it received; answers its delivery note.
    async fn received(&self, order: &str) -> String {
        let note = self.made("deliveryNotes", json!({ "order": order })).await;
        verb(&self.seller, &note, "issue", json!({})).await;
        verb(&self.seller, &note, "confirm", json!({ "proof": { "receiver": "Eva" } })).await;
        note
    }

    /// Lets two pieces of a delivery note come back, and finds out that they are refunded.
    async fn inspected(&self, note: &str) -> String {
        let back = self.bring_back(note).await;
        self.inspect(&back).await;
        back
    }
}

/// DOC-05, DOC-07, DOC-09: what is settled by refund is credited on the invoices that billed it, of the quote and of the delivery
/// note, the oldest first; once, however many ask; and not before it is settled, nor where nothing was invoiced.
#[tokio::test]
async fn what_comes_back_is_credited_where_it_was_billed() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    trade.all_numbers().await;
    let (invoices, credits) =
        (trade.billing_numbers("INVOICE", "F").await, trade.billing_numbers("CREDIT_NOTE", "C").await);
    trade.publish_return_policy().await;
    let document = json!({ "currencyCode": "USD", "lines": [{ "product": product, "quantity": "3" }] });
    let quote = trade.accepted_quote(document.clone()).await;
    let order = name(&trade.seller.post("/v1/orders:createFromQuote", json!({ "quote": quote })).await.ok());
    verb(&trade.seller, &order, "confirm", json!({})).await;
    let mut first = trade.invoicing(&quote, &invoices);
    first["lines"] = json!([{ "sourceLine": "1", "quantity": "1" }]);
    let first = name(&trade.invoice(first).await.ok());
    let note = trade.received(&order).await;
    let second = trade.invoice(trade.invoicing(&note, &invoices)).await.ok();
    assert_eq!(cents(&second["totals"]["gross"]), 242_000, "one was invoiced by the quote");
    let back = trade.inspected(&note).await;

    let early = trade.credit(&back, json!({})).await.refused_as("SOURCE_NOT_READY");
    verb(&trade.seller, &back, "settle", json!({})).await;
    let tried = trade.credit(&back, json!({ "validateOnly": true })).await.ok();
    let issue = || json!({ "issue": true, "numberSeries": credits });
    let answers = join_all((0..4).map(|_| trade.credit(&back, issue()))).await;

    assert_eq!(early.metadata["sales_return"], back);
    assert_eq!(list(&tried, "creditNotes").len(), 2);
    let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((done.len(), refused.len()), (1, 3), "a return is credited once");
    let done = done.into_iter().next().expect("one was done").ok();
    let notes = list(&done, "creditNotes");
    let brief: Vec<_> = notes
        .iter()
        .map(|note| (text(note, "invoice"), text(note, "number"), cents(&note["totals"]["gross"])))
        .collect();
    assert_eq!(brief, [(first.as_str(), "C1", 121_000), (text(&second, "name"), "C2", 121_000)]);
    assert!(notes.iter().all(|note| text(note, "salesReturn") == back && text(note, "reason") == "Too loud"));
    for refused in refused {
        assert_eq!(refused.refused_as("RETURN_CREDITED").metadata["credit_note"], name(&notes[0]));
    }

    let other = trade.made("orders", json!({ "account": trade.account, "document": document })).await;
    verb(&trade.seller, &other, "confirm", json!({})).await;
    let back = trade.inspected(&trade.received(&other).await).await;
    verb(&trade.seller, &back, "settle", json!({})).await;
    trade.credit(&back, issue()).await.refused_as("NOTHING_TO_CREDIT");
}
