//! Samples of carts, orders, delivery notes and returns: bodies, and each of them in the state that a verb asks for.

use serde_json::{Value, json};
use uuid::Uuid;

use super::samples::World;
use crate::harness::values::{name, text};

/// The verbs of carts, orders, delivery notes, return policies and returns.
pub const ORDER_VERBS: [&str; 21] = [
    "CheckOutCart",
    "CreateOrderFromQuote",
    "ConfirmOrder",
    "HoldOrder",
    "ReleaseOrder",
    "ReleaseMilestone",
    "CancelOrderLines",
    "CancelOrder",
    "CloseOrder",
    "IssueDeliveryNote",
    "DispatchDeliveryNote",
    "ConfirmDeliveryNote",
    "VoidDeliveryNote",
    "RenderDeliveryNote",
    "PublishReturnPolicy",
    "RetireReturnPolicy",
    "AuthoriseReturn",
    "ReceiveReturn",
    "InspectReturn",
    "SettleReturn",
    "RejectReturn",
];

/// Orders and what comes of them, that every sample may read.
#[derive(Debug, Default)]
pub struct Orders {
    /// A cart that is open.
    cart: String,
    /// A draft of an order.
    draft: String,
    /// An order that is confirmed, of more than all samples deliver.
    confirmed: String,
    /// A draft of a delivery note of the confirmed order.
    delivery_note: String,
    /// A delivery note of which everything has arrived.
    delivered: String,
    /// A return policy that is published.
    return_policy: String,
    /// Its code.
    policy_code: String,
    /// A return that is requested.
    sales_return: String,
    order_series: String,
    delivery_series: String,
    return_series: String,
}

/// The field that the sample of an update changes.
pub fn changed_field(noun: &str) -> &'static str {
    match noun {
        "Contact" => "surname",
        "Price" => "unitPrice",
        "CreditNote" | "SalesReturn" => "reason",
        "CreditProfile" => "holdReason",
        "ExchangeRate" => "origin",
        "Ledger" => "rateOrigin",
        "Payment" => "reference",
        "Invoice" | "DeliveryNote" => "note",
        "Quote" | "Cart" | "Order" => "document",
        _ => "displayName",
    }
}

impl Orders {
    /// The resource of a noun of these.
    pub fn name_of(&self, noun: &str) -> Option<&str> {
        Some(match noun {
            "Cart" => &self.cart,
            "Order" => &self.draft,
            "DeliveryNote" => &self.delivery_note,
            "ReturnPolicy" => &self.return_policy,
            "SalesReturn" => &self.sales_return,
            _ => return None,
        })
    }
}

impl World {
    /// Makes an order, and everything that comes of one.
    pub async fn make_orders(&mut self) {
        self.orders.order_series = self.series_of("ORDER").await;
        self.orders.delivery_series = self.series_of("DELIVERY_NOTE").await;
        self.orders.return_series = self.series_of("RETURN").await;
        self.orders.cart = self.create("Cart").await;
        self.orders.draft = self.create("Order").await;
        self.orders.confirmed = self.confirmed_order(json!({})).await;
        self.orders.delivery_note = self.create("DeliveryNote").await;
        self.orders.delivered = self.delivered_note("1000000").await;
        self.orders.return_policy = self.published_policy().await;
        let policy = self.keeper.get(&format!("/v1/{}", self.orders.return_policy)).await.ok();
        text(&policy, "code").clone_into(&mut self.orders.policy_code);
        self.orders.sales_return = self.create("SalesReturn").await;
    }

