//! What was sold and cannot be invoiced until somebody has mended something.

use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    orders::{Trade, trade},
    quotes::verb,
};
use crate::harness::{
    answer::Answer,
    caller::Caller,
    tenant::Tenant,
    values::{list, name, text},
};

/// Why nothing is invoiced while the tax code is gone.
pub const MISSING: &str = "TAX_CODE_NOT_FOUND";

/// An order that is not invoiced before its tax code is brought back.
pub struct Waiting {
    pub trade: Trade,
    pub order: String,
    /// Asks to issue an invoice of all of it.
    pub request: Value,
    pub tax_code: String,
}

/// Of so many pieces, in a trade that lacks nothing else.
pub async fn order_without_tax(tenant: &Tenant, quantity: &str) -> Waiting {
    let (trade, product, series) = invoicing_trade(tenant).await;
    let order = trade.order_of(&product, quantity).await;
    let request = trade.invoicing(&order, &series);
    let tax_code = trade.take_tax_away().await;
    Waiting { trade, order, request, tax_code }
}

/// A trade that can invoice, its product, and the series of its invoices.
pub async fn invoicing_trade(tenant: &Tenant) -> (Trade, String, String) {
    let (trade, product) = trade(tenant).await;
    let series = trade.numbers_to_invoice().await;
    (trade, product, series)
}

impl Trade {
    /// A confirmed order of so many pieces.
    pub async fn order_of(&self, product: &str, quantity: &str) -> String {
        let document =
            json!({ "currencyCode": "USD", "lines": [{ "product": product, "quantity": quantity }] });
        let order = self.made("orders", json!({ "account": self.account, "document": document })).await;
        verb(&self.seller, &order, "confirm", json!({})).await;
        order
    }

    /// Deletes something in billing.
    pub async fn delete(&self, resource: &str) {
        self.biller.delete(&format!("/v1/{resource}")).await.ok();
    }

    /// Takes away the tax code by which products are taxed, without which nothing is invoiced; answers its name.
    pub async fn take_tax_away(&self) -> String {
        let codes = self.biller.query("/v1/taxCodes", &[("filter", "code = \"VAT-21\"")]).await.ok();
        let tax_code = name(&list(&codes, "taxCodes")[0]);
        self.delete(&tax_code).await;
        tax_code
    }

    pub async fn bring_tax_back(&self, tax_code: &str) {
        self.biller.post(&format!("/v1/{tax_code}:undelete"), json!({})).await.ok();
    }

    /// The tasks of a document, the oldest first.
    pub async fn tasks(&self, subject: &str) -> Vec<Value> {
        let filter = format!("subject = \"{subject}\"");
        let parameters = [("filter", filter.as_str()), ("orderBy", "create_time")];
        list(&self.biller.query("/v1/parkedTasks", &parameters).await.ok(), "parkedTasks").to_vec()
    }

    /// Invoices of a document.
    pub async fn invoices_of(&self, source: &str) -> Vec<Value> {
        let filter = format!("source_document = \"{source}\"");
        let page = self.biller.query("/v1/invoices", &[("filter", filter.as_str())]).await.ok();
        list(&page, "invoices").to_vec()
    }
}

/// Tries a parked task again.
pub async fn retry(by: &Caller, task: &str) -> Answer {
    by.post(&format!("/v1/{task}:retry"), json!({ "requestId": Uuid::new_v4() })).await
}

/// The task that a refusal names.
pub fn task_of(refused: &Answer, reason: &str) -> String {
    refused.refused_as(reason).metadata["parked_task"].clone()
}

/// A refusal that promises nothing: its caller has to come back.
fn is_told_of_no_task(refused: &Answer, reason: &str) -> bool {
    !refused.refused_as(reason).metadata.contains_key("parked_task")
}

pub fn states(tasks: &[Value]) -> Vec<&str> {
    tasks.iter().map(|task| text(task, "state")).collect()
}

