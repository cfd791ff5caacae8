//! Every method answers alike by gRPC and by JSON, in success and in refusal.

use prost_reflect::MethodDescriptor;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    options::is_read,
    samples::{World, with_random_names},
    transcode,
};
use crate::harness::{
    answer::Refusal,
    dynamic::{self, method, methods},
    eventually::{SOON, eventually},
    stream::{Form, HttpStream},
    tenant::Tenant,
};

/// The time of a figure differs from call to call.
const MOMENTARY: &str = "readTime";

/// Both answers as one message type's canonical JSON, so that the ways of writing it do not matter.
fn canonical(method: &MethodDescriptor, answer: Value) -> Value {
    let mut json = dynamic::json(&dynamic::message(&method.output(), &answer));
    if let Some(fields) = json.as_object_mut() {
        fields.remove(MOMENTARY);
    }
    json
}

/// CRD-05: what is read through the gateway as JSON is what is read as gRPC.
#[tokio::test]
async fn every_reading_method_answers_the_same_by_grpc_and_by_json() {
    let tenant = Tenant::fresh();
    let world = World::make(&tenant).await;
    let methods = methods();
    for method in methods.iter().filter(|method| is_read(method) && !method.is_server_streaming()) {
        let request = world.sample(method).await.request;
        let by_json =
            || async { canonical(method, transcode::send(&world.keeper, method, &request).await.ok()) };
        let by_grpc = || async {
            let answer = world.keeper.unary(method, &request).await;
            canonical(method, dynamic::json(&answer.unwrap_or_else(|status| panic!("{status:?}"))))
        };
        // Consumers may still change what is read; then the answers are of different moments.
        let ask = || async { (by_json().await, by_grpc().await, by_json().await) };
        let is_of_one_moment = |(before, _, after): &(Value, Value, Value)| before == after;
        let (json, grpc, _) = eventually(SOON, "nothing to change", ask, is_of_one_moment).await;
        assert_eq!(json, grpc, "{}", method.full_name());
    }
}

/// CRD-05: what is written by JSON is answered again by gRPC under the same request id, and is the same.
#[tokio::test]
async fn every_writing_method_answers_the_same_by_grpc_and_by_json() {
    let tenant = Tenant::fresh();
    let world = World::make(&tenant).await;
    for method in methods().iter().filter(|method| !is_read(method)) {
        let mut request = world.sample(method).await.request;
        request["requestId"] = json!(Uuid::new_v4());
        let json = transcode::send(&world.keeper, method, &request).await.ok();
        let grpc = world.keeper.unary(method, &request).await;
        let grpc = grpc.unwrap_or_else(|status| panic!("{}: {status:?}", method.full_name()));
        assert_eq!(
            canonical(method, json),
            canonical(method, dynamic::json(&grpc)),
            "{}",
            method.full_name()
        );
    }
}

/// CRD-05: a refusal has the same code, reason, sentence and violations by either way.
#[tokio::test]
async fn every_method_refuses_the_same_by_grpc_and_by_json() {
    let tenant = Tenant::fresh();
    let world = World::make(&tenant).await;
    for method in methods().iter().filter(|method| !method.is_server_streaming()) {
        let mut request = with_random_names(&world.sample(method).await.request);
        if !is_read(method) {
            // What is accepted must be accepted by the second way too.
            request["validateOnly"] = json!(true);
        }
        let json = transcode::send(&world.keeper, method, &request).await;
        let grpc = world.keeper.unary(method, &request).await;
        match grpc {
            Ok(_) => assert_eq!(json.status, 200, "{}: {}", method.full_name(), json.text()),
            Err(status) => assert_eq!(json.refused(), Refusal::of(&status), "{}", method.full_name()),
        }
    }
}

/// CRD-05: a replayed log is the same as lines of JSON, as server-sent events and as a gRPC stream.
#[tokio::test]
async fn streams_carry_the_same_events_in_all_three_forms() {
    let tenant = Tenant::fresh();
    let world = World::make(&tenant).await;
    for service in ["customers", "sales", "billing"] {
        let replay = method(&format!("trato.{service}.v1.EventService.ReplayEvents"));
        let path = format!("/v1/{service}/events:replay");
        // Events are numbered in the background; the streams begin when all are.
        let wanted = if service == "customers" { 4 } else { 3 };
        let grpc = eventually(
            SOON,
            "the events to be numbered",
            || async { world.keeper.collect(&replay, &json!({})).await.unwrap_or_default() },
            |events| events.len() >= wanted,
        )
        .await;
        for form in [Form::Lines, Form::Events] {
            let stream = HttpStream::open(&world.keeper, &path, &[], form).await;
            let messages = stream.until_end(SOON).await;
            let bodies: Vec<_> = messages.iter().map(|one| canonical(&replay, one.body.clone())).collect();
            let expected: Vec<_> = grpc.iter().map(|one| canonical(&replay, one.clone())).collect();
            assert_eq!(bodies, expected, "{form:?} of {service}");
            let cursors: Vec<_> =
                bodies.iter().map(|event| event["cursor"].as_str().unwrap_or_default()).collect();
            if form == Form::Events {
                assert_eq!(messages.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), cursors);
            }
        }
    }
}
