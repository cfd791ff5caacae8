//! From a return to the credit notes of what billed it, across sales and billing.

use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    orders::{Trade, trade, until_invoiced},
    quotes::verb,
    withholding::{advice, irpf, sums},
};
use crate::harness::{
    answer::Answer,
    tenant::Tenant,
    values::{cents, list, name, text},
};

impl Trade {
    /// Asks to credit a return, with these fields besides.
    pub async fn credit(&self, sales_return: &str, more: Value) -> Answer {
        let mut request = json!({ "salesReturn": sales_return, "requestId": Uuid::new_v4() });
        for (field, value) in more.as_object().into_iter().flatten() {
            request[field] = value.clone();
        }
        self.biller.post("/v1/creditNotes:createFromReturn", request).await
    }

    /// Delivers all of an order and has it received; answers its delivery note.
    pub async fn received(&self, order: &str) -> String {
        let note = self.made("deliveryNotes", json!({ "order": order })).await;
        verb(&self.seller, &note, "issue", json!({})).await;
        verb(&self.seller, &note, "confirm", json!({ "proof": { "receiver": "Eva" } })).await;
        note
    }

    /// Lets so much of these lines of a delivery note come back, and finds out that it is refunded.
    async fn inspected(&self, note: &str, lines: &[(&str, &str)]) -> String {
        let back = self.bring_back(note, lines).await;
        self.inspect(&back, lines).await;
        back
    }

    /// The same, and settles it.
    pub async fn refunded(&self, note: &str, lines: &[(&str, &str)]) -> String {
        let back = self.inspected(note, lines).await;
        verb(&self.seller, &back, "settle", json!({})).await;
        back
    }

    /// Whatever is needed to sell and take back: answers the series of invoices and that of credit notes.
    pub async fn ready(&self) -> (String, String) {
        self.all_numbers().await;
        self.publish_return_policy().await;
        (self.billing_numbers("INVOICE", "F").await, self.billing_numbers("CREDIT_NOTE", "C").await)
    }

    /// Invoices so much of a line of a document of sales.
    pub async fn invoice_part(&self, source: &str, series: &str, (line, quantity): (&str, &str)) -> String {
        let mut request = self.invoicing(source, series);
        request["lines"] = json!([{ "sourceLine": line, "quantity": quantity }]);
        name(&self.invoice(request).await.ok())
    }
}

/// Asks to issue credit notes in this series.
pub fn issue(series: &str) -> Value {
    json!({ "issue": true, "numberSeries": series })
}

/// Invoice, number and cents of the credit notes of an answer.
fn brief(answer: &Value) -> Vec<(&str, &str, i64)> {
    let notes = list(answer, "creditNotes").iter();
    notes.map(|note| (text(note, "invoice"), text(note, "number"), cents(&note["totals"]["gross"]))).collect()
}