    /// A valid body of a new order, or of what comes of one.
    pub fn order_body(&self, noun: &str, unique: &str) -> Value {
        match noun {
            "Cart" => json!({
                "account": self.account, "sessionId": unique, "step": "DELIVERY",
                "shipTo": { "lines": ["Calle Mayor 1"], "locality": "Madrid", "countryCode": "ES" },
                "document": {
                    "currencyCode": "USD", "channel": "portal", "note": unique,
                    "lines": [{ "product": self.bundle, "quantity": "2" }],
                },
            }),
            "Order" => json!({
                "account": self.account, "customerPo": unique, "invoicingPolicy": "DELIVERED",
                "shipTo": { "lines": ["Calle Mayor 1"], "locality": "Madrid", "countryCode": "ES" },
                "promisedDate": { "year": 2099, "month": 12, "day": 31 },
                "document": {
                    "currencyCode": "USD", "channel": "portal", "note": unique,
                    "lines": [{ "product": self.bundle, "quantity": "10000000" }],
                },
            }),
            "DeliveryNote" => json!({
                "order": self.orders.confirmed, "note": unique,
                "lines": [{ "orderLine": "1", "quantity": "1", "lot": "L7" }],
            }),
            "ReturnPolicy" => json!({
                "displayName": format!("Policy {unique}"), "code": unique, "windowDays": 30, "payer": "SELLER",
                "conditions": "Unopened",
            }),
            "SalesReturn" => json!({
                "deliveryNote": self.orders.delivered, "reason": unique, "policyCode": self.orders.policy_code,
                "lines": [{ "deliveryLine": "1", "quantity": "1", "condition": "OPENED" }],
            }),
            other => self.billing_body(other, unique),
        }
    }

    /// A request of a verb, for what is in the state that it asks for.
    pub async fn order_verb(&self, verb: &str) -> Value {
        match verb {
            "CheckOutCart" => json!({ "name": self.create("Cart").await, "account": self.account }),
            "CreateOrderFromQuote" => {
                json!({ "quote": self.accepted_quote().await, "requestId": Uuid::new_v4() })
            }
            "ConfirmOrder" => self.numbered(&self.create("Order").await, &self.orders.order_series),
            "HoldOrder" => json!({ "name": self.create("Order").await, "reason": "CREDIT", "note": "Owes" }),
            "ReleaseOrder" => {
                let order = self.create("Order").await;
                self.act(&order, "hold", json!({ "reason": "MANUAL" })).await;
                json!({ "name": order })
            }
            "ReleaseMilestone" => {
                let order = self.confirmed_order(json!({ "invoicingPolicy": "MILESTONE" })).await;
                json!({ "name": order, "releasedPercent": "40" })
            }
            "CancelOrderLines" => json!({
                "name": self.confirmed_order(json!({})).await, "lines": [{ "line": "1", "quantity": "1" }],
            }),
            "CancelOrder" => json!({ "name": self.create("Order").await, "reason": "No need" }),
            "CloseOrder" => {
                json!({ "name": self.confirmed_order(json!({ "undeliveredLines": ["1"] })).await })
            }
            "IssueDeliveryNote" => {
                self.numbered(&self.create("DeliveryNote").await, &self.orders.delivery_series)
            }
            "DispatchDeliveryNote" => {
                json!({ "name": self.issued_note("1").await, "carrier": "Correos", "tracking": "4711" })
            }
            "ConfirmDeliveryNote" => json!({
                "name": self.issued_note("2").await, "proof": { "receiver": "Ana" },
                "refusals": [{ "line": "1", "quantity": "1", "reason": "Scratched" }],
            }),
            "VoidDeliveryNote" => json!({ "name": self.issued_note("1").await, "reason": "Wrong lorry" }),
            "RenderDeliveryNote" => self.printable(&self.orders.delivered).await,
            "PublishReturnPolicy" => json!({ "name": self.create("ReturnPolicy").await }),
            "RetireReturnPolicy" => json!({ "name": self.published_policy().await }),
            other => self.return_verb(other).await,
        }
    }

