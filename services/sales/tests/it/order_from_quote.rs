//! An accepted quote becomes an order, once, at the prices it was accepted at.

use std::collections::BTreeSet;

use futures::future::join_all;
use tonic::{Code, Response, Status};
use trato_proto::{
    billing::v1::invoice::State,
    sales::v1::{
        CancelOrderRequest, CreateOrderFromQuoteRequest, DeleteOrderRequest, GetPromotionRequest, Order,
        Promotion, Quote,
        order::{self, InvoicingPolicy},
        sales_number_series::DocumentKind,
    },
};
use uuid::Uuid;

use crate::{
    harness::{Sales, euros, refusal},
    order::precondition,
    order_facts::invoice_name,
    pricing::cents,
    promotion::{amount, percent, promotion},
    quote::{accepting, gross},
};

impl Sales {
    /// Sales that quotes and takes orders, and a desk at 100 euros.
    async fn start_selling_by_quotes() -> (Self, String) {
        let (sales, desk) = Self::start_quoting().await;
        sales.default_series(DocumentKind::Order, "O").await;
        (sales, desk)
    }

    pub async fn accepted(&self, desk: &str, quantity: &str) -> Quote {
        let sent = self.sent(desk, quantity).await;
        self.accept(accepting(&sent.name)).await.expect("accepted")
    }

    pub async fn cancel_order(&self, name: &str) {
        let request =
            CancelOrderRequest { name: name.into(), reason: "Not wanted".into(), ..Default::default() };
        self.orders().cancel_order(self.admin.request(request)).await.expect("cancelled");
    }

    async fn uses_of(&self, promotion: &str) -> i32 {
        let request = GetPromotionRequest { name: promotion.into() };
        self.promotions()
            .get_promotion(self.admin.request(request))
            .await
            .expect("it is there")
            .get_ref()
            .uses
    }

    pub async fn order_from(&self, request: CreateOrderFromQuoteRequest) -> Result<Order, Status> {
        self.orders().create_order_from_quote(self.admin.request(request)).await.map(Response::into_inner)
    }
}

pub fn of(quote: &str) -> CreateOrderFromQuoteRequest {
    let request_id = Uuid::now_v7().to_string();
    CreateOrderFromQuoteRequest { quote: quote.into(), request_id, ..Default::default() }
}

/// DOC-04: an order of a quote has its document to the cent, whatever becomes of the catalogue, and never another one.
#[tokio::test]
async fn an_order_keeps_what_the_quote_said() {
    let (sales, desk) = Sales::start_selling_by_quotes().await;
    let sent = sales.sent(&desk, "3").await;
    let early = sales.order_from(of(&sent.name)).await;
    let missing = sales.order_from(of(&format!("quotes/{}", Uuid::now_v7()))).await;
    let quote = sales.accept(accepting(&sent.name)).await.expect("accepted");
    sales.create_promotion(promotion("Spring", percent("10"))).await.expect("what is cheaper now");

    let request = of(&quote.name);
    let order = sales.order_from(request.clone()).await.expect("an order");
    let repeated = sales.order_from(request).await.expect("the same answer");
    let second = sales.order_from(of(&quote.name)).await;
    let policy = Order {
        name: order.name.clone(),
        invoicing_policy: InvoicingPolicy::Delivered.into(),
        customer_po: "PO 7".into(),
        ..Default::default()
    };
    let changed =
        sales.update_order(policy, &["invoicing_policy", "customer_po"]).await.expect("terms may change");
    let mut dearer = Order { etag: String::new(), ..order.clone() };
    if let Some(line) = dearer.document.as_mut().and_then(|document| document.lines.first_mut()) {
        line.quantity = "4".into();
    }
    let dearer = sales.update_order(dearer, &["document"]).await;
    let confirmed = sales.confirm_order(&order.name).await.expect("confirmed");

    assert_eq!(refusal(early), precondition("QUOTE_NOT_ACCEPTED"));
    assert_eq!(refusal(missing), precondition("QUOTE_NOT_FOUND"));
    assert_eq!(
        (order.state(), &order.quote, &order.account),
        (order::State::Draft, &quote.name, &quote.account)
    );
    assert_eq!(order.document, quote.document);
    assert_eq!(repeated, order);
    assert_eq!(refusal(second), (Code::AlreadyExists, "ORDER_EXISTS".to_owned()));
    assert_eq!((changed.document.as_ref(), changed.customer_po.as_str()), (quote.document.as_ref(), "PO 7"));
    assert_eq!(refusal(dearer), precondition("DOCUMENT_AGREED"));
    assert_eq!((confirmed.number.as_str(), confirmed.document.as_ref()), ("O0001", quote.document.as_ref()));
    let totals = confirmed.document.as_ref().and_then(|document| document.totals.as_ref()).expect("totals");
    assert_eq!(cents(totals.gross.as_ref()), gross(&quote));
}