/// Asks once more, under another identifier.
pub fn anew(request: &Value) -> Value {
    let mut request = request.clone();
    request["requestId"] = json!(Uuid::new_v4());
    request
}

/// The same of so much of the first line.
pub fn part(mut request: Value, quantity: &str) -> Value {
    request["lines"] = json!([{ "sourceLine": "1", "quantity": quantity }]);
    request
}

/// DOC-07, XTR-05: an invoice that cannot be made until somebody has mended something is refused and parked with its reason, once
/// however often it is asked for, and not on trial; only who repeats the request is told of its task. When it is mended, trying again
/// makes it, once however many try, and in the name of who tries; who repeats the first request is answered with that invoice.
#[tokio::test]
async fn an_invoice_is_parked_until_what_it_needs_is_there() {
    let tenant = Tenant::fresh();
    let Waiting { trade, order, request, tax_code } = order_without_tax(&tenant, "2").await;
    let request = part(request, "1");
    let mut trial = anew(&request);
    trial["validateOnly"] = json!(true);

    assert!(is_told_of_no_task(&trade.invoice(trial).await, MISSING));
    assert!(trade.tasks(&order).await.is_empty());
    let refused = task_of(&trade.invoice(request.clone()).await, MISSING);
    let again = task_of(&trade.invoice(request.clone()).await, MISSING);
    assert!(is_told_of_no_task(&trade.invoice(anew(&request)).await, MISSING), "it may be wanted twice");
    let tasks = trade.tasks(&order).await;
    let [task] = &tasks[..] else { panic!("{tasks:?}") };
    let task_name = name(task);
    let still = retry(&trade.biller, &task_name).await.ok();
    trade.bring_tax_back(&tax_code).await;
    let accountant = tenant.caller("eva", &["accountant"]);
    let tries = join_all((0..4).map(|_| retry(&accountant, &task_name))).await;
    let repeated = trade.invoice(request).await.ok();

    assert_eq!([&refused, &again], [&task_name, &task_name]);
    let said = ["kind", "state", "reason"].map(|field| text(task, field));
    assert_eq!(said, ["create-invoice-from-source", "PARKED", MISSING]);
    assert_eq!((text(&still, "state"), &still["tryCount"]), ("PARKED", &json!(2)));
    let mut done = 0;
    for answer in tries {
        if answer.status == 200 {
            assert_eq!(text(&answer.ok(), "state"), "DONE");
            done += 1;
        } else {
            answer.refused_as("TASK_NOT_PARKED");
        }
    }
    assert!(done >= 1, "nobody has done it");
    let invoices = trade.invoices_of(&order).await;
    let [invoice] = &invoices[..] else { panic!("{invoices:?}") };
    assert_eq!((name(invoice), text(invoice, "creator")), (name(&repeated), accountant.name().as_str()));
    assert_eq!((text(invoice, "number"), text(&invoice["lines"][0], "quantity")), ("F1", "1"));
}

/// DOC-07, XTR-05: what is parked ends when all that is left is invoiced by another call, and not with other parts; what somebody
/// has given up is parked again when a caller asks anew, and not by the request that was given up.
#[tokio::test]
async fn what_is_parked_ends_when_it_is_invoiced_or_given_up() {
    let tenant = Tenant::fresh();
    let (trade, product, series) = invoicing_trade(&tenant).await;
    let (order, other) = (trade.order_of(&product, "3").await, trade.order_of(&product, "3").await);
    let tax_code = trade.take_tax_away().await;
    let request = trade.invoicing(&order, &series);
    let given_up = trade.invoicing(&other, &series);

    trade.invoice(request.clone()).await.refused_as(MISSING);
    let dropped = task_of(&trade.invoice(given_up.clone()).await, MISSING);
    verb(&trade.biller, &dropped, "drop", json!({ "reason": "Not wanted" })).await;
    assert!(is_told_of_no_task(&trade.invoice(given_up.clone()).await, MISSING), "it was given up");
    let parked = task_of(&trade.invoice(anew(&given_up)).await, MISSING);
    trade.bring_tax_back(&tax_code).await;
    let first = trade.invoice(part(anew(&request), "1")).await.ok();
    let left = trade.tasks(&order).await;
    trade.invoice(anew(&request)).await.ok();
    let ended = trade.tasks(&order).await;

    assert_ne!(parked, dropped);
    assert_eq!(text(&first["lines"][0], "quantity"), "1");
    assert_eq!((states(&left), states(&ended)), (vec!["PARKED"], vec!["DONE"]));
    retry(&trade.biller, &name(&ended[0])).await.refused_as("TASK_NOT_PARKED");
    assert_eq!(trade.invoices_of(&order).await.len(), 2);
}

