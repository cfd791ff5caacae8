//! Delivery notes: drafts of an order, issued under numbers, sent, confirmed, refused and voided; and many at once.

use std::collections::BTreeSet;

use futures::future::join_all;
use tonic::{Code, Response, Status};
use trato_proto::sales::v1::{
    ConfirmDeliveryNoteRequest, CreateDeliveryNoteRequest, DeleteDeliveryNoteRequest, DeliveryNote,
    DispatchDeliveryNoteRequest, HoldOrderRequest, IssueDeliveryNoteRequest, ListDeliveryNotesRequest, Order,
    UpdateDeliveryNoteRequest, VoidDeliveryNoteRequest,
    delivery_note::{Line, Proof, Refusal, State},
    delivery_note_service_client::DeliveryNoteServiceClient,
    order::{self, DeliveryStatus, HoldReason, InvoiceStatus},
};
use uuid::Uuid;

use crate::{
    harness::{Sales, field, paths, refusal, violations},
    order::{precondition, quantities},
    order_facts::invoice_name,
};

impl Sales {
    pub fn delivery_notes(&self) -> DeliveryNoteServiceClient<tonic::transport::Channel> {
        DeliveryNoteServiceClient::new(self.service.channel.clone())
    }

    pub async fn create_delivery(&self, order: &str, lines: Vec<Line>) -> Result<DeliveryNote, Status> {
        let delivery_note = DeliveryNote { order: order.into(), lines, ..Default::default() };
        let request = CreateDeliveryNoteRequest { delivery_note: Some(delivery_note), ..Default::default() };
        self.delivery_notes()
            .create_delivery_note(self.admin.request(request))
            .await
            .map(Response::into_inner)
    }

    pub async fn issue_delivery(&self, name: &str) -> Result<DeliveryNote, Status> {
        let request = issuing(name);
        self.delivery_notes().issue_delivery_note(self.admin.request(request)).await.map(Response::into_inner)
    }

    /// An issued delivery note of these lines.
    pub async fn delivered(&self, order: &str, lines: Vec<Line>) -> DeliveryNote {
        let draft = self.create_delivery(order, lines).await.expect("a draft");
        self.issue_delivery(&draft.name).await.expect("issued")
    }

    pub async fn confirm_delivery(&self, name: &str, refusals: Vec<Refusal>) -> Result<DeliveryNote, Status> {
        let request = ConfirmDeliveryNoteRequest { refusals, ..confirming(name) };
        self.delivery_notes()
            .confirm_delivery_note(self.admin.request(request))
            .await
            .map(Response::into_inner)
    }

    async fn void_delivery(&self, name: &str, reason: &str) -> Result<DeliveryNote, Status> {
        let request =
            VoidDeliveryNoteRequest { name: name.into(), reason: reason.into(), ..Default::default() };
        self.delivery_notes().void_delivery_note(self.admin.request(request)).await.map(Response::into_inner)
    }

    async fn dispatch_delivery(&self, name: &str) -> Result<DeliveryNote, Status> {
        let request = DispatchDeliveryNoteRequest {
            name: name.into(),
            carrier: "Correos".into(),
            tracking: "ES4711".into(),
            ..Default::default()
        };
        self.delivery_notes()
            .dispatch_delivery_note(self.admin.request(request))
            .await
            .map(Response::into_inner)
    }
}

/// So much of a line of the order.
pub fn part(order_line: &str, quantity: &str) -> Line {
    Line { order_line: order_line.into(), quantity: quantity.into(), ..Default::default() }
}

pub fn with_serials(order_line: &str, serials: &[&str]) -> Line {
    let quantity = serials.len().to_string();
    Line { serials: serials.iter().map(|serial| (*serial).into()).collect(), ..part(order_line, &quantity) }
}

pub fn issuing(name: &str) -> IssueDeliveryNoteRequest {
    let request_id = Uuid::now_v7().to_string();
    IssueDeliveryNoteRequest { name: name.into(), request_id, ..Default::default() }
}

pub fn confirming(name: &str) -> ConfirmDeliveryNoteRequest {
    let proof = Proof { receiver: "Ana".into(), signature: "scans/4711".into() };
    ConfirmDeliveryNoteRequest { name: name.into(), proof: Some(proof), ..Default::default() }
}

fn states(order: &Order) -> (order::State, DeliveryStatus) {
    (order.state(), order.delivery_status())
}

