//! What billing and customers say stands on what sales prints.

use serde_json::{Value, json};

use super::quotes::{taxed_product, verb};
use crate::harness::{
    eventually::{SOON, eventually},
    tenant::Tenant,
    values::{name, text},
};

/// A red square as PNG, in base64.
const LOGO: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR4nGM4oaGBFTEMLQkAgl1GAWqNFmsAAAAASUVORK5CYII=";

/// DOC-01: a quote is printed in the name of billing's legal entity, with its logo, for customers' account.
#[tokio::test]
async fn a_quote_is_printed_with_what_others_have_said() {
    let tenant = Tenant::fresh();
    let (administrator, director) = (tenant.administrator(), tenant.director());
    let product = taxed_product(&administrator, &director).await;
    let entity = json!({
        "displayName": "Hispania", "legalName": "Hispania S.L.", "timeZone": "Europe/Madrid",
        "baseCurrencyCode": "EUR",
    });
    let entity = name(&administrator.post("/v1/legalEntities", entity).await.ok());
    let with_logo = verb(&administrator, &entity, "setLogo", json!({ "logo": LOGO })).await;
    let account = name(&director.post("/v1/accounts", json!({ "displayName": "Miramar" })).await.ok());
    let series =
        json!({ "displayName": "Quotes", "documentKind": "QUOTE", "prefix": "Q", "isDefault": true });
    director.post("/v1/salesNumberSeries", series).await.ok();
    let quote = json!({
        "account": account, "legalEntity": entity,
        "document": { "currencyCode": "USD", "lines": [{ "product": product, "quantity": "2" }] },
    });

    // The image has come when a quote that is sent has it.
    let send = || async {
        let quote = name(&director.post("/v1/quotes", quote.clone()).await.ok());
        if director.get(&format!("/v1/{quote}:render")).await.status != 200 {
            return None;
        }
        verb(&director, &quote, "submit", json!({})).await;
        Some(verb(&director, &quote, "send", json!({})).await)
    };
    let has_logo = |sent: &Option<Value>| {
        sent.as_ref().is_some_and(|sent| text(&sent["issuer"], "logoHash") == text(&with_logo, "logoHash"))
    };
    let sent = eventually(SOON, "sales to have the logo", send, has_logo).await.expect("it is sent");
    let rendered =
        director.get(&format!("/v1/{}:render?language=es&paper=LETTER", text(&sent, "name"))).await;
    let rendered = rendered.ok();

    assert_eq!(text(&sent["issuer"], "legalName"), "Hispania S.L.");
    assert_eq!(text(&sent["recipient"], "displayName"), "Miramar");
    assert_eq!(text(&rendered, "mediaType"), "application/pdf");
    // `%PDF-` in base64.
    assert!(text(&rendered, "content").starts_with("JVBERi0"), "it is no PDF");
}
