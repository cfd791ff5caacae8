//! Chains from quote to cash that stand still, as a client asks for them: each wait is there when nothing has happened for days,
//! and gone once something has.

use chrono::TimeDelta;
use sqlx::AssertSqlSafe;
use tonic::{Response, Status, transport::Channel};
use trato_platform::testing::TestCaller;
use trato_proto::{
    billing::v1::invoice,
    sales::v1::{
        DeleteOrderRequest, ListStalledChainsRequest, ListStalledChainsResponse, Order, StalledChain,
        chain_service_client::ChainServiceClient,
        order::{HoldReason, InvoiceStatus, InvoicingPolicy},
        sales_number_series::DocumentKind,
        sales_return::Disposition,
        stalled_chain::Wait,
    },
};
use uuid::Uuid;

use crate::{
    cart::{checking_out, visitor},
    delivery_note::part,
    harness::{Sales, date},
    order_facts::invoice_name,
    order_from_quote::of,
    sales_return::back,
};

impl Sales {
    /// Sales that quotes, orders, delivers and takes back, and a desk at 100 euros.
    pub async fn start_the_whole_chain() -> (Self, String) {
        let (sales, desk) = Self::start_quoting().await;
        sales.default_series(DocumentKind::Order, "O").await;
        sales.default_series(DocumentKind::DeliveryNote, "D").await;
        sales.default_series(DocumentKind::Return, "R").await;
        sales.published_policy(14).await;
        (sales, desk)
    }

    fn chains(&self) -> ChainServiceClient<Channel> {
        ChainServiceClient::new(self.service.channel.clone())
    }

    pub async fn list_stalled_as(
        &self,
        caller: &TestCaller,
        request: ListStalledChainsRequest,
    ) -> Result<ListStalledChainsResponse, Status> {
        self.chains().list_stalled_chains(caller.request(request)).await.map(Response::into_inner)
    }

    pub async fn list_stalled(
        &self,
        request: ListStalledChainsRequest,
    ) -> Result<ListStalledChainsResponse, Status> {
        self.list_stalled_as(&self.admin, request).await
    }

    /// What has stood still for the three days of the settings, and what it waits for.
    pub async fn stalled(&self) -> Vec<(String, Wait)> {
        let page = self.list_stalled(ListStalledChainsRequest::default()).await.expect("a page");
        page.stalled_chains.iter().map(wait).collect()
    }

    /// The same, when four days have gone by without anything happening.
    async fn stalled_after_days(&self) -> Vec<(String, Wait)> {
        self.let_days_go_by().await;
        self.stalled().await
    }

    /// Four days go by: all documents changed as much earlier.
    pub async fn let_days_go_by(&self) {
        let mut tx = self.service.transaction(self.admin.tenant).await;
        for table in ["quote", "sales_order", "delivery_note", "sales_return"] {
            let sql = format!("update {table} set update_time = update_time - interval '4 days'");
            sqlx::query(AssertSqlSafe(sql)).execute(tx.connection()).await.expect("days go by");
        }
        tx.commit().await.expect("they are gone");
    }

    /// How many chains of all tenants stand still, by what they wait for.
    async fn count(&self) -> Vec<(String, i64)> {
        let stalled_for = TimeDelta::hours(72);
        let counts =
            trato_sales::count_stalled_chains(&self.service.database, chrono::Utc::now(), stalled_for).await;
        counts.expect("a count")
    }
}

pub fn wait(chain: &StalledChain) -> (String, Wait) {
    (chain.document.clone(), chain.waiting_for())
}

