//! A kit from the quote to the credit note: one line with one price, and on the delivery note what is in it.

use serde_json::json;

use super::{orders::trade, quotes::verb, returns_credited::issue};
use crate::harness::{
    tenant::Tenant,
    values::{cents, dollars, list, name, text},
};

/// SFA-25, MDM-05, DOC-05, DOC-08, DOC-09: a kit is ordered, invoiced and credited as one line; its delivery note lists what was in it
/// when the order was confirmed.
#[tokio::test]
async fn a_kit_is_one_line_and_its_delivery_note_lists_what_is_in_it() {
    let tenant = Tenant::fresh();
    let (trade, _) = trade(&tenant).await;
    let (invoices, credits) = trade.ready().await;
    let leg = trade.made("products", json!({ "displayName": "Leg" })).await;
    let desk = json!({
        "displayName": "Desk", "sellable": true, "listPrice": dollars(400), "taxClass": "VAT-21",
        "components": [{ "product": leg, "factor": "4" }],
    });
    let desk = trade.made("products", desk).await;
    let document = json!({ "currencyCode": "USD", "lines": [{ "product": desk, "quantity": "2" }] });
    let quote = trade.accepted_quote(document).await;
    let order = trade.seller.post("/v1/orders:createFromQuote", json!({ "quote": quote })).await.ok();
    let order = verb(&trade.seller, &name(&order), "confirm", json!({})).await;
    let fewer = json!({ "components": [{ "product": leg, "factor": "3" }] });
    trade.biller.patch(&format!("/v1/{desk}"), fewer).await.ok();

    let note = trade.received(&name(&order)).await;
    let delivered = trade.seller.get(&format!("/v1/{note}")).await.ok();
    let invoice = trade.invoice(trade.invoicing(&note, &invoices)).await.ok();
    let back = trade.refunded(&note, &[("1", "1")]).await;
    let credited = trade.credit(&back, issue(&credits)).await.ok();

    assert_eq!(text(&list(&order, "kits")[0], "product"), desk);
    let [line] = list(&delivered, "lines") else { panic!("one line: {delivered}") };
    let [part] = list(line, "parts") else { panic!("one part: {line}") };
    assert_eq!((text(part, "product"), text(part, "quantity")), (leg.as_str(), "8"));
    let [line] = list(&invoice, "lines") else { panic!("one line: {invoice}") };
    assert_eq!((text(line, "description"), text(line, "quantity")), ("Desk", "2"));
    assert_eq!(cents(&invoice["totals"]["net"]), 80_000);
    let [credit] = list(&credited, "creditNotes") else { panic!("one credit note: {credited}") };
    assert_eq!(cents(&credit["totals"]["net"]), 40_000);
}
