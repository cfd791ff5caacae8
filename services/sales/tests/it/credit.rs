//! The synchronous edge to billing: an order is confirmed when billing keeps credit for it.

use std::time::{Duration, Instant};

use futures::future::join;
use tonic::Code;
use tonic_types::StatusExt as _;
use trato_platform::rpc::status::to_status;
use trato_proto::sales::v1::{ConfirmOrderRequest, Order, order::State};
use trato_types::{Error, Kind};

use crate::{
    billing::FakeBilling,
    harness::{Sales, euros, refusal},
    order::{confirming, document, precondition},
    quote::line,
};

/// Longest that a caller is kept waiting for somebody who is not there, on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(5);

fn unix_now() -> i64 {
    chrono::Utc::now().timestamp()
}

/// DOC-04, XTR-05: billing is asked for what the order comes to, on behalf of the caller and for a day, before it is confirmed;
/// it is not asked for what is confirmed already, held, or costs nothing.
#[tokio::test]
async fn an_order_is_confirmed_when_billing_keeps_credit_for_it() {
    let (sales, desk) = Sales::start_ordering().await;
    let draft = sales.create_order(sales.order_of(&desk, &["2"]).await).await.expect("a draft");
    let trial = ConfirmOrderRequest { validate_only: true, ..confirming(&draft.name) };
    let request = confirming(&draft.name);

    let tried = sales.orders().confirm_order(sales.admin.request(trial)).await.expect("it would pass");
    let nothing_kept = sales.billing.reserved();
    let confirmed = sales.orders().confirm_order(sales.admin.request(request.clone())).await;
    let confirmed = confirmed.expect("confirmed").into_inner();
    let repeated = sales.orders().confirm_order(sales.admin.request(request)).await.expect("the answer");
    let again = sales.confirm_order(&draft.name).await;
    let gift = Order {
        account: draft.account.clone(),
        document: Some(document(vec![trato_proto::sales::v1::sales_document::Line {
            unit_price: "0".into(),
            ..line(&desk, "1")
        }])),
        ..Default::default()
    };
    let gift = sales.create_order(gift).await.expect("a draft");
    sales.confirm_order(&gift.name).await.expect("it costs nothing");

    assert_eq!((tried.get_ref().state(), nothing_kept), (State::Confirmed, vec![]));
    assert_eq!((repeated.get_ref(), refusal(again)), (&confirmed, precondition("ORDER_NOT_DRAFT")));
    let asked = sales.billing.asked();
    assert_eq!(asked.iter().map(|asked| asked.validate_only).collect::<Vec<_>>(), [true, false]);
    let asked = &asked[1];
    assert_eq!(
        (&asked.order, &asked.account, asked.amount.clone()),
        (&draft.name, &draft.account, euros(24_200))
    );
    let seconds = asked.expire_time.expect("it ends").seconds - unix_now();
    assert!((86_000..=86_400).contains(&seconds), "it is kept for {seconds} s");
    assert!(sales.billing.tokens()[1].starts_with("Bearer "), "it is asked with the caller's token");
}

/// DOC-04, XTR-05: what billing refuses is refused for its reason and with its figures, and the order stays a draft, which can be
/// confirmed later.
#[tokio::test]
async fn an_order_beyond_the_limit_stays_a_draft() {
    let (sales, desk) = Sales::start_ordering().await;
    let draft = sales.create_order(sales.order_of(&desk, &["2"]).await).await.expect("a draft");
    let error = Error::new(Kind::Precondition, "CREDIT_LIMIT_EXCEEDED", "beyond the limit");
    sales.billing.refuses(Some(to_status(error.with("credit_limit", 100).with("exposure", 24_200))));

    let refused = sales.confirm_order(&draft.name).await.expect_err("it is beyond the limit");
    let kept = sales.get_order(&draft.name).await;
    let invalid = Error::invalid("amount", "TOO_LARGE", "is too large");
    sales.billing.refuses(Some(to_status(invalid)));
    let faulty = sales.confirm_order(&draft.name).await;
    sales.billing.refuses(None);
    let confirmed = sales.confirm_order(&draft.name).await.expect("there is credit");

    let info = refused.get_details_error_info().expect("a reason");
    assert_eq!((refused.code(), info.reason.as_str()), (Code::FailedPrecondition, "CREDIT_LIMIT_EXCEEDED"));
    assert_eq!(
        (info.metadata["credit_limit"].as_str(), info.metadata["exposure"].as_str()),
        ("100", "24200")
    );
    assert_eq!(info.metadata["order"], draft.name);
    assert_eq!(kept, draft);
    assert_eq!(refusal(faulty).0, Code::Internal, "the caller has not written what billing finds fault with");
    assert_eq!((confirmed.state(), confirmed.number.as_str()), (State::Confirmed, "O0001"));
}

