//! Lists of chains that stand still: what a row says, pages, who sees which, and what is refused.

use tonic::Code;
use trato_platform::{
    telemetry::propagate::trace_id,
    testing::{TestCaller, TestService},
};
use trato_proto::sales::v1::{
    ListStalledChainsRequest, Quote, StalledChain, order::HoldReason, stalled_chain::Wait,
};
use uuid::Uuid;

use crate::{
    billing::FakeBilling,
    chains::wait,
    delivery_note::part,
    harness::{Sales, euros, field, refusal, violations},
    order::confirming,
    order_from_quote::of,
    quote::{accepting, line, quote},
};

fn hours(hours: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds: hours * 3_600, nanos: 0 })
}

/// The trace in which something was last recorded.
async fn last_trace(sales: &Sales, name: &str) -> String {
    let events = sales.service.published(sales.admin.tenant).await;
    let last = events.iter().rfind(|event| event.subject == name).expect("it was recorded");
    let traceparent = last.traceparent.as_deref().expect("a call has a trace");
    trace_id(traceparent).expect("a valid one").to_owned()
}

/// Each row says where the chain began and what it is worth, and the trace of the call that moved it last, also where nobody
/// brought one and nothing is recorded.
#[tokio::test]
async fn a_row_says_where_its_chain_began_and_in_which_trace_it_last_moved() {
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    let (sales, desk) = Sales::start_the_whole_chain().await;
    sales.pipeline("Standard", &[("lead", 10)]).await;
    let opportunity = sales.opportunity("Desks", 242).await;
    let draft = Quote {
        opportunity: opportunity.name.clone(),
        ..quote(&opportunity.account, vec![line(&desk, "2")])
    };
    let draft = sales.create_quote(draft).await.expect("a quote");
    let sent = sales.send_draft(&draft).await;
    let quote = sales.accept(accepting(&sent.name)).await.expect("accepted");
    sales.let_days_go_by().await;
    let page = sales.list_stalled(ListStalledChainsRequest::default()).await.expect("a page");
    let [at_quote] = page.stalled_chains.as_slice() else { panic!("one chain: {page:?}") };
    let expected = StalledChain {
        document: quote.name.clone(),
        waiting_for: Wait::Order.into(),
        root: quote.name.clone(),
        opportunity: opportunity.name.clone(),
        account: quote.account.clone(),
        owner: quote.owner.clone(),
        team: quote.team.clone(),
        gross: euros(24_200),
        since: at_quote.since,
        correlation_id: last_trace(&sales, &quote.name).await,
    };
    assert_eq!(*at_quote, expected);
    assert!(at_quote.since.is_some());

    let order = sales.order_from(of(&quote.name)).await.expect("an order");
    let mut confirm = sales.admin.request(confirming(&order.name));
    let traceparent = format!("00-{TRACE}-b7ad6b7169203331-01");
    confirm.metadata_mut().insert("traceparent", traceparent.parse().expect("a header"));
    sales.orders().confirm_order(confirm).await.expect("confirmed");
    let note = sales.delivered(&order.name, vec![part("1", "2")]).await;
    sales.let_days_go_by().await;
    let page = sales.list_stalled(ListStalledChainsRequest::default()).await.expect("a page");
    let proof = page.stalled_chains.iter().find(|chain| chain.document == note.name).expect("it is issued");
    assert_eq!((&proof.root, &proof.opportunity), (&quote.name, &opportunity.name));
    let trace = last_trace(&sales, &note.name).await;
    assert_eq!((proof.gross.clone(), &proof.correlation_id), (euros(24_200), &trace));
    assert!(trace != expected.correlation_id && trace != TRACE, "each call has its own");

    // An order of its own begins its chain, and the last call is the one whose trace counts.
    let own = sales.create_order(sales.order_of(&desk, &["1"]).await).await.expect("a draft").name;
    let mut confirm = sales.admin.request(confirming(&own));
    confirm.metadata_mut().insert("traceparent", traceparent.parse().expect("a header"));
    sales.orders().confirm_order(confirm).await.expect("confirmed");
    sales.let_days_go_by().await;
    let request = ListStalledChainsRequest { filter: "waiting_for = DELIVERY".into(), ..Default::default() };
    let page = sales.list_stalled(request).await.expect("a page");
    let [at_order] = page.stalled_chains.as_slice() else { panic!("one chain: {page:?}") };
    assert_eq!((at_order.correlation_id.as_str(), &at_order.root), (TRACE, &own));
    assert_eq!((at_order.opportunity.as_str(), at_order.gross.clone()), ("", euros(12_100)));
    assert_eq!((&at_order.document, at_order.waiting_for()), (&own, Wait::Delivery));
}

