//! A call on its way through the server: limits, deadline, token, permission.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::testing::*;
use crate::{auth::testing::ACME, barred::Lists, telemetry::propagate::trace_id};

fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    let info = details.error_info().expect("every status has an ErrorInfo");
    assert_eq!(info.domain, "test.trato");
    assert!(details.request_info().is_some_and(|request| !request.request_id.is_empty()));
    info.reason.clone()
}

/// PLT-12: a call reaches its handler with tenant, actor and scope of its token, and teams only when they matter.
#[tokio::test]
async fn a_permitted_call_brings_its_context() {
    let server = TestServer::start().await;
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let context = async |roles: &[&str]| -> Value {
        let mut request = server.request(roles, "context");
        request.metadata_mut().insert("traceparent", traceparent.parse().expect("a header"));
        let text = unary(server.channel().await, "GetEcho", request).await.expect("an answer");
        serde_json::from_str(&text).expect("JSON")
    };

    let (anybody, teammate, boss) =
        (context(&[]).await, context(&["teammate"]).await, context(&["boss"]).await);

    assert_eq!(anybody["tenant"], json!(ACME));
    assert_eq!(anybody["actor"], "members/ana");
    assert_eq!(anybody["method"], "trato.test.v1.EchoService/GetEcho");
    assert_eq!(anybody["traceparent"], traceparent, "passed on although nothing is recorded here");
    assert_eq!((&anybody["scope"], &anybody["teams"]), (&json!("OWN"), &json!([])));
    assert_eq!((&teammate["scope"], &teammate["teams"]), (&json!("TEAM"), &json!([TEAM])));
    assert_eq!((&boss["scope"], &boss["teams"]), (&json!("ALL"), &json!([])));
}

/// CRD-08: a call that brings no trace begins one of its own, although nothing is recorded here.
#[tokio::test]
async fn a_call_without_a_trace_begins_one() {
    let server = TestServer::start().await;
    let traceparent = async || {
        let text = server.call("GetEcho", &[], "context").await.expect("an answer");
        let context: Value = serde_json::from_str(&text).expect("JSON");
        context["traceparent"].as_str().expect("a trace").to_owned()
    };

    let (one, other) = (traceparent().await, traceparent().await);

    assert_ne!(trace_id(&one).expect("a valid one"), trace_id(&other).expect("a valid one"));
}

/// PLT-12: without a good token nothing is served, without the permission the method is not.
#[tokio::test]
async fn a_call_needs_a_token_and_the_permission() {
    let server = TestServer::start().await;
    let channel = server.channel().await;

    let nobody =
        unary(channel.clone(), "GetEcho", tonic::Request::new(Text::new("x"))).await.expect_err("no token");
    let mut request = tonic::Request::new(Text::new("x"));
    request.metadata_mut().insert("authorization", "Bearer forged".parse().expect("a header"));
    request.metadata_mut().insert("x-request-id", "r-1".parse().expect("a header"));
    let forged = unary(channel, "GetEcho", request).await.expect_err("a forged token");
    let stranger = server.call("Echo", &["stranger"], "x").await.expect_err("no permission");

    for status in [&nobody, &forged] {
        assert_eq!((status.code(), reason(status).as_str()), (Code::Unauthenticated, "INVALID_TOKEN"));
    }
    assert_eq!(nobody.message(), forged.message());
    assert_eq!(forged.get_error_details().request_info().expect("sent").request_id, "r-1");
    assert_eq!((stranger.code(), reason(&stranger).as_str()), (Code::PermissionDenied, "PERMISSION_MISSING"));
    assert_eq!(
        stranger.get_error_details().error_info().expect("info").metadata["permission"],
        "test.echoes.create"
    );
}

#[tokio::test]
async fn roles_are_reported_once_for_each_token() {
    let server = TestServer::start().await;
    let channel = server.channel().await;
    let token = server.request(&["boss"], "x");
    for _ in 0..3 {
        let mut request = tonic::Request::new(Text::new("x"));
        *request.metadata_mut() = token.metadata().clone();
        unary(channel.clone(), "Echo", request).await.expect("an answer");
    }

    assert_eq!(*server.teams.0.lock().expect("not poisoned"), ["ana"]);
}

