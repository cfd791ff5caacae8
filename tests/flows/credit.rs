//! Credit from a confirmed order to its invoice, across sales and billing.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    orders::{Trade, trade},
    quotes::verb,
};
use crate::harness::{
    eventually::{SOON, eventually},
    tenant::Tenant,
    values::{cents, dollars, list, name, text},
};

/// How an account stands: cents that are reserved and invoiced.
async fn stands(trade: &Trade) -> (i64, i64) {
    let path = format!("/v1/creditProfiles:assess?account={}", trade.account);
    let assessed = trade.seller.get(&path).await.ok();
    (cents(&assessed["reserved"]), cents(&assessed["invoiced"]))
}

async fn until_stands(trade: &Trade, expected: (i64, i64)) {
    let look = || stands(trade);
    eventually(SOON, "billing to hear of sales", look, |stands| *stands == expected).await;
}

/// A draft of so many pieces, 1,210 dollars each.
async fn draft(trade: &Trade, product: &str, quantity: &str) -> String {
    let document = json!({ "currencyCode": "USD", "lines": [{ "product": product, "quantity": quantity }] });
    trade.made("orders", json!({ "account": trade.account, "document": document })).await
}

/// DOC-04, DOC-08, XTR-05: confirming an order takes credit, within the limit and never beyond it; what is cancelled gives it back,
/// what is invoiced counts as invoiced whichever document the invoice is of, and what is closed counts until then.
#[tokio::test]
async fn an_order_takes_credit_until_it_is_invoiced_or_not_wanted() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    trade.all_numbers().await;
    let invoices = trade.billing_numbers("INVOICE", "F").await;
    let limit = json!({ "account": trade.account, "creditLimit": dollars(5_000) });
    trade.made("creditProfiles", limit).await;
    let document = json!({ "currencyCode": "USD", "lines": [{ "product": product, "quantity": "3" }] });
    let quote = trade.accepted_quote(document).await;
    let order = name(&trade.seller.post("/v1/orders:createFromQuote", json!({ "quote": quote })).await.ok());

    let confirmed = verb(&trade.seller, &order, "confirm", json!({})).await;
    assert_eq!((text(&confirmed, "number"), stands(&trade).await), ("O1", (363_000, 0)));
    let (too_much, little) = (draft(&trade, &product, "2").await, draft(&trade, &product, "1").await);
    let request = json!({ "requestId": Uuid::new_v4() });
    let path = format!("/v1/{too_much}:confirm");
    let refusal = trade.seller.post(&path, request.clone()).await.refused_as("CREDIT_LIMIT_EXCEEDED");
    assert_eq!(refusal.metadata["credit_limit"], "500000");
    assert_eq!(refusal.metadata["exposure"], "605000");
    let kept = trade.seller.get(&format!("/v1/{too_much}")).await.ok();
    assert_eq!((text(&kept, "state"), stands(&trade).await), ("DRAFT", (363_000, 0)));
    verb(&trade.seller, &little, "confirm", json!({})).await;
    assert_eq!(stands(&trade).await, (484_000, 0));

    verb(&trade.seller, &little, "cancel", json!({ "reason": "Not wanted" })).await;
    until_stands(&trade, (363_000, 0)).await;
    let cut = json!({ "lines": [{ "line": "1", "quantity": "1" }] });
    verb(&trade.seller, &order, "cancelLines", cut).await;
    until_stands(&trade, (242_000, 0)).await;
    let confirmed = trade.seller.post(&path, request).await.ok();
    assert_eq!((text(&confirmed, "state"), stands(&trade).await), ("CONFIRMED", (484_000, 0)));

    // The very call that invoices moves it over, whichever document it names.
    let note = json!({ "order": order, "lines": [{ "orderLine": "1", "quantity": "1" }] });
    let note = trade.made("deliveryNotes", note).await;
    verb(&trade.seller, &note, "issue", json!({})).await;
    trade.invoice(trade.invoicing(&note, &invoices)).await.ok();
    assert_eq!(stands(&trade).await, (363_000, 121_000));
    let part = |source: &str| {
        let mut request = trade.invoicing(source, &invoices);
        request["lines"] = json!([{ "sourceLine": "1", "quantity": "1" }]);
        request
    };
    trade.invoice(part(&quote)).await.ok();
    assert_eq!(stands(&trade).await, (242_000, 242_000));
    trade.invoice(part(&too_much)).await.ok();
    assert_eq!(stands(&trade).await, (121_000, 363_000));

    let rest = trade.made("deliveryNotes", json!({ "order": too_much })).await;
    verb(&trade.seller, &rest, "issue", json!({})).await;
    verb(&trade.seller, &rest, "confirm", json!({ "proof": { "receiver": "Eva" } })).await;
    verb(&trade.seller, &too_much, "close", json!({})).await;
    assert_eq!(stands(&trade).await, (121_000, 363_000), "a piece is delivered and not invoiced");
    trade.invoice(part(&too_much)).await.ok();
    assert_eq!(stands(&trade).await, (0, 484_000));
    let released = || async {
        let page: Value = trade.seller.get("/v1/creditReservations").await.ok();
        let all = list(&page, "creditReservations");
        (all.iter().filter(|one| text(one, "state") == "RELEASED").count(), all.len())
    };
    // There is one for each order that was confirmed.
    eventually(SOON, "billing to hear that all is invoiced", released, |counts| *counts == (2, 3)).await;
}

