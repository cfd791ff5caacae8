//! Every method that writes is safe to repeat, and says so when a request id is used for something else.

use serde_json::json;
use uuid::Uuid;

use super::{options::is_read, samples::World, transcode};
use crate::harness::{
    answer::Refusal,
    dynamic::{self, methods},
    tenant::Tenant,
};

/// CRD-03: a repeated request is done once and answered with the same bytes; another one under its id is refused.
#[tokio::test]
async fn every_writing_method_answers_a_repeated_request_byte_for_byte_and_refuses_a_reused_id() {
    let tenant = Tenant::fresh();
    let world = World::make(&tenant).await;
    for method in methods().iter().filter(|method| !is_read(method)) {
        let id = json!(Uuid::new_v4());
        let (mut request, mut other) =
            (world.sample(method).await.request, world.sample(method).await.request);
        request["requestId"] = id.clone();
        other["requestId"] = id;

        let first = transcode::send(&world.keeper, method, &request).await;
        let again = transcode::send(&world.keeper, method, &request).await;
        let reused = transcode::send(&world.keeper, method, &other).await;

        assert_eq!(first.status, 200, "{}: {}", method.full_name(), first.text());
        assert_eq!(first.text(), again.text(), "{} answered the second time otherwise", method.full_name());
        let refusal = reused.refused_as("REQUEST_ID_REUSED");
        assert_eq!(refusal.code, "INVALID_ARGUMENT", "{}", method.full_name());
        let grpc = world.keeper.unary(method, &other).await.expect_err(method.full_name());
        assert_eq!(Refusal::of(&grpc), refusal, "{}", method.full_name());
    }
}

/// CRD-03: what was only tried leaves nothing behind, and its id is free.
#[tokio::test]
async fn every_writing_method_can_be_tried_without_effect() {
    let tenant = Tenant::fresh();
    let world = World::make(&tenant).await;
    for method in methods().iter().filter(|method| !is_read(method)) {
        let mut request = world.sample(method).await.request;
        request["requestId"] = json!(Uuid::new_v4());
        let target = request["name"].as_str().map(str::to_owned);
        let before = match &target {
            Some(name) => Some(world.keeper.get(&format!("/v1/{name}")).await.ok()),
            None => None,
        };
        request["validateOnly"] = json!(true);
        transcode::send(&world.keeper, method, &request).await.ok();
        if let (Some(name), Some(before)) = (&target, before) {
            let after = world.keeper.get(&format!("/v1/{name}")).await.ok();
            assert_eq!(before, after, "{} changed something though it was only tried", method.full_name());
        }
        request["validateOnly"] = json!(false);
        let done = transcode::send(&world.keeper, method, &request).await;
        assert_eq!(done.status, 200, "{} could only be tried: {}", method.full_name(), done.text());
    }
}

/// CRD-03: a request id that is no UUID is refused before anything is done.
#[tokio::test]
async fn every_writing_method_refuses_a_request_id_that_is_no_uuid() {
    let tenant = Tenant::fresh();
    let world = World::make(&tenant).await;
    for method in methods().iter().filter(|method| !is_read(method)) {
        let mut request = world.sample(method).await.request;
        request["requestId"] = json!("again");
        let message = dynamic::message(&method.input(), &request);
        let refused = dynamic::unary(tenant.channel(), Some(world.keeper.token()), method, message).await;
        let refusal = Refusal::of(&refused.expect_err(method.full_name()));
        assert_eq!(
            refusal.violations,
            [("request_id".to_owned(), "INVALID_REQUEST_ID".to_owned())],
            "{}",
            method.full_name()
        );
    }
}
