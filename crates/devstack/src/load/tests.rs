//! Whole loads of generated exports, against a gateway in the test's own process.

use std::{fs, path::Path, time::Duration};

use super::{Field, LoadOptions, Mapping, Totals, generate, run};
use crate::{
    client::stub::{Fault, Stub},
    wait::eventually,
};

fn export(rows: usize) -> (tempfile::TempDir, Totals) {
    let folder = tempfile::tempdir().expect("a folder");
    let generated = generate(rows, 1);
    generated.write(folder.path()).expect("it is written");
    (folder, generated.totals)
}

fn append(folder: &Path, file: &str, line: &str) {
    let path = folder.join(file);
    let text = fs::read_to_string(&path).expect("a file");
    fs::write(path, text + line + "\n").expect("it is written");
}

#[tokio::test]
async fn a_load_ends_with_the_funnel_of_the_files_and_a_second_one_changes_nothing() {
    let (folder, totals) = export(300);
    let stub = Stub::new(8);
    let options = LoadOptions { batch: 7, ..LoadOptions::new(folder.path(), stub.serve().await, "token") };

    let first = run(options.clone()).await.expect("a report");
    let before = stub.resources("opportunities");
    let second = run(options).await.expect("a report");

    assert!(first.agrees(), "{first}");
    assert_eq!(first.comparison.as_ref().map(|comparison| &comparison.funnel), Some(&totals));
    assert_eq!((first.tally("opportunities").created, first.unplaced.len()), (300, 0));
    assert_eq!((first.tally("members").created, first.tally("teams").created), (18, 4));
    assert!(second.agrees(), "{second}");
    assert!(second.tallies.iter().all(|(_, tally)| tally.created == 0), "{second}");
    assert_eq!(second.tally("opportunities").existing, 300);
    assert_eq!(stub.resources("opportunities"), before);
}

#[tokio::test]
async fn people_products_and_accounts_refer_to_each_other() {
    let (folder, _) = export(20);
    let stub = Stub::new(8);

    let report = run(LoadOptions::new(folder.path(), stub.serve().await, "token")).await.expect("a report");

    assert!(report.agrees(), "{report}");
    let team = &stub.resources("teams")["Marta Rey, North"];
    assert_eq!((team["region"].as_str(), team["lead"].as_str()), (Some("North"), Some("members/marta.rey")));
    let members = stub.resources("members");
    assert_eq!(members["Marta Rey"]["teams"][0], team["name"], "a lead is in the team");
    assert_eq!(members["Elena Núñez"]["manager"], "members/piet.van.dam");
    assert_eq!(members["Elena Núñez"]["subject"], "elena.nunez");
    let accounts = stub.resources("accounts");
    let child = accounts.values().find(|account| account["parentAccount"].is_string()).expect("a subsidiary");
    assert!(accounts.values().any(|account| account["name"] == child["parentAccount"]));
    assert!(accounts.values().any(|account| account["address"]["countryCode"] == "PH"));
    assert!(accounts.values().all(|account| account["sector"] != "technolgy"));
    let lost =
        stub.resources("opportunities").into_values().filter(|opportunity| opportunity["state"] == "LOST");
    assert!(lost.into_iter().all(|opportunity| opportunity["lostReason"] == "NOT_RECORDED"));
}

#[tokio::test]
async fn servers_that_fail_on_the_way_only_delay_it() {
    let (folder, _) = export(200);
    let stub = Stub::new(3);
    stub.fail([
        Fault::Down,
        Fault::LostAnswer,
        Fault::Down,
        Fault::Broken,
        Fault::ItemsDown,
        Fault::LostAnswer,
    ]);
    let options = LoadOptions { batch: 10, ..LoadOptions::new(folder.path(), stub.serve().await, "token") };

    let report = run(options).await.expect("a report");

    assert!(report.agrees(), "{report}");
    assert!(report.refusals >= 6, "{report}");
    assert!(report.tallies.iter().all(|(_, tally)| tally.existing == 0), "nothing was done twice: {report}");
}

