//! Somebody who invoices, with all that an invoice names.

use serde_json::{Value, json};

use super::{caller::Caller, tenant::Tenant, values::name};

/// Who issues, and what an invoice names.
#[derive(Clone, Debug)]
pub struct Desk {
    /// An accountant.
    pub caller: Caller,
    /// Who is invoiced.
    pub account: String,
    /// In whose name.
    pub legal_entity: String,
    /// The standard rate.
    pub tax_code: String,
    /// Gap-free, of invoices: `F000001`.
    pub number_series: String,
}

impl Desk {
    /// Makes everything an invoice needs.
    pub async fn make(tenant: &Tenant) -> Self {
        let caller = tenant.caller("biller", &["accountant"]);
        let account = tenant.director().post("/v1/accounts", json!({ "displayName": "Hotel Miramar" })).await;
        let make = async |collection: &str, body: Value| {
            name(&caller.post(&format!("/v1/{collection}"), body).await.ok())
        };
        let legal_entity = json!({
            "displayName": "Hispania", "legalName": "Hispania S.L.", "timeZone": "Europe/Madrid",
            "baseCurrencyCode": "EUR",
            "taxIds": [{ "countryCode": "ES", "scheme": "VAT", "value": "ESB12345678" }],
            "address": { "lines": ["Calle Mayor 1"], "locality": "Madrid", "countryCode": "ES" },
        });
        let legal_entity = make("legalEntities", legal_entity).await;
        let tax_code = json!({
            "code": "ES21", "displayName": "Standard rate", "countryCode": "ES", "tax": "VAT",
            "category": "STANDARD", "rates": [{ "percent": "21", "validFrom": { "year": 2012, "month": 9, "day": 1 } }],
        });
        let tax_code = make("taxCodes", tax_code).await;
        let number_series = json!({
            "displayName": "Invoices", "legalEntity": legal_entity, "documentKind": "INVOICE", "prefix": "F",
            "padding": 6, "gapFree": true,
        });
        let number_series = make("numberSeries", number_series).await;
        Self { account: name(&account.ok()), caller, legal_entity, tax_code, number_series }
    }

    /// An invoice of two machines, 3026.21 euros with tax, not recorded yet.
    pub fn invoice(&self) -> Value {
        json!({
            "account": self.account, "legalEntity": self.legal_entity, "currencyCode": "EUR",
            "billTo": { "displayName": "Hotel Miramar" },
            "lines": [{
                "key": "1", "description": "Coffee machine", "quantity": "2", "unitPrice": "1250.5",
                "taxCodes": [self.tax_code],
            }],
        })
    }
}
