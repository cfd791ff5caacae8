//! What happens to orders without anybody calling: billing invoices and credits, and promised days pass.

use futures::future::join_all;
use trato_proto::{
    billing::v1::{CreditNote, Invoice, credit_note, invoice},
    sales::v1::{
        CloseOrderRequest, Order, OrderPromiseBroken, ReleaseMilestoneRequest,
        order::{ChargeProgress, DeliveryStatus, InvoiceStatus, InvoicingPolicy, State},
        price_document_request::{Charge, charge},
    },
};
use uuid::Uuid;

use crate::{
    delivery_note::part,
    harness::{Sales, date, euros, field, refusal, violations},
    order::precondition,
};

impl Sales {
    /// A confirmed order of two pieces, and freight.
    pub async fn confirmed_with_freight(&self, product: &str) -> Order {
        let mut order = self.order_of(product, &["2"]).await;
        if let Some(document) = &mut order.document {
            document.charges.push(Charge {
                key: "freight".into(),
                value: Some(charge::Value::Amount(euros(1_000).expect("an amount"))),
                reason: "Freight".into(),
                tax_class: "ES-S".into(),
                ..Default::default()
            });
        }
        let draft = self.create_order(order).await.expect("a draft");
        self.confirm_order(&draft.name).await.expect("confirmed")
    }

    /// Hears from billing of an invoice made from a document of ours: key, line of ours and quantity of each line.
    pub async fn hear_invoice(
        &self,
        name: &str,
        source: &str,
        lines: &[(&str, &str, &str)],
        state: invoice::State,
    ) {
        let line = |(key, source_line, quantity): &(&str, &str, &str)| invoice::Line {
            key: (*key).into(),
            source_line: (*source_line).into(),
            quantity: (*quantity).into(),
            ..Default::default()
        };
        let invoice = Invoice {
            name: name.into(),
            source_document: source.into(),
            lines: lines.iter().map(line).collect(),
            state: state.into(),
            ..Default::default()
        };
        let (verb, revision) = if state == invoice::State::Void { ("voided", 3) } else { ("issued", 2) };
        self.hear(&format!("trato.billing.v1.invoice.{verb}"), name, revision, &invoice).await;
    }

    pub async fn hear_credit(&self, invoice: &str, items: &[(&str, &str)]) {
        let item = |(key, quantity): &(&str, &str)| credit_note::Item {
            key: (*key).into(),
            quantity: (*quantity).into(),
            ..Default::default()
        };
        let name = format!("creditNotes/{}", Uuid::now_v7());
        let credit = CreditNote {
            name: name.clone(),
            invoice: invoice.into(),
            items: items.iter().map(item).collect(),
            ..Default::default()
        };
        self.hear("trato.billing.v1.credit_note.issued", &name, 2, &credit).await;
    }
}

/// DOC-04: what nobody delivers leaves nothing to be delivered; milestones release what may be invoiced.
#[tokio::test]
async fn fees_and_milestones_are_invoiced_without_delivery() {
    let (sales, desk) = Sales::start_ordering().await;
    let draft = Order {
        undelivered_lines: vec!["1".into()],
        invoicing_policy: InvoicingPolicy::Milestone.into(),
        ..sales.order_of(&desk, &["2"]).await
    };
    let draft = sales.create_order(draft).await.expect("a draft");
    let fee = sales.confirm_order(&draft.name).await.expect("confirmed");
    let release = |percent: &str| ReleaseMilestoneRequest {
        name: draft.name.clone(),
        released_percent: percent.into(),
        ..Default::default()
    };

    assert_eq!((fee.state(), fee.delivery_status()), (State::Fulfilled, DeliveryStatus::NotApplicable));
    assert_eq!(fee.invoice_status(), InvoiceStatus::NothingToInvoice);
    let half = sales.orders().release_milestone(sales.admin.request(release("50"))).await.expect("released");
    assert_eq!(half.get_ref().invoice_status(), InvoiceStatus::ToInvoice);
    let less = sales.orders().release_milestone(sales.admin.request(release("49"))).await;
    assert_eq!(refusal(less), precondition("RELEASED_ALREADY"));
    let more = sales.orders().release_milestone(sales.admin.request(release("100.5"))).await;
    assert_eq!(violations(more), [field("released_percent", "PERCENT_OUT_OF_RANGE")]);
    sales.hear_invoice(&invoice_name(), &draft.name, &[("1", "1", "1")], invoice::State::Issued).await;
    assert_eq!(sales.get_order(&draft.name).await.invoice_status(), InvoiceStatus::Invoiced);
    let close = CloseOrderRequest { name: draft.name.clone(), ..Default::default() };
    let closed = sales.orders().close_order(sales.admin.request(close)).await.expect("closed").into_inner();
    assert_eq!(closed.state(), State::Closed);
    assert!(closed.end_time.is_some());
}

