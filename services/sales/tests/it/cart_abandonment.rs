//! Carts that are left: abandoned by the job with their last step, recovered by their buyers, and counted by step.

use chrono::TimeDelta;
use futures::future::join_all;
use tonic::{Code, Response, Status};
use trato_platform::testing::TestCaller;
use trato_proto::{
    sales::v1::{
        Cart, CreateCartRequest, DeleteCartRequest, GetCartRequest, ListCartsRequest,
        QueryCartAbandonmentRequest, QueryCartAbandonmentResponse,
        cart::{State, Step},
        query_cart_abandonment_response::Figure,
    },
    wire,
};
use trato_types::Timestamp;

use crate::{
    cart::{checking_out, visitor},
    harness::{Sales, field, refusal, timestamp, violations},
};

/// The time after which a cart is abandoned, unless set otherwise.
const HALF_AN_HOUR: TimeDelta = TimeDelta::minutes(30);

impl Sales {
    /// One run of the job at a time.
    async fn abandon(&self, now: Timestamp) -> usize {
        trato_sales::abandon_carts(&self.service.database, HALF_AN_HOUR, now).await.expect("a run")
    }

    async fn abandonment(
        &self,
        request: QueryCartAbandonmentRequest,
    ) -> Result<QueryCartAbandonmentResponse, Status> {
        self.carts().query_cart_abandonment(self.admin.request(request)).await.map(Response::into_inner)
    }
}

fn instant(time: Option<&prost_types::Timestamp>) -> Timestamp {
    wire::parse_timestamp(time.expect("a time")).expect("a time of our years")
}

/// When a cart will have been left for half an hour.
fn due(cart: &Cart) -> Timestamp {
    instant(cart.last_activity_time.as_ref()) + HALF_AN_HOUR
}

/// DOC-12: a cart that nobody writes for half an hour is abandoned with its last step, once, however many processes look.
#[tokio::test]
async fn a_cart_that_is_left_is_abandoned_once_with_its_last_step() {
    let (sales, desk) = Sales::start_ordering().await;
    let left = sales.create_cart(visitor("s-1", &desk, "1")).await.expect("a cart");
    sales.go(&left.name, Step::Payment).await.expect("a step");
    let left = sales.go(&left.name, Step::Delivery).await.expect("a step back");
    let deleted = sales.create_cart(visitor("s-2", &desk, "1")).await.expect("a cart");
    let delete = DeleteCartRequest { name: deleted.name, ..Default::default() };
    sales.carts().delete_cart(sales.admin.request(delete)).await.expect("deleted");
    let (ordered, account) = (visitor("s-3", &desk, "1"), sales.account().await);
    let ordered = sales.create_cart(ordered).await.expect("a cart");
    sales.check_out(checking_out(&ordered.name, &account)).await.expect("an order");

    let early = sales.abandon(due(&left) - TimeDelta::microseconds(1)).await;
    let open = sales.get_cart(&left.name).await;
    let much_later = due(&left) + TimeDelta::hours(5);
    let runs = join_all((0..8).map(|_| sales.abandon(much_later))).await;
    let abandoned = sales.get_cart(&left.name).await;

    assert_eq!((early, open.state()), (0, State::Open));
    assert_eq!(runs.into_iter().sum::<usize>() + sales.abandon(much_later).await, 1);
    assert_eq!((abandoned.state(), abandoned.abandon_step()), (State::Abandoned, Step::Delivery));
    assert_eq!((abandoned.step(), abandoned.furthest_step()), (Step::Delivery, Step::Payment));
    assert_eq!(instant(abandoned.abandon_time.as_ref()), due(&left), "whenever it was found out");
    assert_eq!(abandoned.last_activity_time, left.last_activity_time);
    let events = sales.service.published(sales.admin.tenant).await;
    let told: Vec<_> = events.iter().filter(|event| event.kind.ends_with("cart.abandoned")).collect();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].event_time, told[0].actor.as_str()), (due(&left), "systems/abandon-carts"));
    let cart: Cart = told[0].resource().expect("it carries the cart");
    assert_eq!((cart.name.as_str(), cart.abandon_step()), (left.name.as_str(), Step::Delivery));
}

/// DOC-12: at the very moment at which half an hour is over.
#[tokio::test]
async fn a_cart_is_abandoned_when_its_time_is_over() {
    let (sales, desk) = Sales::start_ordering().await;
    let cart = sales.create_cart(visitor("s-1", &desk, "1")).await.expect("a cart");

    assert_eq!(sales.abandon(due(&cart)).await, 1);
}

