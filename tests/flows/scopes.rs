//! Scopes: what each member sees, changes, counts and hears is what its role reaches, and no more.

use serde_json::{Value, json};

use super::make::{opportunity, pipeline};
use crate::harness::{
    caller::Caller,
    dynamic::method,
    eventually::{SOON, eventually},
    tenant::Tenant,
    values::{list, name, texts, whole},
};

/// Two teams, three sellers with an opportunity each, a manager of the first team and a director of all.
struct Company {
    tenant: Tenant,
    west: String,
    east: String,
    ana: Caller,
    ben: Caller,
    eva: Caller,
    mia: Caller,
    director: Caller,
    /// Opportunities of ana, ben and eva.
    deals: [String; 3],
}

impl Company {
    async fn make() -> Self {
        let tenant = Tenant::fresh();
        let (west, east) = (tenant.team("West", "West").await, tenant.team("East", "East").await);
        let ana = tenant.member("ana", "sales-representative", &[&west]).await;
        let ben = tenant.member("ben", "sales-representative", &[&west]).await;
        let eva = tenant.member("eva", "sales-representative", &[&east]).await;
        let mia = tenant.member("mia", "sales-manager", &[&west]).await;
        let director = tenant.director();
        let sales = pipeline(&director, "Sales", &["lead", "offer"]).await;
        let mut deals = Vec::new();
        for (seller, team) in [(&ana, &west), (&ben, &west), (&eva, &east)] {
            let fields = json!({ "displayName": seller.subject(), "team": team, "pipeline": sales });
            deals.push(name(&opportunity(seller, fields).await));
        }
        let deals = deals.try_into().expect("three were made");
        Self { tenant, west, east, ana, ben, eva, mia, director, deals }
    }

    fn deals(&self, which: &[usize]) -> Vec<String> {
        let mut deals: Vec<String> = which.iter().map(|at| self.deals[*at].clone()).collect();
        deals.sort();
        deals
    }
}

async fn seen(by: &Caller) -> Vec<String> {
    let mut names =
        texts(&by.list_all("/v1/opportunities", "opportunities", &[("pageSize", "1")]).await, "name");
    names.sort();
    names
}

async fn counted(by: &Caller) -> i64 {
    whole(&by.get("/v1/funnel:query").await.ok()["total"]["total"]["count"])
}

async fn heard(by: &Caller) -> Vec<String> {
    let replay = method("trato.sales.v1.EventService.ReplayEvents");
    let events =
        by.collect(&replay, &json!({ "filter": "type = \"trato.sales.v1.opportunity.created\"" })).await;
    let mut subjects = texts(&events.expect("the caller may replay"), "subject");
    subjects.sort();
    subjects
}

/// PLT-12: list, get, batch, figure and stream show a member what its scope reaches, all of it and nothing else.
#[tokio::test]
async fn each_member_sees_counts_and_hears_what_its_scope_reaches() {
    let company = Company::make().await;
    let reach: [(&Caller, &[usize]); 5] = [
        (&company.ana, &[0, 1]),
        (&company.ben, &[0, 1]),
        (&company.eva, &[2]),
        (&company.mia, &[0, 1]),
        (&company.director, &[0, 1, 2]),
    ];
    for (caller, reached) in reach {
        assert_eq!(seen(caller).await, company.deals(reached), "{}", caller.subject());
        assert_eq!(counted(caller).await, reached.len() as i64, "{}", caller.subject());
        for (at, deal) in company.deals.iter().enumerate() {
            let expected = if reached.contains(&at) { 200 } else { 404 };
            let answer = caller.get(&format!("/v1/{deal}")).await;
            assert_eq!(answer.status, expected, "{} {at}", caller.subject());
            let batch = caller.query("/v1/opportunities:batchGet", &[("names", deal)]).await;
            assert_eq!(batch.status, expected, "{} {at}", caller.subject());
            let steps = caller.get(&format!("/v1/{deal}/stageChanges")).await;
            assert_eq!(steps.status, expected, "{} {at}", caller.subject());
        }
    }
    for (caller, reached) in [(&company.mia, &[0, 1][..]), (&company.director, &[0, 1, 2])] {
        let listen = || heard(caller);
        eventually(SOON, "the events in reach", listen, |subjects| *subjects == company.deals(reached)).await;
    }
    company.ana.get("/v1/sales/events:replay").await.refused_as("PERMISSION_MISSING");
}