/// Name of an invoice that billing might have.
pub fn invoice_name() -> String {
    format!("invoices/{}", Uuid::now_v7())
}

/// DOC-04: what billing did is recorded, whatever it is and in whatever order it is heard of, and each event once.
#[tokio::test]
async fn what_billing_does_is_recorded() {
    let (sales, desk) = Sales::start_ordering().await;
    let order = sales.confirmed(&desk, &["5", "2"]).await;
    let (first, second, foreign) = (invoice_name(), invoice_name(), invoice_name());
    let billed = async || {
        let order = sales.get_order(&order.name).await;
        let line = |at: usize| format!("{}-{}", order.progress[at].invoiced, order.progress[at].credited);
        (line(0), line(1), order.invoice_status())
    };
    let expect = |one: &str, two: &str, status| (one.to_owned(), two.to_owned(), status);
    let issued = invoice::State::Issued;

    sales
        .hear_invoice(&first, &order.name, &[("a", "1", "3"), ("b", "2", "2"), ("c", "", "9")], issued)
        .await;
    assert_eq!(billed().await, expect("3-0", "2-0", InvoiceStatus::PartlyInvoiced));
    sales.hear_invoice(&first, &order.name, &[("a", "1", "3"), ("b", "2", "2")], issued).await;
    assert_eq!(billed().await, expect("3-0", "2-0", InvoiceStatus::PartlyInvoiced), "it is the same invoice");
    sales.hear_credit(&second, &[("x", "1")]).await;
    sales.hear_invoice(&second, &order.name, &[("x", "1", "4")], issued).await;
    assert_eq!(
        billed().await,
        expect("7-1", "2-0", InvoiceStatus::ToCredit),
        "more than is ordered is a fact, too"
    );
    sales.hear_invoice(&first, &order.name, &[("a", "1", "3"), ("b", "2", "2")], invoice::State::Void).await;
    assert_eq!(billed().await, expect("4-1", "0-0", InvoiceStatus::PartlyInvoiced));
    sales.hear_invoice(&foreign, "projects/7", &[("a", "1", "3")], issued).await;
    sales.hear_invoice(&foreign, &format!("orders/{}", Uuid::now_v7()), &[("a", "1", "3")], issued).await;
    sales.hear_credit(&foreign, &[("a", "3")]).await;
    assert_eq!(billed().await, expect("4-1", "0-0", InvoiceStatus::PartlyInvoiced), "none of it is of ours");
    let types = sales.event_types().await;
    assert_eq!(types.iter().filter(|kind| *kind == "order.billed").count(), 3);
}

/// DOC-04: freight is invoiced with the order or with its delivery note, and the order is not invoiced before it is.
#[tokio::test]
async fn charges_of_the_whole_are_invoiced_too() {
    let (sales, desk) = Sales::start_ordering().await;
    let billed = async |name: &str| {
        let order = sales.get_order(name).await;
        (order.invoice_status(), order.charge_progress)
    };
    let freight = |invoiced: &str, status: InvoiceStatus| {
        let invoice_status = status.into();
        let (charge, invoiced, credited) = ("freight".into(), invoiced.into(), "0".into());
        vec![ChargeProgress { charge, invoiced, credited, invoice_status }]
    };
    let (by_order, by_note) =
        (sales.confirmed_with_freight(&desk).await, sales.confirmed_with_freight(&desk).await);
    let issued = invoice::State::Issued;

    sales.hear_invoice(&invoice_name(), &by_order.name, &[("a", "1", "2")], issued).await;
    let goods = billed(&by_order.name).await;
    sales.hear_invoice(&invoice_name(), &by_order.name, &[("a", "freight", "1")], issued).await;
    let all = billed(&by_order.name).await;
    let note = sales.delivered(&by_note.name, vec![part("1", "2")]).await;
    let lines = [("a", "1", "2"), ("b", "charges/freight", "1"), ("c", "charges/packaging", "1")];
    sales.hear_invoice(&invoice_name(), &note.name, &lines, issued).await;

    assert_eq!(by_order.charge_progress, freight("0", InvoiceStatus::ToInvoice));
    assert_eq!(goods, (InvoiceStatus::PartlyInvoiced, freight("0", InvoiceStatus::ToInvoice)));
    assert_eq!(all, (InvoiceStatus::Invoiced, freight("1", InvoiceStatus::Invoiced)));
    assert_eq!(billed(&by_note.name).await, all);
}

