//! Makes what flows begin with: one line each, with nothing said that is not the point of a test.

use serde_json::{Value, json};

use crate::harness::{client::Http, values::name};

/// An account with this name.
pub async fn account(by: &Http, display_name: &str) -> String {
    name(&by.post("/v1/accounts", json!({ "displayName": display_name })).await.ok())
}

/// A contact with these names.
pub async fn contact(by: &Http, given_names: &str, surname: &str) -> String {
    name(&by.post("/v1/contacts", json!({ "givenNames": given_names, "surname": surname })).await.ok())
}

/// A pipeline with stages of these keys.
pub async fn pipeline(by: &Http, display_name: &str, stages: &[&str]) -> String {
    let stage = |key: &&str| json!({ "key": key, "displayName": key.to_uppercase() });
    let stages: Vec<Value> = stages.iter().map(stage).collect();
    name(&by.post("/v1/pipelines", json!({ "displayName": display_name, "stages": stages })).await.ok())
}

/// A product with this name.
pub async fn product(by: &Http, display_name: &str) -> String {
    name(&by.post("/v1/products", json!({ "displayName": display_name })).await.ok())
}

/// An opportunity with these fields; it is called `Deal` unless they say otherwise.
pub async fn opportunity(by: &Http, fields: Value) -> Value {
    let mut body = json!({ "displayName": "Deal" });
    let fields = fields.as_object().cloned().unwrap_or_default();
    body.as_object_mut().expect("it was made as an object").extend(fields);
    by.post("/v1/opportunities", body).await.ok()
}

/// Does something to a resource: `verb(&rep, &opportunity, "win", json!({}))`.
pub async fn verb(by: &Http, name: &str, verb: &str, body: Value) -> Value {
    by.post(&format!("/v1/{name}:{verb}"), body).await.ok()
}