/// DOC-05: a draft takes over what is left of its order; issued, it has its number, and its quantities are the order's.
#[tokio::test]
async fn a_delivery_note_takes_its_quantities_when_it_is_issued() {
    let (sales, desk) = Sales::start_ordering().await;
    let order = sales.confirmed(&desk, &["5", "2"]).await;

    let partial = sales.create_delivery(&order.name, vec![part("1", "3")]).await.expect("a draft");
    let untouched = sales.get_order(&order.name).await;
    let request = issuing(&partial.name);
    let issued = sales.delivery_notes().issue_delivery_note(sales.admin.request(request.clone())).await;
    let issued = issued.expect("issued").into_inner();
    let again = sales.delivery_notes().issue_delivery_note(sales.admin.request(request)).await;
    let begun = sales.get_order(&order.name).await;
    let rest = sales.create_delivery(&order.name, Vec::new()).await.expect("all that is left");
    let rest = sales.issue_delivery(&rest.name).await.expect("issued");
    let done = sales.get_order(&order.name).await;
    let nothing = sales.create_delivery(&order.name, Vec::new()).await;

    assert_eq!((partial.state(), partial.number.as_str()), (State::Draft, ""));
    let line = &partial.lines[0];
    assert_eq!(
        (line.key.as_str(), line.product.as_str(), line.description.as_str()),
        ("1", desk.as_str(), "Desk")
    );
    assert_eq!(partial.account, order.account);
    assert_eq!(untouched, order);
    assert_eq!((issued.state(), issued.number.as_str()), (State::Issued, "D0001"));
    assert_eq!(again.expect("the answer").into_inner(), issued);
    assert_eq!(states(&begun), (order::State::InFulfilment, DeliveryStatus::Partial));
    assert_eq!(quantities(&begun.progress[0]), ["5", "0", "3", "0", "0"]);
    let left: Vec<_> =
        rest.lines.iter().map(|line| (line.order_line.as_str(), line.quantity.as_str())).collect();
    assert_eq!((left, rest.number.as_str()), (vec![("1", "2"), ("2", "2")], "D0002"));
    assert_eq!(states(&done), (order::State::Fulfilled, DeliveryStatus::Full));
    assert_eq!(refusal(nothing), precondition("NOTHING_TO_DELIVER"));
    let change = DeliveryNote { name: issued.name.clone(), note: "Late".into(), ..Default::default() };
    let update = UpdateDeliveryNoteRequest {
        delivery_note: Some(change),
        update_mask: Some(paths(&["note"])),
        ..Default::default()
    };
    let updated = sales.delivery_notes().update_delivery_note(sales.admin.request(update)).await;
    assert_eq!(refusal(updated), precondition("DELIVERY_NOTE_NOT_DRAFT"));
    let delete = DeleteDeliveryNoteRequest { name: issued.name.clone(), ..Default::default() };
    let deleted = sales.delivery_notes().delete_delivery_note(sales.admin.request(delete)).await;
    assert_eq!(refusal(deleted), precondition("DELIVERY_NOTE_NOT_DRAFT"));
    let filter = format!("order = \"{}\" AND state = ISSUED AND number = D0001", order.name);
    let request = ListDeliveryNotesRequest { filter, ..Default::default() };
    let page =
        sales.delivery_notes().list_delivery_notes(sales.admin.request(request)).await.expect("a page");
    assert_eq!(page.into_inner().delivery_notes, [issued]);
}

/// DOC-05: what does not suit the order is refused, and an order that is held or not confirmed delivers nothing.
#[tokio::test]
async fn a_delivery_note_suits_its_order() {
    let (sales, desk) = Sales::start_ordering().await;
    let draft = sales.create_order(sales.order_of(&desk, &["1"]).await).await.expect("a draft");
    let order = sales.confirmed(&desk, &["3"]).await;
    let missing = format!("orders/{}", Uuid::now_v7());
    let too_much =
        sales.create_delivery(&order.name, vec![part("1", "4")]).await.expect("a draft takes nothing");

    let of_draft = sales.create_delivery(&draft.name, Vec::new()).await;
    let of_nothing = sales.create_delivery(&missing, Vec::new()).await;
    let wrong = vec![
        part("7", "1"),
        Line { key: "1".into(), ..part("1", "0") },
        Line { key: "1".into(), ..with_serials("1", &["a"]) },
        Line { quantity: "2".into(), ..with_serials("1", &["a"]) },
    ];
    let parsed = sales.create_delivery(&order.name, wrong.clone()).await;
    let wrong =
        wrong.into_iter().filter(|line| line.quantity != "0").map(|line| Line { key: String::new(), ..line });
    let checked = sales.create_delivery(&order.name, wrong.collect()).await;

    assert_eq!(refusal(of_draft), precondition("ORDER_NOT_CONFIRMED"));
    assert_eq!(refusal(of_nothing), precondition("ORDER_NOT_FOUND"));
    let expected = [
        field("delivery_note.lines[1].quantity", "NOT_POSITIVE"),
        field("delivery_note.lines[2].key", "DUPLICATE_LINE_KEY"),
    ];
    assert!(violations(parsed).iter().any(|violation| expected.contains(violation)));
    let expected = [
        field("delivery_note.lines[0].order_line", "ORDER_LINE_NOT_FOUND"),
        field("delivery_note.lines[2].serials", "SERIALS_DIFFER"),
        field("delivery_note.lines[2].serials[0]", "DUPLICATE_SERIAL"),
    ];
    assert_eq!(violations(checked), expected);
    assert_eq!(refusal(sales.issue_delivery(&too_much.name).await), precondition("OVER_DELIVERY"));
    let hasty = IssueDeliveryNoteRequest { request_id: String::new(), ..issuing(&too_much.name) };
    let hasty = sales.delivery_notes().issue_delivery_note(sales.admin.request(hasty)).await;
    assert_eq!(violations(hasty), [field("request_id", "REQUIRED")]);
    let right = sales.create_delivery(&order.name, vec![part("1", "3")]).await.expect("a draft");
    let hold = HoldOrderRequest {
        name: order.name.clone(),
        reason: HoldReason::Credit.into(),
        ..Default::default()
    };
    sales.orders().hold_order(sales.admin.request(hold)).await.expect("held");
    assert_eq!(refusal(sales.issue_delivery(&right.name).await), precondition("ORDER_ON_HOLD"));
    let still = sales.get_order(&order.name).await;
    assert_eq!(quantities(&still.progress[0]), ["3", "0", "0", "0", "0"], "nothing was taken");
}

