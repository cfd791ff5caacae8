//! The records of all services in one file, as an operator takes them with `trato`.

use serde_json::{Value, json};

use crate::harness::{
    breakable::on_a_breakable_stack,
    eventually::{SOON, eventually},
    operator,
    values::{list, name, text},
    writers::Subjects,
};

fn rows(output: &str) -> Vec<Value> {
    output.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

/// The service whose record names this resource.
fn service_of<'a>(rows: &'a [Value], named: &str) -> Option<&'a str> {
    let names = |row: &&Value| list(row, "resources").iter().any(|resource| resource == named);
    rows.iter().find(names).map(|row| text(row, "service"))
}

/// PLT-12: `trato` puts the records of all services into one file, oldest first, and each says whose it is.
#[test]
fn records_of_all_services_are_exported_at_once() {
    on_a_breakable_stack(async |stack| {
        let subjects = Subjects::make(stack.tenant().await).await;
        let tenant = &subjects.tenant;
        let acme = &subjects.accounts[0];
        let deal = json!({ "displayName": "Deal", "account": acme, "pipeline": subjects.pipeline });
        let deal = name(&tenant.director().post("/v1/opportunities", deal).await.ok());
        let facts = stack.facts().await;
        let id = tenant.id.to_string();
        let export = ["access-records", "export", "--tenant", id.as_str(), "--from", "2020-01-01T00:00:00Z"];
        let as_json = [&export[..], &["--purpose", "audit", "--json"]].concat();

        let ask = || async {
            let said = operator::trato(&facts, &as_json).await;
            assert_eq!(said.code, Some(0), "{}", said.errors);
            rows(&said.output)
        };
        let are_told = |rows: &Vec<Value>| {
            (service_of(rows, &deal), service_of(rows, acme)) == (Some("sales"), Some("customers"))
        };
        eventually(SOON, "both records", ask, are_told).await;
        // Each service records that its records were exported, and for what.
        let exported = ask().await;
        let audits = exported.iter().filter(|row| text(row, "purpose") == "audit");
        let services: std::collections::BTreeSet<&str> = audits.map(|row| text(row, "service")).collect();
        assert_eq!(services.into_iter().collect::<Vec<_>>(), ["billing", "customers", "sales"]);
        assert!(exported.is_sorted_by_key(|row| text(row, "create_time").trim_end_matches('Z').to_owned()));

        let csv = operator::trato(&facts, &export).await;
        assert_eq!(csv.code, Some(0), "{}", csv.errors);
        let lines: Vec<&str> = csv.output.trim_end().split("\r\n").collect();
        assert!(lines[0].starts_with("\"service\",\"create_time\",\"actor\""), "{}", lines[0]);
        assert_eq!(lines.iter().filter(|line| line.contains("\"create_time\"")).count(), 1);
        let times = |line: &&str| line.split("\",\"").nth(1).map(str::to_owned);
        assert!(lines[1..].is_sorted_by_key(times), "{}", csv.output);
        assert!(lines.len() > exported.len(), "the second export knows of the first: {}", csv.output);
        let foreign = operator::trato(&facts, &["access-records", "export", "--tenant", "acme"]).await;
        assert_ne!(foreign.code, Some(0), "a tenant is named by its identifier");
    });
}
