//! Carts: written step by step, priced like any document, and checked out once.

use std::collections::BTreeSet;

use futures::future::join_all;
use tonic::{Code, Response, Status, transport::Channel};
use trato_proto::sales::v1::{
    Address, Cart, CheckOutCartRequest, CreateCartRequest, DeleteCartRequest, GetCartRequest,
    ListCartsRequest, ListOrdersRequest, Order, PriceDocumentRequest, SalesDocument, UndeleteCartRequest,
    UpdateCartRequest, UpsertCartRequest,
    cart::{State, Step},
    cart_service_client::CartServiceClient,
    order,
};
use uuid::Uuid;

use crate::{
    harness::{Sales, field, paths, refusal, violations},
    order::{document, precondition},
    pricing::cents,
    promotion::{percent, promotion},
    quote::{line, quote},
};

impl Sales {
    pub fn carts(&self) -> CartServiceClient<Channel> {
        CartServiceClient::new(self.service.channel.clone())
    }

    pub async fn create_cart(&self, cart: Cart) -> Result<Cart, Status> {
        let request = CreateCartRequest { cart: Some(cart), ..Default::default() };
        self.carts().create_cart(self.admin.request(request)).await.map(Response::into_inner)
    }

    /// Changes the masked fields of whatever is there.
    pub async fn update_cart(&self, cart: Cart, mask: &[&str]) -> Result<Cart, Status> {
        let (cart, update_mask) = (Cart { etag: String::new(), ..cart }, Some(paths(mask)));
        let request = UpdateCartRequest { cart: Some(cart), update_mask, ..Default::default() };
        self.carts().update_cart(self.admin.request(request)).await.map(Response::into_inner)
    }

    /// Its buyer goes to a step.
    pub async fn go(&self, cart: &str, step: Step) -> Result<Cart, Status> {
        let step = Cart { name: cart.into(), step: step.into(), ..Default::default() };
        self.update_cart(step, &["step"]).await
    }

    pub async fn get_cart(&self, name: &str) -> Cart {
        let request = GetCartRequest { name: name.into() };
        self.carts().get_cart(self.admin.request(request)).await.expect("it is there").into_inner()
    }

    pub async fn check_out(&self, request: CheckOutCartRequest) -> Result<Order, Status> {
        self.carts().check_out_cart(self.admin.request(request)).await.map(Response::into_inner)
    }
}

/// A cart in euros of a session.
pub fn visitor(session_id: &str, product: &str, quantity: &str) -> Cart {
    let document = Some(document(vec![line(product, quantity)]));
    Cart { session_id: session_id.into(), document, ..Default::default() }
}

/// Checks a cart out for the account, or for its own where this is empty.
pub fn checking_out(cart: &str, account: &str) -> CheckOutCartRequest {
    let request_id = Uuid::now_v7().to_string();
    CheckOutCartRequest { name: cart.into(), account: account.into(), request_id, ..Default::default() }
}

fn gross(document: Option<&SalesDocument>) -> i64 {
    let totals = document.and_then(|document| document.totals.as_ref()).expect("it is priced");
    cents(totals.gross.as_ref())
}