/// PLT-12: a seller changes its own, a manager what is its team's, a director everything; nobody reaches beyond.
#[tokio::test]
async fn each_member_changes_what_its_scope_reaches_and_cannot_give_it_away_beyond() {
    let company = Company::make().await;
    let reach: [(&Caller, &[usize]); 4] = [
        (&company.ana, &[0]),
        (&company.eva, &[2]),
        (&company.mia, &[0, 1]),
        (&company.director, &[0, 1, 2]),
    ];
    for (caller, reached) in reach {
        for (at, deal) in company.deals.iter().enumerate() {
            let path = format!("/v1/{deal}?updateMask=nextStep");
            let updated = caller.patch(&path, json!({ "nextStep": caller.subject() })).await;
            let moved = caller
                .post(&format!("/v1/{deal}:move"), json!({ "stage": "offer", "validateOnly": true }))
                .await;
            for answer in [updated, moved] {
                let is_allowed = answer.status == 200;
                assert_eq!(is_allowed, reached.contains(&at), "{} {at}: {}", caller.subject(), answer.text());
                assert!(is_allowed || [403, 404].contains(&answer.status), "{}", answer.text());
            }
        }
    }
    let give = |field: &str, value: &str| {
        let path = format!("/v1/{}?updateMask={field}", company.deals[0]);
        let body = json!({ field: value });
        let (ana, mia) = (company.ana.clone(), company.mia.clone());
        async move { (ana.patch(&path, body.clone()).await, mia.patch(&path, body).await) }
    };
    let (by_seller, by_manager) = give("owner", "members/ben").await;
    by_seller.refused_as("OUTSIDE_SCOPE");
    assert_eq!(by_manager.status, 200, "within the team: {}", by_manager.text());
    let (_, by_manager) = give("team", &company.east).await;
    by_manager.refused_as("OUTSIDE_SCOPE");
    let foreign = json!({ "displayName": "x", "owner": "members/ben" });
    company.ana.post("/v1/opportunities", foreign).await.refused_as("OUTSIDE_SCOPE");
}

/// PLT-12, COL-27: who changes team sees the new team's work and no longer the old one's, without a new token.
#[tokio::test]
async fn a_change_of_team_takes_effect_with_the_token_at_hand() {
    let company = Company::make().await;
    assert_eq!(seen(&company.ana).await, company.deals(&[0, 1]));

    company.tenant.move_member(&company.ana, &[&company.east]).await;
    let look = || seen(&company.ana);
    eventually(SOON, "ana to see the east only", look, |names| *names == company.deals(&[2])).await;
    assert_eq!(counted(&company.ana).await, 1);

    company.tenant.move_member(&company.ana, &[&company.west, &company.east]).await;
    let look = || seen(&company.ana);
    eventually(SOON, "ana to see both", look, |names| *names == company.deals(&[0, 1, 2])).await;
}

/// PLT-12: a subscription carries what its subscriber may see, as it happens.
#[tokio::test]
async fn a_subscription_carries_only_what_its_subscriber_may_see() {
    use crate::harness::stream::{Form, HttpStream};
    let company = Company::make().await;
    let parameters = [("fromStart", "true"), ("filter", "type = \"trato.sales.v1.opportunity.updated\"")];
    let path = "/v1/sales/events:subscribe";
    let mut to_mia = HttpStream::open(&company.mia, path, &parameters, Form::Lines).await;
    let mut to_all = HttpStream::open(&company.director, path, &parameters, Form::Lines).await;

    for at in [2, 0] {
        let body = json!({ "nextStep": "call" });
        company.director.patch(&format!("/v1/{}?updateMask=nextStep", company.deals[at]), body).await.ok();
    }

    let subjects = |messages: Vec<crate::harness::stream::Message>| -> Vec<Value> {
        messages.into_iter().map(|message| message.body["subject"].clone()).collect()
    };
    assert_eq!(subjects(to_all.take(2, SOON).await), [json!(company.deals[2]), json!(company.deals[0])]);
    assert_eq!(subjects(to_mia.take(1, SOON).await), [json!(company.deals[0])]);
    assert!(list(&company.mia.get("/v1/caller").await.ok(), "teams").contains(&json!(company.west)));
}
