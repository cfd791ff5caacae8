//! Explanations of access say what would happen, and what they say does happen.

use serde_json::{Value, json};

use super::make::{opportunity, pipeline};
use crate::harness::{
    caller::Caller,
    eventually::{SOON, eventually},
    tenant::Tenant,
    values::{list, name, text},
};

const WHY: &str = "/v1/sales/access:explain";

async fn explain(by: &Caller, permission: &str, name: &str) -> Value {
    by.query(WHY, &[("permission", permission), ("name", name)]).await.ok()
}

/// PLT-12: for every caller, permission and record the explanation agrees with what the call itself does.
#[tokio::test]
async fn an_explanation_agrees_with_what_happens() {
    let tenant = Tenant::fresh();
    let (west, east) = (tenant.team("West", "West").await, tenant.team("East", "East").await);
    let ana = tenant.member("ana", "sales-representative", &[&west]).await;
    let mia = tenant.member("mia", "sales-manager", &[&west]).await;
    let director = tenant.director();
    let sales = pipeline(&director, "Sales", &["lead", "offer"]).await;
    let make = |owner: &str, team: &str| json!({ "owner": owner, "team": team, "pipeline": sales });
    let own = name(&opportunity(&director, make("members/ana", &west)).await);
    let team = name(&opportunity(&director, make("members/ben", &west)).await);
    let other = name(&opportunity(&director, make("members/eva", &east)).await);

    let mut reasons = Vec::new();
    for caller in [&ana, &mia, &director] {
        for deal in [&own, &team, &other] {
            for (permission, call) in [
                ("sales.opportunities.get", caller.get(&format!("/v1/{deal}")).await),
                (
                    "sales.opportunities.update",
                    caller
                        .patch(
                            &format!("/v1/{deal}?updateMask=nextStep&validateOnly=true"),
                            json!({ "nextStep": "x" }),
                        )
                        .await,
                ),
                ("sales.opportunities.import", caller.post("/v1/opportunities:import", json!({})).await),
            ] {
                let said = explain(caller, permission, deal).await;
                let passed =
                    if permission.ends_with("import") { call.status != 403 } else { call.status == 200 };
                // An import acts on no record; what counts is whether the permission is there at all.
                let expected = if permission.ends_with("import") {
                    text(&said, "reason") != "PERMISSION_MISSING"
                } else {
                    said["allowed"] == json!(true)
                };
                assert_eq!(expected, passed, "{} {permission}: {said} but {}", caller.subject(), call.text());
                assert!(!text(&said, "explanation").is_empty());
                reasons.push(text(&said, "reason").to_owned());
            }
        }
    }
    for reason in ["GRANTED", "PERMISSION_MISSING", "OUTSIDE_SCOPE", "RESOURCE_NOT_FOUND"] {
        assert!(reasons.iter().any(|said| said == reason), "{reason} was never said: {reasons:?}");
    }
    let unknown =
        ana.query(WHY, &[("permission", "sales.opportunities.fly"), ("name", own.as_str())]).await.refused();
    assert_eq!(unknown.code, "INVALID_ARGUMENT");
}

/// PLT-12: the list of those who can see a record names the rules and exactly the members they admit.
#[tokio::test]
async fn the_viewers_of_a_record_are_those_who_can_read_it() {
    let tenant = Tenant::fresh();
    let (west, east) = (tenant.team("West", "West").await, tenant.team("East", "East").await);
    let ana = tenant.member("ana", "sales-representative", &[&west]).await;
    let eva = tenant.member("eva", "sales-representative", &[&east]).await;
    let mia = tenant.member("mia", "sales-manager", &[&west]).await;
    let (director, auditor) = (tenant.director(), tenant.caller("auditor", &["auditor"]));
    let sales = pipeline(&director, "Sales", &["lead"]).await;
    let fields = json!({ "owner": "members/ana", "team": west, "pipeline": sales });
    let deal = name(&opportunity(&director, fields).await);
    let mut readers = Vec::new();
    for caller in [&ana, &eva, &mia, &director, &auditor] {
        if caller.get(&format!("/v1/{deal}")).await.status == 200 {
            readers.push(caller.name());
        }
    }
    readers.sort();

    let look = || async {
        let said = director.query("/v1/sales/access:listViewers", &[("name", deal.as_str())]).await.ok();
        let members = list(&said, "viewers").iter().flat_map(|rule| list(rule, "members").to_vec());
        let mut members: Vec<String> =
            members.map(|member| member.as_str().unwrap_or_default().to_owned()).collect();
        members.sort();
        members.dedup();
        members
    };
    eventually(SOON, "the viewers to be the readers", look, |viewers| *viewers == readers).await;

    let said = mia.query("/v1/sales/access:listViewers", &[("name", deal.as_str())]).await.ok();
    let scopes: Vec<_> = list(&said, "viewers")
        .iter()
        .map(|rule| (text(&rule["grant"], "role"), text(&rule["grant"], "scope")))
        .collect();
    assert!(scopes.contains(&("sales-representative", "SCOPE_TEAM")), "{scopes:?}");
    assert!(scopes.contains(&("commercial-director", "SCOPE_ALL")), "{scopes:?}");
    let hidden = opportunity(&director, json!({ "team": east, "pipeline": sales })).await;
    let hidden = name(&hidden);
    mia.query("/v1/sales/access:listViewers", &[("name", hidden.as_str())])
        .await
        .refused_as("RESOURCE_NOT_FOUND");
}

/// PLT-12: everybody can ask who he is, in which teams, and what he may do; it is what the roles say.
#[tokio::test]
async fn a_caller_is_told_who_it_is_and_what_it_may_do() {
    let tenant = Tenant::fresh();
    let west = tenant.team("West", "West").await;
    let ana = tenant.member("ana", "sales-representative", &[&west]).await;

    let told = ana.get("/v1/caller").await.ok();

    assert_eq!(
        (text(&told, "member"), text(&told, "tenant")),
        ("members/ana", tenant.id.to_string().as_str())
    );
    assert_eq!((&told["roles"], &told["teams"]), (&json!(["sales-representative"]), &json!([west])));
    assert!(told["expireTime"].is_string());
    let scope = |permission: &str| {
        let found = list(&told, "grants").iter().find(|grant| grant["permission"] == json!(permission));
        found.map(|grant| text(grant, "scope").to_owned())
    };
    assert_eq!(scope("sales.opportunities.win").as_deref(), Some("SCOPE_OWN"));
    assert_eq!(scope("sales.opportunities.list").as_deref(), Some("SCOPE_TEAM"));
    assert_eq!(scope("customers.accounts.get").as_deref(), Some("SCOPE_ALL"));
    assert_eq!(scope("sales.opportunities.import"), None);
    let stranger = tenant.stranger().get("/v1/caller").await.ok();
    assert_eq!(list(&stranger, "roles").len() + list(&stranger, "teams").len(), 0);
}