/// DOC-07, XTR-05: what is parked of a document is not lost to a request of other parts, whose caller is told of no task and comes
/// back: both are invoiced, each once.
#[tokio::test]
async fn parts_of_a_document_are_invoiced_once_each() {
    let tenant = Tenant::fresh();
    let Waiting { trade, order, request, tax_code } = order_without_tax(&tenant, "3").await;
    let first = part(request, "1");
    let second = part(anew(&first), "2");

    let task = task_of(&trade.invoice(first.clone()).await, MISSING);
    assert!(is_told_of_no_task(&trade.invoice(second.clone()).await, MISSING));
    trade.bring_tax_back(&tax_code).await;
    let done = retry(&trade.biller, &task).await.ok();
    let (made, rest) = (trade.invoice(first).await.ok(), trade.invoice(second).await.ok());

    assert_eq!((text(&done, "state"), states(&trade.tasks(&order).await)), ("DONE", vec!["DONE"]));
    assert_eq!([&made, &rest].map(|invoice| text(&invoice["lines"][0], "quantity")), ["1", "2"]);
    assert_eq!(trade.invoices_of(&order).await.len(), 2);
}

/// DOC-07, XTR-05: who asks for all that is left asks for what is parked as well, and is parked in its place.
#[tokio::test]
async fn all_that_is_left_is_parked_in_place_of_a_part() {
    let tenant = Tenant::fresh();
    let Waiting { trade, order, request: all, tax_code } = order_without_tax(&tenant, "3").await;
    let some = part(anew(&all), "1");

    let first = task_of(&trade.invoice(some.clone()).await, MISSING);
    let task = task_of(&trade.invoice(all.clone()).await, MISSING);
    trade.bring_tax_back(&tax_code).await;
    retry(&trade.biller, &task).await.ok();
    let made = trade.invoice(all).await.ok();
    trade.invoice(some).await.refused_as("BASIS_EXCEEDED");

    assert_eq!((first, text(&made["lines"][0], "quantity")), (task, "3"));
    assert_eq!(trade.invoices_of(&order).await.len(), 1);
}

/// The same without a number.
pub fn drafting(request: &Value) -> Value {
    let mut request = anew(request);
    request["issue"] = json!(false);
    request["numberSeries"] = json!("");
    request
}

/// DOC-07, XTR-05: a draft does not end what was to be issued, neither when it is made nor when somebody tries again or asks for
/// another invoice; once it is out of the way, trying again issues the invoice.
#[tokio::test]
async fn a_draft_does_not_end_what_was_to_be_issued() {
    let tenant = Tenant::fresh();
    let Waiting { trade, order, request, tax_code } = order_without_tax(&tenant, "1").await;

    let task = task_of(&trade.invoice(request.clone()).await, MISSING);
    trade.bring_tax_back(&tax_code).await;
    let draft = trade.invoice(drafting(&request)).await.ok();
    let beside = trade.tasks(&order).await;
    let still = retry(&trade.biller, &task).await.ok();
    for other in [anew(&request), drafting(&request)] {
        let refused = trade.invoice(other).await.refused_as("ALREADY_INVOICED");
        assert_eq!(refused.metadata["draft"], name(&draft));
    }
    let left = trade.tasks(&order).await;
    trade.delete(text(&draft, "name")).await;
    let done = retry(&trade.biller, &task).await.ok();
    let issued = trade.invoice(request).await.ok();

    assert_eq!((states(&beside), states(&left)), (vec!["PARKED"], vec!["PARKED"]));
    assert_eq!((text(&still, "state"), text(&still, "reason")), ("PARKED", "ALREADY_INVOICED"));
    assert!(text(&still, "message").contains(text(&draft, "name")), "it names no draft: {still}");
    assert_eq!(text(&done, "state"), "DONE");
    assert_eq!((text(&draft, "state"), text(&issued, "state")), ("DRAFT", "ISSUED"));
}

