//! What was sold and is parked, and is invoiced by other hands in the meantime: in parts, by drafts, by other names.

use serde_json::{Value, json};

use super::{
    orders::Trade,
    parked_documents::{
        MISSING, Waiting, anew, drafting, invoicing_trade, order_without_tax, part, retry, states, task_of,
    },
    quotes::verb,
};
use crate::harness::{
    tenant::Tenant,
    values::{name, text},
};

impl Trade {
    /// Issues a draft in the series of a request.
    async fn issue_draft(&self, draft: &Value, request: &Value) {
        let series = json!({ "numberSeries": request["numberSeries"] });
        verb(&self.biller, text(draft, "name"), "issue", series).await;
    }

    /// A draft of an invoice in the name of a document, none of whose lines it bills.
    async fn drafted_beside(&self, source: &str, tax_code: &str) -> String {
        let line = json!({
            "key": "1", "description": "Advice", "quantity": "1", "unitPrice": "5", "taxCodes": [tax_code],
        });
        let draft = json!({
            "account": self.account, "legalEntity": self.legal_entity, "currencyCode": "USD",
            "billTo": { "displayName": "Miramar" }, "sourceDocument": source, "lines": [line],
        });
        self.made("invoices", draft).await
    }

    /// An accepted quote of two pieces, and its confirmed order.
    async fn quote_of_two(&self, product: &str) -> (String, String) {
        let document = json!({ "currencyCode": "USD", "lines": [{ "product": product, "quantity": "2" }] });
        let quote = self.accepted_quote(document).await;
        let order = self.seller.post("/v1/orders:createFromQuote", json!({ "quote": quote })).await.ok();
        let order = name(&order);
        verb(&self.seller, &order, "confirm", json!({})).await;
        (quote, order)
    }
}

/// DOC-07, XTR-05: a part that is parked and that somebody drafts meanwhile is not invoiced beside that: whoever tries is told of the
/// draft. When it is issued the task is over by itself, and who repeats the request gets no second piece; who asks anew does.
#[tokio::test]
async fn a_part_that_is_drafted_meanwhile_is_not_invoiced_twice() {
    let tenant = Tenant::fresh();
    let Waiting { trade, order, request, tax_code } = order_without_tax(&tenant, "3").await;
    let request = part(request, "1");

    let task = task_of(&trade.invoice(request.clone()).await, MISSING);
    trade.bring_tax_back(&tax_code).await;
    let other = trade.invoice(part(drafting(&request), "2")).await.ok();
    trade.delete(text(&other, "name")).await;
    let draft = trade.invoice(drafting(&request)).await.ok();
    let still = retry(&trade.biller, &task).await.ok();
    let told = trade.invoice(request.clone()).await.refused_as("ALREADY_INVOICED");
    let left = trade.tasks(&order).await;
    trade.issue_draft(&draft, &request).await;
    let ended = trade.tasks(&order).await;
    let repeated = trade.invoice(request.clone()).await.refused_as("ALREADY_INVOICED");
    let second = trade.invoice(anew(&request)).await.ok();

    assert_eq!((text(&still, "state"), text(&still, "reason")), ("PARKED", "ALREADY_INVOICED"));
    assert!(text(&still, "message").contains(text(&draft, "name")), "it names no draft: {still}");
    assert_eq!(told.metadata["draft"], name(&draft));
    assert_eq!((states(&left), states(&ended)), (vec!["PARKED"], vec!["DONE"]));
    assert_eq!(repeated.metadata["invoice"], name(&draft));
    assert!(!repeated.metadata.contains_key("draft"), "it is issued");
    assert_eq!(text(&second["lines"][0], "quantity"), "1");
    assert_eq!(trade.invoices_of(&order).await.len(), 2);
}

