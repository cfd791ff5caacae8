//! Returns: requested, judged by the policy of then, received, inspected and settled, with the quantities of the order.

use futures::future::join_all;
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};
use tonic::{Response, Status};
use trato_platform::testing::stack;
use trato_proto::{
    billing::v1::invoice,
    sales::v1::{
        AuthoriseReturnRequest, BatchCreateSalesReturnsRequest, ConfirmDeliveryNoteRequest,
        CreateSalesReturnRequest, DeliveryNote, InspectReturnRequest, ReceiveReturnRequest,
        RejectReturnRequest, SalesReturn, SettleReturnRequest,
        batch_create_sales_returns_response::result::Outcome,
        delivery_note::Proof,
        inspect_return_request,
        order::{self, DeliveryStatus, InvoiceStatus},
        receive_return_request,
        sales_number_series::DocumentKind,
        sales_return::{Condition, Disposition, Line, State},
        sales_return_service_client::SalesReturnServiceClient,
    },
};
use uuid::Uuid;

use crate::{
    delivery_note::{part, with_serials},
    harness::{Sales, field, refusal, timestamp, violations},
    order::{precondition, quantities},
    order_facts::invoice_name,
};

impl Sales {
    fn sales_returns(&self) -> SalesReturnServiceClient<tonic::transport::Channel> {
        SalesReturnServiceClient::new(self.service.channel.clone())
    }

    /// Sales that orders, delivers and takes back within 14 days, and a desk.
    async fn start_returning() -> (Self, String) {
        let (sales, desk) = Self::start_ordering().await;
        sales.default_series(DocumentKind::Return, "R").await;
        sales.published_policy(14).await;
        (sales, desk)
    }

    /// Makes an issued delivery note one of this day. The service issues as of today, and the table lets nobody change that: what
    /// is old came to be so with time, which a test has not.
    async fn age(&self, delivery_note: &str, issue_date: &str) {
        let mut tx = self.service.transaction(self.admin.tenant).await;
        let database: String = sqlx::query_scalar("select current_database()")
            .fetch_one(tx.connection())
            .await
            .expect("a database has a name");
        let url = stack()["postgres"]["superuser_url"].as_str().expect("the superuser's address").to_owned();
        let options: PgConnectOptions = url.parse().expect("an address of PostgreSQL");
        let connection = PgConnection::connect_with(&options.database(&database)).await;
        let mut connection = connection.expect("a superuser may");
        let past_triggers = sqlx::raw_sql("set session_replication_role = replica");
        past_triggers.execute(&mut connection).await.expect("a superuser may");
        let id: Uuid = delivery_note.trim_start_matches("deliveryNotes/").parse().expect("its name");
        sqlx::query("update delivery_note set issue_date = $1::date, issue_time = $1::date where id = $2")
            .bind(issue_date)
            .bind(id)
            .execute(&mut connection)
            .await
            .expect("a superuser may");
        connection.close().await.expect("closed");
    }

