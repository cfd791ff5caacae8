//! The synchronous edge to customers: what sales does about an account it has not heard of yet.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use trato_proto::sales::v1::{
    BatchCreateOpportunitiesRequest, CreateOpportunityRequest, Opportunity,
    batch_create_opportunities_response::result::Outcome,
};
use uuid::Uuid;

use crate::{
    customers::FakeCustomers,
    harness::{Sales, field, item_reason, refusal, violations},
};

fn account() -> String {
    format!("accounts/{}", Uuid::now_v7())
}

fn of(account: &str) -> Opportunity {
    Opportunity { display_name: "Ten presses".into(), account: account.into(), ..Default::default() }
}

async fn start(customers: &FakeCustomers) -> Sales {
    let sales = Sales::start_beside(&customers.serve().await).await;
    sales.pipeline("Standard", &[("prospecting", 10)]).await;
    sales
}

#[tokio::test]
async fn an_account_that_was_created_a_moment_ago_is_asked_for_once() {
    let customers = FakeCustomers::default();
    let (sales, account) = (start(&customers).await, account());
    customers.knows(&account, 1, false);

    let first = sales.create(of(&account)).await;
    let second = sales.create(of(&account)).await;

    assert!(first.is_ok() && second.is_ok());
    assert_eq!(customers.asked(), 1, "the answer is remembered");
    assert!(customers.tokens()[0].starts_with("Bearer "), "it is asked with the caller's token");
}

#[tokio::test]
async fn what_customers_says_is_the_answer() {
    let customers = FakeCustomers::default();
    let sales = start(&customers).await;
    let (unknown, deleted, hidden) = (account(), account(), account());
    customers.knows(&deleted, 3, true);
    customers.answers(&hidden, Err(Status::permission_denied("not yours")));

    let answers = [
        (unknown, Code::FailedPrecondition, "ACCOUNT_NOT_FOUND"),
        (deleted, Code::FailedPrecondition, "ACCOUNT_DELETED"),
        (hidden, Code::PermissionDenied, "ACCOUNT_NOT_VISIBLE"),
    ];

    for (account, code, reason) in answers {
        let status = sales.create(of(&account)).await.expect_err("it is refused");
        let info = status.get_details_error_info().expect("a reason");
        assert_eq!((status.code(), info.reason.as_str()), (code, reason));
        assert_eq!(info.metadata["field"], "opportunity.account");
        assert_eq!(info.metadata["account"], account);
    }
}

/// A stated answer for "the other service is down": unknown accounts wait, known ones go on.
#[tokio::test]
async fn while_customers_is_down_only_unknown_accounts_wait() {
    let sales = Sales::start_selling().await;
    let known = sales.account().await;

    let unknown = sales.create(of(&account())).await.expect_err("nobody can say");
    let known = sales.create(of(&known)).await;

    assert_eq!(unknown.code(), Code::Unavailable);
    assert_eq!(unknown.get_details_error_info().expect("a reason").reason, "ACCOUNT_UNVERIFIED");
    assert!(unknown.get_details_retry_info().and_then(|info| info.retry_delay).is_some());
    assert!(known.is_ok());
}

#[tokio::test]
async fn customers_that_hangs_costs_no_more_than_the_callers_deadline() {
    // Somebody listens and never says a word.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}", silent.local_addr().expect("bound"));
    let sales = Sales::start_beside(&address).await;
    sales.pipeline("Standard", &[("prospecting", 10)]).await;
    let mut request = sales
        .admin
        .request(CreateOpportunityRequest { opportunity: Some(of(&account())), ..Default::default() });
    request.set_timeout(Duration::from_millis(300));

    let started = tokio::time::Instant::now();
    let status = sales.opportunities().create_opportunity(request).await.expect_err("nobody can say");

    assert!(
        matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled),
        "{status:?}"
    );
    // Without the caller's deadline it would be the service's own, 30 s.
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[tokio::test]
async fn nobody_is_asked_about_an_opportunity_that_is_wrong_in_itself() {
    let customers = FakeCustomers::default();
    let sales = start(&customers).await;

    let answer = sales.create(Opportunity { account: account(), ..Default::default() }).await;

    assert_eq!(violations(answer), [field("opportunity.display_name", "REQUIRED")]);
    assert_eq!(customers.asked(), 0);
}

#[tokio::test]
async fn a_batch_asks_for_each_unknown_account_once() {
    let customers = FakeCustomers::default();
    let sales = start(&customers).await;
    let (known, asked, missing) = (sales.account().await, account(), account());
    customers.knows(&asked, 1, false);
    let item =
        |account: &String| CreateOpportunityRequest { opportunity: Some(of(account)), ..Default::default() };
    let requests = [&known, &asked, &asked, &missing, &missing, &asked].map(item).to_vec();
    let request = BatchCreateOpportunitiesRequest { requests, ..Default::default() };

    let answer = sales.opportunities().batch_create_opportunities(sales.admin.request(request)).await;

    let results = answer.expect("each item is answered").into_inner().results;
    let created: Vec<bool> = results.iter().map(|result| result.created).collect();
    assert_eq!(created, [true, true, true, false, false, true]);
    let Some(Outcome::Error(error)) = &results[3].outcome else { panic!("{:?}", results[3]) };
    assert_eq!(item_reason(error), "ACCOUNT_NOT_FOUND");
    assert_eq!(customers.asked(), 2);
}

#[tokio::test]
async fn an_older_answer_does_not_undo_newer_news() {
    let customers = FakeCustomers::default();
    let (sales, account) = (start(&customers).await, account());
    sales.hear_account(&account, 2, true).await;
    sales.hear_account(&account, 1, false).await;

    let deleted = sales.create(of(&account)).await;
    sales.hear_account(&account, 3, false).await;
    let undeleted = sales.create(of(&account)).await;

    assert_eq!(refusal(deleted), (Code::FailedPrecondition, "ACCOUNT_DELETED".to_owned()));
    assert!(undeleted.is_ok());
    assert_eq!(customers.asked(), 0);
}
