//! One directory of members and teams that every service uses: for ownership, for reach and for the names in figures.

use serde_json::{Value, json};

use super::make::{opportunity, pipeline};
use crate::harness::{
    eventually::{SOON, eventually},
    tenant::Tenant,
    values::{day, list, name, text, texts, whole},
};

/// COL-27: a member with teams, skills, absences and a deputy is recorded once and known everywhere.
#[tokio::test]
async fn members_have_teams_skills_and_absences_and_no_place_for_what_does_not_exist() {
    let tenant = Tenant::fresh();
    let administrator = tenant.administrator();
    let west = tenant.team("West", "West Coast").await;
    tenant.member("ben", "sales-representative", &[&west]).await;
    let member = json!({
        "subject": "ana@example.com", "displayName": "Ana", "emailAddress": "Ana@Example.com", "teams": [west],
        "manager": "members/ben", "skills": ["german", "refunds"],
        "absences": [{ "startDate": day(2030, 8, 1), "endDate": day(2030, 8, 14), "deputy": "members/ben" }],
    });

    let ana = administrator.post("/v1/members", member).await.ok();

    assert_eq!(name(&ana), "members/ana@example.com");
    let read = administrator.get("/v1/members/ana@example.com").await.ok();
    assert_eq!(read, ana);
    assert_eq!(
        (&read["skills"], text(&read, "emailAddress")),
        (&json!(["german", "refunds"]), "ana@example.com")
    );
    assert_eq!(read["absences"][0]["deputy"], "members/ben");
    let nowhere = format!("teams/{}", uuid::Uuid::now_v7());
    let lost = json!({ "subject": "lost", "displayName": "Lost", "teams": [nowhere] });
    administrator.post("/v1/members", lost).await.refused_as("TEAM_NOT_FOUND");
    let backwards = json!({ "subject": "b", "displayName": "B", "absences": [{ "startDate": day(2030, 8, 2), "endDate": day(2030, 8, 1) }] });
    assert_eq!(administrator.post("/v1/members", backwards).await.refused().code, "INVALID_ARGUMENT");
    let filter = "manager = \"members/ben\"";
    let found = administrator.query("/v1/members", &[("filter", filter)]).await.ok();
    assert_eq!(texts(list(&found, "members"), "name"), ["members/ana@example.com"]);
}

/// COL-27, SFA-13: figures by owner, team and region bear the names of the directory, and follow when they change.
#[tokio::test]
async fn figures_bear_the_names_of_the_directory_and_follow_its_changes() {
    let tenant = Tenant::fresh();
    let (administrator, director) = (tenant.administrator(), tenant.director());
    let west = tenant.team("Team West", "Pacific").await;
    let ana = tenant.member("ana", "sales-representative", &[&west]).await;
    let sales = pipeline(&director, "Sales", &["lead"]).await;
    opportunity(&director, json!({ "owner": ana.name(), "team": west, "pipeline": sales })).await;

    let group = |dimension: &'static str| {
        let director = director.clone();
        async move {
            let figures = director.query("/v1/funnel:query", &[("groupBy", dimension)]).await.ok();
            let group = list(&figures, "groups")[0].clone();
            (
                text(&group, "key").to_owned(),
                text(&group, "displayName").to_owned(),
                whole(&group["total"]["count"]),
            )
        }
    };
    let wait = |dimension: &'static str, key: String, display_name: &'static str| {
        let expected = (key, display_name.to_owned(), 1);
        let group = &group;
        async move { eventually(SOON, "the figure's name", || group(dimension), |found| *found == expected).await }
    };
    wait("OWNER", ana.name(), "Ana").await;
    wait("TEAM", west.clone(), "Team West").await;
    wait("REGION", "Pacific".to_owned(), "Pacific").await;

    administrator
        .patch("/v1/members/ana?updateMask=displayName", json!({ "displayName": "Ana María" }))
        .await
        .ok();
    administrator.patch(&format!("/v1/{west}?updateMask=region"), json!({ "region": "Atlantic" })).await.ok();
    wait("OWNER", ana.name(), "Ana María").await;
    wait("REGION", "Atlantic".to_owned(), "Atlantic").await;
}

/// COL-27: every service knows every member: what is created without an owner is the caller's, and is found by owner.
#[tokio::test]
async fn what_a_member_makes_is_its_own_in_every_service() {
    let tenant = Tenant::fresh();
    let west = tenant.team("West", "West").await;
    let ana = tenant.member("ana", "sales-representative", &[&west]).await;
    let director = tenant.director();
    let sales = pipeline(&director, "Sales", &["lead"]).await;
    opportunity(&director, json!({ "pipeline": sales })).await;
    director.post("/v1/accounts", json!({ "displayName": "Other" })).await.ok();

    let account = ana.post("/v1/accounts", json!({ "displayName": "Acme" })).await.ok();
    let deal = opportunity(&ana, json!({ "pipeline": sales, "team": west })).await;

    for (collection, made) in [("accounts", &account), ("opportunities", &deal)] {
        assert_eq!(made["owner"], json!(ana.name()));
        let filter = format!("owner = \"{}\"", ana.name());
        let found = director.query(&format!("/v1/{collection}"), &[("filter", &filter)]).await.ok();
        let names: Vec<Value> = list(&found, collection).iter().map(|one| one["name"].clone()).collect();
        assert_eq!(names, std::slice::from_ref(&made["name"]), "{collection}");
    }
}
