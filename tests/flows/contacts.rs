//! Contacts: people, tied to the accounts they speak for.

use serde_json::json;

use super::make::{account, contact, verb};
use crate::harness::{
    tenant::Tenant,
    values::{list, name, texts},
};

/// MDM-03: a person may speak for several accounts; a tie that ends stays as history.
#[tokio::test]
async fn a_contact_is_tied_to_several_accounts_and_an_ended_tie_stays() {
    let director = Tenant::fresh().director();
    let (acme, globex) = (account(&director, "Acme").await, account(&director, "Globex").await);
    let ana = contact(&director, "Ana", "García").await;

    verb(&director, &ana, "link", json!({ "account": acme, "role": "DECIDER", "primary": true })).await;
    verb(&director, &ana, "link", json!({ "account": globex, "role": "USER" })).await;
    director.post(&format!("/v1/{ana}:link"), json!({ "account": acme })).await.refused_as("ALREADY_LINKED");
    let ended = verb(&director, &ana, "unlink", json!({ "account": acme })).await;
    director.post(&format!("/v1/{ana}:unlink"), json!({ "account": acme })).await.refused_as("NOT_LINKED");

    let links = list(&ended, "accountLinks");
    assert_eq!(links.len(), 2, "{ended}");
    let former = links.iter().find(|link| link["account"] == json!(acme)).expect("the tie stays");
    assert!(former["startDate"].is_object() && former["endDate"].is_object(), "{former}");
    let people = |account: &str| format!("/v1/{account}/contacts");
    let now = director.get(&people(&globex)).await.ok();
    assert_eq!(texts(list(&now, "contacts"), "name"), std::slice::from_ref(&ana));
    assert!(list(&director.get(&people(&acme)).await.ok(), "contacts").is_empty());
    let nobody = json!({ "account": format!("accounts/{}", uuid::Uuid::now_v7()) });
    director.post(&format!("/v1/{ana}:link"), nobody).await.refused_as("ACCOUNT_NOT_FOUND");
}

/// MDM-03: people have given names and two surnames; addresses and numbers are kept in one form and found by it.
#[tokio::test]
async fn names_addresses_and_numbers_of_a_contact_are_kept_in_one_form() {
    let director = Tenant::fresh().director();
    let written = json!({
        "givenNames": " María José ", "surname": "de la Fuente", "secondSurname": "Núñez",
        "emailAddress": "Maria.Jose@Example.COM", "phoneNumber": "+34 600 12 34 56", "languageCode": "es-MX",
    });
    let maria = director.post("/v1/contacts", written).await.ok();

    assert_eq!(maria["displayName"], "María José de la Fuente Núñez");
    assert_eq!(maria["emailAddress"], "maria.jose@example.com");
    assert_eq!(maria["phoneNumber"], "+34600123456");
    let filter = "email_address = \"maria.jose@example.com\" AND phone_number = \"+34600123456\"";
    let found = director.query("/v1/contacts", &[("filter", filter)]).await.ok();
    assert_eq!(texts(list(&found, "contacts"), "name"), [name(&maria)]);
    let nameless = director.post("/v1/contacts", json!({ "jobTitle": "Buyer" })).await.refused();
    assert_eq!(nameless.code, "INVALID_ARGUMENT", "{nameless:?}");
}
