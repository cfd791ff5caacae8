//! What a buyer withholds, from the quote to the invoices, what pays them, and what is credited of them.

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

/// Records the IRPF in billing, and waits until sales withholds it of a product.
pub async fn irpf(trade: &Trade, product: &str) {
    let irpf = json!({
        "code": "IRPF-15", "displayName": "IRPF", "countryCode": "ES", "tax": "IRPF", "category": "WITHHOLDING",
        "rates": [{ "percent": "15", "validFrom": { "year": 2015, "month": 7, "day": 12 } }],
    });
    trade.biller.post("/v1/taxCodes", irpf).await.ok();
    let question = json!({ "currencyCode": "USD", "lines": [advice(product, "1")] });
    let ask = || async { trade.seller.post("/v1/pricing:priceDocument", question.clone()).await.status };
    eventually(SOON, "sales to know the IRPF", ask, |status| *status == 200).await;
}

/// So much of a product of which the IRPF is withheld.
pub fn advice(product: &str, quantity: &str) -> Value {
    json!({ "product": product, "quantity": quantity, "withheldTaxClasses": ["IRPF-15"] })
}

/// Net, tax, total, what is withheld, and what is due, in cents.
pub fn sums(document: &Value) -> [i64; 5] {
    ["net", "tax", "gross", "withheld", "due"].map(|sum| cents(&document["totals"][sum]))
}

/// DOC-04, DOC-06, DOC-07, DOC-10: an order withholds what its quote did, its invoice the same to the cent, and what is due then
/// pays it.
#[tokio::test]
async fn what_a_quote_withholds_its_invoice_does_and_the_rest_pays_it() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    irpf(&trade, &product).await;
    trade.numbers("QUOTE", "Q").await;
    trade.numbers("ORDER", "O").await;
    let series = trade.billing_numbers("INVOICE", "F").await;

    let document = json!({ "currencyCode": "USD", "lines": [advice(&product, "1")] });
    let quote = trade.accepted_quote(document).await;
    let quoted = trade.seller.get(&format!("/v1/{quote}")).await.ok();
    let order = trade.seller.post("/v1/orders:createFromQuote", json!({ "quote": quote })).await.ok();
    let ordered = verb(&trade.seller, &name(&order), "confirm", json!({})).await;
    let invoice = trade.invoice(trade.invoicing(&name(&order), &series)).await.ok();
    let payment = json!({
        "account": trade.account, "legalEntity": trade.legal_entity, "method": "BANK_TRANSFER", "amount": dollars(1_060),
    });
    let allocations = json!([{ "invoice": name(&invoice) }]);
    let payment = json!({ "payment": payment, "allocations": allocations, "requestId": Uuid::new_v4() });
    let by_bank = trade.biller.post("/v1/payments:record", payment).await.ok();

    let expected = [100_000, 21_000, 121_000, 15_000, 106_000];
    assert_eq!(sums(&quoted["document"]), expected);
    assert_eq!(sums(&ordered["document"]), expected);
    assert_eq!(sums(&invoice), expected);
    assert_eq!(cents(&by_bank["unallocated"]), 0);
    let paid = trade.biller.get(&format!("/v1/{}", name(&invoice))).await.ok();
    assert_eq!((text(&paid, "paymentState"), cents(&paid["open"])), ("PAID", 0));
}

/// DOC-05, DOC-07, DOC-08, DOC-09: with discounts, charges and a line of which nothing is withheld, the invoice of all withholds
/// what was agreed on to the cent; those of parts withhold each of its own, and what comes back is credited with it.
#[tokio::test]
async fn parts_withhold_of_what_they_are_and_credits_give_it_back() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    irpf(&trade, &product).await;
    for (kind, prefix) in [("QUOTE", "Q"), ("ORDER", "O"), ("DELIVERY_NOTE", "D")] {
        trade.numbers(kind, prefix).await;
    }
    let series = trade.billing_numbers("INVOICE", "F").await;
    let credits = trade.billing_numbers("CREDIT_NOTE", "C").await;
    let mut line = advice(&product, "3");
    line["unitPrice"] = json!("99.99");
    line["adjustments"] = json!([
        { "kind": "DISCOUNT", "amount": dollars(10), "reason": "Loyal" }, { "kind": "CHARGE", "percent": "7" },
    ]);
    let document = json!({
        "currencyCode": "USD", "lines": [line, { "product": product, "quantity": "1", "unitPrice": "33.33" }],
        "discounts": [{ "percent": "5" }],
        "charges": [{
            "key": "travel", "reason": "Travel", "amount": dollars(50), "taxClass": "VAT-21",
            "withheldTaxClasses": ["IRPF-15"],
        }],
    });

    let quote = trade.accepted_quote(document.clone()).await;
    let agreed = trade.seller.get(&format!("/v1/{quote}")).await.ok();
    let invoice = trade.invoice(trade.invoicing(&quote, &series)).await.ok();
    assert_eq!(sums(&invoice), sums(&agreed["document"]));
    // 15 % of 299.97 less 10.00, with 7 % on top, less 15.51 of the 5 % of all lines; and of 50.00 for travel.
    assert_eq!(cents(&invoice["totals"]["withheld"]), 5_171);

    let credit = json!({ "invoice": name(&invoice), "reason": "Never came" });
    let credit = trade.made("creditNotes", credit).await;
    let credited = verb(&trade.biller, &credit, "issue", json!({ "numberSeries": credits })).await;
    let given_back = ["withheld", "due"].map(|sum| cents(&credited["totals"][sum]));
    let [.., withheld, due] = sums(&invoice);
    assert_eq!(given_back, [withheld, due]);

    let quote = trade.accepted_quote(document).await;
    let order = name(&trade.seller.post("/v1/orders:createFromQuote", json!({ "quote": quote })).await.ok());
    verb(&trade.seller, &order, "confirm", json!({})).await;
    let note = json!({ "order": order, "lines": [{ "orderLine": "1", "quantity": "2" }] });
    let note = trade.made("deliveryNotes", note).await;
    verb(&trade.seller, &note, "issue", json!({})).await;
    let first = trade.invoice(trade.invoicing(&note, &series)).await.ok();
    let rest = trade.invoice(trade.invoicing(&order, &series)).await.ok();
    let [net, ..] = sums(&agreed["document"]);
    assert_eq!(sums(&first)[0] + sums(&rest)[0], net);
    for invoice in [&first, &rest] {
        let [_, _, gross, withheld, due] = sums(invoice);
        assert_eq!((withheld, due), (withheld_of(invoice), gross - withheld));
    }
}

/// 15 % of the lines of an invoice of which it is withheld, by hand.
fn withheld_of(invoice: &Value) -> i64 {
    let is_withheld = |line: &&Value| list(line, "taxes").iter().any(|tax| text(tax, "code") == "IRPF-15");
    let net: i64 = list(invoice, "lines").iter().filter(is_withheld).map(|line| cents(&line["net"])).sum();
    assert!(net > 0, "{invoice}");
    (net * 15 + 50) / 100
}
