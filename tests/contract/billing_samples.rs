//! Samples of billing: bodies of its resources, and documents in the state that a verb asks for.

use std::sync::Mutex;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use prost_reflect::MethodDescriptor;
use rand::random;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{nouns::known, samples::World};
use crate::harness::{
    eventually::{SOON, eventually},
    values::{name, text},
};

/// A red square as PNG, in base64.
pub const LOGO: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR4nGM4oaGBFTEMLQkAgl1GAWqNFmsAAAAASUVORK5CYII=";

impl World {
    /// A valid body of a new resource of billing.
    pub fn billing_body(&self, noun: &str, unique: &str) -> Value {
        match noun {
            "CreditNote" => json!({
                "invoice": self.issued_invoice, "reason": unique,
                "lines": [{ "key": "1", "quantity": "0.001" }],
            }),
            "CreditProfile" => json!({
                "account": Self::spare(&self.spare_accounts), "holdReason": unique,
                "creditLimit": { "currencyCode": "EUR", "units": "5000" }, "exposureBasis": "DELIVERY",
            }),
            "DunningPolicy" => json!({
                "displayName": unique,
                "legalEntity": Self::spare(&self.spare_entities),
                "steps": [
                    { "afterDays": 7, "action": "NOTIFY", "template": "reminder" },
                    { "afterDays": 60, "action": "COLLECTION" },
                ],
                "minimums": [{ "currencyCode": "EUR", "units": "5" }],
            }),
            "ExchangeRate" => json!({
                "date": { "year": 2026, "month": 1, "day": 2 }, "fromCurrencyCode": "EUR", "toCurrencyCode": "USD",
                "rate": "1.0842", "origin": unique,
            }),
            "Invoice" => json!({
                "account": self.account, "legalEntity": self.legal_entity, "currencyCode": "EUR",
                "billTo": { "displayName": "Hotel Miramar", "taxId": "ESA28000001" },
                "paymentTerm": self.payment_term, "note": unique,
                "lines": [{
                    "key": "1", "description": "Coffee machine", "quantity": "2", "unitPrice": "1250.5",
                    "charges": [{ "amount": { "currencyCode": "EUR", "units": "25" }, "reason": "Big tank" }],
                    "discounts": [{ "percent": "2.5", "reason": "Loyal" }], "taxCodes": [self.tax_code],
                }],
            }),
            "LegalEntity" => json!({
                "displayName": format!("Entity {unique}"), "legalName": "Entity S.L.", "timeZone": "Europe/Madrid",
                "baseCurrencyCode": "EUR", "taxIds": [{ "countryCode": "ES", "scheme": "VAT", "value": "ESB12345678" }],
                "address": { "lines": ["Calle Mayor 1"], "locality": "Madrid", "countryCode": "ES" },
            }),
            "Ledger" => json!({
                "legalEntity": Self::spare(&self.spare_entities),
                "rateOrigin": unique, "accounts": { "bank": "572", "taxes": [{ "tax": "VAT", "account": "477" }] },
            }),
            "NumberSeries" => json!({
                "displayName": format!("Series {unique}"), "legalEntity": self.legal_entity,
                "documentKind": "INVOICE", "prefix": &unique[..20], "padding": 4, "gapFree": true,
            }),
            "Payment" => json!({
                "account": self.account, "legalEntity": self.legal_entity, "method": "BANK_TRANSFER",
                "amount": { "currencyCode": "EUR", "units": "100" }, "reference": unique, "externalKey": unique,
            }),
            "PaymentTerm" => json!({ "code": unique, "displayName": "30 days", "days": 30, "rule": "NET" }),
            "TaxCode" => json!({
                "code": unique, "displayName": "Standard rate", "countryCode": "ES", "tax": "VAT",
                "category": "STANDARD",
                "rates": [{ "percent": "21", "validFrom": { "year": 2012, "month": 9, "day": 1 } }],
            }),
            other => panic!("the samples do not know the resource {other}"),
        }
    }

    /// A request to issue this draft of an invoice.
    pub fn issue(&self, invoice: &str) -> Value {
        json!({ "name": invoice, "numberSeries": self.number_series, "requestId": Uuid::new_v4() })
    }

    /// Records a number series of credit notes.
    pub async fn credits(&self) -> String {
        let mut body = self.body("NumberSeries");
        body["documentKind"] = json!("CREDIT_NOTE");
        name(&self.keeper.post("/v1/numberSeries", body).await.ok())
    }