/// What each step of a chain waits for stands there once, after days, and is gone when the step is taken.
#[tokio::test]
async fn a_chain_stands_still_at_each_of_its_steps_until_it_moves_on() {
    let (sales, desk) = Sales::start_the_whole_chain().await;
    let quote = sales.accepted(&desk, "5").await.name;
    assert_eq!(sales.stalled().await, [], "it was accepted today");
    assert_eq!(sales.stalled_after_days().await, [(quote.clone(), Wait::Order)]);

    let order = sales.order_from(of(&quote)).await.expect("an order").name;
    let waits = |waits: &[Wait]| waits.iter().map(|wait| (order.clone(), *wait)).collect::<Vec<_>>();
    assert_eq!(sales.stalled().await, []);
    assert_eq!(sales.stalled_after_days().await, waits(&[Wait::Confirmation]));
    sales.hold(&order, HoldReason::Manual).await;
    assert_eq!(sales.stalled().await, []);
    assert_eq!(sales.stalled_after_days().await, waits(&[Wait::Release]));
    sales.release(&order).await;
    assert_eq!(sales.stalled_after_days().await, waits(&[Wait::Confirmation]));

    sales.confirm_order(&order).await.expect("confirmed");
    assert_eq!(sales.stalled().await, []);
    assert_eq!(sales.stalled_after_days().await, waits(&[Wait::Delivery, Wait::Invoice]));
    let note = sales.create_delivery(&order, Vec::new()).await.expect("all of it").name;
    assert_eq!(sales.stalled().await, waits(&[Wait::Invoice]), "somebody has begun to deliver");
    assert_eq!(
        sales.stalled_after_days().await,
        waits(&[Wait::Delivery, Wait::Invoice]),
        "and went no further"
    );
    sales.issue_delivery(&note).await.expect("issued");
    assert_eq!(sales.stalled().await, []);
    let proof = (note.clone(), Wait::Proof);
    assert_eq!(sales.stalled_after_days().await, [waits(&[Wait::Invoice]), vec![proof]].concat());
    sales.confirm_delivery(&note, Vec::new()).await.expect("arrived");
    assert_eq!(sales.stalled_after_days().await, waits(&[Wait::Invoice]));

    let invoice = invoice_name();
    sales.hear_invoice(&invoice, &order, &[("a", "1", "5")], invoice::State::Issued).await;
    assert_eq!(sales.stalled_after_days().await, [], "it is delivered and invoiced");

    let returned = sales.request_return(&note, vec![back("1", &[])]).await.expect("requested").name;
    assert_eq!(sales.stalled().await, []);
    assert_eq!(sales.stalled_after_days().await, [(returned.clone(), Wait::Authorisation)]);
    sales.authorise(&returned, "").await.expect("authorised");
    assert_eq!(sales.stalled().await, []);
    assert_eq!(sales.stalled_after_days().await, [(returned.clone(), Wait::Arrival)]);
    sales.receive(&returned, Vec::new()).await.expect("received");
    assert_eq!(sales.stalled().await, []);
    assert_eq!(sales.stalled_after_days().await, [(returned.clone(), Wait::Settlement)]);
    sales.inspect(&returned, &[("1", Disposition::Refund)]).await.expect("inspected");
    assert_eq!(sales.stalled().await, []);
    assert_eq!(sales.stalled_after_days().await, [(returned.clone(), Wait::Settlement)]);
    sales.settle(&returned).await.expect("settled");
    assert_eq!(sales.stalled().await, []);
    assert_eq!(sales.stalled_after_days().await, waits(&[Wait::Credit]));
    sales.hear_credit(&invoice, &[("a", "1")]).await;
    assert_eq!(sales.stalled_after_days().await, []);
}

