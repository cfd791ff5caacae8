//! What came back and cannot be credited until somebody has mended something.

use chrono::{Datelike as _, TimeDelta, Timelike as _, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    orders::{Trade, trade},
    parked_documents::{retry, task_of},
    quotes::verb,
    returns_credited::issue,
};
use crate::harness::{
    tenant::Tenant,
    values::{day, list, name, text},
};

/// A return of something invoiced that is not credited before the books of the day are open again.
struct Waiting {
    trade: Trade,
    books: String,
    invoice: String,
    back: String,
    /// Asks to issue its credit note.
    request: Value,
}

/// A zone where it is about noon, and the day that it is there: it is the same one when the test is over.
fn noon() -> (String, Value) {
    let now = Utc::now();
    // West of Greenwich in this form of name, and as far as it takes.
    let behind = i64::from(now.hour()) - 12;
    let today = (now - TimeDelta::hours(behind)).date_naive();
    let zone = if behind < 0 { format!("Etc/GMT{behind}") } else { format!("Etc/GMT+{behind}") };
    (zone, day(today.year(), today.month(), today.day()))
}

/// One piece of an order comes back that was invoiced piece by piece.
async fn return_with_closed_books(tenant: &Tenant) -> Waiting {
    return_of("1", tenant).await
}

async fn return_of(quantity: &str, tenant: &Tenant) -> Waiting {
    let (mut trade, product) = trade(tenant).await;
    let (zone, today) = noon();
    let mut entity = trato_devstack::trade::legal_entity("USD");
    entity["displayName"] = json!("Utopia");
    entity["timeZone"] = json!(zone);
    trade.legal_entity = trade.made("legalEntities", entity).await;
    let books = json!({
        "legalEntity": trade.legal_entity, "accounts": { "bank": "572", "taxes": [{ "tax": "VAT", "account": "477" }] },
    });
    let books = trade.made("ledgers", books).await;
    let (invoices, credits) = trade.ready().await;
    let order = trade.order_of(&product, "2").await;
    let note = trade.received(&order).await;
    let invoice = trade.invoice_part(&order, &invoices, ("1", "1")).await;
    trade.invoice_part(&order, &invoices, ("1", "1")).await;
    let back = trade.refunded(&note, &[("1", quantity)]).await;
    verb(&trade.biller, &books, "closePeriod", json!({ "throughDate": today })).await;
    let mut request = issue(&credits);
    request["requestId"] = json!(Uuid::new_v4());
    Waiting { trade, books, invoice, back, request }
}

impl Waiting {
    async fn open_books(&self) {
        verb(&self.trade.biller, &self.books, "reopenPeriod", json!({ "reason": "A late return" })).await;
    }
}

/// DOC-05, XTR-05: a return whose credit note the books refuse is parked, and credited when they take it; the first request is
/// answered with that credit note.
#[tokio::test]
async fn a_return_is_parked_until_the_books_are_open() {
    let tenant = Tenant::fresh();
    let waiting = return_with_closed_books(&tenant).await;
    let Waiting { trade, back, request, .. } = &waiting;

    let task = task_of(&trade.credit(back, request.clone()).await, "PERIOD_CLOSED");
    let still = retry(&trade.biller, &task).await.ok();
    waiting.open_books().await;
    let done = retry(&trade.biller, &task).await.ok();
    let credited = trade.credit(back, request.clone()).await.ok();
    let series = text(request, "numberSeries");
    trade.credit(back, issue(series)).await.refused_as("RETURN_CREDITED");

    let said = ["kind", "subject", "state", "reason"].map(|field| text(&still, field));
    assert_eq!(said, ["create-credit-note-from-return", back.as_str(), "PARKED", "PERIOD_CLOSED"]);
    assert_eq!(text(&done, "state"), "DONE");
    let notes = list(&credited, "creditNotes");
    assert_eq!(
        notes.iter().map(|note| text(note, "invoice")).collect::<Vec<_>>(),
        [waiting.invoice.as_str()]
    );
    assert_eq!(trade.tasks(back).await.len(), 1);
}

/// DOC-05, XTR-05: a draft does not end what was to be issued; once it is out of the way, trying again issues the credit note.
#[tokio::test]
async fn a_drafted_credit_note_does_not_end_what_was_to_be_issued() {
    let tenant = Tenant::fresh();
    let waiting = return_with_closed_books(&tenant).await;
    let Waiting { trade, back, request, .. } = &waiting;

    let task = task_of(&trade.credit(back, request.clone()).await, "PERIOD_CLOSED");
    let drafted = trade.credit(back, json!({})).await.ok();
    let draft = name(&list(&drafted, "creditNotes")[0]);
    waiting.open_books().await;
    let still = retry(&trade.biller, &task).await.ok();
    let refused = trade.credit(back, json!({})).await.refused_as("RETURN_CREDITED");
    let left = trade.tasks(back).await;
    trade.delete(&draft).await;
    let done = retry(&trade.biller, &task).await.ok();
    let issued = trade.credit(back, request.clone()).await.ok();

    assert_eq!((text(&still, "state"), text(&still, "reason")), ("PARKED", "RETURN_CREDITED"));
    assert!(text(&still, "message").contains(&draft), "it names no draft: {still}");
    assert_eq!(refused.metadata["draft"], draft);
    assert_eq!((text(&left[0], "state"), text(&done, "state")), ("PARKED", "DONE"));
    assert_eq!(text(&list(&issued, "creditNotes")[0], "state"), "ISSUED");
}

/// DOC-05, XTR-05: what was to be issued is over when the last of its drafts is issued, without anybody's trying it again; not when one
/// of them was deleted, which the task names, before somebody has brought that back and issued it.
#[tokio::test]
async fn a_return_of_several_drafts_is_credited_with_the_last_of_them() {
    let tenant = Tenant::fresh();
    let waiting = return_of("2", &tenant).await;
    let Waiting { trade, back, request, .. } = &waiting;

    let task = task_of(&trade.credit(back, request.clone()).await, "PERIOD_CLOSED");
    let drafted = trade.credit(back, json!({})).await.ok();
    let [first, second] = list(&drafted, "creditNotes") else { panic!("one of each invoice: {drafted}") };
    let (first, second) = (name(first), name(second));
    waiting.open_books().await;
    trade.delete(&second).await;
    let series = json!({ "numberSeries": request["numberSeries"] });
    verb(&trade.biller, &first, "issue", series.clone()).await;
    let still = retry(&trade.biller, &task).await.ok();
    let refused = trade.credit(back, json!({})).await.refused_as("RETURN_CREDITED");
    trade.biller.post(&format!("/v1/{second}:undelete"), json!({})).await.ok();
    verb(&trade.biller, &second, "issue", series).await;
    let ended = trade.tasks(back).await;

    assert_eq!((text(&still, "state"), text(&still, "reason")), ("PARKED", "RETURN_CREDITED"));
    assert!(text(&still, "message").contains(&second), "it names no deleted one: {still}");
    assert_eq!(refused.metadata["deleted"], second);
    assert_eq!(ended.iter().map(|task| text(task, "state")).collect::<Vec<_>>(), ["DONE"]);
}
