//! A neighbour that hangs: it holds its connections and says nothing, as a process that is stopped does, or a machine that is
//! cut off.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    flows::orders::{Trade, trade, verb},
    harness::{
        answer::Answer,
        breakable::on_a_breakable_stack,
        caller::Caller,
        eventually::{SOON, eventually},
        report::say,
        values::{dollars, text},
    },
};

/// How long the caller waits; less than the five seconds it takes to find out that a connection is silent, and so long that the
/// tenth that is kept from the neighbour is enough on a slow machine.
const PATIENCE: Duration = Duration::from_millis(4_500);

/// Asks for a write within the caller's deadline.
async fn ask(by: &Caller, path: &str, body: &Value) -> Answer {
    let request =
        by.request(Method::POST, path).header("x-trato-timeout-ms", PATIENCE.as_millis().to_string());
    by.send(request.json(body)).await
}

/// Asks for a write that cannot be done now. Were it not refused within the deadline, the gateway would say that it was exceeded.
async fn is_told_to_come_again(by: &Caller, path: &str, body: &Value) {
    let begun = Instant::now();
    let refusal = ask(by, path, body).await.refused_as("UPSTREAM_UNAVAILABLE");
    say(format!("{path} was refused after {:.1?} of {PATIENCE:?}", begun.elapsed()));
    assert_eq!(refusal.code, "UNAVAILABLE", "{refusal:?}");
    assert!(refusal.says_when_to_retry, "{refusal:?}");
}

/// A draft of an order of one piece.
async fn drafted(trade: &Trade, product: &str) -> String {
    trade.numbers("ORDER", "O").await;
    let document = json!({ "currencyCode": "USD", "lines": [{ "product": product, "quantity": "1" }] });
    trade.made("orders", json!({ "account": trade.account, "document": document })).await
}

/// CRD-01, CRD-02, DOC-04: while billing hangs, whoever confirms an order is told in time when to try again; the same request then
/// confirms it once, with one reservation.
#[test]
fn with_billing_hanging_an_order_is_confirmed_once_by_the_same_request() {
    on_a_breakable_stack(async |stack| {
        let (trade, product) = trade(&stack.tenant().await).await;
        let limit = json!({ "account": trade.account, "creditLimit": dollars(100_000) });
        trade.made("creditProfiles", limit).await;
        let order = drafted(&trade, &product).await;
        let (path, request) = (format!("/v1/{order}:confirm"), json!({ "requestId": Uuid::new_v4() }));

        stack.pause("billing").await;

        is_told_to_come_again(&trade.seller, &path, &request).await;
        let kept = trade.seller.get(&format!("/v1/{order}")).await.ok();
        assert_eq!(text(&kept, "state"), "DRAFT");
        stack.resume("billing").await;
        let again = || async { ask(&trade.seller, &path, &request).await.status };
        eventually(SOON, "billing to answer again", again, |status| *status == 200).await;
        let confirmed = ask(&trade.seller, &path, &request).await.ok();
        assert_eq!((text(&confirmed, "state"), text(&confirmed, "number")), ("CONFIRMED", "O1"));
        let reserved = trade.seller.list_all("/v1/creditReservations", "creditReservations", &[]).await;
        assert_eq!(reserved.len(), 1, "{reserved:?}");
        stack.nobody_panicked().await;
    });
}

/// CRD-01, CRD-02, DOC-07: while sales hangs, whoever invoices an order is told in time when to try again; the same request then
/// makes one invoice.
#[test]
fn with_sales_hanging_an_order_is_invoiced_once_by_the_same_request() {
    on_a_breakable_stack(async |stack| {
        let (trade, product) = trade(&stack.tenant().await).await;
        let series = trade.billing_numbers("INVOICE", "F").await;
        let order = drafted(&trade, &product).await;
        verb(&trade.seller, &order, "confirm", json!({})).await;
        let request = trade.invoicing(&order, &series);
        let path = "/v1/invoices:createFromSource";

        stack.pause("sales").await;

        is_told_to_come_again(&trade.biller, path, &request).await;
        let written = trade.biller.list_all("/v1/invoices", "invoices", &[]).await;
        assert!(written.is_empty(), "{written:?}");
        stack.resume("sales").await;
        let again = || async { ask(&trade.biller, path, &request).await.status };
        eventually(SOON, "sales to answer again", again, |status| *status == 200).await;
        let invoice = ask(&trade.biller, path, &request).await.ok();
        assert_eq!(text(&invoice, "number"), "F1");
        let all = trade.biller.list_all("/v1/invoices", "invoices", &[]).await;
        assert_eq!(all.len(), 1, "{all:?}");
        stack.nobody_panicked().await;
    });
}