    /// Records an invoice and issues it.
    pub async fn issued(&self) -> String {
        let invoice = self.create("Invoice").await;
        self.keeper.post(&format!("/v1/{invoice}:issue"), self.issue(&invoice)).await.ok();
        invoice
    }

    /// Records legal entities or accounts that what is asked for needs for itself; no more than that, so that their lists stay a
    /// page.
    pub async fn prepare(&self, what: &str) {
        let (noun, spares) = match what {
            _ if ["Get", "List", "BatchGet"].iter().any(|verb| what.starts_with(verb)) => return,
            _ if what.contains("Ledger") || what.contains("DunningPolic") => {
                ("LegalEntity", &self.spare_entities)
            }
            _ if what.contains("CreditProfile") => ("Account", &self.spare_accounts),
            _ => return,
        };
        let (_, collection, _) = known(noun);
        while spares.lock().expect("nobody panicked").len() < 3 {
            let spare = self.keeper.post(&format!("/v1/{collection}"), self.body(noun)).await.ok();
            spares.lock().expect("nobody panicked").push(name(&spare));
        }
    }

    /// One of these that nothing is of yet.
    fn spare(spares: &Mutex<Vec<String>>) -> String {
        spares.lock().expect("nobody panicked").pop().unwrap_or_default()
    }

    /// Records a payment that was made, and pays an invoice with it.
    async fn paid(&self) -> (String, String) {
        let invoice = self.issued().await;
        let body = json!({
            "payment": self.body("Payment"), "allocations": [{ "invoice": invoice }], "requestId": Uuid::new_v4(),
        });
        (name(&self.keeper.post("/v1/payments:record", body).await.ok()), invoice)
    }

    /// Records a payment that is under way, and what became of it where that is said.
    async fn under_way(&self, outcome: &str) -> String {
        let payment = self.create("Payment").await;
        let body = json!({ "requestId": Uuid::new_v4() });
        self.keeper.post(&format!("/v1/{payment}:submit"), body).await.ok();
        if !outcome.is_empty() {
            let body = json!({ "outcome": outcome, "requestId": Uuid::new_v4() });
            self.keeper.post(&format!("/v1/{payment}:settle"), body).await.ok();
        }
        payment
    }

    /// Reserves credit for an order; answers order and reservation.
    pub async fn reserved(&self) -> (String, String) {
        let body = self.reservation();
        let reserved = self.keeper.post("/v1/creditReservations:reserve", body).await.ok();
        (text(&reserved, "order").to_owned(), name(&reserved))
    }

    /// Lets an account that is deleted owe something for months, and runs dunning; answers what is parked then.
    pub async fn parked(&self) -> String {
        let account = self.create("Account").await;
        let opening = json!({
            "account": account, "date": { "year": 2026, "month": 1, "day": 31 }, "description": "Taken over",
            "amount": { "currencyCode": "EUR", "units": "12" }, "requestId": Uuid::new_v4(),
        });
        self.keeper.post(&format!("/v1/{}:openBalance", self.ledger), opening).await.ok();
        self.keeper.delete(&format!("/v1/{account}")).await.ok();
        let try_it = || async {
            let trial = json!({ "account": account, "validateOnly": true });
            let outcomes = self.keeper.post("/v1/dunningStates:run", trial).await.ok();
            text(&outcomes["outcomes"][0], "failureReason").to_owned()
        };
        eventually(SOON, "billing to hear that the account is deleted", try_it, |reason| {
            reason == "ACCOUNT_DELETED"
        })
        .await;
        self.keeper.post("/v1/dunningStates:run", json!({ "account": account })).await.ok();
        let filter = format!("subject = \"{account}\"");
        let tasks = self.keeper.query("/v1/parkedTasks", &[("filter", filter.as_str())]).await.ok();
        name(&tasks["parkedTasks"][0])
    }

    /// Lets the account owe something for months, and runs dunning; answers policy and state.
    pub async fn dunned(&self) -> (String, String) {
        let ledger = self.keeper.get(&format!("/v1/{}", self.ledger)).await.ok();
        let mut policy = self.body("DunningPolicy");
        policy["legalEntity"] = json!(text(&ledger, "legalEntity"));
        let policy = name(&self.keeper.post("/v1/dunningPolicies", policy).await.ok());
        let opening = json!({
            "account": self.account, "date": { "year": 2026, "month": 1, "day": 31 }, "description": "Taken over",
            "amount": { "currencyCode": "EUR", "units": "12" }, "requestId": Uuid::new_v4(),
        });
        self.keeper.post(&format!("/v1/{}:openBalance", self.ledger), opening).await.ok();
        self.keeper.post("/v1/dunningStates:run", json!({ "account": self.account })).await.ok();
        let states = self.keeper.get("/v1/dunningStates").await.ok();
        (policy, name(&states["dunningStates"][0]))
    }

