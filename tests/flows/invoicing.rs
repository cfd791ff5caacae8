//! Invoices of what customers and sales know.

use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    orders::{Trade, trade},
    quotes::verb,
};

use crate::harness::{
    desk::Desk,
    stack::is_long_run,
    tenant::Tenant,
    values::{cents, dollars, list, name, text},
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

/// Has 64 callers invoice the same document at once, of whom one does it, and all others are told which invoice that is; answers it.
async fn invoiced_once(trade: &Trade, source: &str, series: &str) -> Value {
    let requests: Vec<_> = (0..64).map(|_| trade.invoicing(source, series)).collect();

    let answers = join_all(requests.iter().map(|request| trade.invoice(request.clone()))).await;

    let (made, refused): (Vec<_>, Vec<_>) =
        requests.iter().zip(answers).partition(|(_, answer)| answer.status == 200);
    assert_eq!((made.len(), refused.len()), (1, 63));
    let (request, invoice) = (made[0].0, made[0].1.json());
    for (_, answer) in refused {
        let refusal = answer.refused_as("ALREADY_INVOICED");
        assert_eq!(
            (refusal.code.as_str(), &refusal.metadata["invoice"]),
            ("ALREADY_EXISTS", &name(&invoice))
        );
    }
    assert_eq!(trade.invoice(request.clone()).await.ok(), invoice, "the same request is answered the same");
    invoice
}

/// DOC-07, I13: one call turns an accepted quote into an issued invoice; however many ask at once, there is one, and the others
/// are told which.
#[tokio::test]
async fn a_quote_is_invoiced_once_however_many_ask() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    trade.numbers("QUOTE", "Q").await;
    let series = trade.billing_numbers("INVOICE", "F").await;
    let document = json!({
        "currencyCode": "USD", "lines": [{ "product": product, "quantity": "3" }],
        "charges": [{ "key": "freight", "reason": "Freight", "amount": dollars(50), "taxClass": "VAT-21" }],
    });
    let quotes = if is_long_run() { 1000 } else { 2 };
    for place in 1..=quotes {
        let quote = trade.accepted_quote(document.clone()).await;

        let invoice = invoiced_once(&trade, &quote, &series).await;

        let told = (text(&invoice, "number"), cents(&invoice["totals"]["gross"]));
        assert_eq!(told, (format!("F{place}").as_str(), 369_050));
    }
    let all = trade.biller.list_all("/v1/invoices", "invoices", &[]).await;
    assert_eq!(all.len(), quotes);
}

/// DOC-08: one call turns a delivery note into an issued invoice; however many ask at once, there is one, of what it delivers and of
/// the order's freight, and the others are told which. What it does not deliver is left to the order.
#[tokio::test]
async fn a_delivery_note_is_invoiced_once_however_many_ask() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    trade.all_numbers().await;
    let series = trade.billing_numbers("INVOICE", "F").await;
    let document = json!({
        "currencyCode": "USD", "lines": [{ "product": product, "quantity": "3" }],
        "charges": [{ "key": "freight", "reason": "Freight", "amount": dollars(50), "taxClass": "VAT-21" }],
    });
    let quote = trade.accepted_quote(document).await;
    let order = trade.seller.post("/v1/orders:createFromQuote", json!({ "quote": quote })).await.ok();
    let order = name(&order);
    verb(&trade.seller, &order, "confirm", json!({})).await;
    let lines = json!([{ "orderLine": "1", "quantity": "2" }]);
    let note = trade.made("deliveryNotes", json!({ "order": order, "lines": lines })).await;
    verb(&trade.seller, &note, "issue", json!({})).await;

    let invoice = invoiced_once(&trade, &note, &series).await;

    let told = (text(&invoice, "number"), cents(&invoice["totals"]["gross"]));
    assert_eq!(told, ("F1", 248_050));
    let all = trade.biller.list_all("/v1/invoices", "invoices", &[]).await;
    assert_eq!(all.len(), 1);
    let rest = trade.invoice(trade.invoicing(&order, &series)).await.ok();
    assert_eq!(cents(&rest["totals"]["gross"]), 121_000);
}

/// DOC-07: parts of what was sold are invoiced at the prices that were agreed on and add up to it; more than is left is refused,
/// and what is voided is given back.
#[tokio::test]
async fn parts_of_a_quote_add_up_to_it() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    trade.numbers("QUOTE", "Q").await;
    let series = trade.billing_numbers("INVOICE", "F").await;
    let line = json!({
        "product": product, "quantity": "3", "unitPrice": "99.99",
        "adjustments": [{ "kind": "DISCOUNT", "amount": dollars(10), "reason": "Loyal" }, { "kind": "CHARGE", "percent": "7" }],
    });
    let document = json!({ "currencyCode": "USD", "lines": [line], "discounts": [{ "percent": "5" }] });
    let quote = trade.accepted_quote(document).await;
    let agreed = trade.seller.get(&format!("/v1/{quote}")).await.ok();
    let part = |quantity: &str| {
        let mut request = trade.invoicing(&quote, &series);
        request["lines"] = json!([{ "sourceLine": "1", "quantity": quantity }]);
        request
    };

    let first = trade.invoice(part("1")).await.ok();
    trade.invoice(part("2.5")).await.refused_as("BASIS_EXCEEDED");
    let voided = trade.invoice(part("2")).await.ok();
    trade.biller.post(&format!("/v1/{}:void", name(&voided)), json!({ "reason": "a mistake" })).await.ok();
    let rest = trade.invoice(trade.invoicing(&quote, &series)).await.ok();

    let net = |invoice: &Value| cents(&invoice["totals"]["net"]);
    assert_eq!(net(&first) + net(&rest), cents(&agreed["document"]["totals"]["net"]));
    assert_eq!(net(&voided), net(&rest), "what is given back is invoiced as it was");
    trade.invoice(trade.invoicing(&quote, &series)).await.refused_as("ALREADY_INVOICED");
}

