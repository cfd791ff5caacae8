//! From an accepted quote to what was delivered, invoiced, returned and credited, across sales and billing.

use serde_json::{Value, json};
use trato_devstack::trade;
use uuid::Uuid;

use super::quotes::taxed_product;
pub use super::quotes::verb;
use crate::harness::{
    answer::Answer,
    caller::Caller,
    eventually::{SOON, eventually},
    tenant::Tenant,
    values::{cents, day, list, name, text},
};

/// What two services do in one tenant.
pub struct Trade {
    pub seller: Caller,
    pub biller: Caller,
    pub account: String,
    pub legal_entity: String,
}

impl Trade {
    pub async fn made(&self, collection: &str, body: Value) -> String {
        name(&self.biller.post(&format!("/v1/{collection}"), body).await.ok())
    }

    /// A series in sales that is the default of its kind.
    pub async fn numbers(&self, document_kind: &str, prefix: &str) {
        self.made("salesNumberSeries", trade::numbers(document_kind, prefix)).await;
    }

    /// Series of everything that sales numbers, each called by one letter.
    pub async fn all_numbers(&self) {
        for (kind, prefix) in [("QUOTE", "Q"), ("ORDER", "O"), ("DELIVERY_NOTE", "D"), ("RETURN", "R")] {
            self.numbers(kind, prefix).await;
        }
    }

    /// Publishes a policy by which things come back.
    pub async fn publish_return_policy(&self) {
        let policy =
            json!({ "displayName": "Standard", "code": "STANDARD", "windowDays": 14, "payer": "BUYER" });
        let policy = self.made("returnPolicies", policy).await;
        verb(&self.seller, &policy, "publish", json!({})).await;
    }

    /// Lets so much of these lines of a delivery note, the first ones of it, come back; answers the return, which is received.
    pub async fn bring_back(&self, note: &str, lines: &[(&str, &str)]) -> String {
        let sent: Vec<_> =
            lines.iter().map(|(line, some)| json!({ "deliveryLine": line, "quantity": some })).collect();
        let back = json!({
            "deliveryNote": note, "reason": "Too loud", "policyCode": "STANDARD", "lines": sent,
        });
        let back = self.made("salesReturns", back).await;
        verb(&self.seller, &back, "authorise", json!({})).await;
        verb(&self.seller, &back, "receive", json!({})).await;
        back
    }

    /// Finds out that these lines of what came back are refunded.
    pub async fn inspect(&self, back: &str, lines: &[(&str, &str)]) {
        let refund = |line: &str| json!({ "line": line, "condition": "OPENED", "disposition": "REFUND" });
        let found: Vec<_> = lines.iter().map(|(line, _)| refund(line)).collect();
        verb(&self.seller, back, "inspect", json!({ "lines": found })).await;
    }

    /// A gap-free series of billing.
    pub async fn billing_numbers(&self, document_kind: &str, prefix: &str) -> String {
        self.made("numberSeries", trade::billing_numbers(&self.legal_entity, document_kind, prefix)).await
    }

    /// An accepted quote of these lines.
    pub async fn accepted_quote(&self, document: Value) -> String {
        let quote = self.made("quotes", json!({ "account": self.account, "document": document })).await;
        verb(&self.seller, &quote, "submit", json!({})).await;
        verb(&self.seller, &quote, "send", json!({})).await;
        verb(&self.seller, &quote, "accept", json!({ "accepter": "Eva Soler" })).await;
        quote
    }

    /// Asks to invoice a document of sales, and to issue the invoice in this series.
    pub fn invoicing(&self, source: &str, series: &str) -> Value {
        json!({
            "sourceDocument": source, "legalEntity": self.legal_entity, "issue": true, "numberSeries": series,
            "requestId": Uuid::new_v4(),
        })
    }

    /// Invoices a document of sales.
    pub async fn invoice(&self, request: Value) -> Answer {
        self.biller.post("/v1/invoices:createFromSource", request).await
    }
}

/// Waits until sales has heard of what billing did with an order: until its invoice status is this one.
pub async fn until_invoiced(by: &Caller, order: &str, status: &str) -> Value {
    let look = || async { by.get(&format!("/v1/{order}")).await.ok() };
    eventually(SOON, "sales to hear of billing", look, |order| text(order, "invoiceStatus") == status).await
}