/// A document that waits for two things stands on two pages, each of them once; the one that waits for longest comes first.
#[tokio::test]
async fn pages_go_on_where_the_last_one_ended() {
    let (sales, desk) = Sales::start_the_whole_chain().await;
    let older = sales.confirmed(&desk, &["1"]).await.name;
    sales.let_days_go_by().await;
    let newer = sales.confirmed(&desk, &["1"]).await.name;
    sales.let_days_go_by().await;
    let mut request = ListStalledChainsRequest { page_size: 1, ..Default::default() };
    let mut seen = Vec::new();

    loop {
        let page = sales.list_stalled(request.clone()).await.expect("a page");
        seen.extend(page.stalled_chains.iter().map(wait));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }

    let expected = [
        (older.clone(), Wait::Delivery),
        (older.clone(), Wait::Invoice),
        (newer.clone(), Wait::Delivery),
        (newer, Wait::Invoice),
    ];
    assert_eq!(seen, expected);
    let longer = ListStalledChainsRequest {
        stalled_for: hours(7 * 24),
        filter: "waiting_for = INVOICE".into(),
        ..Default::default()
    };
    let page = sales.list_stalled(longer).await.expect("a page");
    assert_eq!(page.stalled_chains.iter().map(wait).collect::<Vec<_>>(), [(older, Wait::Invoice)]);
}

/// PLT-12: a caller sees what it may list: a seller what is of the team, and nobody anything of another tenant.
#[tokio::test]
async fn a_seller_sees_the_chains_of_the_team() {
    let (sales, desk) = Sales::start_the_whole_chain().await;
    let (west, east) = (sales.hear_team("West", "West").await, sales.hear_team("East", "East").await);
    let mut orders = Vec::new();
    for (subject, team) in [("ana", &west), ("bob", &west), ("cid", &east)] {
        sales.hear_member(subject, subject, &[team]).await;
        let seller = sales.caller(subject, &["sales-representative"]);
        let draft = quote(&sales.account().await, vec![line(&desk, "1")]);
        let draft = sales.create_quote_as(&seller, draft).await.expect("a quote");
        let sent = sales.send_draft(&draft).await;
        let quote = sales.accept(accepting(&sent.name)).await.expect("accepted");
        orders.push(sales.order_from(of(&quote.name)).await.expect("an order").name);
    }
    sales.let_days_go_by().await;
    let seen = async |caller: &TestCaller| {
        let page = sales.list_stalled_as(caller, ListStalledChainsRequest::default()).await.expect("a page");
        page.stalled_chains.into_iter().map(|chain| chain.document).collect::<Vec<_>>()
    };

    let [ana, dee] = ["ana", "dee"].map(|subject| sales.caller(subject, &["sales-representative"]));
    assert_eq!(seen(&ana).await, orders[..2]);
    assert_eq!(seen(&dee).await, [] as [String; 0], "Dee is in no team");
    assert_eq!(seen(&sales.admin).await, orders);
    let bobs = ListStalledChainsRequest { filter: "owner = \"members/bob\"".into(), ..Default::default() };
    let bobs = sales.list_stalled_as(&ana, bobs).await.expect("a page").stalled_chains;
    assert_eq!(bobs.iter().map(wait).collect::<Vec<_>>(), [(orders[1].clone(), Wait::Confirmation)]);
    let stranger = sales.service.caller(Uuid::now_v7(), "eve", &["administrator"]);
    assert_eq!(seen(&stranger).await, [] as [String; 0], "another tenant has nothing");
    let clerk = sales.caller("zoe", &["warehouse-clerk"]);
    let refused = sales.list_stalled_as(&clerk, ListStalledChainsRequest::default()).await;
    assert_eq!(refusal(refused), (Code::PermissionDenied, "PERMISSION_MISSING".to_owned()));
}