/// DOC-12: a cart that was checked out waits for somebody to confirm its order, as does any draft of an order; a return that is
/// rejected waits for nothing.
#[tokio::test]
async fn a_draft_of_an_order_waits_for_its_confirmation_whatever_it_came_of() {
    let (sales, desk) = Sales::start_the_whole_chain().await;
    let account = sales.account().await;
    let cart = sales.create_cart(visitor("s-1", &desk, "1")).await.expect("a cart");
    let bought = sales.check_out(checking_out(&cart.name, &account)).await.expect("an order").name;
    let written = sales.create_order(sales.order_of(&desk, &["1"]).await).await.expect("a draft").name;
    assert_eq!(sales.stalled().await, [], "both were written today");

    let mut stalled = sales.stalled_after_days().await;
    stalled.sort_by(|one, other| one.0.cmp(&other.0));
    let mut expected = [bought.clone(), written].map(|order| (order, Wait::Confirmation));
    expected.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(stalled, expected);

    sales.confirm_order(&bought).await.expect("confirmed");
    let note = sales.delivered(&bought, vec![part("1", "1")]).await.name;
    sales.confirm_delivery(&note, Vec::new()).await.expect("arrived");
    let returned = sales.request_return(&note, vec![back("1", &[])]).await.expect("requested").name;
    sales.reject(&returned, "Changed her mind").await.expect("rejected");
    let of_return =
        sales.stalled_after_days().await.into_iter().filter(|(document, _)| *document == returned);
    assert_eq!(of_return.count(), 0);
}

/// A quote that is invoiced without an order waits for none, until the invoice is void; one whose order is cancelled waits for
/// nothing any more, and one whose draft of an order is deleted waits for another one.
#[tokio::test]
async fn a_quote_waits_for_its_order_unless_it_is_invoiced() {
    let (sales, desk) = Sales::start_the_whole_chain().await;
    let (invoiced, ordered) = (sales.accepted(&desk, "2").await.name, sales.accepted(&desk, "1").await.name);
    let invoice = invoice_name();
    let hear = async |state| sales.hear_invoice(&invoice, &invoiced, &[("a", "1", "2")], state).await;

    hear(invoice::State::Issued).await;
    let draft = sales.order_from(of(&ordered)).await.expect("an order").name;
    let delete = DeleteOrderRequest { name: draft, ..Default::default() };
    sales.orders().delete_order(sales.admin.request(delete)).await.expect("deleted");
    assert_eq!(sales.stalled_after_days().await, [(ordered.clone(), Wait::Order)]);
    hear(invoice::State::Void).await;
    let order = sales.order_from(of(&ordered)).await.expect("another one").name;
    sales.cancel_order(&order).await;

    assert_eq!(sales.stalled_after_days().await, [(invoiced.clone(), Wait::Order)]);
}

/// What is promised for a day to come is not late; what was promised for a day that is over is, and so is each line by itself.
#[tokio::test]
async fn a_delivery_is_waited_for_once_its_day_is_over() {
    let (sales, desk) = Sales::start_the_whole_chain().await;
    let promised = async |first, last| {
        let mut order = Order {
            promised_date: first,
            invoicing_policy: InvoicingPolicy::Delivered.into(),
            ..sales.order_of(&desk, &["1", "1"]).await
        };
        if let Some(line) = order.document.as_mut().and_then(|document| document.lines.last_mut()) {
            line.promised_date = last;
        }
        let draft = sales.create_order(order).await.expect("a draft");
        sales.confirm_order(&draft.name).await.expect("confirmed").name
    };
    let (past, future) = (date(2026, 1, 7), date(2999, 12, 31));

    promised(future, future).await;
    let late = promised(past, past).await;
    let half_late = promised(past, future).await;
    assert_eq!(
        sales.stalled_after_days().await,
        [(late.clone(), Wait::Delivery), (half_late.clone(), Wait::Delivery)]
    );

    // Of the one nothing is left to be delivered that is late, and of the other one something is on its way.
    let note = sales.delivered(&half_late, vec![part("1", "1")]).await;
    sales.confirm_delivery(&note.name, Vec::new()).await.expect("arrived");
    let under_way = sales.delivered(&late, vec![part("1", "1")]).await;
    let invoices = [(late, Wait::Invoice), (half_late, Wait::Invoice)];
    let stalled = sales.stalled_after_days().await;
    assert!(invoices.iter().all(|invoice| stalled.contains(invoice)), "{stalled:?}");
    assert!(stalled.contains(&(under_way.name, Wait::Proof)), "{stalled:?}");
    assert_eq!(stalled.len(), 3, "{stalled:?}");
}