/// DOC-07: a draft counts as soon as it is there, by what its lines say whenever it is written, and no more once it is deleted; the
/// table itself refuses more than was sold. What is credited counts no more either.
#[tokio::test]
async fn a_draft_takes_what_its_lines_say() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    trade.numbers("QUOTE", "Q").await;
    let series = trade.billing_numbers("INVOICE", "F").await;
    let document = json!({ "currencyCode": "USD", "lines": [{ "product": product, "quantity": "3" }] });
    let quote = trade.accepted_quote(document).await;
    let mut request = trade.invoicing(&quote, &series);
    request["issue"] = json!(false);
    let mut draft = trade.invoice(request).await.ok();
    let path = format!("/v1/{}", name(&draft));
    let write = async |draft: &mut Value, quantity: &str| {
        draft["lines"][0]["quantity"] = json!(quantity);
        let lines = json!({ "lines": draft["lines"] });
        trade.biller.patch(&format!("{path}?updateMask=lines"), lines).await
    };

    trade.invoice(trade.invoicing(&quote, &series)).await.refused_as("ALREADY_INVOICED");
    write(&mut draft, "1").await.ok();
    let rest = trade.invoice(trade.invoicing(&quote, &series)).await.ok();
    write(&mut draft, "1.5").await.refused_as("BASIS_EXCEEDED");
    trade.biller.delete(&path).await.ok();
    let last = trade.invoice(trade.invoicing(&quote, &series)).await.ok();

    let quantity = |invoice: &Value| text(&invoice["lines"][0], "quantity").to_owned();
    assert_eq!((quantity(&rest), quantity(&last)), ("2".to_owned(), "1".to_owned()));
    let credits = trade.billing_numbers("CREDIT_NOTE", "C").await;
    let credit =
        trade.made("creditNotes", json!({ "invoice": name(&rest), "reason": "Wrong address" })).await;
    verb(&trade.biller, &credit, "issue", json!({ "numberSeries": credits })).await;
    let again = trade.invoice(trade.invoicing(&quote, &series)).await.ok();
    assert_eq!(quantity(&again), "2", "what is credited may be invoiced once more");
}

/// DOC-07: what one order line brings is invoiced by several delivery notes and by the order itself, and comes to what was agreed on;
/// lines of one note may deliver the same line of the order.
#[tokio::test]
async fn the_notes_of_an_order_add_up_to_it() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    trade.all_numbers().await;
    let series = trade.billing_numbers("INVOICE", "F").await;
    let line = json!({
        "product": product, "quantity": "7", "unitPrice": "9.999",
        "adjustments": [{ "kind": "DISCOUNT", "amount": dollars(10), "reason": "Loyal" }],
    });
    let quote = trade.accepted_quote(json!({ "currencyCode": "USD", "lines": [line] })).await;
    let order = trade.seller.post("/v1/orders:createFromQuote", json!({ "quote": quote })).await.ok();
    let order = name(&order);
    let agreed = verb(&trade.seller, &order, "confirm", json!({})).await;
    let mut net = Vec::new();
    for quantities in [vec!["1"], vec!["1"], vec!["1", "2"]] {
        let lines: Vec<_> = quantities.iter().map(|of| json!({ "orderLine": "1", "quantity": of })).collect();
        let note = trade.made("deliveryNotes", json!({ "order": order, "lines": lines })).await;
        verb(&trade.seller, &note, "issue", json!({})).await;

        let invoice = trade.invoice(trade.invoicing(&note, &series)).await.ok();

        let invoiced = list(&invoice, "lines").iter().map(|line| text(line, "quantity"));
        assert_eq!(invoiced.collect::<Vec<_>>(), quantities);
        net.push(cents(&invoice["totals"]["net"]));
    }
    let mut part = trade.invoicing(&quote, &series);
    part["lines"] = json!([{ "sourceLine": "1", "quantity": "1" }]);
    for rest in [part, trade.invoicing(&order, &series)] {
        net.push(cents(&trade.invoice(rest).await.ok()["totals"]["net"]));
    }

    assert_eq!(net.iter().sum::<i64>(), cents(&agreed["document"]["totals"]["net"]), "{net:?}");
    trade.invoice(trade.invoicing(&order, &series)).await.refused_as("ALREADY_INVOICED");
}
