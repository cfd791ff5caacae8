//! JSON over HTTP, end to end.

use std::collections::HashSet;

use serde_json::json;
use trato_platform::telemetry::propagate::trace_id;

use crate::harness::{Edge, send};

#[tokio::test]
async fn a_message_is_answered_as_json() {
    let edge = Edge::start().await;

    let answer = edge.get("/v1/books/7").await;

    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/json");
    let expected = json!({"name": "books/7", "displayName": "Momo", "pageCount": "0", "tags": []});
    assert_eq!(answer.json(), expected);
    assert_eq!(edge.get("/v1/books:bare").await.json()[1]["name"], "books/2");
    let deleted = send(edge.request("DELETE", "/v1/books/7")).await;
    assert_eq!((deleted.status, deleted.text.as_str()), (200, "{}"));
}

#[tokio::test]
async fn a_body_of_chunks_is_taken_like_any_other() {
    let edge = Edge::start().await;
    let chunks = ["{\"string", "Value\": \"a", "é\"}"].map(Ok::<_, std::io::Error>);
    let body = reqwest::Body::wrap_stream(futures::stream::iter(chunks));

    let answer =
        send(edge.request("POST", "/v1/echo").header("content-type", "application/json").body(body)).await;

    assert_eq!((answer.status, answer.json()["stringValue"].as_str()), (200, Some("aé")));
}

#[tokio::test]
async fn errors_of_a_service_keep_their_details() {
    let edge = Edge::start().await;

    let missing = edge.get("/v1/books/missing").await;

    assert_eq!(missing.error(), (404, "NOT_FOUND".to_owned(), "BOOK_NOT_FOUND".to_owned()));
    assert_eq!(missing.json()["error"]["message"], "no «book» for you");
    assert_eq!(missing.detail("ErrorInfo")["metadata"], json!({"name": "books/missing"}));
    assert_eq!(missing.detail("ResourceInfo")["description"], "it was never bought");

    let busy = edge.get("/v1/books/busy").await;
    assert_eq!((busy.status, &busy.headers["retry-after"]), (429, &"7".parse().expect("a header")));
    assert_eq!(busy.detail("RetryInfo")["retryDelay"], "6.500s");
}

#[tokio::test]
async fn unknown_fields_doubled_keys_and_deep_bodies_are_refused_by_name() {
    let edge = Edge::start().await;

    let unknown = edge.post("/v1/books?validateOnly=true", r#"{"displayNam": "x", "pages": 1}"#).await;
    assert_eq!(unknown.error(), (400, "INVALID_ARGUMENT".to_owned(), "INVALID_FIELD".to_owned()));
    let violations = &unknown.detail("BadRequest")["fieldViolations"];
    assert_eq!(violations[0]["field"], "book.displayNam");
    assert_eq!(violations[0]["reason"], "UNKNOWN_FIELD");
    assert_eq!(violations[1]["field"], "book.pages");

    let doubled = edge.post("/v1/books", r#"{"displayName": "x", "display_name": "y"}"#).await;
    assert_eq!(doubled.detail("BadRequest")["fieldViolations"][0]["reason"], "DUPLICATE_FIELD");

    let deep = edge.post("/v1/echo", r#"{"nested":"#.repeat(10_000) + "1" + &"}".repeat(10_000)).await;
    assert_eq!(deep.error(), (400, "INVALID_ARGUMENT".to_owned(), "JSON_TOO_DEEP".to_owned()));

    let parameter = edge.get("/v1/books?pageSize=2&order=x").await;
    assert_eq!(parameter.detail("BadRequest")["fieldViolations"][0]["field"], "order");
    assert_eq!(edge.upstream.seen.calls(), 0, "nothing of this reaches the service");
}

#[tokio::test]
async fn a_key_in_the_header_becomes_the_request_id() {
    let edge = Edge::start().await;
    let id = "0b0f1f9e-8f4c-4c55-9b1e-1a2b3c4d5e6f";
    let create = |key| {
        edge.request("POST", "/v1/books").header("idempotency-key", key).json(&json!({"displayName": "x"}))
    };

    assert_eq!(send(create(id)).await.json()["tags"], json!([id]));
    let wrong = send(create("again")).await;
    assert_eq!(wrong.detail("BadRequest")["fieldViolations"][0]["reason"], "INVALID_REQUEST_ID");
}

#[tokio::test]
async fn every_answer_names_its_request_and_errors_do_as_well() {
    let edge = Edge::start().await;

    let given = send(edge.request("GET", "/v1/books/missing").header("x-request-id", "r-7")).await;
    assert_eq!(given.headers["x-request-id"], "r-7");
    assert_eq!(edge.upstream.seen.header("x-request-id").as_deref(), Some("r-7"));
    let own = edge.get("/v1/nowhere").await;
    assert_eq!(own.headers["x-request-id"], own.detail("RequestInfo")["requestId"].as_str().expect("an id"));
    assert_eq!(own.error(), (404, "NOT_FOUND".to_owned(), "ROUTE_NOT_FOUND".to_owned()));
    assert_eq!(own.detail("ErrorInfo")["domain"], "gateway.trato");
}

#[tokio::test]
async fn a_body_of_another_kind_is_refused() {
    let edge = Edge::start().await;
    let post = |kind: &str| edge.request("POST", "/v1/echo").header("content-type", kind).body("{}");

    assert_eq!(send(post("application/json; charset=utf-8")).await.status, 200);
    assert_eq!(send(post("text/plain")).await.error().2, "UNSUPPORTED_CONTENT_TYPE");
    assert_eq!(send(post("application/json").header("content-encoding", "gzip")).await.error().0, 415);
}

/// CRD-08: a request that brings no trace that can be read begins one, although nothing is recorded here.
#[tokio::test]
async fn a_request_without_a_trace_begins_one() {
    let edge = Edge::start().await;
    let traceparent = async |brought: Option<&str>| {
        let request = edge.request("GET", "/v1/books/7");
        let request = match brought {
            Some(brought) => request.header("traceparent", brought),
            None => request,
        };
        send(request).await;
        edge.upstream.seen.header("traceparent").expect("a trace")
    };

    let sent = [traceparent(None).await, traceparent(None).await, traceparent(Some("00-0-0-01")).await];

    let traces: HashSet<&str> = sent.iter().map(|sent| trace_id(sent).expect("a valid one")).collect();
    assert_eq!(traces.len(), 3, "{sent:?}");
}

#[tokio::test]
async fn only_listed_headers_and_what_is_left_of_the_deadline_reach_the_service() {
    let edge = Edge::start().await;
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request =
        edge.request("GET", "/v1/books/7").header("traceparent", traceparent).header("x-tenant", "other");

    send(request.header("x-trato-timeout-ms", "5000").header("cookie", "a=b")).await;

    let seen = &edge.upstream.seen;
    assert_eq!(seen.header("authorization"), Some(format!("Bearer {}", edge.token)));
    assert_eq!(seen.header("traceparent").as_deref(), Some(traceparent));
    assert!(seen.header("x-tenant").is_none() && seen.header("cookie").is_none());
    let left: u64 =
        seen.header("grpc-timeout").and_then(|text| text.strip_suffix('m')?.parse().ok()).expect("a timeout");
    assert!((1..=5000).contains(&left), "{left}");
}