/// DOC-05, DOC-07, DOC-09: what is settled by refund is credited on the invoices that billed it, of the quote and of the delivery
/// note, the oldest first; once, however many ask; and not before it is settled, nor where nothing was invoiced.
#[tokio::test]
async fn what_comes_back_is_credited_where_it_was_billed() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    let (invoices, credits) = trade.ready().await;
    let document = json!({ "currencyCode": "USD", "lines": [{ "product": product, "quantity": "3" }] });
    let quote = trade.accepted_quote(document.clone()).await;
    let order = name(&trade.seller.post("/v1/orders:createFromQuote", json!({ "quote": quote })).await.ok());
    verb(&trade.seller, &order, "confirm", json!({})).await;
    let first = trade.invoice_part(&quote, &invoices, ("1", "1")).await;
    let note = trade.received(&order).await;
    let second = trade.invoice(trade.invoicing(&note, &invoices)).await.ok();
    assert_eq!(cents(&second["totals"]["gross"]), 242_000, "one was invoiced by the quote");
    let two = [("1", "2")];
    let back = trade.inspected(&note, &two).await;

    let early = trade.credit(&back, json!({})).await.refused_as("SOURCE_NOT_READY");
    verb(&trade.seller, &back, "settle", json!({})).await;
    let tried = trade.credit(&back, json!({ "validateOnly": true })).await.ok();
    let answers = join_all((0..4).map(|_| trade.credit(&back, issue(&credits)))).await;

    assert_eq!(early.metadata["sales_return"], back);
    assert_eq!(list(&tried, "creditNotes").len(), 2);
    let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((done.len(), refused.len()), (1, 3), "a return is credited once");
    let done = done.into_iter().next().expect("one was done").ok();
    let notes = list(&done, "creditNotes");
    assert_eq!(brief(&done), [(first.as_str(), "C1", 121_000), (text(&second, "name"), "C2", 121_000)]);
    assert!(notes.iter().all(|note| text(note, "salesReturn") == back && text(note, "reason") == "Too loud"));
    for refused in refused {
        assert_eq!(refused.refused_as("RETURN_CREDITED").metadata["credit_note"], name(&notes[0]));
    }

    let other = trade.made("orders", json!({ "account": trade.account, "document": document })).await;
    verb(&trade.seller, &other, "confirm", json!({})).await;
    let back = trade.refunded(&trade.received(&other).await, &two).await;
    trade.credit(&back, issue(&credits)).await.refused_as("NOTHING_TO_CREDIT");
}

/// DOC-05, DOC-07, DOC-09: what was given away and comes back is credited as what was sold is, by its quantity: also where nothing
/// else is on its invoice; and then nothing of the order is to be credited any more.
#[tokio::test]
async fn gifts_that_come_back_are_credited() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    let (invoices, credits) = trade.ready().await;
    let gift = json!({ "product": product, "quantity": "3", "unitPrice": "0" });
    let lines = json!([{ "product": product, "quantity": "2" }, gift]);
    let document = json!({ "currencyCode": "USD", "lines": lines });
    let order = trade.made("orders", json!({ "account": trade.account, "document": document })).await;
    let terms = json!({ "name": order, "invoicingPolicy": "DELIVERED" });
    trade.seller.patch(&format!("/v1/{order}"), terms).await.ok();
    verb(&trade.seller, &order, "confirm", json!({})).await;
    let note = trade.received(&order).await;
    let free = trade.invoice_part(&note, &invoices, ("2", "1")).await;
    let other = name(&trade.invoice(trade.invoicing(&note, &invoices)).await.ok());
    until_invoiced(&trade.seller, &order, "INVOICED").await;

    let back = trade.refunded(&note, &[("1", "2"), ("2", "3")]).await;
    until_invoiced(&trade.seller, &order, "TO_CREDIT").await;
    let credited = trade.credit(&back, issue(&credits)).await.ok();
    let order = until_invoiced(&trade.seller, &order, "CREDITED").await;

    assert_eq!(brief(&credited), [(free.as_str(), "C1", 0), (other.as_str(), "C2", 242_000)]);
    let quantities: Vec<_> = list(&order, "progress").iter().map(|line| text(line, "credited")).collect();
    assert_eq!(quantities, ["2", "3"]);
}