/// DOC-12: who writes a cart at the moment at which it would be abandoned is not disturbed.
#[tokio::test]
async fn a_cart_that_is_being_written_is_left_alone() {
    let (sales, desk) = Sales::start_ordering().await;
    let cart = sales.create_cart(visitor("s-1", &desk, "1")).await.expect("a cart");

    let mut writing = sales.service.transaction(sales.admin.tenant).await;
    let locked = sqlx::query("select id from cart for update").fetch_all(writing.connection()).await;
    let meanwhile = sales.abandon(due(&cart)).await;
    writing.roll_back().await.expect("let go");

    assert_eq!((locked.expect("locked").len(), meanwhile), (1, 0));
    assert_eq!(sales.abandon(due(&cart)).await, 1);
}

/// DOC-12: a change brings an abandoned cart back, as does checking it out, and either is told as what it is.
#[tokio::test]
async fn an_abandoned_cart_is_recovered_by_whoever_goes_on() {
    let (sales, desk) = Sales::start_ordering().await;
    let account = sales.account().await;
    let (mut written, mut ordered) = (Cart::default(), Cart::default());
    for cart in [&mut written, &mut ordered] {
        *cart = sales.create_cart(visitor("s-1", &desk, "1")).await.expect("a cart");
    }
    assert_eq!(sales.abandon(due(&ordered)).await, 2);

    let recovered = sales.go(&written.name, Step::Address).await.expect("it can be written");
    sales.go(&written.name, Step::Delivery).await.expect("it can be written");
    sales.check_out(checking_out(&ordered.name, &account)).await.expect("an order");
    let ordered = sales.get_cart(&ordered.name).await;

    assert_eq!((recovered.state(), recovered.step()), (State::Open, Step::Address));
    assert_eq!(
        (recovered.abandon_step(), recovered.recover_time),
        (Step::Lines, recovered.last_activity_time)
    );
    assert!(recovered.abandon_time.is_some());
    assert_eq!((ordered.state(), ordered.recover_time), (State::CheckedOut, ordered.last_activity_time));
    let events = sales.service.events(sales.admin.tenant).await;
    let told = |cart: &Cart| {
        let of = events.iter().filter(|(_, subject, _)| *subject == cart.name);
        of.map(|(kind, _, revision)| (kind.rsplit('.').next().unwrap_or_default(), *revision))
            .collect::<Vec<_>>()
    };
    let expected = [("created", 1), ("abandoned", 2), ("recovered", 3), ("updated", 4)];
    assert_eq!(told(&written), expected);
    let expected = [("created", 1), ("abandoned", 2), ("recovered", 3), ("checked_out", 4)];
    assert_eq!(told(&ordered), expected);
}

/// Reached, checked out, abandoned and recovered.
fn counts(figure: &Figure) -> [i64; 4] {
    [figure.reached_count, figure.checked_out_count, figure.abandoned_count, figure.recovered_count]
}

/// DOC-12: what was left at which step is counted from the carts themselves, each once, and adds up.
#[tokio::test]
async fn carts_are_counted_by_the_step_at_which_they_were_left() {
    let (sales, desk) = Sales::start_ordering().await;
    let account = sales.account().await;
    let at = async |step: Step| {
        let cart = Cart { step: step.into(), ..visitor("s-1", &desk, "1") };
        sales.create_cart(cart).await.expect("a cart")
    };
    let (lost, back, paid) = (at(Step::Payment).await, at(Step::Address).await, at(Step::Payment).await);
    let (twice, deleted) = (at(Step::Review).await, at(Step::Review).await);
    assert_eq!(sales.abandon(due(&deleted)).await, 5);
    sales.go(&back.name, Step::Review).await.expect("it comes back");
    sales.check_out(checking_out(&paid.name, &account)).await.expect("an order");
    sales.go(&twice.name, Step::Delivery).await.expect("it comes back");
    let delete = DeleteCartRequest { name: deleted.name, ..Default::default() };
    sales.carts().delete_cart(sales.admin.request(delete)).await.expect("deleted");
    // The one that came back is touched again a minute later, so that only the other one is left a second time.
    let second = sales.get_cart(&twice.name).await;
    let kept = sales.go(&back.name, Step::Review).await.expect("it is open");
    assert!(due(&kept) > due(&second));
    assert_eq!(sales.abandon(due(&second)).await, 1);
    let last = at(Step::Lines).await;
    let straight = at(Step::Review).await;
    sales.check_out(checking_out(&straight.name, &account)).await.expect("an order");

    let all = sales.abandonment(QueryCartAbandonmentRequest::default()).await.expect("figures");

    let steps: Vec<_> = all.steps.iter().map(|figure| (figure.step(), counts(figure))).collect();
    let expected = [
        (Step::Lines, [6, 2, 0, 0]),
        (Step::Address, [5, 2, 1, 1]),
        (Step::Delivery, [5, 2, 1, 0]),
        (Step::Payment, [5, 2, 2, 1]),
        (Step::Review, [3, 1, 0, 0]),
    ];
    assert_eq!(steps, expected);
    let total = all.total.as_ref().expect("a total");
    assert_eq!((total.step(), counts(total), all.open_count), (Step::Unspecified, [6, 2, 4, 2], 2));
    let lost_now = total.abandoned_count - total.recovered_count;
    assert_eq!(total.reached_count, all.open_count + total.checked_out_count + lost_now);
    let rates = |figure: &Figure| [figure.checkout_rate, figure.abandonment_rate, figure.recovery_rate];
    assert_eq!(rates(&all.steps[3]), [2.0 / 5.0, 2.0 / 5.0, 1.0 / 2.0]);
    assert_eq!(rates(&all.steps[4]), [1.0 / 3.0, 0.0, 0.0]);

    let period = |start: &Cart, end: &Cart| QueryCartAbandonmentRequest {
        start_time: start.create_time,
        end_time: end.create_time,
        ..Default::default()
    };
    let reached = async |request| {
        let answer = sales.abandonment(request).await.expect("figures");
        answer.total.expect("a total").reached_count
    };
    assert_eq!(reached(period(&lost, &last)).await, 4, "the start counts, the end does not");
    assert_eq!(reached(period(&last, &last)).await, 0);
    let filter = "state = ABANDONED".to_owned();
    assert_eq!(reached(QueryCartAbandonmentRequest { filter, ..Default::default() }).await, 2);
}

