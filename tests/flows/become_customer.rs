//! From the first contact with a company to its becoming a customer.

use serde_json::{Value, json};

use super::make::{account, contact, opportunity, pipeline, verb};
use crate::harness::{
    caller::Caller,
    eventually::{SOON, eventually},
    tenant::Tenant,
    values::{dollars, list, name, texts},
};

async fn timeline(caller: &Caller, parent: &str) -> Vec<Value> {
    caller.list_all(&format!("/v1/{parent}/timelineEntries"), "timelineEntries", &[]).await
}

/// MDM-02, MDM-09, SFA-03: a won opportunity makes its account a customer, and both timelines tell how it went.
#[tokio::test]
async fn a_won_opportunity_makes_its_account_a_customer_and_both_timelines_tell_it() {
    let tenant = Tenant::fresh();
    let director = tenant.director();
    let pipeline = pipeline(&director, "Standard", &["lead", "offer"]).await;
    let acme =
        director.post("/v1/accounts", json!({ "displayName": "Acme", "kinds": ["PARTNER"] })).await.ok();
    let (acme, ana) = (name(&acme), contact(&director, "Ana", "García").await);
    verb(&director, &ana, "link", json!({ "account": acme, "role": "DECIDER" })).await;
    let fields = json!({
        "displayName": "Fleet", "account": acme, "contact": ana, "pipeline": pipeline, "amount": dollars(1200),
    });
    let fleet = name(&opportunity(&director, fields).await);

    verb(&director, &fleet, "move", json!({ "stage": "offer" })).await;
    let won = verb(&director, &fleet, "win", json!({})).await;

    assert_eq!(won["state"], "WON");
    let kinds = || async {
        let account = director.get(&format!("/v1/{acme}")).await.ok();
        let mut kinds = list(&account, "kinds").to_vec();
        kinds.sort_by_key(Value::to_string);
        kinds
    };
    eventually(SOON, "Acme to be a customer", kinds, |kinds| *kinds == [json!("CUSTOMER"), json!("PARTNER")])
        .await;
    let auditor = tenant.caller("auditor", &["auditor"]);
    for parent in [&acme, &ana] {
        let told = || async { timeline(&auditor, parent).await };
        let told = eventually(SOON, "the timeline to tell it all", told, |entries| entries.len() >= 3).await;
        let types = ["won", "moved", "created"].map(|verb| format!("trato.sales.v1.opportunity.{verb}"));
        assert_eq!(texts(&told, "type"), types, "newest first, each once, on {parent}");
        assert!(told.iter().all(|entry| entry["subject"] == json!(fleet)));
        assert!(told.iter().all(|entry| entry["actor"] == json!(director.name())));
    }
}

/// MDM-09: what happened long ago and was recorded today stands where it happened.
#[tokio::test]
async fn a_timeline_is_ordered_by_when_things_happened_and_can_be_filtered() {
    let tenant = Tenant::fresh();
    let director = tenant.director();
    let pipeline = pipeline(&director, "Standard", &["lead"]).await;
    let acme = account(&director, "Acme").await;
    let recent =
        opportunity(&director, json!({ "displayName": "Recent", "account": acme, "pipeline": pipeline }))
            .await;
    let item = json!({
        "opportunity": {
            "displayName": "Old", "source": "crm", "externalId": "1", "account": acme, "pipeline": pipeline,
            "state": "WON", "stage": "lead", "amount": dollars(10),
            "closeDate": { "year": 2017, "month": 3, "day": 5 },
        },
        "stageChanges": [
            { "stage": "lead", "eventTime": "2017-03-01T09:00:00Z" },
            { "stage": "lead", "state": "WON", "eventTime": "2017-03-05T09:00:00Z" },
        ],
    });
    let imported = director.post("/v1/opportunities:import", json!({ "items": [item] })).await.ok();
    assert_eq!(imported["results"][0]["created"], true, "{imported}");

    let told = || async { timeline(&director, &acme).await };
    let told = eventually(SOON, "both to be told", told, |entries| entries.len() >= 2).await;

    assert_eq!(told[0]["subject"], recent["name"], "the import happened before: {told:#?}");
    assert!(told[1]["eventTime"].as_str().is_some_and(|time| time.starts_with("2017-03")), "{told:#?}");
    assert!(told[1]["createTime"].as_str().is_some_and(|time| time > "2020"), "{told:#?}");
    let path = format!("/v1/{acme}/timelineEntries");
    let filter = format!("subject = \"{}\"", name(&recent));
    let only = director.query(&path, &[("filter", &filter)]).await.ok();
    assert_eq!(list(&only, "timelineEntries").len(), 1);
}

/// SFA-03: every opportunity shows where it stands, since when, what is next and who answers for it.
#[tokio::test]
async fn every_opportunity_of_a_customer_shows_its_stage_its_next_step_and_its_owner() {
    let tenant = Tenant::fresh();
    let director = tenant.director();
    let pipeline = pipeline(&director, "Standard", &["lead", "offer"]).await;
    let (acme, other) = (account(&director, "Acme").await, account(&director, "Other").await);
    let next = |step: &str, day: u32| {
        json!({
            "displayName": step, "account": acme, "pipeline": pipeline, "nextStep": step,
            "nextStepDate": { "year": 2030, "month": 1, "day": day },
        })
    };
    let call = name(&opportunity(&director, next("Call", 5)).await);
    let visit = name(&opportunity(&director, next("Visit", 3)).await);
    opportunity(&director, json!({ "account": other, "pipeline": pipeline })).await;
    verb(&director, &visit, "move", json!({ "stage": "offer" })).await;
    let lost = name(&opportunity(&director, next("Nothing", 1)).await);
    verb(&director, &lost, "lose", json!({ "reason": "OTHER", "note": "they moved away" })).await;

    let filter = format!("account = \"{acme}\" AND state = OPEN");
    let parameters = [("filter", filter.as_str()), ("orderBy", "close_date")];
    let open = director.query("/v1/opportunities", &parameters).await.ok();

    let open = list(&open, "opportunities");
    let mut names = texts(open, "name");
    names.sort();
    let mut expected = vec![call, visit.clone()];
    expected.sort();
    assert_eq!(names, expected);
    let visit = open.iter().find(|one| one["name"] == json!(visit)).expect("it is open");
    assert_eq!((&visit["stage"], &visit["nextStep"]), (&json!("offer"), &json!("Visit")));
    assert_eq!(visit["owner"], json!(director.name()));
    assert!(visit["stageTime"].is_string());
    let lost = director.get(&format!("/v1/{lost}")).await.ok();
    assert_eq!((&lost["lostReason"], &lost["lostNote"]), (&json!("OTHER"), &json!("they moved away")));
}
