//! Samples of the documents of sales: bodies, and quotes in the state that a verb asks for.

use serde_json::{Value, json};
use uuid::Uuid;

use super::samples::World;
use crate::harness::{
    eventually::{SOON, eventually},
    values::{dollars, name, text},
};

/// The verbs of quotes.
pub const QUOTE_VERBS: [&str; 10] = [
    "SubmitQuote",
    "ApproveQuote",
    "RejectQuote",
    "SendQuote",
    "RecordQuoteView",
    "AcceptQuote",
    "DeclineQuote",
    "CancelQuote",
    "ReviseQuote",
    "RenderQuote",
];

impl World {
    /// A valid body of a new document of sales, or of what documents need.
    pub fn sales_body(&self, noun: &str, unique: &str) -> Value {
        match noun {
            "ApprovalRule" => json!({
                "displayName": format!("Rule {unique}"), "minNet": dollars(1_000_000), "minDiscountPercent": "0",
                "sequence": 3,
            }),
            "Quote" => json!({
                "account": self.account, "contact": self.contact, "opportunity": self.opportunity,
                "validUntil": { "year": 2099, "month": 12, "day": 31 },
                "document": {
                    "currencyCode": "USD", "channel": "portal", "note": unique,
                    "lines": [{
                        "product": self.product, "quantity": "2", "description": "A pair of them",
                        "adjustments": [{ "percent": "5", "reason": "Friends" }],
                        "choices": [{ "option": "lamp" }], "withheldTaxClasses": [self.withheld_tax_class],
                    }],
                    "charges": [{ "key": "freight", "amount": dollars(15), "taxClass": self.tax_class }],
                },
            }),
            "SalesNumberSeries" => json!({
                "displayName": format!("Series {unique}"), "documentKind": "QUOTE", "padding": 4,
                "prefix": format!("{}-", &unique[..18]), "period": "YEAR",
            }),
            other => self.order_body(other, unique),
        }
    }

    /// Records a tax code that is withheld, and answers its code.
    pub async fn withheld(&self) -> String {
        let mut body = self.body("TaxCode");
        body["tax"] = json!("IRPF");
        body["category"] = json!("WITHHOLDING");
        text(&self.keeper.post("/v1/taxCodes", body).await.ok(), "code").to_owned()
    }

    /// Waits until sales has heard of billing's tax codes, so that documents can be priced.
    pub async fn until_taxes_are_known(&self) {
        let document = self.document();
        let ask = || async { self.keeper.post("/v1/pricing:priceDocument", document.clone()).await.status };
        eventually(SOON, "sales to know the tax codes", ask, |status| *status == 200).await;
    }

    /// A document of which something is withheld.
    pub fn document(&self) -> Value {
        json!({
            "account": self.account, "currencyCode": "USD", "channel": "portal",
            "lines": [{
                "product": self.product, "quantity": "12", "withheldTaxClasses": [self.withheld_tax_class],
            }],
        })
    }

    /// A request of a verb of quotes, for a quote in the state that it asks for.
    pub async fn quote_verb(&self, verb: &str) -> Value {
        match verb {
            "ApproveQuote" => json!({ "name": self.quote_in_approval().await }),
            "RejectQuote" => json!({ "name": self.quote_in_approval().await, "reason": "Too cheap" }),
            "SendQuote" => self.send(&self.approved_quote().await),
            "RecordQuoteView" => json!({ "name": self.sent_quote().await }),
            "AcceptQuote" => json!({
                "name": self.sent_quote().await, "accepter": "Eva Soler", "signature": "envelope-1",
                "requestId": Uuid::new_v4(),
            }),
            "DeclineQuote" => json!({ "name": self.sent_quote().await, "reason": "TIMING" }),
            "RenderQuote" => self.printable(&self.quote).await,
            "CancelQuote" => json!({ "name": self.create("Quote").await, "reason": "No need" }),
            _ => json!({ "name": self.create("Quote").await }),
        }
    }

    /// A request to render a document, once sales has heard of who makes it out and who gets it.
    pub async fn printable(&self, document: &str) -> Value {
        let ask = || async { self.keeper.get(&format!("/v1/{document}:render")).await.status };
        eventually(SOON, "sales to know issuer and recipient", ask, |status| *status == 200).await;
        json!({ "name": document, "language": "es", "paper": "LETTER" })
    }

    /// Submits a new draft that no rule matches.
    async fn approved_quote(&self) -> String {
        let quote = self.create("Quote").await;
        self.keeper.post(&format!("/v1/{quote}:submit"), json!({})).await.ok();
        quote
    }

    /// Sends a new quote.
    async fn sent_quote(&self) -> String {
        let quote = self.approved_quote().await;
        self.keeper.post(&format!("/v1/{quote}:send"), self.send(&quote)).await.ok();
        quote
    }

    /// Has a new quote accepted.
    pub async fn accepted_quote(&self) -> String {
        let quote = self.sent_quote().await;
        let accepted = json!({ "accepter": "Eva Soler", "requestId": Uuid::new_v4() });
        self.keeper.post(&format!("/v1/{quote}:accept"), accepted).await.ok();
        quote
    }

    /// Has a quote submitted by somebody else that a rule matches.
    async fn quote_in_approval(&self) -> String {
        let mut body = self.body("Quote");
        body["document"]["lines"][0]["unitPrice"] = json!("1000000");
        let quote = name(&self.seller.post("/v1/quotes", body).await.ok());
        self.seller.post(&format!("/v1/{quote}:submit"), json!({})).await.ok();
        quote
    }

    fn send(&self, quote: &str) -> Value {
        json!({ "name": quote, "numberSeries": self.sales_number_series, "requestId": Uuid::new_v4() })
    }
}