/// An order of which one line is invoiced and another one credited is partly invoiced, and waits for no invoice.
#[tokio::test]
async fn an_order_waits_for_invoices_only_where_something_may_be_invoiced() {
    let (sales, desk) = Sales::start_the_whole_chain().await;
    let order = sales.confirmed(&desk, &["5", "2"]).await.name;
    sales.delivered(&order, vec![part("1", "5")]).await;
    let invoice = invoice_name();
    let lines = [("a", "1", "5"), ("b", "2", "2")];
    sales.hear_invoice(&invoice, &order, &lines, invoice::State::Issued).await;
    let at_order = async || {
        let stalled = sales.stalled_after_days().await;
        stalled
            .into_iter()
            .filter(|(document, _)| *document == order)
            .map(|(_, wait)| wait)
            .collect::<Vec<_>>()
    };

    sales.cancel_lines(&order, &[("2", "2")]).await.expect("cancelled");
    assert_eq!(at_order().await, [Wait::Credit]);
    sales.hear_credit(&invoice, &[("b", "2")]).await;
    assert_eq!(sales.get_order(&order).await.invoice_status(), InvoiceStatus::PartlyInvoiced);
    assert_eq!(at_order().await, []);
    sales.hear_credit(&invoice, &[("a", "1")]).await;
    assert_eq!(at_order().await, [Wait::Invoice], "of the first line one is to be invoiced again");
}

/// DOC-04: freight that is left waits for an invoice, though all lines are invoiced.
#[tokio::test]
async fn freight_that_is_left_waits_for_an_invoice() {
    let (sales, desk) = Sales::start_the_whole_chain().await;
    let order = sales.confirmed_with_freight(&desk).await.name;
    sales.delivered(&order, vec![part("1", "2")]).await;
    let invoice = invoice_name();
    sales.hear_invoice(&invoice, &order, &[("a", "1", "2")], invoice::State::Issued).await;
    assert_eq!(sales.get_order(&order).await.invoice_status(), InvoiceStatus::PartlyInvoiced);
    assert!(sales.stalled_after_days().await.contains(&(order.clone(), Wait::Invoice)));

    sales.hear_invoice(&invoice_name(), &order, &[("a", "freight", "1")], invoice::State::Issued).await;
    assert!(!sales.stalled_after_days().await.contains(&(order, Wait::Invoice)));
}

/// The count for the alarm is over all tenants, by what is waited for.
#[tokio::test]
async fn what_stands_still_is_counted_over_all_tenants() {
    let (sales, desk) = Sales::start_the_whole_chain().await;
    sales.confirmed(&desk, &["1"]).await;
    sales.accepted(&desk, "1").await;
    let delivered = sales.confirmed(&desk, &["1"]).await;
    sales.delivered(&delivered.name, vec![part("1", "1")]).await;
    let of_today = sales.count().await;
    sales.let_days_go_by().await;
    let of_one = sales.count().await;
    let admin = sales.service.caller(Uuid::now_v7(), "eve", &["administrator"]);
    let (other, desk) = Sales { admin, ..sales }.ordering().await;
    other.confirmed(&desk, &["1"]).await;
    other.let_days_go_by().await;
    let of_both = other.count().await;

    let counts = |counts: &[(&str, i64)]| {
        counts.iter().map(|(wait, count)| ((*wait).to_owned(), *count)).collect::<Vec<_>>()
    };
    assert_eq!(of_today, []);
    assert_eq!(of_one, counts(&[("DELIVERY", 1), ("INVOICE", 2), ("ORDER", 1), ("PROOF", 1)]));
    assert_eq!(of_both, counts(&[("DELIVERY", 2), ("INVOICE", 3), ("ORDER", 1), ("PROOF", 1)]));
}