/// DOC-04: what is prepaid is invoiced before it leaves.
#[tokio::test]
async fn what_is_prepaid_is_issued_once_it_is_invoiced() {
    let (sales, desk) = Sales::start_ordering().await;
    let invoicing_policy = InvoicingPolicy::Prepaid.into();
    let draft = Order { invoicing_policy, ..sales.order_of(&desk, &["3"]).await };
    let draft = sales.create_order(draft).await.expect("a draft");
    let order = sales.confirm_order(&draft.name).await.expect("confirmed");
    let note = sales.create_delivery(&order.name, vec![part("1", "2")]).await.expect("a draft");

    let early = sales.issue_delivery(&note.name).await;
    let untouched = sales.get_order(&order.name).await;
    sales.hear_invoice(&invoice_name(), &order.name, &[("a", "1", "2")], invoice::State::Issued).await;
    sales.issue_delivery(&note.name).await.expect("two are invoiced");
    let third = sales.create_delivery(&order.name, vec![part("1", "1")]).await.expect("a draft");
    let third = sales.issue_delivery(&third.name).await;

    assert_eq!(refusal(early), precondition("NOT_INVOICED"));
    assert_eq!(untouched, order);
    assert_eq!(refusal(third), precondition("NOT_INVOICED"));
}

/// DOC-04: what is invoiced and credited of a draft is there once it is confirmed.
#[tokio::test]
async fn a_draft_that_is_invoiced_is_confirmed_as_invoiced() {
    let (sales, desk) = Sales::start_ordering().await;
    let draft = sales.create_order(sales.order_of(&desk, &["5"]).await).await.expect("a draft");
    let invoice = invoice_name();

    sales.hear_invoice(&invoice, &draft.name, &[("a", "1", "4")], invoice::State::Issued).await;
    sales.hear_credit(&invoice, &[("a", "1")]).await;
    let confirmed = sales.confirm_order(&draft.name).await.expect("confirmed");

    let progress = &confirmed.progress[0];
    assert_eq!((progress.invoiced.as_str(), progress.credited.as_str()), ("4", "1"));
    assert_eq!(confirmed.invoice_status(), InvoiceStatus::PartlyInvoiced);
}

/// DOC-13: a promise is told to be broken from noon of the next day on: what is recorded in the morning after counts.
#[tokio::test]
async fn the_morning_after_is_for_records() {
    let (sales, desk) = Sales::start_ordering().await;
    let draft = Order { promised_date: date(2027, 1, 7), ..sales.order_of(&desk, &["1"]).await };
    let draft = sales.create_order(draft).await.expect("a draft");
    sales.confirm_order(&draft.name).await.expect("confirmed");
    let told = async |hour, minute| {
        let day = chrono::NaiveDate::from_ymd_opt(2027, 1, 8).expect("a day");
        let now = day.and_hms_opt(hour, minute, 0).expect("a time").and_utc();
        trato_sales::break_promises(&sales.service.database, now).await.expect("a run")
    };

    assert_eq!((told(0, 5).await, told(11, 59).await, told(12, 0).await), (0, 0, 1));
}

/// DOC-13: a day that passes while something is promised is told once for each line, by whatever process looks.
#[tokio::test]
async fn a_promise_that_is_broken_is_told_once() {
    let (sales, desk) = Sales::start_ordering().await;
    let mut order = sales.order_of(&desk, &["5", "2"]).await;
    order.promised_date = date(2026, 1, 7);
    if let Some(line) = order.document.as_mut().and_then(|document| document.lines.last_mut()) {
        line.promised_date = date(2999, 12, 31);
    }
    let draft = sales.create_order(order).await.expect("a draft");
    sales.confirm_order(&draft.name).await.expect("confirmed");

    let now = chrono::Utc::now();
    let runs = join_all((0..8).map(|_| trato_sales::break_promises(&sales.service.database, now))).await;
    let again = trato_sales::break_promises(&sales.service.database, now).await.expect("a run");
    let told = sales.get_order(&draft.name).await;

    assert_eq!(runs.into_iter().map(|run| run.expect("a run")).sum::<usize>() + again, 1);
    assert!(told.progress[0].promise_broken);
    assert!(!told.progress[1].promise_broken);
    assert_eq!(told.next_promised_date, date(2999, 12, 31));
    let events = sales.service.published(sales.admin.tenant).await;
    let told: Vec<_> = events.iter().filter(|event| event.kind.ends_with("order.promise_broken")).collect();
    assert_eq!(told.len(), 1);
    assert!(told[0].traceparent.is_some(), "what a job does has a trace as well");
    let fact = told[0].fact::<OrderPromiseBroken>().expect("it can be read").expect("a fact");
    assert_eq!(fact.account, draft.account);
    assert_eq!((fact.lines.len(), fact.lines[0].promised_date), (1, date(2026, 1, 7)));
    assert_eq!(fact.lines[0].delivery_date, None);
}