    fn reservation(&self) -> Value {
        json!({
            "order": format!("orders/{}", Uuid::now_v7()), "account": self.account,
            "amount": { "currencyCode": "EUR", "units": "10" },
        })
    }

    /// A request of a method about money that would be answered; none of any other method.
    pub async fn money_sample(&self, method: &MethodDescriptor) -> Option<Value> {
        let (id, day) = (Uuid::new_v4(), json!({ "year": 2026, "month": 1, "day": 31 }));
        Some(match method.name() {
            "WriteOffInvoice" => {
                json!({ "name": self.issued().await, "reason": "Insolvent", "requestId": id })
            }
            "RecordPayment" => json!({
                "payment": self.body("Payment"), "allocations": [{ "invoice": self.issued().await }], "requestId": id,
            }),
            "SubmitPayment" => json!({ "name": self.create("Payment").await, "requestId": id }),
            "SettlePayment" => {
                json!({ "name": self.under_way("").await, "outcome": "SUCCEEDED", "requestId": id })
            }
            "ReconcilePayment" => json!({
                "name": self.under_way("UNKNOWN").await, "outcome": "FAILED", "evidence": "Asked", "requestId": id,
            }),
            "AllocatePayment" => json!({
                "name": self.under_way("SUCCEEDED").await, "allocations": [{ "invoice": self.issued().await }],
                "requestId": id,
            }),
            "UnallocatePayment" => {
                let (payment, invoice) = self.paid().await;
                json!({ "name": payment, "allocations": [{ "invoice": invoice }], "requestId": id })
            }
            "RefundPayment" => {
                let (payment, invoice) = self.paid().await;
                json!({ "name": payment, "invoice": invoice, "requestId": id })
            }
            "ChargeBackPayment" => {
                json!({ "name": self.paid().await.0, "reason": "Withdrawn", "requestId": id })
            }
            "ClosePeriod" => json!({ "name": self.create("Ledger").await, "throughDate": day }),
            "ReopenPeriod" => {
                let ledger = self.create("Ledger").await;
                self.keeper
                    .post(&format!("/v1/{ledger}:closePeriod"), json!({ "throughDate": day }))
                    .await
                    .ok();
                json!({ "name": ledger, "reason": "A late invoice" })
            }
            "OpenBalance" => json!({
                "name": self.create("Ledger").await, "account": self.account, "date": day, "description": "Taken over",
                "amount": { "currencyCode": "EUR", "units": "12" }, "number": id, "issueDate": day, "dueDate": day,
                "reference": "Mr Moreno", "billTo": { "displayName": "Hotel Miramar" }, "requestId": id,
            }),
            "ExportPostings" => json!({
                "legalEntity": self.legal_entity, "format": "PARQUET", "fromDate": day,
                "toDate": { "year": 2999, "month": 12, "day": 31 },
            }),
            "QueryTrialBalance" => json!({ "legalEntity": self.legal_entity, "asOf": day }),
            "QueryStatement" => json!({ "account": self.account, "currencyCode": "EUR" }),
            "QueryAging" => json!({ "timeZone": "Europe/Madrid" }),
            "QueryPaymentHistory" => json!({ "account": self.account }),
            // One that has ordered nothing: without a rate, what is reserved in dollars is in no way so many euros.
            "AssessCredit" => json!({ "account": self.create("Account").await, "currencyCode": "EUR" }),
            "ReserveCredit" => self.reservation(),
            "ImportBankStatement" => {
                let file = format!("key,date,amount,currency\n{id},2026-01-31,5.00,EUR\n");
                json!({
                    "legalEntity": self.legal_entity, "format": "CSV", "content": STANDARD.encode(file), "requestId": id,
                })
            }
            "RetryParkedTask" => json!({ "name": self.parked().await }),
            "DropParkedTask" => json!({ "name": self.parked().await, "reason": "Settled by hand" }),
            "RunDunning" => json!({ "account": self.account, "pageSize": random::<u16>() % 500 + 1 }),
            "ReleaseCredit" => json!({ "order": self.reserved().await.0 }),
            _ => return None,
        })
    }

    /// Records a legal entity and gives it a logo.
    pub async fn with_logo(&self) -> String {
        let entity = self.create("LegalEntity").await;
        self.keeper.post(&format!("/v1/{entity}:setLogo"), json!({ "logo": LOGO })).await.ok();
        entity
    }
}
