//! What becomes of quotes that were sent: numbers, versions, and one outcome each.

use std::collections::BTreeSet;

use chrono::{Days, Utc};
use futures::future::join_all;
use prost::Message as _;
use tonic::{Code, Response};
use trato_proto::{
    google::value::Date,
    sales::v1::{
        AcceptQuoteRequest, GetPromotionRequest, GetQuoteRequest, ListQuotesRequest, Opportunity, Promotion,
        Quote, QuoteAccepted, SalesNumberSeries, SendQuoteRequest, SubmitQuoteRequest, opportunity,
        quote::{DeclineReason, State},
        sales_number_series::{DocumentKind, Period},
    },
    wire,
};
use uuid::Uuid;

use crate::{
    customers::FakeCustomers,
    harness::{Sales, euros, refusal, violations},
    promotion::{amount, percent, promotion},
    quote::{accepting, gross, line, quote, quotes, refused},
};

impl Sales {
    pub async fn promotion_of(&self, name: &str) -> Promotion {
        let request = GetPromotionRequest { name: name.into() };
        self.promotions().get_promotion(self.admin.request(request)).await.expect("it is there").into_inner()
    }
}

/// Today, in UTC.
fn today() -> Option<Date> {
    Some(wire::date(Utc::now().date_naive()))
}

fn state_of(quote: &Quote) -> (State, bool) {
    (quote.state(), quote.decision_time.is_some())
}

/// DOC-03: each offer that was sent is followed to its one outcome, with reason and date.
#[tokio::test]
async fn each_offer_is_followed_to_its_outcome() {
    let (sales, desk) = Sales::start_quoting().await;
    let (taken, left, late, withdrawn, open) = (
        sales.sent(&desk, "1").await,
        sales.sent(&desk, "2").await,
        {
            let given =
                Quote { valid_until: today(), ..quote(&sales.account().await, vec![line(&desk, "3")]) };
            let draft = sales.create_quote(given).await.expect("a quote");
            sales.send_draft(&draft).await
        },
        sales.sent(&desk, "4").await,
        sales.sent(&desk, "5").await,
    );
    let old = sales.sent(&desk, "6").await;
    let viewed = sales.view(&taken.name).await.expect("it is sent");
    assert_eq!((viewed.view_count, viewed.view_time.is_some()), (1, true));
    assert_eq!(sales.view(&taken.name).await.expect("again").view_time, viewed.view_time);

    sales.accept(accepting(&taken.name)).await.expect("it is sent");
    sales.decline(&left.name, DeclineReason::Competitor).await.expect("it is sent");
    sales.cancel(&withdrawn.name).await.expect("it is open");
    sales.revise(&old.name).await.expect("it is open");
    let in_two_days = Utc::now().checked_add_days(Days::new(2)).expect("a day");
    let runs = (0..8).map(|_| trato_sales::expire_quotes(&sales.service.database, in_two_days));
    let expired: usize = join_all(runs).await.into_iter().map(|run| run.expect("it runs")).sum();
    assert_eq!(expired, 1);

    for (filter, expected) in [
        ("state = ACCEPTED AND view_count = 2", &taken),
        ("decline_reason = COMPETITOR", &left),
        ("state = EXPIRED", &late),
        ("state = CANCELLED", &withdrawn),
        ("state = SUPERSEDED", &old),
        ("state = SENT", &open),
    ] {
        let names: Vec<_> = sales.list_quotes(filter).await.into_iter().map(|quote| quote.name).collect();
        assert_eq!(names, [expected.name.as_str()], "{filter}");
    }
    let decided = sales
        .list_quotes("send_time > \"2020-01-01T00:00:00Z\" AND decision_time > \"2020-01-01T00:00:00Z\"")
        .await;
    assert_eq!(decided.len(), 5);
    let filter = format!("account = \"{}\" AND gross = {}", taken.account, gross(&taken));
    assert_eq!(sales.list_quotes(&filter).await.len(), 1);
    for closed in [&taken, &left, &late, &withdrawn, &old] {
        assert_eq!(refusal(sales.accept(accepting(&closed.name)).await), refused("QUOTE_NOT_SENT"));
        assert_eq!(refusal(sales.cancel(&closed.name).await), refused("QUOTE_CLOSED"));
    }
    let events = sales.event_types().await;
    for outcome in ["accepted", "declined", "expired", "cancelled", "superseded"] {
        let count = events.iter().filter(|event| **event == format!("quote.{outcome}")).count();
        assert_eq!(count, 1, "{outcome}");
    }
}

