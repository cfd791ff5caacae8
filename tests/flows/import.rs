//! A company's export, dirt and all, loaded through the public API, and the funnel beside its known totals.

use std::path::PathBuf;

use serde_json::json;
use sqlx::Row as _;
use trato_devstack::load::{LoadOptions, LoadReport, Tally, generate, run};
use uuid::Uuid;

use crate::harness::{
    caller::Caller,
    database,
    report::say,
    tenant::Tenant,
    values::{list, text, whole},
};

const ROWS: usize = 800;

fn folder(tenant: &Tenant) -> PathBuf {
    tenant.facts().home.join("exports").join(Uuid::new_v4().to_string())
}

async fn load(from: &PathBuf, by: &Caller) -> LoadReport {
    run(LoadOptions::new(from, by.base(), by.token())).await.expect("the export can be read")
}

/// How many events a tenant has in the logs of all services.
async fn events(tenant: &Tenant) -> i64 {
    let mut sum = 0;
    for service in ["customers", "sales"] {
        let mut connection = database::superuser(tenant.facts(), service).await;
        let sql = "select count(*) as count from platform.event where tenant_id = $1";
        let row = sqlx::query(sql).bind(tenant.id).fetch_one(&mut connection).await;
        sum += row.expect("the log can be read").get::<i64, _>("count");
    }
    sum
}

/// SFA-05, SFA-13, MDM-10: a dirty export is loaded whole, the funnel shows its totals, and a second load changes nothing.
#[tokio::test]
async fn a_dirty_export_is_loaded_whole_and_a_second_load_changes_nothing() {
    let seed: u64 = rand::random();
    say(format!("seed {seed}"));
    let tenant = Tenant::fresh();
    let loader = tenant.caller("loader", &["data-loader"]);
    let (generated, folder) = (generate(ROWS, seed), folder(&tenant));
    generated.write(&folder).expect("the export can be written");

    let report = load(&folder, &loader).await;

    say(&report);
    assert!(report.unplaced.is_empty(), "{:?}", report.unplaced);
    let comparison = report.comparison.as_ref().expect("the load went to its end");
    assert_eq!(comparison.files, generated.totals);
    assert_eq!(comparison.funnel, generated.totals);
    assert_eq!(report.tally("opportunities"), Tally { created: ROWS, existing: 0, refused: 0 });

    settle(&tenant, &generated.totals.won).await;
    let before = events(&tenant).await;
    let again = load(&folder, &loader).await;
    assert!(again.agrees(), "{again}");
    assert_eq!(again.tallies.iter().map(|(_, tally)| tally.created).sum::<usize>(), 0, "{again}");
    assert_eq!(again.placed(), report.placed());
    assert_eq!(events(&tenant).await, before, "the second load changed something");
    std::fs::remove_dir_all(&folder).expect("the export can be deleted");
}

/// Waits until every account that bought is a customer: until then events still arrive.
async fn settle(tenant: &Tenant, won: &u64) {
    let director = tenant.director();
    assert!(*won > 0);
    let won = director
        .list_all("/v1/opportunities", "opportunities", &[("filter", "state = WON"), ("pageSize", "1000")])
        .await;
    let mut buyers: Vec<String> = won.iter().map(|deal| text(deal, "account").to_owned()).collect();
    buyers.sort();
    buyers.dedup();
    let look = || async {
        let accounts = director.list_all("/v1/accounts", "accounts", &[("pageSize", "1000")]).await;
        let is_customer = |account: &&serde_json::Value| list(account, "kinds").contains(&json!("CUSTOMER"));
        accounts.iter().filter(is_customer).count()
    };
    let within = crate::harness::eventually::SOON;
    crate::harness::eventually::eventually(within, "every buyer to be a customer", look, |count| {
        *count == buyers.len()
    })
    .await;
}

/// SFA-07, SFA-13: what is imported keeps its business dates: steps, time in stage, cycle and the day it was recorded.
#[tokio::test]
async fn imported_opportunities_keep_the_dates_of_the_business() {
    let tenant = Tenant::fresh();
    let loader = tenant.caller("loader", &["data-loader"]);
    let sales = super::make::pipeline(&loader, "Sales", &["prospecting", "engaging"]).await;
    let item = |id: &str, state: &str, steps: serde_json::Value| {
        json!({
            "opportunity": {
                "displayName": id, "source": "crm", "externalId": id, "pipeline": sales, "stage": "engaging",
                "state": state, "lostReason": if state == "LOST" { "NOT_RECORDED" } else { "LOST_REASON_UNSPECIFIED" },
                "closeDate": if state == "LOST" { json!({ "year": 2017, "month": 3, "day": 11 }) } else { json!(null) },
            },
            "stageChanges": steps,
        })
    };
    let lost = json!([
        { "stage": "engaging", "eventTime": "2017-03-01T00:00:00Z" },
        { "stage": "engaging", "state": "LOST", "eventTime": "2017-03-11T00:00:00Z" },
    ]);
    let undated = json!([{ "stage": "engaging" }]);
    let body = json!({ "items": [item("1", "LOST", lost), item("2", "OPEN", undated), item("2", "OPEN", json!([]))] });

    let answer = loader.post("/v1/opportunities:import", body.clone()).await.ok();

    let results = list(&answer, "results");
    assert_eq!((&results[0]["created"], &results[1]["created"]), (&json!(true), &json!(true)), "{answer}");
    assert_ne!(results[2]["created"], json!(true), "one of an external id is enough: {answer}");
    let name = text(&results[0]["opportunity"], "name");
    let steps = loader.get(&format!("/v1/{name}/stageChanges")).await.ok();
    let steps = list(&steps, "stageChanges");
    assert_eq!(steps.len(), 2, "{steps:?}");
    assert_eq!(steps[1]["timeInStage"], "864000s");
    assert!(text(&steps[0], "eventTime").starts_with("2017-03-01") && text(&steps[0], "createTime") > "2020");
    let figures = loader.get("/v1/funnel:query").await.ok();
    assert_eq!(figures["total"]["averageCycleDays"], 10.0);
    assert_eq!(whole(&figures["total"]["total"]["count"]), 2);
    let again = loader.post("/v1/opportunities:import", body).await.ok();
    assert!(list(&again, "results").iter().all(|result| result["created"] != json!(true)), "{again}");
}
