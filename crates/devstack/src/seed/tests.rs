//! Seeding a gateway in the test's own process.

use serde_json::Value;

use super::{SeedOptions, run};
use crate::client::stub::{Fault, Stub};

#[tokio::test]
async fn the_company_is_there_once_however_often_it_is_seeded() {
    let stub = Stub::new(8);
    let options = SeedOptions {
        gateway: stub.serve().await,
        token: "token".into(),
        tenant: "acme".into(),
        stop: Default::default(),
    };
    stub.fail([Fault::Down, Fault::LostAnswer]);

    let first = run(options.clone()).await.expect("it is sown");
    let before = ["accounts", "contacts", "opportunities"].map(|collection| stub.resources(collection));
    let second = run(options).await.expect("it is sown");

    let counts: Vec<_> = first.iter().map(|sown| (sown.collection, sown.created, sown.existing)).collect();
    let expected = [
        ("teams", 2, 0),
        ("members", 6, 0),
        ("products", 5, 0),
        ("pipelines", 2, 0),
        ("accounts", 25, 0),
        ("contacts", 40, 0),
        ("opportunities", 60, 0),
    ];
    assert_eq!(counts, expected);
    assert!(second.iter().all(|sown| sown.created == 0), "{second:?}");
    assert_eq!(
        ["accounts", "contacts", "opportunities"].map(|collection| stub.resources(collection)),
        before
    );
    assert_eq!(stub.resources("members")["lucia"]["name"], "members/sales-representative.acme");
    assert_eq!(stub.resources("teams")["iberia"]["lead"], "members/sales-manager.acme");
    let accounts = stub.resources("accounts");
    assert_eq!(accounts["miramar-purchasing"]["parentAccount"], accounts["miramar-hotels"]["name"]);
    assert_eq!(stub.resources("contacts")["c01"]["accountLinks"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn sales_are_in_every_state_with_what_it_needs() {
    let stub = Stub::new(8);
    let (gateway, token) = (stub.serve().await, "token".into());
    run(SeedOptions { gateway, token, tenant: "acme".into(), stop: Default::default() })
        .await
        .expect("it is sown");

    let opportunities: Vec<Value> = stub.resources("opportunities").into_values().collect();

    let count =
        |state: &str| opportunities.iter().filter(|opportunity| opportunity["state"] == state).count();
    assert_eq!([count("OPEN"), count("WON"), count("LOST")], [23, 25, 12]);
    let is_sound = |opportunity: &Value| match opportunity["state"].as_str() {
        Some("WON") => opportunity["amount"].is_object() && opportunity["account"].is_string(),
        Some("LOST") => opportunity["lostReason"].is_string(),
        _ => opportunity["lostReason"].is_null(),
    };
    assert!(opportunities.iter().all(is_sound));
}
