//! From a visitor's cart to an order that is agreed on, through the gateway.

use serde_json::json;
use uuid::Uuid;

use super::{orders::trade, quotes::verb};
use crate::harness::{
    tenant::Tenant,
    values::{cents, list, text},
};

/// DOC-12: what a visitor puts into a cart becomes an order by one call, once, and the order is confirmed at that price.
#[tokio::test]
async fn a_cart_becomes_an_order_that_is_confirmed() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    trade.numbers("ORDER", "O").await;
    let document = json!({
        "currencyCode": "USD", "channel": "portal", "lines": [{ "product": product, "quantity": "2" }],
    });
    let cart = trade.made("carts", json!({ "sessionId": "visitor-1", "document": document })).await;
    let address = json!({ "lines": ["Calle Mayor 1"], "locality": "Madrid", "countryCode": "ES" });
    let known = json!({ "account": trade.account, "shipTo": address, "step": "REVIEW" });
    let shown = trade.seller.patch(&format!("/v1/{cart}"), known).await.ok();
    assert_eq!(
        (text(&shown, "furthestStep"), cents(&shown["document"]["totals"]["gross"])),
        ("REVIEW", 242_000)
    );

    let check_out = format!("/v1/{cart}:checkOut");
    let request = json!({ "requestId": Uuid::new_v4() });
    let order = trade.seller.post(&check_out, request.clone()).await.ok();
    let repeated = trade.seller.post(&check_out, request).await.ok();
    let refused = trade.seller.post(&check_out, json!({})).await.refused_as("CART_CHECKED_OUT");
    let confirmed = verb(&trade.seller, text(&order, "name"), "confirm", json!({})).await;

    assert_eq!(repeated, order);
    assert_eq!(refused.metadata["order"], text(&order, "name"));
    assert_eq!((text(&order, "account"), &order["document"]), (trade.account.as_str(), &shown["document"]));
    assert_eq!((text(&confirmed, "number"), text(&confirmed, "state")), ("O1", "CONFIRMED"));
    assert_eq!(cents(&confirmed["document"]["totals"]["gross"]), 242_000);
    let figures = trade.seller.get("/v1/carts:queryAbandonment").await.ok();
    let review = list(&figures, "steps").last().expect("it is the last step");
    assert_eq!((text(review, "step"), text(review, "checkedOutCount")), ("REVIEW", "1"));
}