/// DOC-04, XTR-05: what is confirmed of an account waits while billing has it on hold, and goes on when it is released.
#[tokio::test]
async fn a_credit_hold_stops_what_is_confirmed() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    trade.all_numbers().await;
    let order = draft(&trade, &product, "1").await;
    verb(&trade.seller, &order, "confirm", json!({})).await;
    let note = trade.made("deliveryNotes", json!({ "order": order })).await;
    let until_held = async |is_held: bool| {
        let look = || async { trade.seller.get(&format!("/v1/{order}")).await.ok() };
        let is_so = |order: &Value| (order["heldWithAccount"] == json!(true)) == is_held;
        eventually(SOON, "sales to hear of the hold", look, is_so).await
    };

    let hold = json!({ "account": trade.account, "hold": true, "holdReason": "Overdue" });
    let profile = trade.made("creditProfiles", hold).await;
    let held = until_held(true).await;
    let issue = json!({ "requestId": Uuid::new_v4() });
    trade.seller.post(&format!("/v1/{note}:issue"), issue).await.refused_as("ORDER_ON_HOLD");
    trade.biller.patch(&format!("/v1/{profile}?updateMask=hold"), json!({ "hold": false })).await.ok();
    until_held(false).await;
    let issued = verb(&trade.seller, &note, "issue", json!({})).await;

    assert_eq!((text(&held, "holdReason"), text(&held, "holdNote")), ("CREDIT", "Overdue"));
    assert_eq!(text(&issued, "number"), "D1");
}

/// DOC-04, XTR-05: with a limit by what is delivered, orders are confirmed beyond it, and what is left of them waits as soon as what
/// is delivered is more than the limit, until it is paid.
#[tokio::test]
async fn what_is_delivered_beyond_a_limit_stops_the_rest() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    for (kind, prefix) in [("ORDER", "O"), ("DELIVERY_NOTE", "D")] {
        trade.numbers(kind, prefix).await;
    }
    let limit =
        json!({ "account": trade.account, "creditLimit": dollars(1_000), "exposureBasis": "DELIVERY" });
    trade.made("creditProfiles", limit).await;
    let (first, second) = (draft(&trade, &product, "1").await, draft(&trade, &product, "1").await);
    for order in [&first, &second] {
        verb(&trade.seller, order, "confirm", json!({})).await;
    }
    let until_held = async |is_held: bool| {
        let look = || async { trade.seller.get(&format!("/v1/{second}")).await.ok() };
        let is_so = |order: &Value| (order["heldWithAccount"] == json!(true)) == is_held;
        eventually(SOON, "sales to hear of the hold", look, is_so).await
    };

    let note = trade.made("deliveryNotes", json!({ "order": first })).await;
    verb(&trade.seller, &note, "issue", json!({})).await;
    let held = until_held(true).await;
    let path = format!("/v1/creditProfiles:assess?account={}", trade.account);
    let assessed = trade.seller.get(&path).await.ok();
    let payment = json!({
        "account": trade.account, "legalEntity": trade.legal_entity, "method": "BANK_TRANSFER", "amount": dollars(500),
    });
    let payment = json!({ "payment": payment, "requestId": Uuid::new_v4() });
    trade.biller.post("/v1/payments:record", payment).await.ok();
    until_held(false).await;
    let rest = trade.made("deliveryNotes", json!({ "order": second })).await;
    let issued = verb(&trade.seller, &rest, "issue", json!({})).await;

    assert_eq!(text(&held, "holdReason"), "CREDIT");
    let parts: Vec<_> = list(&assessed, "parts")
        .iter()
        .map(|part| (text(part, "kind"), cents(&part["amount"]), part["counts"] == json!(true)))
        .collect();
    assert_eq!(
        parts,
        [
            ("ORDERED", 121_000, false),
            ("DELIVERED", 121_000, true),
            ("INVOICED", 0, true),
            ("UNALLOCATED", 0, true),
        ]
    );
    assert_eq!((cents(&assessed["exposure"]), cents(&assessed["available"])), (121_000, -21_000));
    assert_eq!(text(&issued, "number"), "D2");
}
