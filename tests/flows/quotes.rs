//! From a customer to an accepted offer, by one token.

use serde_json::{Value, json};
use trato_devstack::trade;
use uuid::Uuid;

use super::make::pipeline;
use crate::harness::{
    caller::Caller,
    eventually::{SOON, eventually},
    tenant::Tenant,
    values::{cents, dollars, list, name, text},
};

/// Records a tax code in billing, and waits until sales prices a product with it.
pub async fn taxed_product(administrator: &Caller, director: &Caller) -> String {
    administrator.post("/v1/taxCodes", trade::standard_rate("VAT-21")).await.ok();
    let product = json!({ "displayName": "Press", "sellable": true, "listPrice": dollars(1_000), "taxClass": "VAT-21" });
    let product = name(&director.post("/v1/products", product).await.ok());
    let question = json!({ "currencyCode": "USD", "lines": [{ "product": product, "quantity": "1" }] });
    let ask = || async { director.post("/v1/pricing:priceDocument", question.clone()).await.status };
    eventually(SOON, "sales to know the tax code", ask, |status| *status == 200).await;
    product
}

/// Does something with a resource, in a way that can be repeated.
pub async fn verb(by: &Caller, name: &str, verb: &str, mut body: Value) -> Value {
    body["requestId"] = json!(Uuid::new_v4());
    by.post(&format!("/v1/{name}:{verb}"), body).await.ok()
}

/// SFA-26, DOC-01, DOC-02: one token makes account, contact, opportunity and quote, each of what is there already; what is
/// accepted is won, and its account becomes a customer.
#[tokio::test]
async fn one_token_leads_from_an_account_to_an_accepted_quote() {
    let tenant = Tenant::fresh();
    let director = tenant.director();
    let product = taxed_product(&tenant.administrator(), &director).await;
    let made = async |collection: &str, body: Value| {
        name(&director.post(&format!("/v1/{collection}"), body).await.ok())
    };
    made("salesNumberSeries", trade::numbers("QUOTE", "Q")).await;
    pipeline(&director, "Standard", &["talk"]).await;

    // Customers has told nobody of the account yet, and sales asks for it.
    let account = made("accounts", json!({ "displayName": "Miramar" })).await;
    let contact = made("contacts", json!({ "givenNames": "Eva", "surname": "Soler" })).await;
    let chance = json!({ "displayName": "Two presses", "account": account, "contact": contact });
    let opportunity = made("opportunities", chance).await;
    let quote = json!({
        "account": account, "contact": contact, "opportunity": opportunity,
        "document": { "currencyCode": "USD", "lines": [{ "product": product, "quantity": "2" }] },
    });
    let quote = made("quotes", quote).await;
    verb(&director, &quote, "submit", json!({})).await;
    let sent = verb(&director, &quote, "send", json!({})).await;
    verb(&director, &quote, "recordView", json!({})).await;
    let accepted =
        verb(&director, &quote, "accept", json!({ "accepter": "Eva Soler", "winOpportunity": true })).await;

    assert_eq!((text(&sent, "number"), text(&accepted, "state")), ("Q1", "ACCEPTED"));
    let document = &accepted["document"];
    assert_eq!(cents(&document["totals"]["gross"]), 242_000);
    assert_eq!(text(&list(document, "lines")[0], "productDisplayName"), "Press");
    let won = director.get(&format!("/v1/{opportunity}")).await.ok();
    assert_eq!((text(&won, "state"), cents(&won["amount"])), ("WON", 200_000));
    let look = || async {
        let account = director.get(&format!("/v1/{account}")).await.ok();
        list(&account, "kinds").iter().any(|kind| kind == "CUSTOMER")
    };
    eventually(SOON, "the account to become a customer", look, |is_customer| *is_customer).await;
}