/// DOC-05: however many issue at once, nothing is delivered beyond what is ordered, and the numbers have no gap.
#[tokio::test]
async fn many_who_deliver_at_once_deliver_what_is_ordered() {
    let (sales, desk) = Sales::start_ordering().await;
    let order = sales.confirmed(&desk, &["20"]).await;
    let drafts = join_all((0..64).map(|_| sales.create_delivery(&order.name, vec![part("1", "1")]))).await;
    let drafts: Vec<DeliveryNote> = drafts.into_iter().map(|draft| draft.expect("a draft")).collect();

    let answers = join_all(drafts.iter().map(|draft| sales.issue_delivery(&draft.name))).await;

    let (issued, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((issued.len(), refused.len()), (20, 44));
    for answer in refused {
        assert_eq!(refusal(answer), precondition("OVER_DELIVERY"));
    }
    let numbers: BTreeSet<String> = issued.into_iter().map(|answer| answer.expect("issued").number).collect();
    let expected: BTreeSet<String> = (1..=20).map(|number| format!("D{number:04}")).collect();
    assert_eq!(numbers, expected);
    let order = sales.get_order(&order.name).await;
    assert_eq!(quantities(&order.progress[0]), ["20", "0", "20", "0", "0"]);
    assert_eq!(states(&order), (order::State::Fulfilled, DeliveryStatus::Full));
}

/// DOC-05: the table itself refuses what the program would have let through.
#[tokio::test]
async fn the_table_refuses_to_deliver_beyond_what_is_ordered() {
    let (sales, desk) = Sales::start_ordering().await;
    let order = sales.confirmed(&desk, &["2"]).await;
    let mut tx = sales.service.transaction(sales.admin.tenant).await;

    let done = sqlx::query("update order_line set delivered = 3").execute(tx.connection()).await;

    let error = done.expect_err("it is more than is ordered");
    let constraint = error.as_database_error().and_then(|error| error.constraint().map(str::to_owned));
    assert_eq!(constraint.as_deref(), Some("order_line_delivered_check"));
    let mut tx = sales.service.transaction(sales.admin.tenant).await;
    let rows: Vec<(String, i64)> = sqlx::query_as("select line_key, ordered::bigint from order_line")
        .fetch_all(tx.connection())
        .await
        .expect("rows");
    assert_eq!(rows, [("1".to_owned(), 2)], "{}", order.name);
}

/// DOC-05: voided before it is sent, a delivery note keeps its number and gives back what it took.
#[tokio::test]
async fn a_voided_delivery_note_gives_its_quantities_back() {
    let (sales, desk) = Sales::start_ordering().await;
    let order = sales.confirmed(&desk, &["2"]).await;
    let issued = sales.delivered(&order.name, vec![with_serials("1", &["a", "b"])]).await;

    let without = sales.void_delivery(&issued.name, " ").await;
    let voided = sales.void_delivery(&issued.name, "Wrong lorry").await.expect("voided");
    let twice = sales.void_delivery(&issued.name, "Again").await;
    let back = sales.get_order(&order.name).await;
    let next = sales.delivered(&order.name, vec![with_serials("1", &["a", "b"])]).await;
    let sent = sales.dispatch_delivery(&next.name).await.expect("sent");
    let too_late = sales.void_delivery(&next.name, "Wrong lorry").await;

    assert_eq!(violations(without), [field("reason", "REQUIRED")]);
    assert_eq!((voided.state(), voided.number.as_str()), (State::Void, "D0001"));
    assert_eq!(refusal(twice), precondition("DELIVERY_NOTE_NOT_ISSUED"));
    assert_eq!(states(&back), (order::State::Confirmed, DeliveryStatus::None));
    assert_eq!(next.number, "D0002");
    assert_eq!(
        (sent.state(), sent.carrier.as_str(), sent.tracking.as_str()),
        (State::Dispatched, "Correos", "ES4711")
    );
    assert_eq!(refusal(too_late), precondition("DELIVERY_NOTE_NOT_ISSUED"));
    assert_eq!(refusal(sales.dispatch_delivery(&next.name).await), precondition("DELIVERY_NOTE_NOT_ISSUED"));
}

/// DOC-05: what is refused at the door goes back to the order; the proof stays on the note, and billing's basis
/// follows.
#[tokio::test]
async fn what_is_refused_goes_back() {
    let (sales, desk) = Sales::start_ordering().await;
    let draft = Order {
        invoicing_policy: order::InvoicingPolicy::Delivered.into(),
        ..sales.order_of(&desk, &["3"]).await
    };
    let draft = sales.create_order(draft).await.expect("a draft");
    let order = sales.confirm_order(&draft.name).await.expect("confirmed");
    let issued = sales.delivered(&order.name, vec![with_serials("1", &["a", "b", "c"])]).await;
    sales.dispatch_delivery(&issued.name).await.expect("sent");
    let refused = |line: &str, quantity: &str, serials: &[&str]| Refusal {
        line: line.into(),
        quantity: quantity.into(),
        serials: serials.iter().map(|serial| (*serial).into()).collect(),
        reason: "Scratched".into(),
    };

    let nobody = ConfirmDeliveryNoteRequest { proof: None, ..confirming(&issued.name) };
    let nobody = sales.delivery_notes().confirm_delivery_note(sales.admin.request(nobody)).await;
    let wrong =
        sales.confirm_delivery(&issued.name, vec![refused("1", "4", &[]), refused("9", "1", &[])]).await;
    let confirmed =
        sales.confirm_delivery(&issued.name, vec![refused("1", "1", &["b"])]).await.expect("confirmed");
    let twice = sales.confirm_delivery(&issued.name, Vec::new()).await;
    let left = sales.get_order(&order.name).await;
    let again = sales.delivered(&order.name, vec![with_serials("1", &["b"])]).await;
    let taken = sales.confirm_delivery(&again.name, Vec::new()).await.expect("confirmed");
    sales
        .hear_invoice(
            &invoice_name(),
            &issued.name,
            &[("x", "1", "2")],
            trato_proto::billing::v1::invoice::State::Issued,
        )
        .await;
    let billed = sales.get_order(&order.name).await;

    assert!(violations(nobody).contains(&field("proof.receiver", "REQUIRED")));
    let expected = [
        field("refusals[0].quantity", "OVER_REFUSED"),
        field("refusals[0].serials", "SERIALS_DIFFER"),
        field("refusals[1].line", "DELIVERY_LINE_NOT_FOUND"),
    ];
    assert_eq!(violations(wrong), expected);
    assert_eq!((confirmed.state(), confirmed.refusals.len()), (State::PartlyRefused, 1));
    assert_eq!(confirmed.proof.as_ref().map(|proof| proof.receiver.as_str()), Some("Ana"));
    assert_eq!(refusal(twice), precondition("DELIVERY_NOTE_NOT_ISSUED"));
    assert_eq!(quantities(&left.progress[0]), ["3", "0", "2", "2", "0"]);
    assert_eq!(states(&left), (order::State::InFulfilment, DeliveryStatus::Partial));
    assert_eq!(taken.state(), State::Delivered);
    assert_eq!(states(&billed), (order::State::Fulfilled, DeliveryStatus::Full));
    assert_eq!(billed.invoice_status(), InvoiceStatus::PartlyInvoiced, "two of three, by the delivery note");
}

/// DOC-05: a serial number is with one customer at a time, however many deliver it at once.
#[tokio::test]
async fn a_serial_number_is_delivered_once() {
    let (sales, desk) = Sales::start_ordering().await;
    let order = sales.confirmed(&desk, &["64"]).await;
    let drafts =
        join_all((0..64).map(|_| sales.create_delivery(&order.name, vec![with_serials("1", &["a"])]))).await;
    let drafts: Vec<DeliveryNote> = drafts.into_iter().map(|draft| draft.expect("a draft")).collect();

    let answers = join_all(drafts.iter().map(|draft| sales.issue_delivery(&draft.name))).await;

    let (issued, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(issued.len(), 1);
    for answer in refused {
        assert_eq!(refusal(answer), (Code::AlreadyExists, "SERIAL_TAKEN".to_owned()));
    }
    let order = sales.get_order(&order.name).await;
    assert_eq!(quantities(&order.progress[0]), ["64", "0", "1", "0", "0"]);
}