/// DOC-07, XTR-05: a part that was done by another request stays done for who repeats the first one, also when its invoice is voided;
/// who asks anew gets another one.
#[tokio::test]
async fn a_part_that_is_done_stays_done_when_it_is_voided() {
    let tenant = Tenant::fresh();
    let Waiting { trade, order, request, tax_code } = order_without_tax(&tenant, "2").await;
    let request = part(request, "1");

    task_of(&trade.invoice(request.clone()).await, MISSING);
    trade.bring_tax_back(&tax_code).await;
    let made = trade.invoice(anew(&request)).await.ok();
    let while_issued = trade.invoice(request.clone()).await.refused_as("ALREADY_INVOICED");
    verb(&trade.biller, text(&made, "name"), "void", json!({ "reason": "Mistyped" })).await;
    let once_void = trade.invoice(request.clone()).await.refused_as("ALREADY_INVOICED");
    trade.invoice(anew(&request)).await.ok();

    assert_eq!(while_issued.metadata["invoice"], name(&made));
    assert!(!once_void.metadata.contains_key("invoice"), "{once_void:?}");
    assert_eq!(states(&trade.tasks(&order).await), ["DONE"]);
}

/// DOC-07, XTR-05: a part that was drafted meanwhile is invoiced by the task once that draft is deleted; one that wants other parts says
/// nothing of it.
#[tokio::test]
async fn a_part_whose_draft_is_deleted_is_invoiced() {
    let tenant = Tenant::fresh();
    let Waiting { trade, order, request, tax_code } = order_without_tax(&tenant, "4").await;
    let request = part(request, "1");

    let task = task_of(&trade.invoice(request.clone()).await, MISSING);
    trade.bring_tax_back(&tax_code).await;
    let draft = trade.invoice(drafting(&request)).await.ok();
    trade.delete(text(&draft, "name")).await;
    trade.invoice(part(anew(&request), "2")).await.ok();
    let left = trade.tasks(&order).await;
    let done = retry(&trade.biller, &task).await.ok();
    let made = trade.invoice(request).await.ok();

    assert_eq!((states(&left), text(&done, "state")), (vec!["PARKED"], "DONE"));
    assert_eq!(text(&made["lines"][0], "quantity"), "1");
    assert_eq!(trade.invoices_of(&order).await.len(), 2);
}

/// DOC-07, XTR-05: a part of which nothing is left, for it was invoiced by the name of another document, is done and not refused for
/// ever; not while that is a draft.
#[tokio::test]
async fn a_part_of_which_nothing_is_left_is_done() {
    let tenant = Tenant::fresh();
    let Waiting { trade, order, request, tax_code } = order_without_tax(&tenant, "1").await;
    let note = trade.delivered(&order, "1").await;
    let by_note = trade.invoicing(&note, text(&request, "numberSeries"));

    let task = task_of(&trade.invoice(part(request.clone(), "1")).await, MISSING);
    trade.bring_tax_back(&tax_code).await;
    let draft = trade.invoice(drafting(&by_note)).await.ok();
    let still = retry(&trade.biller, &task).await.ok();
    trade.invoice(part(anew(&request), "1")).await.refused_as("BASIS_EXCEEDED");
    trade.issue_draft(&draft, &request).await;
    let done = retry(&trade.biller, &task).await.ok();

    assert_eq!((text(&still, "state"), text(&still, "reason")), ("PARKED", "ALREADY_INVOICED"));
    assert!(text(&still, "message").contains(text(&draft, "name")), "it names no draft: {still}");
    assert_eq!(text(&done, "state"), "DONE");
    assert!(trade.invoices_of(&order).await.is_empty());
}

/// DOC-07, XTR-05: what is parked of all that is left is over when the last draft of it is issued, and not before; nobody has to try it
/// again.
#[tokio::test]
async fn issuing_the_last_draft_ends_what_is_parked() {
    let tenant = Tenant::fresh();
    let Waiting { trade, order, request, tax_code } = order_without_tax(&tenant, "3").await;

    task_of(&trade.invoice(request.clone()).await, MISSING);
    trade.bring_tax_back(&tax_code).await;
    let first = trade.invoice(part(drafting(&request), "1")).await.ok();
    let rest = trade.invoice(drafting(&request)).await.ok();
    trade.issue_draft(&first, &request).await;
    let left = trade.tasks(&order).await;
    trade.issue_draft(&rest, &request).await;
    let ended = trade.tasks(&order).await;

    assert_eq!((states(&left), states(&ended)), (vec!["PARKED"], vec!["DONE"]));
    assert_eq!(text(&rest["lines"][0], "quantity"), "2");
}

