//! The stage history: the exact step each opportunity is at, and since when.

use serde_json::{Value, json};

use super::make::{account, opportunity, pipeline, verb};
use crate::harness::{
    tenant::Tenant,
    values::{dollars, list, name, text, texts},
};

/// SFA-07: every step an opportunity takes is kept with its time, what it was worth then and who did it.
#[tokio::test]
async fn every_step_of_an_opportunity_is_kept_with_time_worth_and_actor() {
    let tenant = Tenant::fresh();
    let (director, ana) = (tenant.director(), tenant.caller("ana", &["commercial-director"]));
    let sales = pipeline(&director, "Sales", &["lead", "offer", "board"]).await;
    let acme = account(&director, "Acme").await;
    let fields = json!({ "pipeline": sales, "account": acme, "amount": dollars(100) });
    let deal = name(&opportunity(&director, fields).await);
    verb(&director, &deal, "move", json!({ "stage": "offer" })).await;
    director.patch(&format!("/v1/{deal}?updateMask=amount"), json!({ "amount": dollars(250) })).await.ok();
    let board = verb(&ana, &deal, "move", json!({ "stage": "board" })).await;
    verb(&ana, &deal, "lose", json!({ "reason": "PRICE" })).await;
    verb(&director, &deal, "reopen", json!({})).await;
    verb(&director, &deal, "win", json!({})).await;

    let steps =
        director.list_all(&format!("/v1/{deal}/stageChanges"), "stageChanges", &[("pageSize", "2")]).await;

    let went: Vec<(&str, &str, &str)> = steps
        .iter()
        .map(|step| (text(step, "fromStage"), text(step, "toStage"), text(step, "toState")))
        .collect();
    let expected = [
        ("", "lead", "OPEN"),
        ("lead", "offer", "OPEN"),
        ("offer", "board", "OPEN"),
        ("board", "board", "LOST"),
        ("board", "board", "OPEN"),
        ("board", "board", "WON"),
    ];
    assert_eq!(went, expected);
    let worth: Vec<&str> = steps.iter().map(|step| text(&step["amount"], "units")).collect();
    assert_eq!(worth, ["100", "100", "250", "250", "250", "250"]);
    let actors = [director.name(), ana.name()];
    assert_eq!(texts(&steps, "actor"), [0, 0, 1, 1, 0, 0].map(|who: usize| actors[who].clone()));
    let times = texts(&steps, "eventTime");
    assert!(times.is_sorted() && times.iter().all(|time| !time.is_empty()), "{times:?}");
    assert_eq!(board["stageTime"], steps[2]["eventTime"], "since when it was at its stage");
    assert!(
        steps[0]["timeInStage"].is_null() && steps[1..].iter().all(|step| step["timeInStage"].is_string())
    );
}

/// SFA-07: what a step cannot be is refused with a reason, and leaves no step behind.
#[tokio::test]
async fn a_step_that_cannot_be_is_refused_and_leaves_nothing() {
    let director = Tenant::fresh().director();
    let sales = pipeline(&director, "Sales", &["lead", "offer"]).await;
    let acme = account(&director, "Acme").await;
    let bare = name(&opportunity(&director, json!({ "pipeline": sales })).await);
    let path = |name: &str, verb: &str| format!("/v1/{name}:{verb}");

    director.post(&path(&bare, "reopen"), json!({})).await.refused_as("NOT_CLOSED");
    director.post(&path(&bare, "win"), json!({})).await.refused_as("NO_AMOUNT");
    director.patch(&format!("/v1/{bare}?updateMask=amount"), json!({ "amount": dollars(1) })).await.ok();
    director.post(&path(&bare, "win"), json!({})).await.refused_as("NO_ACCOUNT");
    let refusal = director.post(&path(&bare, "lose"), json!({ "reason": "NOT_RECORDED" })).await.refused();
    assert_eq!(refusal.violations[0].0, "reason", "{refusal:?}");
    let tomorrow = json!({ "closeDate": { "year": 2999, "month": 1, "day": 1 } });
    director.patch(&format!("/v1/{bare}?updateMask=account"), json!({ "account": acme })).await.ok();
    let refusal = director.post(&path(&bare, "win"), tomorrow).await.refused();
    assert_eq!(refusal.violations[0].0, "close_date", "{refusal:?}");
    verb(&director, &bare, "win", json!({})).await;
    for verb in ["win", "lose", "move"] {
        let body: Value =
            json!({ "win": {}, "lose": { "reason": "PRICE" }, "move": { "stage": "offer" } })[verb].clone();
        director.post(&path(&bare, verb), body).await.refused_as("NOT_OPEN");
    }
    let steps = director.get(&format!("/v1/{bare}/stageChanges")).await.ok();
    assert_eq!(texts(list(&steps, "stageChanges"), "toState"), ["OPEN", "WON"]);
}
