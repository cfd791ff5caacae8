//! Orders: drafts that are priced, confirmed under a number, held, cut short, cancelled and closed.

use tonic::{Code, Response, Status};
use trato_proto::sales::v1::{
    Address, CancelOrderLinesRequest, CancelOrderRequest, CloseOrderRequest, ConfirmOrderRequest,
    CreateOrderRequest, DeleteOrderRequest, GetOrderRequest, HoldOrderRequest, ListOrdersRequest, Order,
    ReleaseOrderRequest, SalesDocument, SalesNumberSeries, UpdateOrderRequest, cancel_order_lines_request,
    order::{DeliveryStatus, HoldReason, InvoiceStatus, InvoicingPolicy, Progress, State},
    order_service_client::OrderServiceClient,
    sales_document::Line,
    sales_number_series::DocumentKind,
};
use uuid::Uuid;

use crate::{
    harness::{Sales, date, field, paths, refusal, violations},
    pricing::cents,
    promotion::{percent, promotion},
    quote::{line, quotes},
};

impl Sales {
    pub fn orders(&self) -> OrderServiceClient<tonic::transport::Channel> {
        OrderServiceClient::new(self.service.channel.clone())
    }

    /// A default series of the numbers of these documents, which begin with the prefix.
    pub async fn default_series(&self, document_kind: DocumentKind, prefix: &str) {
        let series = SalesNumberSeries { document_kind: document_kind.into(), ..quotes(prefix) };
        self.create_number_series(series).await.expect("a series");
    }

    /// Sales with a taxed product at 100 euros, `desk`, and numbers for orders and delivery notes.
    pub async fn start_ordering() -> (Self, String) {
        Self::start().await.ordering().await
    }

    /// With what `start_ordering` has.
    pub async fn ordering(self) -> (Self, String) {
        let (sales, list) = self.pricing_in_a_list().await;
        let desk = sales.good("Desk", "ES-S").await;
        sales.price(&list, &desk, "", "100").await;
        sales.default_series(DocumentKind::Order, "O").await;
        sales.default_series(DocumentKind::DeliveryNote, "D").await;
        (sales, desk)
    }