/// DOC-07, XTR-05: what is parked of a quote is not over while a draft by the name of its order, or of a delivery note of that, has taken
/// the rest of it: when that is deleted, trying again invoices the rest.
#[tokio::test]
async fn a_draft_of_the_order_keeps_what_is_parked_of_its_quote() {
    let tenant = Tenant::fresh();
    let (trade, product, series) = invoicing_trade(&tenant).await;
    let by_order = trade.quote_of_two(&product).await;
    let (other, delivered) = trade.quote_of_two(&product).await;
    let note = trade.delivered(&delivered, "1").await;
    let tax_code = trade.take_tax_away().await;
    let requests = [&by_order.0, &other].map(|quote| trade.invoicing(quote, &series));
    let mut tasks = Vec::new();
    for request in &requests {
        tasks.push(task_of(&trade.invoice(request.clone()).await, MISSING));
    }
    trade.bring_tax_back(&tax_code).await;

    let beside = [part(trade.invoicing(&by_order.1, &series), "1"), trade.invoicing(&note, &series)];
    for ((request, task), beside) in requests.iter().zip(&tasks).zip(beside) {
        let quote = text(request, "sourceDocument");
        let first = trade.invoice(part(drafting(request), "1")).await.ok();
        let beside = trade.invoice(drafting(&beside)).await.ok();
        trade.issue_draft(&first, request).await;
        let left = trade.tasks(quote).await;
        let still = retry(&trade.biller, task).await.ok();
        trade.delete(text(&beside, "name")).await;
        let done = retry(&trade.biller, task).await.ok();
        let rest = trade.invoice(request.clone()).await.ok();

        let source = text(&beside, "sourceDocument");
        assert_eq!((states(&left), text(&still, "state")), (vec!["PARKED"], "PARKED"), "{source}");
        assert!(text(&still, "message").contains(text(&beside, "name")), "it names no draft: {still}");
        assert_eq!(text(&done, "state"), "DONE", "{source}");
        assert_eq!(text(&rest["lines"][0], "quantity"), "1", "{source}");
        assert_eq!(trade.invoices_of(quote).await.len(), 2, "{source}");
    }
}

/// DOC-07, XTR-05: who is told that all is invoiced is told of drafts that have taken of it, and of no others: not of one that bills no
/// line of it, nor of one by another delivery note that brings something else.
#[tokio::test]
async fn a_draft_that_took_nothing_is_not_named() {
    let tenant = Tenant::fresh();
    let (trade, product, series) = invoicing_trade(&tenant).await;
    let line = json!({ "product": product, "quantity": "1" });
    let document = json!({ "currencyCode": "USD", "lines": [line, line] });
    let order = trade.made("orders", json!({ "account": trade.account, "document": document })).await;
    verb(&trade.seller, &order, "confirm", json!({})).await;
    let first = trade.delivered(&order, "1").await;
    let second = json!({ "order": order, "lines": [{ "orderLine": "2", "quantity": "1" }] });
    let second = trade.made("deliveryNotes", second).await;
    verb(&trade.seller, &second, "issue", json!({})).await;
    let tax_code = trade.take_tax_away().await;
    trade.bring_tax_back(&tax_code).await;
    let request = trade.invoicing(&order, &series);

    let draft = trade.invoice(part(drafting(&request), "1")).await.ok();
    trade.invoice(drafting(&trade.invoicing(&second, &series))).await.ok();
    let while_drafted = trade.invoice(trade.invoicing(&first, &series)).await.refused_as("ALREADY_INVOICED");
    trade.issue_draft(&draft, &request).await;
    trade.drafted_beside(&first, &tax_code).await;
    let once_issued = trade.invoice(trade.invoicing(&first, &series)).await.refused_as("ALREADY_INVOICED");

    assert_eq!(while_drafted.metadata["draft"], name(&draft));
    assert!(!once_issued.metadata.contains_key("draft"), "{once_issued:?}");
}