/// DOC-01: a version in the place of another keeps its number; one at most is open or accepted.
#[tokio::test]
async fn a_quote_has_one_live_version_under_one_number() {
    let (sales, desk) = Sales::start_quoting().await;
    let first = sales.sent(&desk, "1").await;
    assert_eq!((first.number.as_str(), first.version), ("Q0001", 1));

    let second = sales.revise(&first.name).await.expect("it is open");
    assert_eq!(state_of(&sales.get_quote(&first.name).await), (State::Superseded, true));
    assert_eq!((second.state(), second.version, &second.root), (State::Draft, 2, &first.name));
    assert_eq!((&second.previous_version, second.number.as_str()), (&first.name, "Q0001"));
    assert_eq!(refusal(sales.revise(&first.name).await), refused("QUOTE_CLOSED"));
    let mut changed = second.clone();
    changed.document.as_mut().expect("a document").lines[0].quantity = "2".into();
    let written = sales.update_quote(changed, &["document.lines"]).await.expect("a draft");
    assert_eq!((written.version, &written.root, written.number.as_str()), (2, &first.name, "Q0001"));
    let sent = sales.send_draft(&written).await;
    assert_eq!((sent.number.as_str(), sent.version, gross(&sent)), ("Q0001", 2, 24_200));

    sales.decline(&second.name, DeclineReason::Price).await.expect("it is sent");
    let revisions = join_all((0..16).map(|_| sales.revise(&second.name))).await;
    let (made, refusals): (Vec<_>, Vec<_>) = revisions.into_iter().partition(Result::is_ok);
    assert_eq!((made.len(), refusals.len()), (1, 15));
    for answer in refusals {
        assert_eq!(refusal(answer), refused("QUOTE_HAS_LIVE_VERSION"));
    }
    let versions = sales.list_quotes(&format!("root = \"{}\"", first.name)).await;
    let states: Vec<_> = versions.iter().map(|quote| (quote.version, quote.state())).collect();
    assert_eq!(states, [(1, State::Superseded), (2, State::Declined), (3, State::Draft)]);
    assert_eq!(sales.sent(&desk, "1").await.number, "Q0002");
}

/// DOC-01: numbers come from the series that is named, else from the default; without one it is said what to do.
#[tokio::test]
async fn a_quote_takes_its_number_from_the_series_that_is_named_or_the_default() {
    let (sales, list) = Sales::start_pricing().await;
    let desk = sales.good("Desk", "ES-S").await;
    sales.price(&list, &desk, "", "100").await;
    let draft = sales.draft(&desk, "1").await;
    sales.submit(&draft.name).await.expect("a draft");

    assert_eq!(refusal(sales.send(&draft.name).await), refused("SERIES_MISSING"));
    let orders = SalesNumberSeries { document_kind: DocumentKind::Order.into(), ..quotes("O") };
    let orders = sales.create_number_series(orders).await.expect("a series");
    assert_eq!(refusal(sales.send_by(&draft.name, &orders.name).await), refused("SERIES_UNSUITED"));
    let unknown = format!("salesNumberSeries/{}", Uuid::now_v7());
    assert_eq!(refusal(sales.send_by(&draft.name, &unknown).await), refused("SERIES_NOT_FOUND"));
    let without = SendQuoteRequest { name: draft.name.clone(), ..Default::default() };
    let without = sales.quotes().send_quote(sales.admin.request(without)).await;
    assert_eq!(violations(without), [crate::harness::field("request_id", "REQUIRED")]);
    sales.create_number_series(quotes("Q")).await.expect("a series");
    let yearly = SalesNumberSeries { period: Period::Year.into(), is_default: false, ..quotes("Y") };
    let yearly = sales.create_number_series(yearly).await.expect("a series");
    let second = sales.create_number_series(quotes("Z")).await;
    assert_eq!(refusal(second), (Code::AlreadyExists, "DEFAULT_TAKEN".to_owned()));
    let ambiguous = SalesNumberSeries { is_default: false, ..quotes("Q1") };
    let ambiguous = sales.create_number_series(ambiguous).await;
    assert_eq!(refusal(ambiguous), (Code::AlreadyExists, "SERIES_PREFIX_AMBIGUOUS".to_owned()));

    assert_eq!(sales.send(&draft.name).await.expect("approved").number, "Q0001");
    let other = sales.draft(&desk, "1").await;
    sales.submit(&other.name).await.expect("a draft");
    let number = sales.send_by(&other.name, &yearly.name).await.expect("approved").number;
    assert_eq!(number, format!("Y{}-0001", Utc::now().format("%Y")));
}

