//! What a method does not know is refused by name, never passed over.

use serde_json::json;

use super::{samples::World, transcode};
use crate::harness::{dynamic::methods, tenant::Tenant};

#[tokio::test]
async fn every_method_names_an_unknown_field_of_its_json_and_of_its_query() {
    let tenant = Tenant::fresh();
    let world = World::make(&tenant).await;
    for method in methods() {
        let request = world.sample(&method).await.request;
        let call = transcode::call(&method, &request);

        let mut asked = call.clone();
        asked.query.push(("colour".to_owned(), "red".to_owned()));
        let refusal = asked.send(&world.keeper).await.refused();
        assert_eq!(refusal.code, "INVALID_ARGUMENT", "{}", method.full_name());
        assert!(
            refusal.violations.iter().any(|(field, _)| field == "colour"),
            "{}: {refusal:?}",
            method.full_name()
        );

        if let Some(body) = &call.body {
            let mut asked = call.clone();
            let mut body = body.clone();
            body["colour"] = json!("red");
            asked.body = Some(body);
            let refusal = asked.send(&world.keeper).await.refused();
            assert_eq!(refusal.code, "INVALID_ARGUMENT", "{}", method.full_name());
            let named =
                refusal.violations.iter().any(|(field, _)| field.rsplit('.').next() == Some("colour"));
            assert!(named, "{}: {refusal:?}", method.full_name());
        }
    }
}

#[tokio::test]
async fn an_unknown_path_of_a_mask_is_named() {
    let tenant = Tenant::fresh();
    let world = World::make(&tenant).await;
    let path = format!("/v1/{}?updateMask=displayName,colour", world.account);
    let refusal = world.keeper.patch(&path, json!({ "displayName": "Acme" })).await.refused();
    assert_eq!(refusal.code, "INVALID_ARGUMENT");
    assert_eq!(refusal.violations, [("update_mask".to_owned(), "UNKNOWN_FIELD".to_owned())]);
}
