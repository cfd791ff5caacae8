//! Stopping without losing what is in hand, and a service that is slow, broken, down or back again.

use std::sync::atomic::Ordering::SeqCst;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use crate::{
    harness::{Edge, PATIENCE, eventually, send},
    upstream::Upstream,
};

#[tokio::test]
async fn a_stop_finishes_calls_in_hand_ends_streams_and_says_goaway() {
    let edge = Edge::start().await;
    let stream = TcpStream::connect(edge.running.address).await.expect("a connection");
    let (sender, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    let connection = tokio::spawn(connection);
    let mut sender = sender.ready().await.expect("a stream");
    let get =
        Request::get(edge.url("/v1/books/late")).header("authorization", format!("Bearer {}", edge.token));
    let (late, _) = sender.send_request(get.body(()).expect("a request"), true).expect("sent");
    let watching = tokio::spawn(send(edge.request("GET", "/v1/books:watch?cursor=quiet")));
    let seen = edge.upstream.seen.clone();
    eventually("both", || seen.waiting.load(SeqCst) == 1 && seen.open_streams.load(SeqCst) == 1).await;

    let address = edge.running.address;
    let stopping = tokio::spawn(edge.running.stop());

    let watched = watching.await.expect("no panic");
    let last: Value = serde_json::from_str(watched.text.lines().last().expect("a line")).expect("JSON");
    assert_eq!(last["error"]["status"], "UNAVAILABLE");
    assert_eq!(last["error"]["details"][0]["reason"], "SHUTTING_DOWN");
    let late = late.await.expect("it is finished");
    assert_eq!(late.status(), 200);
    let mut body = late.into_body();
    let mut text = Vec::new();
    while let Some(chunk) = body.data().await {
        text.extend_from_slice(&chunk.expect("data"));
    }
    assert!(String::from_utf8_lossy(&text).contains("books/late"));
    // GOAWAY: the connection takes no more requests and ends without an error.
    assert!(connection.await.expect("no panic").is_ok());
    assert!(sender.ready().await.is_err());
    stopping.await.expect("no panic").expect("stopped in order");
    assert!(TcpStream::connect(address).await.is_err(), "nothing is accepted any more");
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let edge = Edge::with(&[("TRATO_SERVER__DRAIN_SECONDS", "1")]).await;
    let slow = tokio::spawn(edge.request("GET", "/v1/books/slow").send());
    eventually("the call", || edge.upstream.seen.waiting.load(SeqCst) == 1).await;

    let stopped = tokio::time::timeout(PATIENCE, edge.running.stop()).await;

    assert!(matches!(stopped, Ok(Ok(()))));
    assert!(slow.await.expect("no panic").is_err());
}

#[tokio::test]
async fn a_call_ends_at_its_deadline_and_is_cancelled_behind_us() {
    let edge = Edge::start().await;

    let late = send(edge.request("GET", "/v1/books/slow").header("x-trato-timeout-ms", "200")).await;

    assert_eq!(late.error(), (504, "DEADLINE_EXCEEDED".to_owned(), "DEADLINE_EXCEEDED".to_owned()));
    eventually("the cancellation", || edge.upstream.seen.waiting.load(SeqCst) == 0).await;
    let wrong = send(edge.request("GET", "/v1/books/7").header("x-trato-timeout-ms", "soon")).await;
    assert_eq!(wrong.detail("BadRequest")["fieldViolations"][0]["field"], "x-trato-timeout-ms");
}

#[tokio::test]
async fn the_servers_own_timeout_bounds_what_a_client_asks_for() {
    let edge = Edge::with(&[("TRATO_SERVER__REQUEST_TIMEOUT_SECONDS", "1")]).await;

    let late = send(edge.request("GET", "/v1/books/slow").header("x-trato-timeout-ms", "60000")).await;

    assert_eq!(late.status, 504);
}

#[tokio::test]
async fn a_call_that_may_be_repeated_is_repeated_while_the_service_is_unavailable() {
    let edge = Edge::start().await;

    let flaky = edge.get("/v1/books/flaky").await;

    assert_eq!(flaky.status, 200);
    assert_eq!(edge.upstream.seen.calls(), 3);
}

#[tokio::test]
async fn what_the_service_itself_says_is_passed_on_and_not_tried_again() {
    let edge = Edge::start().await;

    let closed = edge.get("/v1/books/closed").await;

    assert_eq!(closed.error(), (503, "UNAVAILABLE".to_owned(), "CLOSED".to_owned()));
    assert_eq!(edge.upstream.seen.calls(), 1);
}

/// F13: a service that turns calls away is spared some of them, until it takes calls again.
#[tokio::test]
async fn what_a_service_would_turn_away_is_turned_away_before_it_gets_there() {
    let edge = Edge::start().await;
    let (mut sent, mut reached) = (0, 0);

    while sent == reached {
        assert!(sent < 5000, "all of {sent} calls reached the service");
        let full = futures::future::join_all((0..50).map(|_| edge.get("/v1/books/full"))).await;
        for refused in full {
            let (status, _, reason) = refused.error();
            assert_eq!((status, reason.as_str()), (429, "TOO_MANY_CALLS"));
            sent += 1;
        }
        reached = edge.upstream.seen.calls();
    }

    let begun = std::time::Instant::now();
    while edge.get("/v1/books/7").await.status != 200 {
        assert!(begun.elapsed() < PATIENCE, "the service is never called again");
    }
}

#[tokio::test]
async fn a_call_whose_answer_broke_off_is_repeated_only_when_that_is_safe() {
    let edge = Edge::start().await;

    let get = edge.get("/v1/books/panic").await;
    assert_eq!(get.error(), (503, "UNAVAILABLE".to_owned(), "UPSTREAM_UNAVAILABLE".to_owned()));
    assert_eq!(edge.upstream.seen.calls(), 3);
}

#[tokio::test]
async fn a_service_that_is_down_is_unavailable_at_once_and_back_when_it_is_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    drop(listener);
    let mut upstream = Upstream::start().await;
    let real = upstream.address.clone();
    upstream.address = format!("http://127.0.0.1:{port}").parse().expect("an address");
    let edge = Edge::in_front_of(upstream, &[]).await;

    let started = std::time::Instant::now();
    let down = edge.post("/v1/books", json!({"displayName": "x"}).to_string()).await;
    assert_eq!(down.error(), (503, "UNAVAILABLE".to_owned(), "UPSTREAM_UNAVAILABLE".to_owned()));
    assert_eq!(down.detail("ErrorInfo")["metadata"]["upstream"], "example.library");
    assert!(down.headers.contains_key("retry-after") && started.elapsed() < PATIENCE);

    // The same port again: a small forwarder to the real one.
    let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free again");
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server =
                TcpStream::connect(real.authority().expect("an address").as_str()).await.expect("it is up");
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
        }
    });
    assert_eq!(edge.get("/v1/books/7").await.status, 200);
}