#[tokio::test]
async fn health_and_reflection_need_no_token_and_nothing_else_is_open() {
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    let server = TestServer::start().await;
    let mut health = HealthClient::new(server.channel().await);
    let mut check = async || {
        let request = HealthCheckRequest { service: "trato.test.v1.EchoService".to_owned() };
        health.check(request).await.expect("an answer").into_inner().status()
    };
    use tonic_health::pb::health_check_response::ServingStatus;

    assert_eq!(check().await, ServingStatus::NotServing);
    server.readiness.started();
    soon(async { while check().await != ServingStatus::Serving {} }).await;

    use tonic_reflection::pb::v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest,
    };
    let request = ServerReflectionRequest {
        message_request: Some(MessageRequest::FileContainingSymbol("trato.test.v1.EchoService".to_owned())),
        ..Default::default()
    };
    let mut reflection = ServerReflectionClient::new(server.channel().await);
    let answers = reflection.server_reflection_info(futures::stream::iter([request])).await;
    assert!(answers.expect("an answer").into_inner().message().await.expect("an answer").is_some());

    let unknown = server.call("Undescribed", &["boss"], "x").await.expect_err("not in the contract");
    assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::Unimplemented, "METHOD_NOT_SERVED"));
}

/// I2: a message beyond the limit is refused by its announced length; what is no message is the caller's fault.
#[tokio::test]
async fn messages_are_bounded_and_must_be_messages() {
    let server = TestServer::start_with(|settings| settings.max_message_bytes = 2048).await;

    assert!(server.call("Echo", &["boss"], &"x".repeat(2045)).await.is_ok());
    let large = server.call("Echo", &["boss"], &"x".repeat(2046)).await.expect_err("one byte more");
    assert_eq!((large.code(), reason(&large).as_str()), (Code::ResourceExhausted, "MESSAGE_TOO_LARGE"));

    let client = reqwest::Client::builder().http2_prior_knowledge().no_proxy().build().expect("a client");
    let post = async |content_type: &str, body: &'static [u8]| {
        let token = server.issuer.token(json!({ "roles": ["boss"] }));
        let request =
            client.post(format!("{}/trato.test.v1.EchoService/Echo", server.url)).bearer_auth(token);
        request.header("content-type", content_type).body(body).send().await.expect("an answer")
    };
    for malformed in
        [&b"\0\0\0\0\x02\x0a\xff"[..], b"\0\0\0\0\x03\x0a\x01\xff", b"\x07\0\0\0\0", b"\0\0", b""]
    {
        let answer = post("application/grpc", malformed).await;
        assert_eq!(answer.headers()["grpc-status"], "3", "{malformed:?}");
        let status = Status::from_header_map(answer.headers()).expect("a status");
        assert_eq!(reason(&status), "MALFORMED_MESSAGE", "{malformed:?}");
    }
    let compressed = async {
        let token = server.issuer.token(json!({ "roles": ["boss"] }));
        let request =
            client.post(format!("{}/trato.test.v1.EchoService/Echo", server.url)).bearer_auth(token);
        let request = request.header("content-type", "application/grpc").header("grpc-encoding", "gzip");
        request.body(&b"\x01\0\0\0\0"[..]).send().await.expect("an answer")
    };
    let status = Status::from_header_map(compressed.await.headers()).expect("a status");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unimplemented, "ENCODING_NOT_SUPPORTED"));
    let long = client.post(&server.url).header("x-long", "x".repeat(64 * 1024)).send().await;
    assert!(long.is_err() || long.is_ok_and(|answer| answer.status() == 431), "a bounded header list");
    assert_eq!(post("application/json", b"{}").await.status(), 415);
    let get = client.get(&server.url).send().await.expect("an answer");
    assert_eq!(get.status(), 405);
}

#[tokio::test]
async fn a_deadline_is_honoured_and_bounded() {
    let server = TestServer::start_with(|settings| settings.request_timeout_seconds = 2).await;
    let channel = server.channel().await;
    let left = async |timeout: Option<&str>| {
        let mut request = server.request(&["boss"], "context");
        if let Some(timeout) = timeout {
            request.metadata_mut().insert("grpc-timeout", timeout.parse().expect("a header"));
        }
        let text = unary(channel.clone(), "Echo", request).await.expect("an answer");
        serde_json::from_str::<Value>(&text).expect("JSON")["left_ms"].as_u64().expect("a number")
    };

    assert!((1000..=2000).contains(&left(None).await), "the default");
    assert!((1000..=2000).contains(&left(Some("1H")).await), "the maximum");
    assert!(left(Some("900m")).await <= 900, "the caller's");

    // Sent by hand, for the client would give up by itself.
    let client = reqwest::Client::builder().http2_prior_knowledge().no_proxy().build().expect("a client");
    let token = server.issuer.token(json!({ "roles": ["boss"] }));
    let request = client.post(format!("{}/trato.test.v1.EchoService/Echo", server.url)).bearer_auth(token);
    let request = request.header("content-type", "application/grpc").header("grpc-timeout", "80m");
    let answer = soon(request.body(&b"\0\0\0\0\x06\x0a\x04hang"[..]).send()).await.expect("an answer");
    let status = Status::from_header_map(answer.headers()).expect("a status");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"));
}

