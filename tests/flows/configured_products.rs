//! What was chosen of a product, from the cart or the quote to delivery note, invoice and e-invoice.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lopdf::Document as File;
use serde_json::json;
use uuid::Uuid;

use super::{
    charges_of_lines::configured,
    orders::{Trade, trade},
    quotes::verb,
};
use crate::harness::{
    eventually::{SOON, eventually},
    tenant::Tenant,
    values::{cents, list, name, text},
};

impl Trade {
    /// Waits until sales can say who makes out its documents, and to whom.
    async fn printable(&self, quote: &str) {
        let ask = || async { self.seller.get(&format!("/v1/{quote}:render")).await.status };
        eventually(SOON, "sales to know issuer and recipient", ask, |status| *status == 200).await;
    }

    /// A document as a file, in Spanish where it is a PDF.
    async fn rendered(&self, document: &str, format: &str) -> Vec<u8> {
        let rendered = self.biller.get(&format!("/v1/{document}:render?language=es{format}")).await.ok();
        STANDARD.decode(text(&rendered, "content")).expect("it is base64")
    }

    /// Text of a document as PDF, without white space.
    async fn printed(&self, document: &str) -> String {
        let file = File::load_mem(&self.rendered(document, "").await).expect("it is a PDF");
        let pages: Vec<u32> = file.get_pages().into_keys().collect();
        let text = file.extract_text(&pages).expect("it has text");
        text.chars().filter(|letter| !letter.is_whitespace()).collect()
    }
}

/// SFA-24, DOC-05, DOC-07, XTR-05: what was chosen of a product is read on its delivery note and on its invoice, on paper and as
/// e-invoice.
#[tokio::test]
async fn what_was_chosen_stands_on_delivery_note_and_invoice() {
    let tenant = Tenant::fresh();
    let (trade, _) = trade(&tenant).await;
    let (invoices, _) = trade.ready().await;
    let document = configured(&trade).await;
    let draft = json!({ "account": trade.account, "document": document });
    trade.printable(&trade.made("quotes", draft).await).await;
    let quote = trade.accepted_quote(document).await;
    let order = trade.seller.post("/v1/orders:createFromQuote", json!({ "quote": quote })).await.ok();
    verb(&trade.seller, &name(&order), "confirm", json!({})).await;

    let note = trade.received(&name(&order)).await;
    let mut invoicing = trade.invoicing(&note, &invoices);
    invoicing["billTo"] = json!({
        "displayName": "Miramar",
        "address": { "lines": ["Paseo 2"], "postalCode": "20001", "locality": "Donostia", "countryCode": "ES" },
    });
    let invoice = trade.invoice(invoicing).await.ok();

    assert_eq!(text(&list(&invoice, "lines")[0], "description"), "Plotter (Big drive)");
    for document in [note, name(&invoice)] {
        let said = trade.printed(&document).await;
        assert!(said.contains("Plotter(Bigdrive)"), "{document} says {said}");
    }
    let ubl = String::from_utf8(trade.rendered(&name(&invoice), "&format=UBL").await).expect("it is text");
    assert!(ubl.contains("<cbc:Name>Plotter (Big drive)</cbc:Name>"), "{ubl}");
}

/// SFA-24, DOC-12: the order that is made of a cart has the choices that were put into it, at the same price.
#[tokio::test]
async fn a_configured_product_in_a_cart_is_ordered_as_it_was_chosen() {
    let tenant = Tenant::fresh();
    let (trade, _) = trade(&tenant).await;
    trade.numbers("ORDER", "O").await;
    let document = configured(&trade).await;
    let choices = document["lines"][0]["choices"].clone();
    let cart = trade.made("carts", json!({ "sessionId": "visitor-1", "document": document })).await;
    let known = json!({ "account": trade.account, "step": "REVIEW" });
    let shown = trade.seller.patch(&format!("/v1/{cart}"), known).await.ok();

    let check_out = json!({ "requestId": Uuid::new_v4() });
    let order = trade.seller.post(&format!("/v1/{cart}:checkOut"), check_out).await.ok();
    let confirmed = verb(&trade.seller, &name(&order), "confirm", json!({})).await;

    // 3 × 1,000.00 and 3 × 100.01, and 10.00 for the rush, less 5 % of all of it.
    assert_eq!(cents(&shown["document"]["totals"]["net"]), 314_453);
    assert_eq!(order["document"], shown["document"]);
    assert_eq!(confirmed["document"]["lines"], shown["document"]["lines"]);
    let [line] = list(&confirmed["document"], "lines") else { panic!("one line: {confirmed}") };
    assert_eq!((&line["choices"], text(line, "appliedDescription")), (&choices, "Plotter (Big drive)"));
}