#[tokio::test]
async fn rows_without_a_place_are_named_with_file_line_and_reason() {
    let (folder, _) = export(20);
    append(folder.path(), "sales_pipeline.csv", "X1,Mina Sato,Nova Plus,,Engaging,2017-13-01,,");
    append(folder.path(), "sales_pipeline.csv", "X2,Mina Sato,Nova Plus,,Engaging,2017-01-01,,a lot");
    append(folder.path(), "sales_pipeline.csv", "X2,Mina Sato,Nova Plus,Oddity,Engaging,2017-01-01,,");
    append(folder.path(), "accounts.csv", "Oddity,retail,1999,1.5,3,Japan,");
    append(folder.path(), "accounts.csv", "odd one,retail,1999,1.5,3,Japan,");
    append(folder.path(), "accounts.csv", "Child,retail,1999,1.5,3,Japan,odd one");
    let stub = Stub::new(8);

    let report = run(LoadOptions::new(folder.path(), stub.serve().await, "token")).await.expect("a report");

    let expected = [
        ("sales_pipeline.csv", 22, "engage_date: `2017-13-01` is not a date such as 2017-03-01"),
        ("sales_pipeline.csv", 23, "close_value: `a lot` is not an amount"),
        ("accounts.csv", 15, "refused: ODD: is odd"),
        ("accounts.csv", 16, "its parent `odd one` found no place"),
    ];
    let found: Vec<_> =
        report.unplaced.iter().map(|row| (row.file.as_str(), row.line, row.reason.as_str())).collect();
    assert_eq!(found, expected);
    assert!(!report.agrees(), "two rows of the pipeline are missing");
    let file = folder.path().join("report.csv");
    report.write(&file).expect("it is written");
    let text = fs::read_to_string(file).expect("a file");
    assert_eq!(text.lines().nth(3), Some("accounts.csv,15,odd one,refused: ODD: is odd"));
}

#[tokio::test]
async fn an_interrupted_load_is_finished_by_the_next_one() {
    let (folder, totals) = export(300);
    let stub = Stub::new(64);
    let options = LoadOptions { batch: 5, ..LoadOptions::new(folder.path(), stub.serve().await, "token") };
    let stop = options.stop.clone();

    let interrupt = async {
        let some = async || (stub.resources("opportunities").len() >= 50).then_some(());
        eventually(Duration::from_secs(60), "some opportunities", some).await.expect("they arrive");
        stop.cancel();
    };
    let (first, ()) = tokio::join!(run(options.clone()), interrupt);
    let first = first.expect("a report");
    let options = LoadOptions { stop: Default::default(), ..options };
    let second = run(options).await.expect("a report");

    assert!(first.interrupted && !first.agrees(), "{first}");
    assert_eq!(first.tally("opportunities").created, second.tally("opportunities").existing);
    assert!(second.agrees(), "{second}");
    assert_eq!(stub.resources("opportunities").len() as u64, totals.opportunities);
}

#[tokio::test]
async fn a_value_the_mapping_does_not_cover_stops_the_load_before_it_begins() {
    let (folder, _) = export(20);
    let stub = Stub::new(8);
    let options = LoadOptions::new(folder.path(), stub.serve().await, "token");

    let uncovered = run(LoadOptions { mapping: Some(Mapping::default()), ..options.clone() }).await;
    append(folder.path(), "sales_pipeline.csv", "X1,Mina Sato,Zeppelin,,Engaging,2017-01-01,,");
    let undecided = run(options).await;

    let message = format!("{:#}", uncovered.expect_err("nothing is decided"));
    assert!(message.contains("[product] \"NovaPro\" = \"Nova Pro\""), "{message}");
    let message = format!("{:#}", undecided.expect_err("nothing is like it"));
    assert!(message.contains("[product] \"Zeppelin\" = \"?\""), "{message}");
    assert_eq!(stub.calls(), 0);
}

#[tokio::test]
async fn a_mapping_may_leave_out_what_nobody_knows() {
    let (folder, _) = export(20);
    append(folder.path(), "sales_pipeline.csv", "X1,Mina Sato,Zeppelin,,Engaging,2017-01-01,,");
    let file = folder.path().join("mapping.toml");
    let export = super::Export::read(folder.path()).expect("an export");
    Mapping::write(&file, &super::questions(&export)).expect("it is written");
    let text = fs::read_to_string(&file).expect("a file").replace("\"Zeppelin\" = \"?\"", "Zeppelin = \"\"");
    fs::write(&file, text).expect("it is written");
    let mapping = Mapping::read(&file).expect("a mapping");
    assert_eq!(mapping.as_ref().and_then(|mapping| mapping.apply(Field::Product, "Zeppelin")), None);
    let stub = Stub::new(8);
    let options = LoadOptions { mapping, ..LoadOptions::new(folder.path(), stub.serve().await, "token") };

    let report = run(options).await.expect("a report");

    assert!(report.agrees(), "{report}");
    let strange = &stub.resources("opportunities")["X1"];
    assert!(strange["product"].is_null());
    assert_eq!(strange["displayName"], "X1");
}
