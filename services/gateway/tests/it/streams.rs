//! Streams as lines and as events: whole, broken off, resumed, slow, abandoned.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use futures::StreamExt;
use serde_json::{Value, json};

use crate::harness::{Edge, PATIENCE, eventually, send};

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[tokio::test]
async fn a_stream_is_a_line_for_each_message() {
    let edge = Edge::start().await;

    let answer = edge.get("/v1/books:watch?limit=3").await;

    assert_eq!(
        (answer.status, &answer.headers["content-type"]),
        (200, &"application/x-ndjson".parse().expect("a header"))
    );
    assert_eq!(lines(&answer.text)[2], json!({"result": {"what": "lent 3", "cursor": "c3"}}));
    assert_eq!(lines(&answer.text).len(), 3);
}

#[tokio::test]
async fn a_stream_that_fails_says_so_in_its_last_line() {
    let edge = Edge::start().await;

    let answer = edge.get("/v1/books:watch?limit=-2").await;

    let lines = lines(&answer.text);
    assert_eq!((answer.status, lines.len()), (200, 3));
    assert_eq!(lines[2]["error"]["status"], "ABORTED");
    assert_eq!(lines[2]["error"]["code"], 409);
}

#[tokio::test]
async fn a_stream_refused_from_the_start_has_a_status_of_its_own() {
    let edge = Edge::start().await;

    let answer =
        send(edge.request("GET", "/v1/books:watch?cursor=forged").header("accept", "text/event-stream"))
            .await;

    assert_eq!(answer.error(), (400, "INVALID_ARGUMENT".to_owned(), "BAD_CURSOR".to_owned()));
}

#[tokio::test]
async fn events_carry_their_cursor_and_a_browser_goes_on_behind_the_last_one() {
    let edge = Edge::start().await;
    let watch = |path: &str| edge.request("GET", path).header("accept", "text/event-stream");

    let first = send(watch("/v1/books:watch?limit=2")).await;
    assert_eq!(first.headers["content-type"], "text/event-stream");
    assert_eq!(first.headers["cache-control"], "no-store");
    let events: Vec<_> = first.text.split("\n\n").filter(|event| event.starts_with("id:")).collect();
    assert_eq!(
        events,
        [
            "id: c1\ndata: {\"what\":\"lent 1\",\"cursor\":\"c1\"}",
            "id: c2\ndata: {\"what\":\"lent 2\",\"cursor\":\"c2\"}"
        ]
    );

    let second = send(watch("/v1/books:watch?limit=1").header("last-event-id", "c2")).await;
    assert!(second.text.contains("id: c3\n"), "{}", second.text);
    let failed = send(watch("/v1/books:watch?limit=-1")).await;
    assert!(
        failed.text.ends_with("\n\n") && failed.text.contains("event: error\ndata: {\"error\":{\"code\":409"),
        "{}",
        failed.text
    );
}

#[tokio::test]
async fn a_quiet_stream_of_events_is_kept_open_by_comments() {
    let edge = Edge::with(&[("TRATO_GATEWAY__HEARTBEAT_SECONDS", "1")]).await;
    let request = edge.request("GET", "/v1/books:watch?cursor=quiet").header("accept", "text/event-stream");

    let mut body = request.send().await.expect("an answer").bytes_stream();
    for _ in 0..2 {
        let comment = tokio::time::timeout(PATIENCE, body.next()).await.expect("in time");
        assert_eq!(comment.expect("a chunk").expect("no error"), ":\n\n");
    }
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_the_stream() {
    let edge = Edge::start().await;
    for accept in ["application/x-ndjson", "text/event-stream"] {
        let request = edge.request("GET", "/v1/books:watch?cursor=quiet").header("accept", accept);
        let response = request.send().await.expect("an answer");
        eventually("the stream", || edge.upstream.seen.open_streams.load(SeqCst) == 1).await;

        drop(response);

        eventually("the cancellation", || edge.upstream.seen.open_streams.load(SeqCst) == 0).await;
    }
}

#[tokio::test]
async fn a_slow_client_slows_the_service_down() {
    let edge = Edge::start().await;
    let response = edge.request("GET", "/v1/books:watch?filling=10000").send().await.expect("an answer");
    let sent = || edge.upstream.seen.sent.load(SeqCst);

    // It runs ahead as far as windows and socket buffers let it, and then waits for the reader.
    let mut settled = (0, 0);
    eventually("a pause", || {
        let now = sent();
        settled = if now == settled.0 && now > 0 { (now, settled.1 + 1) } else { (now, 0) };
        settled.1 > 60
    })
    .await;
    let ahead = sent();
    assert!(ahead < 4000, "{ahead} messages of 10 kB were taken in although nobody reads");

    let mut body = response.bytes_stream();
    let mut read = 0;
    while read < 20_000_000 {
        read += body.next().await.expect("more").expect("no error").len();
    }
    eventually("going on", || sent() > ahead).await;
}

#[tokio::test]
async fn a_deadline_ends_a_stream_only_when_the_client_asks_for_one() {
    let edge = Edge::with(&[("TRATO_SERVER__REQUEST_TIMEOUT_SECONDS", "1")]).await;
    let watch = || edge.request("GET", "/v1/books:watch?cursor=quiet");

    let ended = send(watch().header("x-trato-timeout-ms", "300")).await;
    assert_eq!(lines(&ended.text)[0]["error"]["status"], "DEADLINE_EXCEEDED");

    let open = tokio::time::timeout(Duration::from_millis(1500), send(watch())).await;
    assert!(open.is_err(), "the server's own timeout is for calls");
}