/// DOC-04: a quote says which order it has become, in whichever state that is; a draft that was deleted is none.
#[tokio::test]
async fn a_quote_says_which_order_it_has_become() {
    let (sales, desk) = Sales::start_selling_by_quotes().await;
    let quote = sales.accepted(&desk, "1").await;
    let told = async || sales.get_quote(&quote.name).await.order;

    let mut orders = vec![told().await];
    let draft = sales.order_from(of(&quote.name)).await.expect("an order");
    orders.push(told().await);
    let delete = DeleteOrderRequest { name: draft.name.clone(), ..Default::default() };
    sales.orders().delete_order(sales.admin.request(delete)).await.expect("a draft can be deleted");
    orders.push(told().await);
    let order = sales.order_from(of(&quote.name)).await.expect("another order");
    sales.cancel_order(&order.name).await;
    orders.push(told().await);

    assert_eq!(orders, [String::new(), draft.name, String::new(), order.name]);
}

/// DOC-04: of however many who make a quote an order at once, one does, and all others are told which order it is.
#[tokio::test]
async fn one_order_comes_of_a_quote() {
    let (sales, desk) = Sales::start_selling_by_quotes().await;
    let quote = sales.accepted(&desk, "1").await;

    let answers = join_all((0..64).map(|_| sales.order_from(of(&quote.name)))).await;

    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((made.len(), refused.len()), (1, 63));
    let order = made.into_iter().next().expect("one").expect("an order");
    let told: BTreeSet<String> = refused
        .into_iter()
        .map(|refused| {
            let status = refused.expect_err("refused");
            let details = tonic_types::StatusExt::get_error_details(&status);
            let info = details.error_info().expect("its reason").clone();
            assert_eq!(info.reason, "ORDER_EXISTS");
            info.metadata["order"].clone()
        })
        .collect();
    assert_eq!(told, BTreeSet::from([order.name]));
}

/// DOC-04: an order that came of no quote takes what its promotions give when it is confirmed.
#[tokio::test]
async fn an_order_takes_what_its_promotions_give() {
    let (sales, desk) = Sales::start_selling_by_quotes().await;
    let spring = promotion("Spring", percent("10"));
    let spring = Promotion { max_uses: 1, ..spring };
    let spring = sales.create_promotion(spring).await.expect("a promotion").name;
    let (first, second) = (sales.order_of(&desk, &["1"]).await, sales.order_of(&desk, &["1"]).await);
    let first = sales.create_order(first).await.expect("a draft");
    let second = sales.create_order(second).await.expect("a draft");

    sales.confirm_order(&first.name).await.expect("it takes the promotion");

    assert_eq!(refusal(sales.confirm_order(&second.name).await), precondition("PROMOTION_USED_UP"));
    sales.cancel_order(&second.name).await;
    assert_eq!(sales.uses_of(&spring).await, 1, "a draft has taken nothing");
    sales.cancel_order(&first.name).await;
    assert_eq!(sales.uses_of(&spring).await, 0);
    let types = sales.event_types().await;
    assert_eq!(types.iter().filter(|kind| *kind == "promotion.given_back").count(), 1);
    let third = sales.create_order(sales.order_of(&desk, &["1"]).await).await.expect("a draft");
    sales.confirm_order(&third.name).await.expect("the promotion can be used again");
    sales.cancel_lines(&third.name, &[("1", "1")]).await.expect("nothing is left");
    assert_eq!(sales.uses_of(&spring).await, 0);
}

