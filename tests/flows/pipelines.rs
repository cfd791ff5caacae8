//! Pipelines: each kind of sale goes through stages of its own.

use serde_json::json;

use super::make::{opportunity, pipeline, verb};
use crate::harness::{
    tenant::Tenant,
    values::{list, name, text},
};

/// SFA-06: two segments sell by two processes, and no sale strays from its own.
#[tokio::test]
async fn opportunities_walk_the_stages_of_their_own_pipeline_only() {
    let director = Tenant::fresh().director();
    let short = pipeline(&director, "Small business", &["talk", "close"]).await;
    let long = pipeline(&director, "Enterprise", &["lead", "workshop", "tender", "board"]).await;
    let small = opportunity(&director, json!({ "pipeline": short })).await;
    let large = opportunity(&director, json!({ "pipeline": long, "stage": "workshop" })).await;
    assert_eq!((text(&small, "stage"), text(&large, "stage")), ("talk", "workshop"));

    let moved = verb(&director, &name(&large), "move", json!({ "stage": "board" })).await;

    assert_eq!(moved["stage"], "board");
    let path = |opportunity: &serde_json::Value| format!("/v1/{}:move", name(opportunity));
    director.post(&path(&small), json!({ "stage": "board" })).await.refused_as("UNKNOWN_STAGE");
    director.post(&path(&large), json!({ "stage": "close" })).await.refused_as("UNKNOWN_STAGE");
    let switched = format!("/v1/{}?updateMask=pipeline", name(&small));
    let refusal = director.patch(&switched, json!({ "pipeline": long })).await.refused();
    assert!(refusal.violations.iter().any(|(_, reason)| reason == "IMMUTABLE"), "{refusal:?}");
}

/// SFA-06: a stage with open opportunities cannot be taken away; one without can, and new ones can be put between.
#[tokio::test]
async fn a_stage_in_use_cannot_be_taken_away() {
    let director = Tenant::fresh().director();
    let sales = pipeline(&director, "Sales", &["lead", "offer"]).await;
    let deal = opportunity(&director, json!({ "pipeline": sales })).await;
    let stage = |key: &str| json!({ "key": key, "displayName": key });
    let path = format!("/v1/{sales}?updateMask=stages");

    let refusal = director.patch(&path, json!({ "stages": [stage("offer")] })).await.refused();
    assert_eq!(refusal.code, "FAILED_PRECONDITION", "{refusal:?}");
    verb(&director, &name(&deal), "move", json!({ "stage": "offer" })).await;
    let changed = director.patch(&path, json!({ "stages": [stage("check"), stage("offer")] })).await.ok();

    assert_eq!(list(&changed, "stages").len(), 2);
    assert_eq!(director.get(&format!("/v1/{}", name(&deal))).await.ok()["stage"], "offer");
}
