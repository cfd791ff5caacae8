//! Calls to another service: deadlines, credentials, and what its absence is answered with.

use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tonic::{Code, Status};
use trato_types::{Actor, Kind, Scope};

use super::{testing::*, *};

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The context and caller that the server's own stack would give a handler.
async fn behalf(server: &TestServer, left: Duration) -> (trato_types::Context, Caller) {
    let request = server.request(&["boss"], "");
    let token = bearer(request.metadata().as_ref()).expect("a token").to_owned();
    let identity = server.issuer.verifier().verify(&token).await.expect("a good token");
    let cx = trato_types::Context {
        tenant: identity.tenant,
        actor: Actor::Member(Arc::clone(&identity.subject)),
        scope: Scope::All,
        teams: Arc::new([]),
        method: "trato.other.v1.OtherService/Do".into(),
        now: chrono::Utc::now(),
        traceparent: Some(TRACEPARENT.to_owned()),
        cause: None,
    };
    let request_id = Some(HeaderValue::from_static("r-7"));
    let purpose = Some(HeaderValue::from_static("dispute 4711"));
    (cx, Caller { identity, token: token.into(), deadline: Instant::now() + left, request_id, purpose })
}

#[tokio::test]
async fn a_call_carries_token_deadline_trace_request_id_and_purpose() {
    let server = TestServer::start().await;
    let (cx, caller) = behalf(&server, Duration::from_secs(3)).await;
    let upstream = server.upstream(&[&server.url]);

    let request = upstream.request(&cx, &caller, Text::new("context")).expect("time is left");
    let answer = unary(upstream.clone(), "Echo", request).await.expect("an answer");

    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(answer["actor"], "members/ana");
    assert_eq!(answer["traceparent"], TRACEPARENT);
    assert_eq!(answer["headers"]["x-request-id"], "r-7");
    assert_eq!(answer["headers"]["x-purpose"], "dispute 4711");
    assert!((1500..=3000).contains(&answer["left_ms"].as_u64().expect("a number")), "{answer}");
    let late = Caller { deadline: Instant::now(), ..caller };
    let refused = upstream.request(&cx, &late, Text::new("x")).expect_err("nobody waits any more");
    assert_eq!(refused.kind(), Kind::DeadlineExceeded);
}

#[tokio::test]
async fn an_upstream_that_is_down_is_unavailable_and_nothing_worse() {
    let server = TestServer::start().await;
    let (cx, caller) = behalf(&server, Duration::from_secs(3)).await;
    for addresses in [&["http://127.0.0.1:9"][..], &[]] {
        let upstream = server.upstream(addresses);

        let request = upstream.request(&cx, &caller, Text::new("x")).expect("time is left");
        let status = soon(unary(upstream.clone(), "Echo", request)).await.expect_err("nobody is there");
        let error = upstream.error(status);

        assert_eq!((error.kind(), error.reason()), (Kind::Unavailable, "UPSTREAM_UNAVAILABLE"));
        assert!(
            error.retry_delay().is_some()
                && error.metadata().contains(&("upstream", "trato.test".to_owned()))
        );
    }
}

/// A server that takes every call and answers none, nor tells that the time is over; its connections answer pings.
async fn silent() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(stream).await.expect("HTTP/2");
                let mut kept = Vec::new();
                while let Some(Ok(call)) = connection.accept().await {
                    kept.push(call);
                }
            });
        }
    });
    url
}

/// CRD-02: a neighbour that hangs is told of like one that is down, while the caller still waits: by its own word that the time is
/// over, or without any.
#[tokio::test]
async fn an_upstream_that_does_not_answer_is_unavailable_before_the_callers_time_is_over() {
    let server = TestServer::start().await;
    for address in [&silent().await, &server.url] {
        let (cx, caller) = behalf(&server, Duration::from_secs(10)).await;
        let upstream = server.upstream(&[address]);

        let mut request = upstream.request(&cx, &caller, Text::new("hang")).expect("time is left");
        let told = deadline::timeout(request.metadata().as_ref()).expect("the neighbour's time");
        // It is over sooner, so that nobody waits for it here.
        request.set_timeout(Duration::from_millis(200));
        let status = soon(unary(upstream.clone(), "Echo", request)).await.expect_err("nobody answers");
        let is_late = Instant::now() >= caller.deadline;
        let error = upstream.error(status);

        assert!(told <= Duration::from_secs(9), "{told:?}");
        assert_eq!((error.kind(), error.reason()), (Kind::Unavailable, "UPSTREAM_UNAVAILABLE"));
        assert!(error.retry_delay().is_some() && !is_late, "{error:?}");
    }
}

#[tokio::test]
async fn what_an_upstream_answers_is_kept() {
    let server = TestServer::start().await;
    let (cx, mut caller) = behalf(&server, Duration::from_secs(3)).await;
    let upstream = server.upstream(&[&server.url]);
    let error = async |caller: &Caller, method: &str, text: &str| {
        let request = upstream.request(&cx, caller, Text::new(text)).expect("time is left");
        upstream.error(soon(unary(upstream.clone(), method, request)).await.expect_err("refused"))
    };

    assert_eq!(error(&caller, "Echo", "fail").await.kind(), Kind::Internal);
    assert_eq!(error(&caller, "Unknown", "x").await.reason(), "METHOD_NOT_SERVED");
    caller.token = "forged".into();
    assert_eq!(error(&caller, "Echo", "x").await.reason(), "INVALID_TOKEN");
    let busy = upstream.error(Status::new(Code::Unavailable, "the database is gone"));
    assert_eq!(busy.reason(), "UPSTREAM_UNAVAILABLE");
    // The same again would take as long.
    let slow = Error::new(Kind::DeadlineExceeded, "STATEMENT_TIMEOUT", "the statement took too long");
    let slow = upstream.error(to_status(slow));
    assert_eq!((slow.kind(), slow.reason()), (Kind::DeadlineExceeded, "STATEMENT_TIMEOUT"));
    assert!(slow.retry_delay().is_none());
}

#[tokio::test]
async fn an_address_that_refuses_costs_no_call_while_there_are_others() {
    let server = TestServer::start().await;
    let (cx, caller) = behalf(&server, Duration::from_secs(5)).await;
    let upstream = server.upstream(&["http://127.0.0.1:9", &server.url]);

    for _ in 0..20 {
        let request = upstream.request(&cx, &caller, Text::new("x")).expect("time is left");
        // Not an idempotent method; but what was not sent may always be sent elsewhere.
        soon(unary(upstream.clone(), "Echo", request)).await.expect("the other address answers");
    }
}

#[tokio::test]
async fn a_name_leads_to_all_its_addresses() {
    let server = TestServer::start().await;
    let (cx, caller) = behalf(&server, Duration::from_secs(5)).await;
    let by_name = server.url.replace("127.0.0.1", "localhost");
    let upstream = server.upstream(&[&by_name]);

    let request = upstream.request(&cx, &caller, Text::new("x")).expect("time is left");
    soon(unary(upstream, "Echo", request)).await.expect("the one that listens answers");
}