/// DOC-12: a cart goes step by step from a visitor to an order, by one call that can be repeated, and is closed then.
#[tokio::test]
async fn a_cart_becomes_an_order() {
    let (sales, desk) = Sales::start_ordering().await;
    let account = sales.account().await;
    let created = sales.create_cart(visitor("s-1", &desk, "2")).await.expect("a cart");
    sales.go(&created.name, Step::Payment).await.expect("a step");
    let back = sales.go(&created.name, Step::Address).await.expect("a step back");
    let known = Cart {
        name: created.name.clone(),
        account: account.clone(),
        ship_to: Some(Address { locality: "Madrid".into(), ..Default::default() }),
        document: Some(document(vec![line(&desk, "3")])),
        step: Step::Review.into(),
        ..Default::default()
    };
    let known =
        sales.update_cart(known, &["account", "ship_to", "document", "step"]).await.expect("all of it");

    let request = checking_out(&created.name, "");
    let tried = CheckOutCartRequest { validate_only: true, ..request.clone() };
    sales.check_out(tried).await.expect("it would pass");
    let untouched = sales.get_cart(&created.name).await;
    let order = sales.check_out(request.clone()).await.expect("an order");
    let repeated = sales.check_out(request).await.expect("the same answer");
    let closed = sales.get_cart(&created.name).await;

    assert_eq!(
        (created.state(), created.step(), gross(created.document.as_ref())),
        (State::Open, Step::Lines, 24_200)
    );
    assert_eq!((created.owner.as_str(), created.account.as_str()), ("members/admin", ""));
    assert_eq!((back.step(), back.furthest_step()), (Step::Address, Step::Payment));
    assert_eq!((known.session_id.as_str(), gross(known.document.as_ref())), ("s-1", 36_300));
    assert_eq!(untouched, known);
    assert_eq!((order.state(), &order.account, &order.owner), (order::State::Draft, &account, &known.owner));
    assert_eq!((&order.document, &order.ship_to), (&known.document, &known.ship_to));
    assert_eq!(repeated, order);
    assert_eq!(
        (closed.state(), &closed.order, &closed.document),
        (State::CheckedOut, &order.name, &known.document)
    );
    let types = sales.event_types().await;
    let told: Vec<_> =
        types.iter().filter(|kind| kind.starts_with("cart.") || *kind == "order.created").collect();
    let expected = ["created", "updated", "updated", "updated"].map(|verb| format!("cart.{verb}"));
    assert_eq!(told[..4], expected.iter().collect::<Vec<_>>());
    assert_eq!(told[4..], ["order.created", "cart.checked_out"]);
    let confirmed = sales.confirm_order(&order.name).await.expect("an order like any other");
    assert_eq!((confirmed.number.as_str(), gross(confirmed.document.as_ref())), ("O0001", 36_300));
}

/// DOC-12: nothing becomes of a cart any more once it is an order.
#[tokio::test]
async fn a_cart_that_is_an_order_does_not_change() {
    let (sales, desk) = Sales::start_ordering().await;
    let account = sales.account().await;
    let cart = sales.create_cart(visitor("s-1", &desk, "1")).await.expect("a cart");
    let order = sales.check_out(checking_out(&cart.name, &account)).await.expect("an order");
    let closed = sales.get_cart(&cart.name).await;

    let changed = sales.go(&cart.name, Step::Lines).await;
    let delete = DeleteCartRequest { name: cart.name.clone(), ..Default::default() };
    let deleted = sales.carts().delete_cart(sales.admin.request(delete)).await;
    let again = sales.check_out(checking_out(&cart.name, &account)).await;
    let mut tx = sales.service.transaction(sales.admin.tenant).await;
    let by_hand =
        sqlx::query("update cart set step = 'LINES', session_id = 's-2'").execute(tx.connection()).await;
    drop(tx);

    assert_eq!(refusal(changed), precondition("CART_CHECKED_OUT"));
    assert_eq!(refusal(deleted), precondition("CART_CHECKED_OUT"));
    assert_eq!(order_told(again), order.name);
    assert!(by_hand.expect_err("the table refuses it").to_string().contains("does not change"));
    assert_eq!(sales.get_cart(&cart.name).await, closed);
}

/// The order that a refusal to check a cart out names.
fn order_told(refused: Result<Order, Status>) -> String {
    let status = refused.expect_err("refused");
    assert_eq!(status.code(), Code::FailedPrecondition);
    let details = tonic_types::StatusExt::get_error_details(&status);
    let info = details.error_info().expect("its reason").clone();
    assert_eq!(info.reason, "CART_CHECKED_OUT");
    info.metadata["order"].clone()
}

/// DOC-12: of however many who check a cart out at once, one does, and all others are told which order it is.
#[tokio::test]
async fn one_order_comes_of_a_cart() {
    let (sales, desk) = Sales::start_ordering().await;
    let account = sales.account().await;
    let cart = sales.create_cart(Cart { account, ..visitor("s-1", &desk, "1") }).await.expect("a cart");

    let answers = join_all((0..16).map(|_| sales.check_out(checking_out(&cart.name, "")))).await;

    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((made.len(), refused.len()), (1, 15));
    let order = made.into_iter().next().expect("one").expect("an order");
    let told: BTreeSet<String> = refused.into_iter().map(order_told).collect();
    assert_eq!(told, BTreeSet::from([order.name.clone()]));
    let page = sales.orders().list_orders(sales.admin.request(ListOrdersRequest::default())).await;
    assert_eq!(page.expect("a page").into_inner().orders, [order]);
}

