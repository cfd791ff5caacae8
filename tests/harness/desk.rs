//! Somebody who invoices, with all that an invoice names.

use serde_json::{Value, json};
use trato_devstack::trade;

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
        let legal_entity = make("legalEntities", trade::legal_entity("EUR")).await;
        let tax_code = make("taxCodes", trade::standard_rate("ES21")).await;
        let mut number_series = trade::billing_numbers(&legal_entity, "INVOICE", "F");
        number_series["padding"] = json!(6);
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