#[tokio::test]
async fn all_that_is_wrong_with_the_question_is_said_at_once() {
    let sales = Sales::start().await;
    let wrong = ListStalledChainsRequest {
        stalled_for: Some(prost_types::Duration { seconds: 59, nanos: 999_999_999 }),
        filter: "colour = red".into(),
        page_size: -1,
        ..Default::default()
    };
    let expected = [
        field("filter", "UNKNOWN_FIELD"),
        field("page_size", "INVALID_PAGE_SIZE"),
        field("stalled_for", "OUT_OF_RANGE"),
    ];
    assert_eq!(violations(sales.list_stalled(wrong).await), expected);
    for (seconds, nanos) in [(3_650 * 86_400, 1), (60, -1), (60, 1_000_000_000), (-60, 0), (i64::MAX, 0)] {
        let stalled_for = Some(prost_types::Duration { seconds, nanos });
        let refused =
            sales.list_stalled(ListStalledChainsRequest { stalled_for, ..Default::default() }).await;
        assert_eq!(violations(refused), [field("stalled_for", "OUT_OF_RANGE")], "{seconds} s {nanos} ns");
    }
    for seconds in [60, 3_650 * 86_400] {
        let stalled_for = Some(prost_types::Duration { seconds, nanos: 0 });
        let page = sales.list_stalled(ListStalledChainsRequest { stalled_for, ..Default::default() }).await;
        assert_eq!(page.expect("a page").stalled_chains, []);
    }
    let page_token = "x".into();
    let refused = sales.list_stalled(ListStalledChainsRequest { page_token, ..Default::default() }).await;
    assert_eq!(violations(refused), [field("page_token", "INVALID_PAGE_TOKEN")]);
}

/// A page goes on only with what the one before was asked with.
#[tokio::test]
async fn a_token_is_of_one_question() {
    let (sales, desk) = Sales::start_the_whole_chain().await;
    sales.confirmed(&desk, &["1"]).await;
    sales.let_days_go_by().await;
    let request = ListStalledChainsRequest { page_size: 1, stalled_for: hours(24), ..Default::default() };
    let page_token = sales.list_stalled(request.clone()).await.expect("a page").next_page_token;

    let longer = ListStalledChainsRequest { stalled_for: hours(48), page_token, ..request };

    assert_eq!(violations(sales.list_stalled(longer).await), [field("page_token", "INVALID_PAGE_TOKEN")]);
}

/// How long a chain must have stood still is a setting; a caller may say another time.
#[tokio::test]
async fn the_settings_say_when_a_chain_stands_still() {
    let settings = [("TRATO_CHAINS__STALLED_AFTER_HOURS", "120")];
    let service = TestService::start_with(trato_sales::service(), &settings).await;
    let admin = service.caller(Uuid::now_v7(), "admin", &["administrator"]);
    let (sales, desk) = Sales { service, admin, billing: FakeBilling::default() }.ordering().await;
    let draft = sales.create_order(sales.order_of(&desk, &["1"]).await).await.expect("a draft").name;
    sales.hold(&draft, HoldReason::Manual).await;
    sales.let_days_go_by().await;

    let day = ListStalledChainsRequest { stalled_for: hours(24), ..Default::default() };
    let asked = sales.list_stalled(day).await.expect("a page").stalled_chains;

    assert_eq!(sales.stalled().await, [], "four days are less than five");
    assert_eq!(asked.iter().map(wait).collect::<Vec<_>>(), [(draft, Wait::Release)]);
}