/// DOC-04, CRD-03: while billing is away, or its answer is lost, nothing is changed and the caller is told when to try again; the
/// same request then confirms the order once, with one reservation.
#[tokio::test]
async fn a_lost_answer_of_billing_costs_nothing() {
    let (sales, desk) = Sales::start_ordering().await;
    let draft = sales.create_order(sales.order_of(&desk, &["2"]).await).await.expect("a draft");
    let request = confirming(&draft.name);
    let confirm = || async { sales.orders().confirm_order(sales.admin.request(request.clone())).await };

    sales.billing.loses_answers(true);
    let lost = confirm().await.expect_err("the answer is lost");
    let kept = sales.get_order(&draft.name).await;
    sales.billing.loses_answers(false);
    let confirmed = confirm().await.expect("confirmed").into_inner();
    let repeated = confirm().await.expect("the same").into_inner();

    let info = lost.get_details_error_info().expect("a reason");
    assert_eq!((lost.code(), info.reason.as_str()), (Code::Unavailable, "UPSTREAM_UNAVAILABLE"));
    assert!(lost.get_details_retry_info().and_then(|info| info.retry_delay).is_some());
    assert_eq!(kept, draft);
    assert_eq!((confirmed.number.as_str(), &repeated), ("O0001", &confirmed));
    assert_eq!(sales.billing.reserved().len(), 1);
    let types = sales.event_types().await;
    assert_eq!(types.iter().filter(|kind| *kind == "order.confirmed").count(), 1);
}

/// DOC-04, CRD-03: with nobody where billing should be, confirming is UNAVAILABLE at once, and all else goes on.
#[tokio::test]
async fn without_billing_nothing_is_confirmed() {
    let nobody = Sales::start_between("", "http://127.0.0.1:1", FakeBilling::default()).await;
    let (sales, desk) = nobody.ordering().await;
    let draft = sales.create_order(sales.order_of(&desk, &["2"]).await).await.expect("a draft");

    let begun = Instant::now();
    let refused = sales.confirm_order(&draft.name).await.expect_err("nobody keeps credit");
    let waited = begun.elapsed();

    let retry = refused.get_details_retry_info().and_then(|info| info.retry_delay);
    assert!(retry.is_some(), "the caller is told when to try again");
    assert!(waited < AT_ONCE, "it took {waited:?}");
    assert_eq!(refusal(Err::<(), _>(refused)), (Code::Unavailable, "UPSTREAM_UNAVAILABLE".to_owned()));
    assert_eq!(sales.get_order(&draft.name).await, draft);
}

/// DOC-04: an order that changes while billing is asked is asked for once more, so that what is kept is what is confirmed; whoever
/// named a revision is told instead.
#[tokio::test]
async fn what_is_confirmed_is_what_credit_was_asked_for() {
    let (sales, desk) = Sales::start_ordering().await;
    let draft = sales.create_order(sales.order_of(&desk, &["2"]).await).await.expect("a draft");
    let change = |quantity: &'static str| Order {
        name: draft.name.clone(),
        document: Some(document(vec![line(&desk, quantity)])),
        ..Default::default()
    };
    let named = ConfirmOrderRequest { etag: draft.etag.clone(), ..confirming(&draft.name) };

    let change_meanwhile = async |count: usize, quantity: &'static str| {
        sales.billing.is_asked(count).await;
        sales.update_order(change(quantity), &["document"]).await.expect("it is a draft");
        sales.billing.let_through();
    };

    sales.billing.keeps_waiting();
    let by_etag = async { sales.orders().confirm_order(sales.admin.request(named)).await };
    let (by_etag, ()) = join(by_etag, change_meanwhile(1, "3")).await;
    sales.billing.keeps_waiting();
    let (confirmed, ()) = join(sales.confirm_order(&draft.name), change_meanwhile(2, "5")).await;

    assert_eq!(refusal(by_etag), (Code::Aborted, "ETAG_MISMATCH".to_owned()));
    let confirmed = confirmed.expect("confirmed");
    let amounts: Vec<_> = sales.billing.asked().into_iter().map(|asked| asked.amount).collect();
    assert_eq!(amounts, [euros(24_200), euros(36_300), euros(60_500)]);
    let totals = confirmed.document.and_then(|document| document.totals).expect("totals");
    assert_eq!(totals.gross, euros(60_500));
    assert_eq!(sales.billing.reserved()[0].amount, euros(60_500));
}