    pub async fn create_order(&self, order: Order) -> Result<Order, Status> {
        let request = CreateOrderRequest { order: Some(order), ..Default::default() };
        self.orders().create_order(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn update_order(&self, order: Order, mask: &[&str]) -> Result<Order, Status> {
        let request =
            UpdateOrderRequest { order: Some(order), update_mask: Some(paths(mask)), ..Default::default() };
        self.orders().update_order(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn confirm_order(&self, name: &str) -> Result<Order, Status> {
        let request = confirming(name);
        self.orders().confirm_order(self.admin.request(request)).await.map(Response::into_inner)
    }

    /// A confirmed order of these quantities of a product, in lines `1`, `2` and so on.
    pub async fn confirmed(&self, product: &str, quantities: &[&str]) -> Order {
        let draft = self.create_order(self.order_of(product, quantities).await).await.expect("a draft");
        self.confirm_order(&draft.name).await.expect("confirmed")
    }

    /// An order of a known account.
    pub async fn order_of(&self, product: &str, quantities: &[&str]) -> Order {
        let lines = quantities.iter().map(|quantity| line(product, quantity)).collect();
        Order { account: self.account().await, document: Some(document(lines)), ..Default::default() }
    }

    pub async fn get_order(&self, name: &str) -> Order {
        let request = GetOrderRequest { name: name.into() };
        self.orders().get_order(self.admin.request(request)).await.expect("it is there").into_inner()
    }

    pub async fn cancel_lines(&self, name: &str, lines: &[(&str, &str)]) -> Result<Order, Status> {
        let line = |(line, quantity): &(&str, &str)| cancel_order_lines_request::Line {
            line: (*line).into(),
            quantity: (*quantity).into(),
        };
        let lines = lines.iter().map(line).collect();
        let request = CancelOrderLinesRequest { name: name.into(), lines, ..Default::default() };
        self.orders().cancel_order_lines(self.admin.request(request)).await.map(Response::into_inner)
    }
}

/// A document in euros of these lines.
pub fn document(lines: Vec<Line>) -> SalesDocument {
    SalesDocument { currency_code: "EUR".into(), lines, ..Default::default() }
}

pub fn confirming(name: &str) -> ConfirmOrderRequest {
    let request_id = Uuid::now_v7().to_string();
    ConfirmOrderRequest { name: name.into(), request_id, ..Default::default() }
}

/// Ordered, cancelled, delivered, arrived and returned of a line.
pub fn quantities(progress: &Progress) -> [&str; 5] {
    [&progress.ordered, &progress.cancelled, &progress.delivered, &progress.arrived, &progress.returned]
        .map(String::as_str)
}

pub fn precondition(reason: &str) -> (Code, String) {
    (Code::FailedPrecondition, reason.to_owned())
}

/// DOC-04: a draft is priced and can be changed; confirmed, it has its number and its quantities, and does not change.
#[tokio::test]
async fn an_order_is_a_draft_until_it_is_confirmed() {
    let (sales, desk) = Sales::start_ordering().await;
    let draft = Order {
        customer_po: "PO 4711".into(),
        ship_to: Some(Address { locality: "Madrid".into(), ..Default::default() }),
        requested_date: date(2027, 1, 8),
        promised_date: date(2027, 1, 10),
        invoicing_policy: InvoicingPolicy::Delivered.into(),
        ..sales.order_of(&desk, &["2", "3"]).await
    };

    let created = sales.create_order(draft.clone()).await.expect("a draft");
    let changed = Order {
        name: created.name.clone(),
        document: Some(document(vec![line(&desk, "4")])),
        ..Default::default()
    };
    let updated = sales.update_order(changed, &["document"]).await.expect("it is priced again");
    let request = confirming(&created.name);
    let confirmed = sales.orders().confirm_order(sales.admin.request(request.clone())).await;
    let confirmed = confirmed.expect("confirmed").into_inner();
    let repeated = sales.orders().confirm_order(sales.admin.request(request)).await.expect("the answer");

    let gross = |order: &Order| {
        let totals = order.document.as_ref().and_then(|document| document.totals.as_ref()).expect("totals");
        cents(totals.gross.as_ref())
    };
    assert_eq!((gross(&created), gross(&updated)), (60_500, 48_400));
    assert_eq!((created.state(), created.number.as_str()), (State::Draft, ""));
    assert_eq!((created.customer_po.as_str(), created.requested_date), ("PO 4711", date(2027, 1, 8)));
    assert!(created.progress.is_empty());
    assert_eq!((confirmed.state(), confirmed.number.as_str()), (State::Confirmed, "O0001"));
    assert_eq!(confirmed.delivery_status(), DeliveryStatus::None);
    assert_eq!(confirmed.invoice_status(), InvoiceStatus::NothingToInvoice);
    assert_eq!(confirmed.next_promised_date, date(2027, 1, 10));
    assert_eq!(quantities(&confirmed.progress[0]), ["4", "0", "0", "0", "0"]);
    assert_eq!(repeated.into_inner(), confirmed);
    let late = Order { name: created.name.clone(), customer_po: "PO 1".into(), ..Default::default() };
    assert_eq!(refusal(sales.update_order(late, &["customer_po"]).await), precondition("ORDER_NOT_DRAFT"));
    let delete = DeleteOrderRequest { name: created.name.clone(), ..Default::default() };
    let deleted = sales.orders().delete_order(sales.admin.request(delete)).await;
    assert_eq!(refusal(deleted), precondition("ORDER_NOT_DRAFT"));
    assert_eq!(refusal(sales.confirm_order(&created.name).await), precondition("ORDER_NOT_DRAFT"));
    let hasty = ConfirmOrderRequest { request_id: String::new(), ..confirming(&created.name) };
    let hasty = sales.orders().confirm_order(sales.admin.request(hasty)).await;
    assert_eq!(violations(hasty), [field("request_id", "REQUIRED")]);
    let filter = "number = O0001 AND state = CONFIRMED AND delivery_status = NONE AND gross = 48400";
    let request = ListOrdersRequest { filter: filter.into(), ..Default::default() };
    let page = sales.orders().list_orders(sales.admin.request(request)).await.expect("a page");
    assert_eq!(page.into_inner().orders, [confirmed]);
}

/// DOC-04: everything that is wrong with a draft is said at once, and an account that is gone is refused.
#[tokio::test]
async fn a_draft_is_refused_as_a_whole() {
    let (sales, desk) = Sales::start_ordering().await;
    let wrong = Order {
        account: "accounts/acme".into(),
        customer_po: "x".repeat(101),
        ship_to: Some(Address { country_code: "es".into(), ..Default::default() }),
        ..sales.order_of(&desk, &["0"]).await
    };
    let unknown =
        Order { undelivered_lines: vec!["1".into(), "7".into()], ..sales.order_of(&desk, &["1"]).await };
    let gone = sales.account().await;
    sales.hear_account(&gone, 2, true).await;
    let deleted = Order { account: gone, ..sales.order_of(&desk, &["1"]).await };

    let expected = [
        field("order.account", "INVALID_RESOURCE_NAME"),
        field("order.customer_po", "TOO_LONG"),
        field("order.document.lines[0].quantity", "NOT_POSITIVE"),
        field("order.ship_to.country_code", "INVALID_COUNTRY_CODE"),
    ];
    assert_eq!(violations(sales.create_order(wrong).await), expected);
    let expected = [field("order.undelivered_lines[1]", "UNKNOWN_LINE_KEY")];
    assert_eq!(violations(sales.create_order(unknown).await), expected);
    assert_eq!(refusal(sales.create_order(deleted).await), precondition("ACCOUNT_DELETED"));
}

/// DOC-04: an order is held for a reason, and nothing of it is confirmed until it is released.
#[tokio::test]
async fn a_held_order_waits() {
    let (sales, desk) = Sales::start_ordering().await;
    let draft = sales.create_order(sales.order_of(&desk, &["1"]).await).await.expect("a draft");
    let hold = |reason: HoldReason| HoldOrderRequest {
        name: draft.name.clone(),
        reason: reason.into(),
        note: "Looks odd".into(),
        ..Default::default()
    };
    let release = ReleaseOrderRequest { name: draft.name.clone(), ..Default::default() };

    let without = sales.orders().hold_order(sales.admin.request(hold(HoldReason::Unspecified))).await;
    let held = sales
        .orders()
        .hold_order(sales.admin.request(hold(HoldReason::Fraud)))
        .await
        .expect("held")
        .into_inner();
    let other = sales.orders().hold_order(sales.admin.request(hold(HoldReason::Credit))).await;
    let confirmed = sales.confirm_order(&draft.name).await;
    let released =
        sales.orders().release_order(sales.admin.request(release.clone())).await.expect("released");
    let again = sales.orders().release_order(sales.admin.request(release)).await;

    assert_eq!(violations(without), [field("reason", "REQUIRED")]);
    assert_eq!((held.hold_reason(), held.hold_note.as_str()), (HoldReason::Fraud, "Looks odd"));
    assert!(held.hold_time.is_some());
    assert_eq!(refusal(other), precondition("ORDER_ON_HOLD"));
    assert_eq!(refusal(confirmed), precondition("ORDER_ON_HOLD"));
    assert_eq!(released.get_ref().hold_reason(), HoldReason::Unspecified);
    assert_eq!(refusal(again), precondition("ORDER_NOT_ON_HOLD"));
    sales.confirm_order(&draft.name).await.expect("nothing stands against it");
    let types = sales.event_types().await;
    assert_eq!(
        types[types.len() - 4..],
        ["order.created", "order.held", "order.released", "order.confirmed"]
    );
}

/// DOC-04, DOC-10: a draft whose prices are no longer those of now is not confirmed unseen.
#[tokio::test]
async fn a_draft_is_confirmed_at_prices_that_hold() {
    let (sales, desk) = Sales::start_ordering().await;
    let draft = sales.create_order(sales.order_of(&desk, &["1"]).await).await.expect("a draft");
    sales.create_promotion(promotion("Spring", percent("10"))).await.expect("a promotion");

    let refused = sales.confirm_order(&draft.name).await;
    let kept = sales.get_order(&draft.name).await;
    let written = Order { etag: String::new(), ..draft.clone() };
    sales.update_order(written, &["document"]).await.expect("it is a draft");
    let confirmed = sales.confirm_order(&draft.name).await.expect("it is as of now");

    assert_eq!(refusal(refused), precondition("PRICE_CHANGED"));
    assert_eq!(kept, draft);
    let totals = confirmed.document.and_then(|document| document.totals).expect("totals");
    assert_eq!((cents(totals.gross.as_ref()), confirmed.number.as_str()), (10_890, "O0001"));
}

/// DOC-04: a held draft can be changed, and is held after as before.
#[tokio::test]
async fn a_hold_outlives_a_change() {
    let (sales, desk) = Sales::start_ordering().await;
    let draft = sales.create_order(sales.order_of(&desk, &["1"]).await).await.expect("a draft");
    let hold = HoldOrderRequest {
        name: draft.name.clone(),
        reason: HoldReason::Fraud.into(),
        note: "Looks odd".into(),
        ..Default::default()
    };
    let held = sales.orders().hold_order(sales.admin.request(hold)).await.expect("held").into_inner();

    let change = Order { name: draft.name.clone(), customer_po: "PO 7".into(), ..Default::default() };
    let changed = sales.update_order(change, &["customer_po"]).await.expect("a draft can be changed");

    let said = |order: &Order| (order.hold_reason, order.hold_note.clone(), order.hold_time);
    assert_eq!((changed.customer_po.as_str(), said(&changed)), ("PO 7", said(&held)));
    assert_eq!(refusal(sales.confirm_order(&draft.name).await), precondition("ORDER_ON_HOLD"));
}

/// DOC-04: quantities are taken off line by line, all of a request or nothing; what is left of nothing is cancelled.
#[tokio::test]
async fn an_order_is_cut_short_or_cancelled() {
    let (sales, desk) = Sales::start_ordering().await;
    let order = sales.confirmed(&desk, &["5", "2"]).await;

    let too_much = sales.cancel_lines(&order.name, &[("1", "1"), ("2", "3")]).await;
    let nothing = sales.cancel_lines(&order.name, &[]).await;
    let twice = sales.cancel_lines(&order.name, &[("1", "1"), ("1", "-1")]).await;
    let unknown = sales.cancel_lines(&order.name, &[("9", "1")]).await;
    let untouched = sales.get_order(&order.name).await;
    let shorter = sales.cancel_lines(&order.name, &[("1", "1.5")]).await.expect("shorter");
    let gone = sales.cancel_lines(&order.name, &[("1", "3.5"), ("2", "2")]).await.expect("cancelled");

    assert_eq!(refusal(too_much), precondition("OVER_CANCELLED"));
    assert_eq!(violations(nothing), [field("lines", "REQUIRED")]);
    assert_eq!(
        violations(twice),
        [field("lines[1].line", "DUPLICATE"), field("lines[1].quantity", "NOT_POSITIVE")]
    );
    assert_eq!(refusal(unknown), precondition("ORDER_LINE_NOT_FOUND"));
    assert_eq!(untouched, order);
    assert_eq!(quantities(&shorter.progress[0]), ["5", "1.5", "0", "0", "0"]);
    assert_eq!((gone.state(), gone.delivery_status()), (State::Cancelled, DeliveryStatus::NotApplicable));

    let other = sales.confirmed(&desk, &["1"]).await;
    let close = CloseOrderRequest { name: other.name.clone(), ..Default::default() };
    let closed = sales.orders().close_order(sales.admin.request(close)).await;
    assert_eq!(refusal(closed), precondition("ORDER_NOT_FULFILLED"));
    let cancel = |reason: &str| CancelOrderRequest {
        name: other.name.clone(),
        reason: reason.into(),
        ..Default::default()
    };
    let without = sales.orders().cancel_order(sales.admin.request(cancel(""))).await;
    assert_eq!(violations(without), [field("reason", "REQUIRED")]);
    let cancelled = sales.orders().cancel_order(sales.admin.request(cancel("Changed their mind"))).await;
    let cancelled = cancelled.expect("cancelled").into_inner();
    assert_eq!(
        (cancelled.state(), cancelled.cancel_reason.as_str()),
        (State::Cancelled, "Changed their mind")
    );
    assert_eq!(cancelled.number, "O0002");
}
