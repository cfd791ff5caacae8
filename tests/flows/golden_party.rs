//! One customer base, fed by people and by systems: whatever names an account leads to the one record of it.

use futures::future::join_all;
use serde_json::{Value, json};

use super::make::{opportunity, pipeline, verb};
use crate::harness::{
    caller::Caller,
    eventually::{SOON, eventually},
    tenant::Tenant,
    values::{dollars, list, name, texts},
};

async fn upsert(by: &Caller, fields: Value) -> Value {
    by.post("/v1/accounts:upsert", fields).await.ok()
}

/// MDM-10: a person, two systems and an event write to one account, and everybody reads the same.
#[tokio::test]
async fn people_systems_and_events_feed_one_record_of_an_account() {
    let tenant = Tenant::fresh();
    let (director, erp) = (tenant.director(), tenant.caller("erp", &["data-loader"]));
    let key = json!({ "source": "erp", "externalId": "4711" });
    let with = |fields: Value| {
        let mut all = key.clone();
        all.as_object_mut()
            .expect("a key is an object")
            .extend(fields.as_object().cloned().unwrap_or_default());
        all
    };
    let first =
        upsert(&erp, with(json!({ "displayName": "ACME SA", "taxId": "A1", "kinds": ["SUPPLIER"] }))).await;
    let acme = name(&first);

    let path = format!("/v1/{acme}?updateMask=displayName,sector");
    director.patch(&path, json!({ "displayName": "Acme", "sector": "retail" })).await.ok();
    let again = erp.post(
        "/v1/accounts:upsert?updateMask=taxId",
        with(json!({ "displayName": "ACME SA", "taxId": "A2" })),
    );
    assert_eq!(name(&again.await.ok()), acme);
    let batch = json!({ "requests": [{ "account": with(json!({ "displayName": "Twin" })) }] });
    let twin = erp.post("/v1/accounts:batchCreate", batch).await.ok();
    assert_eq!(
        (&twin["results"][0]["created"], &twin["results"][0]["account"]["name"]),
        (&json!(false), &json!(acme))
    );
    let taken = erp.post("/v1/accounts", with(json!({ "displayName": "Twin" }))).await;
    taken.refused_as("EXTERNAL_ID_TAKEN");
    let pipeline = pipeline(&director, "Standard", &["lead"]).await;
    let fields = json!({ "account": acme, "pipeline": pipeline, "amount": dollars(5) });
    let deal = name(&opportunity(&director, fields).await);
    verb(&director, &deal, "win", json!({})).await;

    let look = || async { director.get(&format!("/v1/{acme}")).await.ok() };
    let customer = |account: &Value| list(account, "kinds").contains(&json!("CUSTOMER"));
    let account = eventually(SOON, "the event to arrive", look, customer).await;
    assert_eq!(
        [&account["displayName"], &account["sector"], &account["taxId"]],
        [&json!("Acme"), &json!("retail"), &json!("A2")]
    );
    let filter = "source = \"erp\" AND external_id = \"4711\"";
    for caller in [&director, &erp] {
        let found = caller.query("/v1/accounts", &[("filter", filter)]).await.ok();
        assert_eq!(list(&found, "accounts"), std::slice::from_ref(&account));
    }
}

/// MDM-10: systems that bring the same account at the same moment make one of it.
#[tokio::test]
async fn systems_that_bring_an_account_at_the_same_moment_make_one_of_it() {
    let tenant = Tenant::fresh();
    let systems: Vec<Caller> =
        (0..8).map(|n| tenant.caller(&format!("system-{n}"), &["data-loader"])).collect();
    for round in 0..5 {
        let body = |n: usize| json!({ "displayName": format!("By {n}"), "source": "erp", "externalId": format!("{round}") });
        let brought =
            systems.iter().enumerate().map(|(n, system)| system.post("/v1/accounts:upsert", body(n)));
        let names = join_all(brought)
            .await
            .into_iter()
            .filter(|answer| answer.status == 200)
            .map(|answer| name(&answer.json()));
        let names: Vec<String> = names.collect();
        assert!(!names.is_empty() && names.iter().all(|name| *name == names[0]), "{names:?}");
    }
    let all = tenant.director().list_all("/v1/accounts", "accounts", &[]).await;
    assert_eq!(all.len(), 5, "{:?}", texts(&all, "externalId"));
}

/// MDM-10: an external id is free again once its account is deleted, and the deleted one stays apart.
#[tokio::test]
async fn a_deleted_account_does_not_hold_its_external_id() {
    let tenant = Tenant::fresh();
    let erp = tenant.caller("erp", &["data-loader"]);
    let body = json!({ "displayName": "Acme", "source": "erp", "externalId": "1" });
    let old = upsert(&erp, body.clone()).await;
    erp.delete(&format!("/v1/{}", name(&old))).await.ok();

    let new = upsert(&erp, body).await;

    assert_ne!(name(&old), name(&new));
    let refused = erp.post(&format!("/v1/{}:undelete", name(&old)), json!({})).await;
    refused.refused_as("EXTERNAL_ID_TAKEN");
}
