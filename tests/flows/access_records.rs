//! Who read whose data, for what purpose: as an auditor asks, and as others cannot.

use reqwest::Method;
use serde_json::{Value, json};

use super::make::{account, contact, opportunity, pipeline};
use crate::harness::{
    caller::Caller,
    client::Http,
    eventually::{SOON, eventually},
    operator,
    tenant::Tenant,
    values::{list, name, text, texts},
};

const RECORDS: &str = "/v1/customers/accessRecords";

/// GET with a purpose.
async fn get_for(by: &Http, purpose: &str, path: &str) -> crate::harness::answer::Answer {
    by.send(by.request(Method::GET, path).header("x-purpose", purpose)).await
}

/// Waits until a page of records has this many, and answers them.
async fn records(by: &Caller, service: &str, parameters: &[(&str, &str)], count: usize) -> Vec<Value> {
    let path = format!("/v1/{service}/accessRecords");
    let look = || async { list(&by.query(&path, parameters).await.ok(), "accessRecords").to_vec() };
    eventually(SOON, "the records", look, |found| found.len() == count).await
}

fn resources(record: &Value) -> Vec<&str> {
    list(record, "resources").iter().filter_map(Value::as_str).collect()
}

/// PLT-12: a get, a list, a batch, a timeline and a change say who was answered with whose data, and for what purpose.
#[tokio::test]
async fn an_auditor_finds_who_read_and_changed_an_account_and_for_what() {
    let tenant = Tenant::fresh();
    let director = tenant.director();
    let (acme, other) = (account(&director, "Acme").await, account(&director, "Other").await);
    let ana = tenant.caller("ana", &["sales-representative"]);
    let mia = tenant.caller("mia", &["sales-manager"]);
    let eva = tenant.caller("eva", &["commercial-director"]);
    let path = format!("/v1/{acme}");
    get_for(&ana, "billing dispute 4711", &path).await.ok();
    ana.query("/v1/accounts", &[("orderBy", "display_name")]).await.ok();
    ana.query("/v1/accounts:batchGet", &[("names", acme.as_str())]).await.ok();
    let sales = pipeline(&director, "Sales", &["lead"]).await;
    opportunity(&director, json!({ "pipeline": sales, "account": acme })).await;
    let timeline = format!("{path}/timelineEntries");
    let look = || async { list(&director.get(&timeline).await.ok(), "timelineEntries").len() };
    eventually(SOON, "the timeline to tell of the opportunity", look, |count| *count > 0).await;
    get_for(&eva, "visit", &timeline).await.ok();
    mia.patch(&format!("{path}?updateMask=sector"), json!({ "sector": "retail" })).await.ok();

    let auditor = tenant.caller("auditor", &["auditor"]);
    let by_ana = records(&auditor, "customers", &[("filter", "actor = \"members/ana\"")], 3).await;
    // Newest first.
    let methods: Vec<&str> =
        by_ana.iter().map(|one| text(one, "method").rsplit('/').next().unwrap_or_default()).collect();
    assert_eq!(methods, ["BatchGetAccounts", "ListAccounts", "GetAccount"]);
    let both: std::collections::BTreeSet<&str> = [acme.as_str(), other.as_str()].into();
    assert_eq!(resources(&by_ana[0]), [acme.as_str()]);
    assert_eq!(resources(&by_ana[1]).into_iter().collect::<std::collections::BTreeSet<_>>(), both);
    assert_eq!(resources(&by_ana[2]), [acme.as_str()]);
    assert_eq!(texts(&by_ana, "purpose"), ["", "", "billing dispute 4711"]);
    assert!(
        by_ana.iter().all(|one| text(one, "requestId").len() == 36 && !text(one, "createTime").is_empty())
    );

    let whom = [("resource", acme.as_str()), ("filter", "actor != \"members/director\"")];
    let touched = records(&auditor, "customers", &whom, 5).await;
    let said: Vec<(&str, &str)> =
        touched.iter().map(|one| (text(one, "actor"), text(one, "operation"))).collect();
    let expected = [("mia", "CHANGE"), ("eva", "READ"), ("ana", "READ"), ("ana", "READ"), ("ana", "READ")];
    let expected: Vec<(String, &str)> =
        expected.iter().map(|(subject, operation)| (format!("members/{subject}"), *operation)).collect();
    assert_eq!(
        said,
        expected.iter().map(|(actor, operation)| (actor.as_str(), *operation)).collect::<Vec<_>>()
    );
    assert_eq!(text(&touched[1], "purpose"), "visit");
    let for_it =
        [("filter", "purpose = \"billing dispute 4711\" AND create_time > \"2020-01-01T00:00:00Z\"")];
    assert_eq!(records(&auditor, "customers", &for_it, 1).await, [by_ana[2].clone()]);

    // Page by page it is the same, and whoever asked is among those who did.
    let paged = auditor
        .list_all(RECORDS, "accessRecords", &[("pageSize", "2"), ("filter", "actor = \"members/ana\"")])
        .await;
    assert_eq!(paged, by_ana);
    let asked = format!("actor = \"{}\" AND method:\"ListAccessRecords\"", auditor.name());
    let look = || async {
        list(&auditor.query(RECORDS, &[("filter", &asked)]).await.ok(), "accessRecords").to_vec()
    };
    // The first of them may have found nothing yet, and so told of nobody.
    let tells_of_ana =
        |found: &Vec<Value>| found.iter().flat_map(resources).any(|name| name == "members/ana");
    eventually(SOON, "the auditor's own records", look, tells_of_ana).await;
}

