//! Samples of billing: bodies of its resources, and documents in the state that a verb asks for.

use serde_json::{Value, json};
use uuid::Uuid;

use super::samples::World;
use crate::harness::values::name;

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
                    "taxCodes": [self.tax_code],
                }],
            }),
            "LegalEntity" => json!({
                "displayName": format!("Entity {unique}"), "legalName": "Entity S.L.", "timeZone": "Europe/Madrid",
                "baseCurrencyCode": "EUR", "taxIds": [{ "countryCode": "ES", "scheme": "VAT", "value": "ESB12345678" }],
                "address": { "lines": ["Calle Mayor 1"], "locality": "Madrid", "countryCode": "ES" },
            }),
            "NumberSeries" => json!({
                "displayName": format!("Series {unique}"), "legalEntity": self.legal_entity,
                "documentKind": "INVOICE", "prefix": &unique[..20], "padding": 4, "gapFree": true,
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

    /// Records a legal entity and gives it a logo.
    pub async fn with_logo(&self) -> String {
        let entity = self.create("LegalEntity").await;
        self.keeper.post(&format!("/v1/{entity}:setLogo"), json!({ "logo": LOGO })).await.ok();
        entity
    }
}