/// I12: 64 send at once by one series; the numbers are 1 to n, without gap or repeat, and a repeated request gets the number of
/// the first one.
#[tokio::test]
async fn many_that_are_sent_at_once_get_numbers_without_a_gap() {
    const MANY: usize = 64;
    let (sales, desk) = Sales::start_quoting().await;
    let drafts = join_all((0..MANY).map(|_| sales.draft(&desk, "1"))).await;
    for draft in &drafts {
        sales.submit(&draft.name).await.expect("a draft");
    }
    let sales = &sales;
    let send = |draft: Quote| async move {
        let request = SendQuoteRequest {
            name: draft.name,
            request_id: Uuid::new_v4().to_string(),
            ..Default::default()
        };
        let tried = SendQuoteRequest { validate_only: true, ..request.clone() };
        sales.quotes().send_quote(sales.admin.request(tried)).await.expect("it would pass");
        let first = sales.quotes().send_quote(sales.admin.request(request.clone())).await;
        let again = sales.quotes().send_quote(sales.admin.request(request)).await;
        let (first, again) = (first.expect("approved").into_inner(), again.expect("the same").into_inner());
        assert_eq!(first, again);
        first.number
    };
    let numbers: BTreeSet<String> = join_all(drafts.into_iter().map(send)).await.into_iter().collect();
    let expected: BTreeSet<String> = (1..=MANY).map(|number| format!("Q{number:04}")).collect();
    assert_eq!(numbers, expected);
}

/// DOC-11: 64 that are accepted at once take no more of a budget than there is, and use a coupon for one use once.
#[tokio::test]
async fn budgets_and_coupons_are_not_overspent_by_many_who_accept_at_once() {
    const MANY: usize = 64;
    let (sales, desk) = Sales::start_quoting().await;
    // Ten euros each, for ten of them; and one coupon.
    let tenner = Promotion { budget: euros(10_000), ..promotion("Tenner", amount(1_000)) };
    let tenner = sales.create_promotion(tenner).await.expect("a promotion").name;
    let once = Promotion { coupon_code: "ONCE".into(), max_uses: 1, ..promotion("Once", percent("5")) };
    let once = sales.create_promotion(once).await.expect("a promotion").name;
    let account = sales.account().await;
    let mut sent = Vec::new();
    for number in 0..MANY {
        let mut given = quote(&account, vec![line(&desk, "1")]);
        if number % 2 == 0 {
            given.document.as_mut().expect("a document").coupon_codes = vec!["ONCE".into()];
        }
        let draft = sales.create_quote(given).await.expect("a quote");
        sent.push(sales.send_draft(&draft).await);
    }

    let accepted = join_all(sent.iter().map(|quote| sales.accept(accepting(&quote.name)))).await;

    let (taken, refusals): (Vec<_>, Vec<_>) = accepted.into_iter().partition(Result::is_ok);
    assert_eq!((taken.len(), refusals.len()), (10, MANY - 10));
    for answer in refusals {
        assert_eq!(refusal(answer), refused("PROMOTION_USED_UP"));
    }
    let tenner = sales.promotion_of(&tenner).await;
    assert_eq!((tenner.budget_used, tenner.uses), (euros(10_000), 10));
    let with_coupon = taken
        .iter()
        .flatten()
        .filter(|quote| quote.document.as_ref().is_some_and(|document| !document.coupon_codes.is_empty()));
    assert_eq!(with_coupon.count(), usize::try_from(sales.promotion_of(&once).await.uses).expect("a few"));
    assert!(sales.promotion_of(&once).await.uses <= 1);
    // What is used up is not promised again.
    let mut given = quote(&account, vec![line(&desk, "1")]);
    given.document.as_mut().expect("a document").coupon_codes = vec!["ONCE".into()];
    let next = sales.create_quote(given).await.expect("a quote");
    assert!(gross(&next) >= 11_495, "{}", gross(&next));
    let open = sales.list_quotes("state = SENT").await.len();
    assert_eq!(open, MANY - 10, "what was refused is as it was");
}