    pub async fn request_return(&self, delivery_note: &str, lines: Vec<Line>) -> Result<SalesReturn, Status> {
        let request = requesting(delivery_note, lines);
        self.sales_returns().create_sales_return(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn authorise(&self, name: &str, exception: &str) -> Result<SalesReturn, Status> {
        let request = AuthoriseReturnRequest {
            name: name.into(),
            exception_reason: exception.into(),
            request_id: Uuid::now_v7().to_string(),
            ..Default::default()
        };
        self.sales_returns().authorise_return(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn receive(
        &self,
        name: &str,
        lines: Vec<receive_return_request::Line>,
    ) -> Result<SalesReturn, Status> {
        let request = ReceiveReturnRequest { name: name.into(), lines, ..Default::default() };
        self.sales_returns().receive_return(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn inspect(&self, name: &str, found: &[(&str, Disposition)]) -> Result<SalesReturn, Status> {
        let line = |(line, disposition): &(&str, Disposition)| inspect_return_request::Line {
            line: (*line).into(),
            condition: Condition::Used.into(),
            disposition: (*disposition).into(),
            ..Default::default()
        };
        let lines = found.iter().map(line).collect();
        let request = InspectReturnRequest { name: name.into(), lines, ..Default::default() };
        self.sales_returns().inspect_return(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn settle(&self, name: &str) -> Result<SalesReturn, Status> {
        let request = SettleReturnRequest { name: name.into(), ..Default::default() };
        self.sales_returns().settle_return(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn reject(&self, name: &str, reason: &str) -> Result<SalesReturn, Status> {
        let request = RejectReturnRequest { name: name.into(), reason: reason.into(), ..Default::default() };
        self.sales_returns().reject_return(self.admin.request(request)).await.map(Response::into_inner)
    }

    /// A delivery note of an order of these serial numbers that has arrived.
    async fn arrived(&self, desk: &str, serials: &[&str]) -> DeliveryNote {
        let order = self.confirmed(desk, &[&serials.len().to_string()]).await;
        let issued = self.delivered(&order.name, vec![with_serials("1", serials)]).await;
        self.confirm_delivery(&issued.name, Vec::new()).await.expect("arrived")
    }
}

fn requesting(delivery_note: &str, lines: Vec<Line>) -> CreateSalesReturnRequest {
    let sales_return = SalesReturn {
        delivery_note: delivery_note.into(),
        reason: "Too big".into(),
        policy_code: "STANDARD".into(),
        lines,
        ..Default::default()
    };
    CreateSalesReturnRequest { sales_return: Some(sales_return), ..Default::default() }
}

pub fn back(quantity: &str, serials: &[&str]) -> Line {
    Line {
        delivery_line: "1".into(),
        quantity: quantity.into(),
        serials: serials.iter().map(|serial| (*serial).into()).collect(),
        condition: Condition::Opened.into(),
        ..Default::default()
    }
}

/// DOC-09, DOC-17: a return is judged by the policy of when it was requested, and its quantities are the order's.
#[tokio::test]
async fn a_return_goes_from_request_to_settlement() {
    let (sales, desk) = Sales::start_returning().await;
    let delivered = sales.arrived(&desk, &["a", "b", "c"]).await;

    let requested =
        sales.request_return(&delivered.name, vec![back("2", &["a", "b"])]).await.expect("requested");
    sales.published_policy(0).await;
    let early = sales.receive(&requested.name, Vec::new()).await;
    let authorised = sales.authorise(&requested.name, "").await.expect("authorised");
    let untouched = sales.get_order(&delivered.order).await;
    let received = sales.receive(&requested.name, Vec::new()).await.expect("received");
    let order = sales.get_order(&delivered.order).await;
    let too_late = sales.reject(&requested.name, "Changed our mind").await;
    let inspected = sales.inspect(&requested.name, &[("1", Disposition::Refund)]).await.expect("inspected");
    let settled = sales.settle(&requested.name).await.expect("settled");
    let twice = sales.settle(&requested.name).await;

    let policy = requested.policy.as_ref().expect("it is judged");
    assert_eq!((policy.version, policy.window_days, policy.within_window), (1, 14, true));
    assert_eq!(requested.order, delivered.order);
    assert_eq!((requested.state(), requested.lines[0].description.as_str()), (State::Requested, "Desk"));
    assert_eq!(refusal(early), precondition("RETURN_NOT_AUTHORISED"));
    assert_eq!((authorised.state(), authorised.number.as_str()), (State::Authorised, "R0001"));
    assert_eq!(authorised.policy, requested.policy, "another version was published meanwhile");
    assert_eq!(quantities(&untouched.progress[0]), ["3", "0", "3", "3", "0"]);
    assert_eq!((received.state(), received.lines[0].received_quantity.as_str()), (State::Received, "2"));
    assert_eq!(quantities(&order.progress[0]), ["3", "0", "3", "3", "2"]);
    assert_eq!(order.delivery_status(), DeliveryStatus::Partial);
    assert_eq!(refusal(too_late), precondition("RETURN_RECEIVED"));
    assert_eq!(inspected.lines[0].disposition(), Disposition::Refund);
    assert_eq!((settled.state(), settled.end_time.is_some()), (State::Settled, true));
    assert_eq!(refusal(twice), precondition("RETURN_NOT_INSPECTED"));
    let other = sales.confirmed(&desk, &["1"]).await;
    sales.delivered(&other.name, vec![with_serials("1", &["a"])]).await;
}

/// DOC-17: after its window a return is authorised only with a reason, which stays on it.
#[tokio::test]
async fn a_late_return_needs_an_exception() {
    let (sales, desk) = Sales::start_returning().await;
    let order = sales.confirmed(&desk, &["2"]).await;
    let issued = sales.delivered(&order.name, vec![part("1", "2")]).await;
    let unsent = sales.request_return(&issued.name, vec![back("1", &[])]).await;
    sales.age(&issued.name, "2026-01-05").await;
    let proof = Proof { receiver: "Ana".into(), ..Default::default() };
    let confirm = ConfirmDeliveryNoteRequest {
        name: issued.name.clone(),
        proof: Some(proof),
        delivery_time: Some(timestamp(2026, 1, 7)),
        ..Default::default()
    };
    sales.delivery_notes().confirm_delivery_note(sales.admin.request(confirm)).await.expect("long ago");

    let late = sales.request_return(&issued.name, vec![back("1", &[])]).await.expect("requested");
    let refused = sales.authorise(&late.name, " ").await;
    let allowed = sales.authorise(&late.name, "A good customer").await.expect("an exception");
    let other = sales.request_return(&issued.name, vec![back("1", &[])]).await.expect("requested");
    let without = sales.reject(&other.name, "").await;
    let rejected = sales.reject(&other.name, "Too late").await.expect("rejected");
    let twice = sales.reject(&other.name, "Too late").await;

    assert_eq!(refusal(unsent), precondition("DELIVERY_NOTE_NOT_DELIVERED"));
    let policy = late.policy.as_ref().expect("it is judged");
    assert_eq!((policy.window_end, policy.within_window), (crate::harness::date(2026, 1, 21), false));
    assert_eq!(refusal(refused), precondition("RETURN_WINDOW_OVER"));
    assert_eq!((allowed.state(), allowed.exception_reason.as_str()), (State::Authorised, "A good customer"));
    assert_eq!(violations(without), [field("reason", "REQUIRED")]);
    assert_eq!((rejected.state(), rejected.reject_reason.as_str()), (State::Rejected, "Too late"));
    assert_eq!(refusal(twice), precondition("RETURN_ENDED"));
}

/// DOC-09: what suits neither delivery note nor policy is refused, all of it at once.
#[tokio::test]
async fn a_return_suits_its_delivery() {
    let (sales, desk) = Sales::start_returning().await;
    let delivered = sales.arrived(&desk, &["a", "b"]).await;
    let wrong = vec![
        Line { delivery_line: "7".into(), ..back("1", &[]) },
        back("3", &["a", "b", "c"]),
        back("1", &[]),
    ];

    let unsuited = sales.request_return(&delivered.name, wrong).await;
    let missing =
        sales.request_return(&format!("deliveryNotes/{}", Uuid::now_v7()), vec![back("1", &[])]).await;
    let request = SalesReturn {
        delivery_note: delivered.name.clone(),
        reason: "Too big".into(),
        policy_code: "NONE".into(),
        lines: vec![back("1", &["a"])],
        ..Default::default()
    };
    let request = CreateSalesReturnRequest { sales_return: Some(request), ..Default::default() };
    let unpublished = sales.sales_returns().create_sales_return(sales.admin.request(request)).await;

    let expected = [
        field("sales_return.lines[0].delivery_line", "DELIVERY_LINE_NOT_FOUND"),
        field("sales_return.lines[1].quantity", "OVER_RETURNED"),
        field("sales_return.lines[1].serials", "SERIALS_DIFFER"),
        field("sales_return.lines[2].quantity", "OVER_RETURNED"),
        field("sales_return.lines[2].serials", "SERIALS_DIFFER"),
    ];
    assert_eq!(violations(unsuited), expected);
    assert_eq!(refusal(missing), precondition("DELIVERY_NOTE_NOT_FOUND"));
    assert_eq!(refusal(unpublished), precondition("RETURN_POLICY_NOT_PUBLISHED"));
}

/// DOC-09: what is repaired or rejected is the customer's again, unless it was replaced; a return of which all is
/// rejected is so.
#[tokio::test]
async fn what_is_not_taken_goes_back() {
    let (sales, desk) = Sales::start_returning().await;
    let delivered = sales.arrived(&desk, &["a", "b"]).await;
    let returned = async |serial: &str, disposition| {
        let requested =
            sales.request_return(&delivered.name, vec![back("1", &[serial])]).await.expect("requested");
        sales.authorise(&requested.name, "").await.expect("authorised");
        sales.receive(&requested.name, Vec::new()).await.expect("received");
        sales.inspect(&requested.name, &[("1", disposition)]).await.expect("inspected");
        requested.name
    };

    let rejected = returned("a", Disposition::Reject).await;
    let rejected = sales.settle(&rejected).await.expect("it goes back");
    let order = sales.get_order(&delivered.order).await;
    let repaired = returned("b", Disposition::Repair).await;
    sales.delivered(&delivered.order, vec![with_serials("1", &["c"])]).await;
    let replaced = sales.settle(&repaired).await;

    assert_eq!(rejected.state(), State::Rejected);
    assert_eq!(quantities(&order.progress[0]), ["2", "0", "2", "2", "0"]);
    assert_eq!(refusal(replaced), precondition("OVER_DELIVERY"));
    let again =
        sales.inspect(&repaired, &[("1", Disposition::Replace)]).await.expect("it is looked at again");
    assert_eq!(again.lines[0].disposition(), Disposition::Replace);
    assert_eq!(sales.settle(&repaired).await.expect("it was replaced").state(), State::Settled);
    let late = sales.inspect(&repaired, &[("1", Disposition::Refund)]).await;
    assert_eq!(refusal(late), precondition("RETURN_NOT_RECEIVED"));
}

/// DOC-09: what is refunded is not delivered again, and is credited where everything that is ordered is invoiced.
#[tokio::test]
async fn what_is_refunded_is_not_delivered_again() {
    let (sales, desk) = Sales::start_returning().await;
    let delivered = sales.arrived(&desk, &["a", "b", "c"]).await;
    let invoice = invoice_name();
    sales.hear_invoice(&invoice, &delivered.order, &[("x", "1", "3")], invoice::State::Issued).await;
    let requested =
        sales.request_return(&delivered.name, vec![back("2", &["a", "b"])]).await.expect("requested");
    sales.authorise(&requested.name, "").await.expect("authorised");
    sales.receive(&requested.name, Vec::new()).await.expect("received");
    let received = sales.get_order(&delivered.order).await;
    sales.inspect(&requested.name, &[("1", Disposition::Refund)]).await.expect("inspected");

    sales.settle(&requested.name).await.expect("settled");
    let settled = sales.get_order(&delivered.order).await;
    let again = sales.create_delivery(&delivered.order, Vec::new()).await;
    sales.hear_credit(&invoice, &[("x", "2")]).await;
    let credited = sales.get_order(&delivered.order).await;

    assert_eq!(received.state(), order::State::InFulfilment);
    assert_eq!(quantities(&settled.progress[0]), ["3", "2", "3", "3", "2"]);
    assert_eq!((settled.state(), settled.delivery_status()), (order::State::Fulfilled, DeliveryStatus::Full));
    assert_eq!(settled.invoice_status(), InvoiceStatus::ToCredit);
    assert_eq!(refusal(again), precondition("NOTHING_TO_DELIVER"));
    assert_eq!(credited.invoice_status(), InvoiceStatus::Invoiced);
}

/// DOC-09: of a line no more comes back than its delivery note brought, in whatever lines and returns.
#[tokio::test]
async fn what_came_on_another_delivery_note_does_not_come_back_on_this_one() {
    let (sales, desk) = Sales::start_returning().await;
    let order = sales.confirmed(&desk, &["4"]).await;
    let mut notes = Vec::new();
    for _ in 0..2 {
        let issued = sales.delivered(&order.name, vec![part("1", "2")]).await;
        notes.push(sales.confirm_delivery(&issued.name, Vec::new()).await.expect("arrived"));
    }
    let returned = async |quantity: &str| {
        let lines = vec![back(quantity, &[])];
        let requested = sales.request_return(&notes[0].name, lines).await.expect("requested");
        sales.authorise(&requested.name, "").await.expect("authorised");
        (requested.name.clone(), sales.receive(&requested.name, Vec::new()).await)
    };

    let twice = sales.request_return(&notes[0].name, vec![back("1", &[]), back("2", &[])]).await;
    let (first, received) = returned("2").await;
    let (_, beyond) = returned("1").await;

    assert_eq!(violations(twice), [field("sales_return.lines[1].quantity", "OVER_RETURNED")]);
    received.expect("received");
    assert_eq!(refusal(beyond), precondition("OVER_RETURNED"));
    sales.inspect(&first, &[("1", Disposition::Reject)]).await.expect("inspected");
    sales.settle(&first).await.expect("it goes back to the customer");
    returned("1").await.1.expect("who may send it back once more");
}

/// DOC-09: batches that name the same delivery notes in another order wait for one another, and none is turned away.
#[tokio::test]
async fn batches_of_returns_cross() {
    let (sales, desk) = Sales::start_returning().await;
    let order = sales.confirmed(&desk, &["40"]).await;
    let mut notes = Vec::new();
    for _ in 0..20 {
        let issued = sales.delivered(&order.name, vec![part("1", "2")]).await;
        notes.push(sales.confirm_delivery(&issued.name, Vec::new()).await.expect("arrived").name);
    }
    let batch = async |is_reversed: bool| {
        let mut requests: Vec<_> = notes.iter().map(|note| requesting(note, vec![back("1", &[])])).collect();
        if is_reversed {
            requests.reverse();
        }
        let request = BatchCreateSalesReturnsRequest { requests, ..Default::default() };
        sales.sales_returns().batch_create_sales_returns(sales.admin.request(request)).await
    };

    let answers = join_all((0..16).map(|number| batch(number % 2 == 1))).await;

    for answer in answers {
        let results = answer.expect("nobody waits in a circle").into_inner().results;
        assert!(results.iter().all(|result| matches!(result.outcome, Some(Outcome::SalesReturn(_)))));
    }
}

/// DOC-09: however many returns bring the same things back at once, each thing comes back once.
#[tokio::test]
async fn nothing_comes_back_twice() {
    let (sales, desk) = Sales::start_returning().await;
    let order = sales.confirmed(&desk, &["5"]).await;
    let issued = sales.delivered(&order.name, vec![part("1", "5")]).await;
    sales.confirm_delivery(&issued.name, Vec::new()).await.expect("arrived");
    let requested = join_all((0..64).map(|_| sales.request_return(&issued.name, vec![back("1", &[])]))).await;
    let requested: Vec<SalesReturn> = requested.into_iter().map(|one| one.expect("requested")).collect();
    for one in join_all(requested.iter().map(|one| sales.authorise(&one.name, ""))).await {
        one.expect("authorised");
    }

    let answers = join_all(requested.iter().map(|one| sales.receive(&one.name, Vec::new()))).await;

    let (received, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((received.len(), refused.len()), (5, 59));
    for answer in refused {
        assert_eq!(refusal(answer), precondition("OVER_RETURNED"));
    }
    let order = sales.get_order(&order.name).await;
    assert_eq!(quantities(&order.progress[0]), ["5", "0", "5", "5", "5"]);
    assert_eq!(order.delivery_status(), DeliveryStatus::Returned);
}