/// DOC-11: what was given before there was a budget is not given back to it.
#[tokio::test]
async fn a_budget_gets_back_what_it_gave() {
    let (sales, desk) = Sales::start_selling_by_quotes().await;
    let spring = Promotion { currency_code: "EUR".into(), ..promotion("Spring", amount(1_000)) };
    let spring = sales.create_promotion(spring).await.expect("a promotion").name;
    let mut orders = Vec::new();
    for _ in 0..2 {
        let draft = sales.create_order(sales.order_of(&desk, &["1"]).await).await.expect("a draft");
        orders.push(draft.name);
    }

    sales.confirm_order(&orders[0]).await.expect("it takes the promotion");
    let limited = Promotion { name: spring.clone(), budget: euros(5_000), ..Default::default() };
    sales.update_promotion(limited, &["budget"]).await.expect("it has a budget now");
    sales.confirm_order(&orders[1]).await.expect("it takes of the budget");
    let mut used = vec![sales.promotion_of(&spring).await];
    for order in &orders {
        sales.cancel_order(order).await;
        used.push(sales.promotion_of(&spring).await);
    }

    let used: Vec<_> = used.into_iter().map(|promotion| (promotion.budget_used, promotion.uses)).collect();
    assert_eq!(used, [(euros(1_000), 2), (euros(1_000), 1), (euros(0), 0)]);
}

/// DOC-04, DOC-11: an order that is cancelled gives back what its quote has taken.
#[tokio::test]
async fn what_a_quote_has_taken_goes_back_with_its_order() {
    let (sales, desk) = Sales::start_selling_by_quotes().await;
    let spring = sales.create_promotion(promotion("Spring", percent("10"))).await.expect("a promotion").name;
    let quote = sales.accepted(&desk, "1").await;
    let order = sales.order_from(of(&quote.name)).await.expect("an order");

    let taken = sales.uses_of(&spring).await;
    sales.cancel_order(&order.name).await;

    assert_eq!((taken, sales.uses_of(&spring).await), (1, 0));
}

/// DOC-04: an invoice of a quote is heard of before there is an order, and is that of the order that comes of it.
#[tokio::test]
async fn an_invoice_of_a_quote_waits_for_the_order() {
    let (sales, desk) = Sales::start_selling_by_quotes().await;
    let quote = sales.accepted(&desk, "3").await;
    let (first, second) = (invoice_name(), invoice_name());

    sales.hear_invoice(&first, &quote.name, &[("a", "1", "2")], State::Issued).await;
    let draft = sales.order_from(of(&quote.name)).await.expect("an order");
    let delete = DeleteOrderRequest { name: draft.name.clone(), ..Default::default() };
    sales.orders().delete_order(sales.admin.request(delete)).await.expect("a draft can be deleted");
    let order = sales.order_from(of(&quote.name)).await.expect("another order");
    sales.hear_invoice(&second, &quote.name, &[("a", "1", "1")], State::Issued).await;
    sales.hear_credit(&first, &[("a", "1")]).await;
    let confirmed = sales.confirm_order(&order.name).await.expect("confirmed");

    let progress = &confirmed.progress[0];
    assert_eq!((progress.invoiced.as_str(), progress.credited.as_str()), ("3", "1"));
}

/// DOC-04: who confirms an order waits for nobody who writes what is invoiced of it already, and who may wait for the order.
#[tokio::test]
async fn an_order_is_confirmed_while_its_invoice_is_written() {
    let (sales, desk) = Sales::start_selling_by_quotes().await;
    let quote = sales.accepted(&desk, "3").await;
    sales.hear_invoice(&invoice_name(), &quote.name, &[("a", "1", "2")], State::Issued).await;
    let order = sales.order_from(of(&quote.name)).await.expect("an order");

    let mut writing = sales.service.transaction(sales.admin.tenant).await;
    let lines = sqlx::query("select line from billed_line for update");
    let lines = lines.fetch_all(writing.connection()).await.expect("locked");
    let confirmed = sales.confirm_order(&order.name).await.expect("confirmed");
    writing.roll_back().await.expect("let go");

    assert_eq!((lines.len(), confirmed.progress[0].invoiced.as_str()), (1, "2"));
}