    async fn return_verb(&self, verb: &str) -> Value {
        let sales_return = self.create("SalesReturn").await;
        if verb == "AuthoriseReturn" {
            return self.numbered(&sales_return, &self.orders.return_series);
        }
        if verb == "RejectReturn" {
            return json!({ "name": sales_return, "reason": "Used for a year" });
        }
        let series = &self.orders.return_series;
        self.act(&sales_return, "authorise", self.numbered(&sales_return, series)).await;
        if verb == "ReceiveReturn" {
            return json!({ "name": sales_return, "lines": [{ "line": "1", "quantity": "1" }] });
        }
        self.act(&sales_return, "receive", json!({})).await;
        let found = json!([{ "line": "1", "condition": "USED", "disposition": "REPAIR", "note": "Cleaned" }]);
        if verb == "InspectReturn" {
            return json!({ "name": sales_return, "lines": found });
        }
        self.act(&sales_return, "inspect", json!({ "lines": found })).await;
        json!({ "name": sales_return })
    }

    /// A return of something that was invoiced, settled by refund.
    pub async fn refunded(&self) -> String {
        let mut entity = self.body("LegalEntity");
        entity["baseCurrencyCode"] = json!("USD");
        let entity = name(&self.keeper.post("/v1/legalEntities", entity).await.ok());
        let mut series = self.body("NumberSeries");
        series["legalEntity"] = json!(entity);
        let series = name(&self.keeper.post("/v1/numberSeries", series).await.ok());
        let note = self.delivered_note("1").await;
        let invoicing = json!({
            "sourceDocument": note, "legalEntity": entity, "issue": true, "numberSeries": series,
            "requestId": Uuid::new_v4(),
        });
        self.keeper.post("/v1/invoices:createFromSource", invoicing).await.ok();
        let mut back = self.body("SalesReturn");
        back["deliveryNote"] = json!(note);
        let back = name(&self.keeper.post("/v1/salesReturns", back).await.ok());
        self.act(&back, "authorise", self.numbered(&back, &self.orders.return_series)).await;
        self.act(&back, "receive", json!({})).await;
        let found = json!([{ "line": "1", "condition": "OPENED", "disposition": "REFUND" }]);
        self.act(&back, "inspect", json!({ "lines": found })).await;
        self.act(&back, "settle", json!({})).await;
        back
    }

    /// An order that is confirmed; `more` is put into its body.
    async fn confirmed_order(&self, more: Value) -> String {
        let mut body = self.body("Order");
        for (field, value) in more.as_object().into_iter().flatten() {
            body[field] = value.clone();
        }
        let order = name(&self.keeper.post("/v1/orders", body).await.ok());
        self.act(&order, "confirm", self.numbered(&order, &self.orders.order_series)).await;
        order
    }

    /// A delivery note of so much that is issued.
    async fn issued_note(&self, quantity: &str) -> String {
        let mut body = self.body("DeliveryNote");
        body["lines"][0]["quantity"] = json!(quantity);
        let note = name(&self.keeper.post("/v1/deliveryNotes", body).await.ok());
        self.act(&note, "issue", self.numbered(&note, &self.orders.delivery_series)).await;
        note
    }

    /// A delivery note of so much that has arrived.
    async fn delivered_note(&self, quantity: &str) -> String {
        let note = self.issued_note(quantity).await;
        self.act(&note, "confirm", json!({ "proof": { "receiver": "Ana" } })).await;
        note
    }

    async fn published_policy(&self) -> String {
        let policy = self.create("ReturnPolicy").await;
        self.act(&policy, "publish", json!({})).await;
        policy
    }

    async fn series_of(&self, document_kind: &str) -> String {
        let mut body = self.body("SalesNumberSeries");
        body["documentKind"] = json!(document_kind);
        name(&self.keeper.post("/v1/salesNumberSeries", body).await.ok())
    }

    async fn act(&self, name: &str, verb: &str, body: Value) {
        self.keeper.post(&format!("/v1/{name}:{verb}"), body).await.ok();
    }

    /// A request that takes a number.
    fn numbered(&self, name: &str, number_series: &str) -> Value {
        json!({ "name": name, "numberSeries": number_series, "requestId": Uuid::new_v4() })
    }
}