/// SFA-03, DOC-01: accepting wins the opportunity with it, or does nothing.
#[tokio::test]
async fn an_accepted_quote_wins_its_opportunity_in_the_same_transaction() {
    let (sales, desk) = Sales::start_quoting().await;
    sales.pipeline("Standard", &[("prospecting", 10)]).await;
    let chance = Opportunity { display_name: "Ten desks".into(), ..Default::default() };
    let chance = sales.create(chance).await.expect("an opportunity");
    let account = sales.account().await;
    let given = || Quote { opportunity: chance.name.clone(), ..quote(&account, vec![line(&desk, "10")]) };
    let one = sales.create_quote(given()).await.expect("a quote");
    let other = sales.create_quote(given()).await.expect("a quote");
    let (one, other) = (sales.send_draft(&one).await, sales.send_draft(&other).await);
    let win = |name: &str| AcceptQuoteRequest { win_opportunity: true, ..accepting(name) };

    let request = win(&one.name);
    let accepted = sales.accept(request.clone()).await.expect("it is sent");
    assert_eq!(sales.accept(request).await.expect("the same request"), accepted);

    assert_eq!((accepted.accepter.as_str(), accepted.signature.as_str()), ("Eva Soler", "envelope-4711"));
    let won = sales.get(&chance.name).await;
    assert_eq!((won.state(), won.account, won.amount), (opportunity::State::Won, account, euros(100_000)));
    assert_eq!(refusal(sales.accept(win(&other.name)).await), refused("NOT_OPEN"));
    assert_eq!(sales.get_quote(&other.name).await.state(), State::Sent);
    let alone = sales.sent(&desk, "1").await;
    assert_eq!(refusal(sales.accept(win(&alone.name)).await), refused("NO_OPPORTUNITY"));
    let facts = sales.service.published(sales.admin.tenant).await;
    let fact = facts.iter().find(|event| event.kind == "trato.sales.v1.quote.accepted").expect("it is told");
    let fact = QuoteAccepted::decode(fact.change.facts[0].value.as_slice()).expect("a fact");
    assert_eq!((fact.number.as_str(), fact.gross), ("Q0001", euros(121_000)));
}

/// DOC-02: an account that nobody has heard of yet is asked for; when customers is down nothing is written.
#[tokio::test]
async fn an_account_that_is_not_known_yet_is_asked_for() {
    let customers = FakeCustomers::default();
    let address = customers.serve().await;
    let sales = Sales::start_beside(&address).await;
    sales.hear_tax_code("ES-S", "21").await;
    let list = sales.price_list("Standard").await.name;
    let desk = sales.good("Desk", "ES-S").await;
    sales.price(&list, &desk, "", "100").await;
    let (known, unknown) = (format!("accounts/{}", Uuid::now_v7()), format!("accounts/{}", Uuid::now_v7()));
    customers.knows(&known, 1, false);

    for _ in 0..2 {
        sales.create_quote(quote(&known, vec![line(&desk, "1")])).await.expect("customers knows it");
    }
    assert_eq!(customers.asked(), 1);
    let refused_for = sales.create_quote(quote(&unknown, vec![line(&desk, "1")])).await;
    assert_eq!(refusal(refused_for), refused("ACCOUNT_NOT_FOUND"));
}

/// DOC-01: sellers see the quotes of their team and send their own.
#[tokio::test]
async fn a_seller_sees_the_quotes_of_the_team_and_sends_his_own() {
    let (sales, desk) = Sales::start_quoting().await;
    let (west, east) = (sales.hear_team("West", "West").await, sales.hear_team("East", "East").await);
    let mut made = Vec::new();
    for (subject, team) in [("ana", &west), ("bob", &west), ("cid", &east)] {
        sales.hear_member(subject, subject, &[team]).await;
        let caller = sales.caller(subject, &["sales-representative"]);
        let account = sales.account().await;
        made.push(
            sales.create_quote_as(&caller, quote(&account, vec![line(&desk, "1")])).await.expect("a quote"),
        );
    }
    assert_eq!((made[0].owner.as_str(), &made[0].team), ("members/ana", &west));
    let ana = sales.caller("ana", &["sales-representative"]);

    let page = sales.quotes().list_quotes(ana.request(ListQuotesRequest::default())).await;
    let owners: Vec<_> =
        page.expect("a page").into_inner().quotes.into_iter().map(|quote| quote.owner).collect();
    let get = |name: &str| ana.request(GetQuoteRequest { name: name.into() });
    let submit = |name: &str| ana.request(SubmitQuoteRequest { name: name.into(), ..Default::default() });

    assert_eq!(owners, ["members/ana", "members/bob"]);
    let not_found = (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned());
    assert_eq!(refusal(sales.quotes().get_quote(get(&made[2].name)).await), not_found);
    assert_eq!(refusal(sales.quotes().submit_quote(submit(&made[1].name)).await), not_found);
    let own = sales.quotes().submit_quote(submit(&made[0].name)).await.map(Response::into_inner);
    assert_eq!(own.expect("it is hers").state(), State::Approved);
}
