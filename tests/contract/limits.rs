//! Pages: any size is clamped, a negative one refused, a made-up token named.

use serde_json::json;

use super::{samples::World, transcode};
use crate::harness::{dynamic::methods, tenant::Tenant};

#[tokio::test]
async fn every_list_clamps_an_oversized_page_and_refuses_a_negative_one_and_a_made_up_token() {
    let tenant = Tenant::fresh();
    let world = World::make(&tenant).await;
    let methods = methods();
    let lists = methods.iter().filter(|method| method.input().get_field_by_name("page_size").is_some());
    let mut walked = 0;
    for method in lists {
        walked += 1;
        let mut request = world.sample(method).await.request;
        request["pageSize"] = json!(1_000_000);
        transcode::send(&world.keeper, method, &request).await.ok();

        request["pageSize"] = json!(-1);
        let refusal = transcode::send(&world.keeper, method, &request).await.refused();
        assert_eq!(refusal.code, "INVALID_ARGUMENT", "{}", method.full_name());
        assert_eq!(refusal.violations[0].0, "page_size", "{}: {refusal:?}", method.full_name());

        request["pageSize"] = json!(10);
        for token in ["x", "AAAAAAAA", &"A".repeat(300), "../../etc/passwd", "é"] {
            request["pageToken"] = json!(token);
            let refusal = transcode::send(&world.keeper, method, &request).await.refused();
            assert_eq!(refusal.code, "INVALID_ARGUMENT", "{}", method.full_name());
            assert_eq!(refusal.violations[0].0, "page_token", "{}: {refusal:?}", method.full_name());
        }
    }
    assert!(walked >= 9, "the walk found only {walked} lists");
}

#[tokio::test]
async fn every_batch_refuses_none_and_more_than_a_thousand() {
    let tenant = Tenant::fresh();
    let world = World::make(&tenant).await;
    for method in methods() {
        let field = match method.name() {
            name if name.starts_with("BatchGet") => "names",
            name if name.starts_with("BatchCreate") => "requests",
            "ImportOpportunities" => "items",
            _ => continue,
        };
        let sample = world.sample(&method).await.request[field][0].clone();
        for count in [0, 1001] {
            let request = json!({ field: vec![sample.clone(); count] });
            let refused = world.keeper.unary(&method, &request).await.expect_err(method.full_name());
            let refusal = crate::harness::answer::Refusal::of(&refused);
            assert_eq!(refusal.code, "INVALID_ARGUMENT", "{}", method.full_name());
            let named = refusal.violations[0].0.starts_with(field);
            assert!(named, "{} with {count}: {refusal:?}", method.full_name());
        }
    }
}