#[tokio::test]
async fn a_method_without_an_address_is_unavailable() {
    let edge = Edge::with(&[("TRATO_UPSTREAMS", r#"{ "other" = "http://127.0.0.1:1" }"#)]).await;

    assert_eq!(edge.get("/v1/books/7").await.error().2, "UPSTREAM_NOT_CONFIGURED");
}

#[tokio::test]
async fn resets_in_a_row_close_the_connection_and_nothing_else() {
    let edge = Edge::start().await;
    let stream = TcpStream::connect(edge.running.address).await.expect("a connection");
    let (sender, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    let ended = tokio::spawn(connection);
    let mut sender = sender;
    for _ in 0..3000 {
        let Ok(ready) = sender.clone().ready().await else { break };
        sender = ready;
        let request = Request::post(edge.url("/v1/echo")).body(()).expect("a request");
        let Ok((_, mut stream)) = sender.send_request(request, false) else { break };
        let _ = stream.send_data(Bytes::from_static(b"{"), false);
        stream.send_reset(h2::Reason::CANCEL);
    }
    drop(sender);

    assert_eq!(edge.get("/v1/books/7").await.status, 200);
    ended.abort();
}

#[tokio::test]
async fn probes_follow_the_gateways_life() {
    let edge = Edge::start().await;
    let probe = reqwest::get(format!("http://{}/readyz", edge.running.admin_address));

    assert_eq!(probe.await.expect("an answer").status(), 200);
}