/// DOC-05, DOC-09: what is written off is owed by nobody, and is not given back: where a return would be credited on such an invoice,
/// nothing of it is, and the invoice is named; the others are credited by hand. Where it would not be, such an invoice is in nobody's
/// way.
#[tokio::test]
async fn what_is_written_off_is_named_and_not_credited() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    let (invoices, credits) = trade.ready().await;
    let document = json!({ "currencyCode": "USD", "lines": [{ "product": product, "quantity": "3" }] });
    let invoiced = async |first: &str| {
        let order = json!({ "account": trade.account, "document": document });
        let order = trade.made("orders", order).await;
        verb(&trade.seller, &order, "confirm", json!({})).await;
        let note = trade.received(&order).await;
        let first = trade.invoice_part(&note, &invoices, ("1", first)).await;
        let second = name(&trade.invoice(trade.invoicing(&note, &invoices)).await.ok());
        (first, second, trade.refunded(&note, &[("1", "2")]).await)
    };
    let write_off = async |invoice: &str| {
        verb(&trade.biller, invoice, "writeOff", json!({ "reason": "Insolvent" })).await;
    };

    let (paid, lost, elsewhere) = invoiced("2").await;
    write_off(&lost).await;
    let credited = trade.credit(&elsewhere, issue(&credits)).await.ok();
    let (lost, other, back) = invoiced("1").await;
    write_off(&lost).await;
    let refused = trade.credit(&back, issue(&credits)).await.refused_as("INVOICE_WRITTEN_OFF");
    let lines = json!([{ "key": "1", "quantity": "1" }]);
    let by_hand = json!({ "invoice": other, "reason": "Too loud", "lines": lines });
    let by_hand = trade.made("creditNotes", by_hand).await;
    let by_hand = verb(&trade.biller, &by_hand, "issue", json!({ "numberSeries": credits })).await;

    assert_eq!(brief(&credited), [(paid.as_str(), "C1", 242_000)]);
    assert_eq!((&refused.metadata["invoice"], &refused.metadata["sales_return"]), (&lost, &back));
    assert_eq!((text(&by_hand, "number"), cents(&by_hand["totals"]["gross"])), ("C2", 121_000));
}

/// DOC-06, DOC-09, DOC-10: what was withheld of what comes back is credited with it, of each part its own; and the parts, the last one
/// with something else of which nothing was withheld, add up to the invoice.
#[tokio::test]
async fn what_comes_back_is_credited_with_what_was_withheld_of_it() {
    let tenant = Tenant::fresh();
    let (trade, product) = trade(&tenant).await;
    irpf(&trade, &product).await;
    let (invoices, credits) = trade.ready().await;
    let mut withheld = advice(&product, "3");
    withheld["unitPrice"] = json!("33.35");
    let lines = json!([withheld, { "product": product, "quantity": "1", "unitPrice": "10.01" }]);
    let document = json!({ "currencyCode": "USD", "lines": lines });
    let order = trade.made("orders", json!({ "account": trade.account, "document": document })).await;
    verb(&trade.seller, &order, "confirm", json!({})).await;
    let note = trade.received(&order).await;
    let invoice = trade.invoice(trade.invoicing(&note, &invoices)).await.ok();
    assert_eq!(sums(&invoice), [11_006, 2_311, 13_317, 1_501, 11_816]);

    let (mut credited, mut open) = (Vec::new(), Vec::new());
    for lines in [&[("1", "1")][..], &[("1", "1")], &[("1", "1"), ("2", "1")]] {
        let back = trade.refunded(&note, lines).await;
        let answer = trade.credit(&back, issue(&credits)).await.ok();
        let [credit_note] = list(&answer, "creditNotes") else { panic!("{answer}") };
        credited.push(sums(credit_note));
        let invoice = trade.biller.get(&format!("/v1/{}", name(&invoice))).await.ok();
        open.push((cents(&invoice["credited"]), cents(&invoice["open"])));
    }

    // A third of 21.01 of tax and of 15.01 withheld is no whole cent: the parts take 7.00, 7.01 and 7.00, and 5.00, 5.01 and 5.00.
    let [first, second, last] =
        [[3_335, 700, 4_035, 500, 3_535], [3_335, 701, 4_036, 501, 3_535], [4_336, 910, 5_246, 500, 4_746]];
    assert_eq!(credited, [first, second, last]);
    assert_eq!(open, [(4_035, 8_281), (8_071, 4_746), (13_317, 0)]);
    let together: Vec<i64> = (0..5).map(|sum| credited.iter().map(|part| part[sum]).sum()).collect();
    assert_eq!(together, sums(&invoice));
}