#[tokio::test]
async fn a_full_server_refuses_at_once() {
    let server = TestServer::start_with(|settings| settings.max_concurrency = 1).await;
    let channel = server.channel().await;
    let waiting = tokio::spawn(unary(channel.clone(), "Echo", server.request(&["boss"], "wait")));
    soon(server.echo.waiting.notified()).await;

    let refused =
        soon(unary(channel.clone(), "Echo", server.request(&["boss"], "x"))).await.expect_err("full");
    server.echo.release.notify_one();

    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "TOO_MANY_CALLS"));
    assert!(refused.get_error_details().retry_info().is_some());
    assert_eq!(soon(waiting).await.expect("no panic").expect("an answer"), "wait");
    soon(async { while unary(channel.clone(), "Echo", server.request(&["boss"], "x")).await.is_err() {} })
        .await;
}

#[tokio::test]
async fn a_handler_may_fail_or_panic_and_the_process_lives_on() {
    let server = TestServer::start().await;

    for text in ["panic", "fail"] {
        let status = server.call("Echo", &["boss"], text).await.expect_err(text);
        assert_eq!(
            (status.code(), status.message()),
            (Code::Internal, "an internal error occurred"),
            "{text}"
        );
        assert_eq!(reason(&status), "INTERNAL");
        assert!(!String::from_utf8_lossy(status.details()).contains("hush"));
    }
    assert_eq!(server.call("Echo", &["boss"], "x").await.expect("alive"), "x");
}

#[tokio::test]
async fn streams_end_in_a_status_however_they_end() {
    let server = TestServer::start().await;
    let channel = server.channel().await;
    let watch = async |text: &str, timeout: Option<&str>| {
        let mut request = server.request(&["boss"], text);
        if let Some(timeout) = timeout {
            request.metadata_mut().insert("grpc-timeout", timeout.parse().expect("a header"));
        }
        soon(stream(channel.clone(), request)).await
    };

    let (texts, end) = watch("once", None).await;
    assert_eq!((texts.as_slice(), end.is_none()), (&["once".to_owned()][..], true));
    let (_, failed) = watch("fail", None).await;
    assert_eq!(reason(&failed.expect("a status")), "RESOURCE_NOT_FOUND");
    let (_, panicked) = watch("panic", None).await;
    assert_eq!(panicked.expect("a status").code(), Code::Internal);
    let (texts, late) = watch("forever", Some("100m")).await;
    assert_eq!(texts.len(), 1);
    assert!(
        matches!(late.expect("a status").code(), Code::DeadlineExceeded | Code::Cancelled),
        "client or server"
    );
}

/// PLT-12: a stream does not outlive the token it was opened with.
#[tokio::test]
async fn a_stream_ends_when_its_token_expires() {
    let server = TestServer::start().await;
    let channel = server.channel().await;
    let exp = chrono::Utc::now().timestamp() - 58;
    let mut request = tonic::Request::new(Text::new("forever"));
    let token = format!("Bearer {}", server.issuer.token(json!({ "roles": ["boss"], "exp": exp })));
    request.metadata_mut().insert("authorization", token.parse().expect("a header"));

    let (texts, end) = soon(stream(channel, request)).await;

    let end = end.expect("a status");
    assert_eq!((texts.len(), end.code(), reason(&end).as_str()), (1, Code::Unauthenticated, "INVALID_TOKEN"));
}

/// I4: a token that was good a moment ago is refused like one that never was when it is revoked, and another token of the same
/// caller is as good as before.
#[tokio::test]
async fn a_revoked_token_is_refused_like_a_forged_one() {
    let server = TestServer::start().await;
    let channel = server.channel().await;
    let leaked = server.issuer.token(json!({ "roles": ["boss"] }));
    let with = |token: &str, text: &str| {
        let mut request = tonic::Request::new(Text::new(text));
        let metadata = request.metadata_mut();
        metadata.insert("authorization", format!("Bearer {token}").parse().expect("a header"));
        metadata.insert("x-request-id", "r-1".parse().expect("a header"));
        request
    };
    unary(channel.clone(), "GetEcho", with(&leaked, "x")).await.expect("it is good");
    let marks = server.issuer.verifier().verify(&leaked).await.expect("it is good").marks.clone();

    let revoked = HashMap::from([(marks.token, None)]);
    server.barred.replace(Lists { revoked, ..Lists::default() });

    let refused = unary(channel.clone(), "GetEcho", with(&leaked, "x")).await.expect_err("it is revoked");
    let forged = unary(channel.clone(), "GetEcho", with("forged", "x")).await.expect_err("a forged token");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unauthenticated, "INVALID_TOKEN"));
    assert_eq!((refused.message(), refused.details()), (forged.message(), forged.details()));
    server.call("GetEcho", &["boss"], "x").await.expect("another token of the same caller is good");
}