/// DOC-12: who buys is said at the latest when the cart is checked out, and must be there.
#[tokio::test]
async fn a_visitor_says_who_buys_before_it_is_ordered() {
    let (sales, desk) = Sales::start_ordering().await;
    let gone = sales.account().await;
    sales.hear_account(&gone, 2, true).await;
    let cart = sales.create_cart(visitor("s-1", &desk, "1")).await.expect("a cart");

    let nobody = sales.check_out(checking_out(&cart.name, "")).await;
    let wrong = sales.check_out(checking_out(&cart.name, "accounts/acme")).await;
    let deleted = sales.check_out(checking_out(&cart.name, &gone)).await;
    let unknown = sales.check_out(checking_out(&cart.name, &format!("accounts/{}", Uuid::now_v7()))).await;
    let open = sales.get_cart(&cart.name).await;
    let account = sales.account().await;
    let order = sales.check_out(checking_out(&cart.name, &account)).await.expect("an order");

    assert_eq!(violations(nobody), [field("account", "REQUIRED")]);
    assert_eq!(violations(wrong), [field("account", "INVALID_RESOURCE_NAME")]);
    assert_eq!(refusal(deleted), precondition("ACCOUNT_DELETED"));
    assert_eq!(refusal(unknown), (Code::Unavailable, "ACCOUNT_UNVERIFIED".to_owned()));
    assert_eq!(open, cart, "what is refused leaves nothing behind");
    assert_eq!((&order.account, sales.get_cart(&cart.name).await.account), (&account, account.clone()));
}

/// DOC-10, DOC-12: PriceDocument, a cart, a quote and an order come to the same, to the cent.
#[tokio::test]
async fn a_cart_comes_to_what_quotes_and_orders_come_to() {
    let (sales, desk) = Sales::start_ordering().await;
    sales.create_promotion(promotion("Spring", percent("3.33"))).await.expect("a promotion");
    let account = sales.account().await;
    let lines = vec![line(&desk, "7"), line(&desk, "0.333333")];
    let question = PriceDocumentRequest {
        account: account.clone(),
        currency_code: "EUR".into(),
        lines: ["7", "0.333333"].map(|quantity| crate::pricing::line(&desk, quantity)).into(),
        ..Default::default()
    };
    let asked = sales.price_document(question).await.expect("it can be priced").totals;

    let cart =
        Cart { account: account.clone(), document: Some(document(lines.clone())), ..Default::default() };
    let cart = sales.create_cart(cart).await.expect("a cart");
    let quoted = sales.create_quote(quote(&account, lines.clone())).await.expect("a quote").document;
    let ordered = Order { account, document: Some(document(lines)), ..Default::default() };
    let ordered = sales.create_order(ordered).await.expect("an order").document;
    let checked_out = sales.check_out(checking_out(&cart.name, "")).await.expect("an order").document;

    assert!(asked.is_some());
    assert_eq!(cart.document.as_ref().and_then(|document| document.totals.clone()), asked);
    assert_eq!((&quoted, &ordered, &checked_out), (&cart.document, &cart.document, &cart.document));
}

/// DOC-12: nobody orders at a price that nobody has seen.
#[tokio::test]
async fn a_cart_whose_price_has_changed_is_shown_again() {
    let (sales, desk) = Sales::start_ordering().await;
    let account = sales.account().await;
    let cart = sales.create_cart(Cart { account, ..visitor("s-1", &desk, "1") }).await.expect("a cart");
    sales.create_promotion(promotion("Spring", percent("10"))).await.expect("what is cheaper now");

    let early = sales.check_out(checking_out(&cart.name, "")).await;
    let shown = sales.go(&cart.name, Step::Review).await.expect("priced again");
    let order = sales.check_out(checking_out(&cart.name, "")).await.expect("an order");

    assert_eq!(refusal(early), precondition("PRICE_CHANGED"));
    assert_eq!((gross(cart.document.as_ref()), gross(shown.document.as_ref())), (12_100, 10_890));
    assert_eq!(order.document, shown.document);
}