/// DOC-07, XTR-05: what was to be issued, and was drafted by the name of another document, is done when somebody has issued that
/// draft, and not invoiced twice.
#[tokio::test]
async fn a_draft_that_is_issued_is_what_was_to_be_issued() {
    let tenant = Tenant::fresh();
    let Waiting { trade, order, request, tax_code } = order_without_tax(&tenant, "2").await;
    let note = trade.delivered(&order, "2").await;
    let by_note = trade.invoicing(&note, text(&request, "numberSeries"));

    let task = task_of(&trade.invoice(request.clone()).await, MISSING);
    trade.bring_tax_back(&tax_code).await;
    let draft = trade.invoice(drafting(&by_note)).await.ok();
    let still = retry(&trade.biller, &task).await.ok();
    verb(&trade.biller, text(&draft, "name"), "issue", json!({ "numberSeries": request["numberSeries"] }))
        .await;
    let done = retry(&trade.biller, &task).await.ok();
    let refused = trade.invoice(anew(&request)).await.refused_as("ALREADY_INVOICED");

    assert_eq!((text(&still, "state"), text(&done, "state")), ("PARKED", "DONE"));
    assert!(!refused.metadata.contains_key("draft"), "it is issued");
    let invoices = (trade.invoices_of(&order).await.len(), trade.invoices_of(&note).await.len());
    assert_eq!(invoices, (0, 1));
}

/// DOC-07, XTR-05: what is invoiced by the name of another document is parked until somebody asks for it once more.
#[tokio::test]
async fn what_another_document_has_invoiced_is_parked_no_more() {
    let tenant = Tenant::fresh();
    let (trade, product, series) = invoicing_trade(&tenant).await;
    let document = json!({ "currencyCode": "USD", "lines": [{ "product": product, "quantity": "1" }] });
    let quote = trade.accepted_quote(document).await;
    let order = name(&trade.seller.post("/v1/orders:createFromQuote", json!({ "quote": quote })).await.ok());
    verb(&trade.seller, &order, "confirm", json!({})).await;
    let tax_code = trade.take_tax_away().await;
    let request = trade.invoicing(&order, &series);

    task_of(&trade.invoice(request.clone()).await, MISSING);
    trade.bring_tax_back(&tax_code).await;
    trade.invoice(trade.invoicing(&quote, &series)).await.ok();
    let left = trade.tasks(&order).await;
    trade.invoice(anew(&request)).await.refused_as("ALREADY_INVOICED");

    assert_eq!((states(&left), states(&trade.tasks(&order).await)), (vec!["PARKED"], vec!["DONE"]));
}

/// XTR-05: what the request itself names is its caller's to mend, and is not parked.
#[tokio::test]
async fn what_the_request_names_wrongly_is_not_parked() {
    let tenant = Tenant::fresh();
    let (trade, product, series) = invoicing_trade(&tenant).await;
    let order = trade.order_of(&product, "1").await;
    let mut mistyped = trade.invoicing(&order, &series);
    mistyped["paymentTerm"] = json!(format!("paymentTerms/{}", Uuid::now_v7()));

    assert!(is_told_of_no_task(&trade.invoice(mistyped).await, "PAYMENT_TERM_NOT_FOUND"));
    assert!(trade.tasks(&order).await.is_empty());
}
