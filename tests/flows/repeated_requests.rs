//! The same request from many callers at once: done once, answered alike to all of them.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::json;
use uuid::Uuid;

use super::make::{account, opportunity, pipeline};
use crate::harness::{
    answer::Answer,
    report::say,
    stack::is_long_run,
    tenant::Tenant,
    values::{dollars, list, name, text, whole},
};

const CALLERS: usize = 32;

fn rounds() -> usize {
    if is_long_run() { 1000 } else { 20 }
}

/// The one body all successes have. A loser of the race may be told to come again, never anything else.
fn the_answer(answers: &[Answer]) -> String {
    let mut bodies = BTreeSet::new();
    for answer in answers {
        match answer.status {
            200 => drop(bodies.insert(answer.text())),
            status => assert!([409, 503].contains(&status), "{}", answer.text()),
        }
    }
    assert_eq!(bodies.len(), 1, "{bodies:#?}");
    bodies.pop_first().expect("there is one")
}

/// CRD-03: thirty-two callers that send one request at once get one account and the same bytes.
#[tokio::test]
async fn one_request_from_many_callers_at_once_makes_one_account() {
    let tenant = Tenant::fresh();
    let director = tenant.director();
    let mut turned_away = 0;
    for round in 0..rounds() {
        let body = json!({ "displayName": format!("Round {round}"), "kinds": ["PARTNER"] });
        let path = format!("/v1/accounts?requestId={}", Uuid::new_v4());
        let answers = join_all((0..CALLERS).map(|_| director.post(&path, body.clone()))).await;
        turned_away += answers.iter().filter(|answer| answer.status != 200).count();
        let first = the_answer(&answers);

        assert_eq!(director.post(&path, body.clone()).await.text(), first);
        let mut other = body;
        other["displayName"] = json!("Another");
        director.post(&path, other).await.refused_as("REQUEST_ID_REUSED");
    }
    let all = director.list_all("/v1/accounts", "accounts", &[("pageSize", "1000")]).await;
    assert_eq!(all.len(), rounds());
    say(format!("{} calls, {turned_away} told to come again", rounds() * CALLERS));
}

/// CRD-03: a verb that many callers send at once under one request id takes its step once.
#[tokio::test]
async fn one_verb_from_many_callers_at_once_takes_one_step() {
    let tenant = Tenant::fresh();
    let director = tenant.director();
    let (sales, acme) = (pipeline(&director, "Sales", &["lead"]).await, account(&director, "Acme").await);
    for _ in 0..rounds().min(20) {
        let fields = json!({ "pipeline": sales, "account": acme, "amount": dollars(1) });
        let deal = name(&opportunity(&director, fields).await);
        let (path, body) = (format!("/v1/{deal}:win"), json!({ "requestId": Uuid::new_v4() }));

        let answers = join_all((0..CALLERS).map(|_| director.post(&path, body.clone()))).await;

        the_answer(&answers);
        let steps = director.get(&format!("/v1/{deal}/stageChanges")).await.ok();
        assert_eq!(list(&steps, "stageChanges").len(), 2, "{steps}");
    }
    let won = director.get("/v1/funnel:query").await.ok();
    assert_eq!(whole(&won["total"]["won"]["count"]), rounds().min(20) as i64);
}

/// CRD-03: the id may come as the header that other interfaces use, and is a caller's own.
#[tokio::test]
async fn a_request_id_may_be_an_idempotency_key_and_belongs_to_its_caller() {
    let tenant = Tenant::fresh();
    let (director, other) = (tenant.director(), tenant.caller("other", &["commercial-director"]));
    let key = Uuid::new_v4().to_string();
    let send = |caller: &crate::harness::caller::Caller| {
        let request = caller.request(reqwest::Method::POST, "/v1/accounts").header("idempotency-key", &key);
        let (request, http) = (request.json(&json!({ "displayName": "Acme" })), (**caller).clone());
        async move { http.send(request).await.ok() }
    };

    let (first, again, others) = (send(&director).await, send(&director).await, send(&other).await);

    assert_eq!(first, again);
    assert_ne!(text(&first, "name"), text(&others, "name"), "a key is its caller's own");
}