/// DOC-12: everything that is wrong with a cart is said at once, and it is always somebody's.
#[tokio::test]
async fn a_cart_is_refused_as_a_whole() {
    let (sales, desk) = Sales::start_ordering().await;
    let wrong = Cart {
        owner: "ana".into(),
        account: "accounts/acme".into(),
        ship_to: Some(Address { country_code: "es".into(), ..Default::default() }),
        step: 99,
        ..visitor(&"x".repeat(201), &desk, "0")
    };
    let empty = Cart { document: Some(document(Vec::new())), ..visitor("s-1", &desk, "1") };
    let cart = sales.create_cart(visitor("s-1", &desk, "1")).await.expect("a cart");
    let without = Cart { name: cart.name.clone(), ..Default::default() };
    let stale = CheckOutCartRequest { etag: "7".into(), ..checking_out(&cart.name, "") };
    let missing = format!("carts/{}", Uuid::now_v7());

    let expected = [
        field("cart.account", "INVALID_RESOURCE_NAME"),
        field("cart.document.lines[0].quantity", "NOT_POSITIVE"),
        field("cart.owner", "INVALID_MEMBER"),
        field("cart.session_id", "TOO_LONG"),
        field("cart.ship_to.country_code", "INVALID_COUNTRY_CODE"),
        field("cart.step", "UNKNOWN_VALUE"),
    ];
    assert_eq!(violations(sales.create_cart(wrong).await), expected);
    assert_eq!(violations(sales.create_cart(empty).await), [field("cart.document.lines", "REQUIRED")]);
    let expected = [field("cart.account", "REQUIRED"), field("cart.document", "REQUIRED")];
    assert_eq!(violations(sales.create_cart(Cart::default()).await), expected);
    assert_eq!(
        violations(sales.update_cart(without, &["session_id"]).await),
        [field("cart.account", "REQUIRED")]
    );
    assert_eq!(refusal(sales.check_out(stale).await), (Code::Aborted, "ETAG_MISMATCH".to_owned()));
    let missing = sales.check_out(checking_out(&missing, "")).await;
    assert_eq!(refusal(missing), (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned()));
    assert_eq!(sales.get_cart(&cart.name).await, cart);
}

/// DOC-12: a cart is found by its session, told of again by its shop's own identifier, deleted, and brought back.
#[tokio::test]
async fn a_cart_is_found_told_again_and_deleted() {
    let (sales, desk) = Sales::start_ordering().await;
    let upsert = async |step: Step| {
        let cart = Cart {
            source: "shop".into(),
            external_id: "c-1".into(),
            step: step.into(),
            ..visitor("s-1", &desk, "1")
        };
        let request = UpsertCartRequest { cart: Some(cart), ..Default::default() };
        sales.carts().upsert_cart(sales.admin.request(request)).await.expect("told").into_inner()
    };
    let found = async |filter: &str| {
        let request = ListCartsRequest { filter: filter.into(), ..Default::default() };
        let page = sales.carts().list_carts(sales.admin.request(request)).await.expect("a page");
        page.into_inner().carts.into_iter().map(|cart| cart.name).collect::<Vec<_>>()
    };
    let first = upsert(Step::Lines).await;
    let second = upsert(Step::Delivery).await;
    sales.create_cart(visitor("s-2", &desk, "1")).await.expect("another cart");

    assert_eq!((&second.name, second.step()), (&first.name, Step::Delivery));
    let filter = "session_id = \"s-1\" AND state = OPEN AND furthest_step = DELIVERY AND gross = 12100";
    assert_eq!(found(filter).await, std::slice::from_ref(&first.name));
    let delete = DeleteCartRequest { name: first.name.clone(), ..Default::default() };
    sales.carts().delete_cart(sales.admin.request(delete)).await.expect("it is open");
    assert!(found("session_id = \"s-1\"").await.is_empty());
    let account = sales.account().await;
    assert_eq!(refusal(sales.check_out(checking_out(&first.name, &account)).await), precondition("DELETED"));
    let undelete = UndeleteCartRequest { name: first.name.clone(), ..Default::default() };
    sales.carts().undelete_cart(sales.admin.request(undelete)).await.expect("it is back");
    sales.check_out(checking_out(&first.name, &account)).await.expect("an order");
}