#[tokio::test]
async fn all_that_is_wrong_with_a_question_about_carts_is_said_at_once() {
    let sales = Sales::start().await;
    let request = QueryCartAbandonmentRequest {
        start_time: Some(timestamp(2026, 2, 1)),
        end_time: Some(timestamp(2026, 1, 1)),
        filter: "colour = red".into(),
    };
    let beyond = prost_types::Timestamp { seconds: i64::MAX, nanos: 0 };
    let beyond = QueryCartAbandonmentRequest { start_time: Some(beyond), ..Default::default() };

    let expected = [field("end_time", "END_BEFORE_START"), field("filter", "UNKNOWN_FIELD")];
    assert_eq!(violations(sales.abandonment(request).await), expected);
    let expected = [field("start_time", "INVALID_TIMESTAMP")];
    assert_eq!(violations(sales.abandonment(beyond).await), expected);
    let nothing = sales.abandonment(QueryCartAbandonmentRequest::default()).await.expect("figures");
    assert!(nothing.steps.iter().chain(&nothing.total).all(|figure| counts(figure) == [0; 4]));
}

/// DOC-12: sellers see and count the carts of their team, check out their own, and nobody sees those of another tenant.
#[tokio::test]
async fn whose_carts_a_caller_sees_counts_and_checks_out() {
    let (sales, desk) = Sales::start_ordering().await;
    let account = sales.account().await;
    let mut carts = Vec::new();
    for (subject, team) in [("ana", "West"), ("cid", "East")] {
        let team = sales.hear_team(team, team).await;
        sales.hear_member(subject, subject, &[&team]).await;
        let caller = sales.caller(subject, &["sales-representative"]);
        let request = CreateCartRequest { cart: Some(visitor(subject, &desk, "1")), ..Default::default() };
        let cart = sales.carts().create_cart(caller.request(request)).await.expect("a cart").into_inner();
        assert_eq!((cart.owner, cart.team), (format!("members/{subject}"), team));
        carts.push(cart.name);
    }
    let ana = sales.caller("ana", &["sales-representative"]);
    let auditor = sales.caller("ada", &["auditor"]);
    let stranger = sales.service.caller(uuid::Uuid::now_v7(), "eve", &["administrator"]);
    let counted = async |caller: &TestCaller| {
        let request = caller.request(QueryCartAbandonmentRequest::default());
        let answer = sales.carts().query_cart_abandonment(request).await.expect("figures").into_inner();
        let page = sales.carts().list_carts(caller.request(ListCartsRequest::default())).await;
        (answer.total.expect("a total").reached_count, page.expect("a page").into_inner().carts.len())
    };
    let check_out = async |caller: &TestCaller, cart: &str| {
        sales.carts().check_out_cart(caller.request(checking_out(cart, &account))).await
    };
    let not_there = (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned());

    assert_eq!((counted(&ana).await, counted(&auditor).await), ((1, 1), (2, 2)));
    assert_eq!(counted(&stranger).await, (0, 0));
    assert_eq!(refusal(check_out(&ana, &carts[1]).await), not_there);
    let by_stranger = stranger.request(checking_out(&carts[1], ""));
    assert_eq!(refusal(sales.carts().check_out_cart(by_stranger).await), not_there);
    let missing = (Code::PermissionDenied, "PERMISSION_MISSING".to_owned());
    assert_eq!(refusal(check_out(&auditor, &carts[1]).await), missing);
    let get = GetCartRequest { name: carts[0].clone() };
    assert_eq!(refusal(sales.carts().get_cart(stranger.request(get)).await), not_there);
    let order = check_out(&ana, &carts[0]).await.expect("her own").into_inner();
    assert_eq!(order.owner, "members/ana");
}