pub async fn trade(tenant: &Tenant) -> (Trade, String) {
    let (seller, biller) = (tenant.director(), tenant.administrator());
    let product = taxed_product(&biller, &seller).await;
    let account = name(&seller.post("/v1/accounts", json!({ "displayName": "Miramar" })).await.ok());
    let legal_entity = name(&biller.post("/v1/legalEntities", trade::legal_entity("USD")).await.ok());
    (Trade { seller, biller, account, legal_entity }, product)
}

/// DOC-04, DOC-05, DOC-08, DOC-09: a quote becomes an order that is delivered in parts, invoiced by its delivery note, returned and
/// credited; its states follow, whichever service did it.
#[tokio::test]
async fn an_order_is_delivered_invoiced_returned_and_credited() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    trade.all_numbers().await;
    let (invoices, credits) =
        (trade.billing_numbers("INVOICE", "F").await, trade.billing_numbers("CREDIT_NOTE", "C").await);
    trade.publish_return_policy().await;

    let document = json!({ "currencyCode": "USD", "lines": [{ "product": product, "quantity": "2" }] });
    let quote = trade.accepted_quote(document).await;
    let order = trade.seller.post("/v1/orders:createFromQuote", json!({ "quote": quote })).await.ok();
    let order = name(&order);
    let terms = json!({ "name": order, "invoicingPolicy": "DELIVERED", "promisedDate": day(2999, 1, 7) });
    trade.seller.patch(&format!("/v1/{order}"), terms).await.ok();
    let confirmed = verb(&trade.seller, &order, "confirm", json!({})).await;
    assert_eq!((text(&confirmed, "number"), text(&confirmed, "deliveryStatus")), ("O1", "NONE"));
    assert_eq!(cents(&confirmed["document"]["totals"]["gross"]), 242_000);

    let note = trade.made("deliveryNotes", json!({ "order": order })).await;
    let issued = verb(&trade.seller, &note, "issue", json!({})).await;
    assert_eq!(text(&issued, "number"), "D1");
    verb(&trade.seller, &note, "dispatch", json!({ "carrier": "Correos" })).await;
    verb(&trade.seller, &note, "confirm", json!({ "proof": { "receiver": "Eva" } })).await;
    let delivered = until_invoiced(&trade.seller, &order, "TO_INVOICE").await;
    assert_eq!((text(&delivered, "state"), text(&delivered, "deliveryStatus")), ("FULFILLED", "FULL"));

    let invoice = trade.invoice(trade.invoicing(&note, &invoices)).await.ok();
    assert_eq!((text(&invoice, "number"), cents(&invoice["totals"]["gross"])), ("F1", 242_000));
    for source in [&note, &order, &quote] {
        let refused = trade.invoice(trade.invoicing(source, &invoices)).await.refused_as("ALREADY_INVOICED");
        assert_eq!(
            refused.metadata["source_document"], *source,
            "what is invoiced once is not invoiced again"
        );
    }
    let invoice = name(&invoice);
    until_invoiced(&trade.seller, &order, "INVOICED").await;

    let two = [("1", "2")];
    let back = trade.bring_back(&note, &two).await;
    let returned = until_invoiced(&trade.seller, &order, "TO_CREDIT").await;
    assert_eq!(text(&returned, "deliveryStatus"), "RETURNED");
    trade.inspect(&back, &two).await;
    let settled = verb(&trade.seller, &back, "settle", json!({})).await;
    assert_eq!(text(&settled, "state"), "SETTLED");

    let credit = trade.made("creditNotes", json!({ "invoice": invoice, "reason": "Returned" })).await;
    verb(&trade.biller, &credit, "issue", json!({ "numberSeries": credits })).await;
    let credited = until_invoiced(&trade.seller, &order, "CREDITED").await;
    let progress = &list(&credited, "progress")[0];
    let quantities = ["ordered", "delivered", "arrived", "returned", "invoiced", "credited"];
    assert_eq!(quantities.map(|field| text(progress, field)), ["2"; 6]);
}