/// I4: whoever is refused writes nothing, not even what roles the token has; it is noted, once, when the same token is let in.
#[tokio::test]
async fn nothing_is_noted_of_a_caller_while_it_is_barred() {
    let server = TestServer::start().await;
    let channel = server.channel().await;
    let token = format!("Bearer {}", server.issuer.token(json!({ "roles": ["boss"] })));
    let call = async || {
        let mut request = tonic::Request::new(Text::new("x"));
        request.metadata_mut().insert("authorization", token.parse().expect("a header"));
        unary(channel.clone(), "GetEcho", request).await
    };
    let noted = || server.teams.0.lock().expect("not poisoned").clone();

    server.barred.forget();
    let early = call().await.expect_err("nothing is known yet");
    server.barred.replace(Lists { suspended: HashSet::from([ACME]), ..Lists::default() });
    let refused = call().await.expect_err("the tenant is suspended");
    assert_eq!((early.code(), reason(&early).as_str()), (Code::Unavailable, "DATABASE_UNAVAILABLE"));
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "TENANT_SUSPENDED"));
    assert!(noted().is_empty());

    server.barred.replace(Lists::default());
    for _ in 0..2 {
        call().await.expect("it is let in");
    }
    assert_eq!(noted(), ["ana"]);
}

/// Calls that reach a process that has just started wait for what it is about to read, and are not refused.
#[tokio::test]
async fn calls_wait_until_it_is_known_who_is_barred() {
    let server = TestServer::start().await;
    server.barred.forget();

    let early = server.call("GetEcho", &["boss"], "x");
    let (early, ()) = tokio::join!(early, async {
        while !server.barred.is_awaited() {
            tokio::task::yield_now().await;
        }
        server.barred.replace(Lists::default());
    });

    early.expect("nobody is barred");
}

/// I4: a process that does not know yet who is barred lets nobody in; health does not depend on it, and a bad token is one.
#[tokio::test]
async fn nobody_is_let_in_before_it_is_known_who_is_barred() {
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    let server = TestServer::start().await;
    server.barred.forget();
    let mut forged = tonic::Request::new(Text::new("x"));
    forged.metadata_mut().insert("authorization", "Bearer forged".parse().expect("a header"));

    let early = server.call("GetEcho", &["boss"], "x").await.expect_err("nothing is known yet");
    let forged = unary(server.channel().await, "GetEcho", forged).await.expect_err("a forged token");

    assert_eq!((early.code(), reason(&early).as_str()), (Code::Unavailable, "DATABASE_UNAVAILABLE"));
    assert!(early.get_error_details().retry_info().is_some(), "it is to come back");
    assert_eq!(forged.code(), Code::Unauthenticated);
    let request = HealthCheckRequest { service: "trato.test.v1.EchoService".to_owned() };
    HealthClient::new(server.channel().await).check(request).await.expect("it is answered");
    server.barred.replace(Lists::default());
    server.call("GetEcho", &["boss"], "x").await.expect("nobody is barred");
}

#[tokio::test]
async fn stopping_finishes_what_is_in_hand() {
    let server = TestServer::start().await;
    let channel = server.channel().await;
    let waiting = tokio::spawn(unary(channel.clone(), "Echo", server.request(&["boss"], "wait")));
    soon(server.echo.waiting.notified()).await;
    let watching = tokio::spawn(stream(channel, server.request(&["boss"], "forever")));

    server.stop.cancel();

    let (_, end) = soon(watching).await.expect("no panic");
    assert_eq!(reason(&end.expect("streams are told")), "SHUTTING_DOWN");
    server.echo.release.notify_one();
    assert_eq!(soon(waiting).await.expect("no panic").expect("finished"), "wait");
    soon(server.task).await.expect("the server ends in order");
    let refused = tonic::transport::Channel::from_shared(server.url).expect("an address").connect().await;
    assert!(refused.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn what_does_not_finish_in_time_is_cut() {
    let server = TestServer::start_with(|settings| settings.drain_seconds = 0).await;
    let channel = server.channel().await;
    let waiting = tokio::spawn(unary(channel, "Echo", server.request(&["boss"], "wait")));
    soon(server.echo.waiting.notified()).await;

    server.stop.cancel();

    soon(server.task).await.expect("no panic");
    assert!(soon(waiting).await.expect("no panic").is_err());
}
