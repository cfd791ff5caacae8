//! Accounts: all that is known of a company or a department of one.

use serde_json::{Value, json};

use super::make::account;
use crate::harness::{
    tenant::Tenant,
    values::{day, dollars, list, name, texts},
};

/// MDM-01: everything that is recorded of a company is read back as it was written, and changed field by field.
#[tokio::test]
async fn everything_about_a_company_is_kept_and_each_part_changes_alone() {
    let director = Tenant::fresh().director();
    let written = json!({
        "displayName": "Acme", "form": "COMPANY", "kinds": ["SUPPLIER"], "legalName": "Acme Sociedad Anónima",
        "taxId": "A-28000000", "sector": "retail", "website": "https://acme.example.com",
        "emailAddress": "office@acme.example.com", "phoneNumber": "+34910000000",
        "address": {
            "lines": ["Calle Mayor 1", "2º izda."], "locality": "Madrid", "region": "Madrid",
            "postalCode": "28013", "countryCode": "ES",
        },
        "employeeCount": 1200, "annualRevenue": dollars(5_000_000), "foundingYear": 1987,
        "description": "First met at a fair.\nPays late.", "source": "erp", "externalId": "4711",
    });
    let stored = director.post("/v1/accounts", written.clone()).await.ok();

    let read = director.get(&format!("/v1/{}", name(&stored))).await.ok();
    assert_eq!(read, stored);
    for (field, value) in written.as_object().expect("it is an object") {
        if field == "annualRevenue" {
            assert_eq!(read[field]["units"], value["units"]);
        } else {
            assert_eq!(read[field], *value, "{field}");
        }
    }

    let path = format!("/v1/{}?updateMask=sector,phoneNumber", name(&stored));
    let changed =
        director.patch(&path, json!({ "sector": "logistics", "displayName": "ignored" })).await.ok();
    assert_eq!((&changed["sector"], &changed["displayName"]), (&json!("logistics"), &json!("Acme")));
    assert!(
        changed["phoneNumber"].as_str().is_none_or(str::is_empty),
        "a masked field that is left out is cleared"
    );
    assert_ne!(changed["etag"], stored["etag"]);
}

/// MDM-02: departments belong to companies, companies to companies, and nobody to himself.
#[tokio::test]
async fn departments_and_subsidiaries_form_a_hierarchy_without_cycles() {
    let director = Tenant::fresh().director();
    let group = account(&director, "Group").await;
    let below = |display_name: &str, form: &str, parent: &str| json!({ "displayName": display_name, "form": form, "parentAccount": parent });
    let company = name(&director.post("/v1/accounts", below("Company", "COMPANY", &group)).await.ok());
    let purchasing =
        name(&director.post("/v1/accounts", below("Purchasing", "DEPARTMENT", &company)).await.ok());

    let filter = format!("parent_account = \"{company}\"");
    let found = director.query("/v1/accounts", &[("filter", &filter)]).await.ok();
    assert_eq!(texts(list(&found, "accounts"), "name"), std::slice::from_ref(&purchasing));

    let orphan = director
        .post("/v1/accounts", json!({ "displayName": "Sales", "form": "DEPARTMENT" }))
        .await
        .refused();
    assert_eq!(orphan.code, "INVALID_ARGUMENT", "{orphan:?}");
    for (child, parent) in [(&group, &group), (&group, &purchasing), (&company, &purchasing)] {
        let path = format!("/v1/{child}?updateMask=parentAccount");
        let refusal = director.patch(&path, json!({ "parentAccount": parent })).await.refused();
        assert!(refusal.reason.contains("CYCLE"), "{child} below {parent}: {refusal:?}");
    }
}

/// MDM-02: an account is customer, supplier, partner and internal in any combination, and is found by each.
#[tokio::test]
async fn an_account_may_be_several_kinds_at_once_and_is_found_by_each() {
    let director = Tenant::fresh().director();
    let both = json!({ "displayName": "Both", "kinds": ["SUPPLIER", "CUSTOMER"] });
    let both = name(&director.post("/v1/accounts", both).await.ok());
    let own = json!({ "displayName": "Own", "kinds": ["INTERNAL"] });
    let own = name(&director.post("/v1/accounts", own).await.ok());
    account(&director, "Prospect").await;

    for (kind, expected) in [("supplier", &both), ("customer", &both), ("internal", &own)] {
        let filter = format!("{kind} = true");
        let found = director.query("/v1/accounts", &[("filter", &filter)]).await.ok();
        assert_eq!(texts(list(&found, "accounts"), "name"), [expected.as_str()], "{kind}");
    }
}

/// MDM-01: a deleted account leaves lists and comes back whole; a batch is read whole or not at all.
#[tokio::test]
async fn a_deleted_account_can_be_brought_back_and_a_batch_is_whole_or_nothing() {
    let director = Tenant::fresh().director();
    let (acme, globex) = (account(&director, "Acme").await, account(&director, "Globex").await);

    let deleted = director.delete(&format!("/v1/{acme}")).await.ok();
    assert!(deleted["deleteTime"].is_string());
    let listed = |answer: Value| texts(list(&answer, "accounts"), "name");
    assert_eq!(listed(director.get("/v1/accounts").await.ok()), std::slice::from_ref(&globex));
    assert_eq!(
        listed(director.get("/v1/accounts?showDeleted=true").await.ok()),
        [acme.clone(), globex.clone()]
    );
    director.delete(&format!("/v1/{acme}")).await.refused_as("ALREADY_DELETED");

    let restored = director.post(&format!("/v1/{acme}:undelete"), json!({})).await.ok();
    assert!(restored["deleteTime"].is_null());
    director.post(&format!("/v1/{acme}:undelete"), json!({})).await.refused_as("NOT_DELETED");
    let names = [("names", globex.as_str()), ("names", acme.as_str())];
    assert_eq!(listed(director.query("/v1/accounts:batchGet", &names).await.ok()), [globex.clone(), acme]);
    let nobody = format!("accounts/{}", uuid::Uuid::now_v7());
    let names = [("names", globex.as_str()), ("names", nobody.as_str())];
    director.query("/v1/accounts:batchGet", &names).await.refused_as("RESOURCE_NOT_FOUND");
}

/// MDM-01: everything that is wrong with a request is said at once, by field and reason.
#[tokio::test]
async fn all_that_is_wrong_with_an_account_is_said_at_once() {
    let director = Tenant::fresh().director();
    let wrong = json!({
        "displayName": "", "emailAddress": "nobody", "phoneNumber": "12", "website": "ftp://acme.example.com",
        "foundingYear": 12, "owner": "somebody", "source": "erp",
        "address": { "countryCode": "Spain" },
    });
    let refusal = director.post("/v1/accounts", wrong).await.refused();
    assert_eq!(refusal.code, "INVALID_ARGUMENT");
    let fields: Vec<&str> = refusal.violations.iter().map(|(field, _)| field.as_str()).collect();
    for field in ["display_name", "email_address", "phone_number", "website", "founding_year", "owner"] {
        assert!(fields.contains(&format!("account.{field}").as_str()), "{field} is not named: {refusal:?}");
    }
    assert!(fields.iter().any(|field| field.contains("country_code")), "{refusal:?}");
    assert!(refusal.violations.iter().all(|(_, reason)| !reason.is_empty()), "{refusal:?}");

    let future = json!({ "name": "x", "closeDate": day(2017, 2, 30) });
    let refusal = director.post("/v1/opportunities", future).await.refused();
    assert_eq!(refusal.code, "INVALID_ARGUMENT", "the thirtieth of February: {refusal:?}");
}
