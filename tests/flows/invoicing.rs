//! Invoices of what customers and sales know.

use serde_json::json;
use uuid::Uuid;

use crate::harness::{
    desk::Desk,
    tenant::Tenant,
    values::{cents, name},
};

/// DOC-06: who is invoiced and what is invoiced exist: what was recorded a moment ago is found at once, and what never was is
/// refused with nothing written.
#[tokio::test]
async fn an_invoice_is_of_an_account_and_of_products_that_exist() {
    let tenant = Tenant::fresh();
    let desk = Desk::make(&tenant).await;
    let product = json!({ "displayName": "Coffee machine", "sku": "CM-1" });
    let product = name(&tenant.director().post("/v1/products", product).await.ok());
    let invoice = |account: &str, product: &str| {
        let mut invoice = desk.invoice();
        invoice["account"] = json!(account);
        invoice["lines"][0]["product"] = json!(product);
        invoice
    };

    let made = desk.caller.post("/v1/invoices", invoice(&desk.account, &product)).await.ok();

    assert_eq!(cents(&made["totals"]["gross"]), 302_621);
    let nobody = format!("accounts/{}", Uuid::now_v7());
    desk.caller.post("/v1/invoices", invoice(&nobody, &product)).await.refused_as("ACCOUNT_NOT_FOUND");
    let nothing = format!("products/{}", Uuid::now_v7());
    desk.caller.post("/v1/invoices", invoice(&desk.account, &nothing)).await.refused_as("PRODUCT_NOT_FOUND");
    let all = desk.caller.list_all("/v1/invoices", "invoices", &[]).await;
    assert_eq!(all.len(), 1, "a refused invoice was recorded");
}