/// PLT-12: what was refused is recorded with what was asked for, and refuses as before.
#[tokio::test]
async fn attempts_are_recorded_and_a_foreign_tenant_sees_nothing_of_them() {
    let (ours, theirs) = (Tenant::fresh(), Tenant::fresh());
    let acme = account(&ours.director(), "Acme").await;
    let sales = pipeline(&ours.director(), "Sales", &["lead"]).await;
    let deal = name(&opportunity(&ours.director(), json!({ "pipeline": sales })).await);
    let (stranger, spy) = (ours.stranger(), theirs.caller("spy", &["administrator"]));
    get_for(&stranger, "curiosity", &format!("/v1/{acme}")).await.refused_as("PERMISSION_MISSING");
    spy.get(&format!("/v1/{acme}")).await.refused_as("RESOURCE_NOT_FOUND");
    spy.get(&format!("/v1/{deal}")).await.refused_as("RESOURCE_NOT_FOUND");

    let auditor = ours.caller("auditor", &["auditor"]);
    let refused = records(&auditor, "customers", &[("filter", "outcome = PERMISSION_DENIED")], 1).await;
    assert_eq!((text(&refused[0], "actor"), text(&refused[0], "purpose")), ("members/stranger", "curiosity"));
    assert_eq!(resources(&refused[0]), Vec::<&str>::new());
    for (service, name) in [("customers", &acme), ("sales", &deal)] {
        let own = [("resource", name.as_str()), ("filter", "actor = \"members/spy\"")];
        let tried = records(&spy, service, &own, 1).await;
        assert_eq!(text(&tried[0], "outcome"), "NOT_FOUND");
        assert_eq!(records(&auditor, service, &own, 0).await, Vec::<Value>::new());
        let creation = records(&auditor, service, &[("resource", name.as_str())], 1).await;
        assert_eq!(text(&creation[0], "actor"), "members/director");
    }
}

/// PLT-12: records are for auditors; purposes are short and plain; a resource is a name.
#[tokio::test]
async fn who_may_not_see_records_sees_none_and_a_purpose_that_cannot_be_kept_is_refused() {
    let tenant = Tenant::fresh();
    let director = tenant.director();
    let acme = account(&director, "Acme").await;
    for role in ["sales-representative", "sales-manager", "data-loader"] {
        let caller = tenant.caller(role, &[role]);
        for service in ["customers", "sales"] {
            caller.get(&format!("/v1/{service}/accessRecords")).await.refused_as("PERMISSION_MISSING");
        }
    }
    let refused = get_for(&director, &"x".repeat(201), &format!("/v1/{acme}")).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.refused_as("INVALID_PURPOSE").code, "INVALID_ARGUMENT");
    let auditor = tenant.caller("auditor", &["auditor"]);
    auditor.query(RECORDS, &[("resource", "acme")]).await.refused_as("INVALID_RESOURCE_NAME");
    auditor.query(RECORDS, &[("filter", "colour = 1")]).await.refused_as("UNKNOWN_FIELD");
}

/// PLT-12: another service asks on the caller's behalf: that is a read by the caller, for the same purpose and in the
/// same trace.
#[tokio::test]
async fn a_question_of_another_service_is_recorded_as_the_callers() {
    let tenant = Tenant::fresh();
    let director = tenant.director();
    let acme = account(&director, "Acme").await;
    let sales = pipeline(&director, "Sales", &["lead"]).await;
    let body = json!({ "displayName": "Deal", "pipeline": sales, "account": acme });
    let create =
        director.request(Method::POST, "/v1/opportunities").header("x-purpose", "tender").json(&body);
    let deal = name(&director.send(create).await.ok());

    let auditor = tenant.caller("auditor", &["auditor"]);
    let created = records(&auditor, "sales", &[("filter", "purpose = \"tender\"")], 1).await;
    assert_eq!(resources(&created[0]), [deal.as_str()]);
    // Sales may have heard of the account already; then it need not ask.
    let page = auditor.query(RECORDS, &[("filter", "purpose = \"tender\"")]).await.ok();
    for asked in list(&page, "accessRecords") {
        assert_eq!(text(asked, "method"), "trato.customers.v1.AccountService/GetAccount");
        assert_eq!(text(asked, "actor"), "members/director");
        assert_eq!(text(asked, "requestId"), text(&created[0], "requestId"));
    }
}

/// PLT-12: an operator exports a tenant's records as CSV and as JSON, and that stands in them too.
#[tokio::test]
async fn records_are_exported_by_tenant_and_time() {
    let tenant = Tenant::fresh();
    let director = tenant.director();
    let ben = contact(&director, "Ben", "Hur").await;
    get_for(&director, "=cmd(), \"x\"", &format!("/v1/{ben}")).await.ok();
    let auditor = tenant.caller("auditor", &["auditor"]);
    records(&auditor, "customers", &[("resource", ben.as_str())], 2).await;

    let id = tenant.id.to_string();
    let export = ["access-records", "export", "--tenant", id.as_str(), "--from", "2020-01-01T00:00:00Z"];
    let csv = [&export[..], &["--purpose", "yearly audit"]].concat();
    let csv = operator::run(tenant.facts(), "customers", &csv).await;
    assert_eq!(csv.code, Some(0), "{}", csv.errors);
    let lines: Vec<&str> = csv.output.split("\r\n").collect();
    assert!(
        lines[0].starts_with("\"create_time\",\"actor\",\"operation\",\"method\",\"purpose\""),
        "{}",
        lines[0]
    );
    assert!(lines.iter().any(|line| line.contains("\"'=cmd(), \"\"x\"\"\"")), "{}", csv.output);
    assert!(lines.iter().filter(|line| line.contains(&ben)).count() >= 2, "{}", csv.output);

    let json = [&export[..], &["--json"]].concat();
    let json = operator::run(tenant.facts(), "customers", &json).await;
    assert_eq!(json.code, Some(0), "{}", json.errors);
    let rows: Vec<Value> =
        json.output.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    let audits = rows.iter().filter(|row| text(row, "actor") == "systems/operator");
    assert_eq!(audits.map(|row| text(row, "purpose")).collect::<Vec<_>>(), ["yearly audit", ""]);
    let ids: std::collections::BTreeSet<&str> = rows.iter().map(|row| text(row, "id")).collect();
    assert_eq!(ids.len(), rows.len(), "a record is exported twice");
    assert!(rows.is_sorted_by_key(|row| text(row, "create_time").trim_end_matches('Z').to_owned()));
}
