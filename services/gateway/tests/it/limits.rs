//! What is refused before it costs anything, and what HTTP itself asks of a server.

use http::HeaderValue;
use reqwest::RequestBuilder;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{Answer, Edge, PATIENCE, send};

async fn connect(edge: &Edge) -> TcpStream {
    TcpStream::connect(edge.running.address).await.expect("a connection")
}

/// Reads one answer with a length off a connection.
async fn read_answer(stream: &mut TcpStream) -> (String, String) {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
            if body.len() >= length.parse().expect("a length") {
                return (head.to_owned(), body.to_owned());
            }
        }
        assert_ne!(stream.read_buf(&mut bytes).await.expect("bytes"), 0, "the connection ended: {text}");
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_by_its_length_or_while_it_comes() {
    let edge = Edge::with(&[("TRATO_SERVER__MAX_MESSAGE_BYTES", "2048")]).await;
    let body = format!(r#"{{"stringValue": "{}"}}"#, "x".repeat(2048));

    let announced = edge.post("/v1/echo", body.clone()).await;
    assert_eq!(announced.error(), (413, "RESOURCE_EXHAUSTED".to_owned(), "MESSAGE_TOO_LARGE".to_owned()));
    let chunks = body
        .into_bytes()
        .chunks(700)
        .map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec()))
        .collect::<Vec<_>>();
    let stream = reqwest::Body::wrap_stream(futures::stream::iter(chunks));
    let chunked =
        send(edge.request("POST", "/v1/echo").header("content-type", "application/json").body(stream)).await;
    assert_eq!(chunked.error().0, 413);
    assert_eq!(edge.get("/v1/books/7").await.status, 200);
}

#[tokio::test]
async fn a_long_uri_is_refused() {
    let edge = Edge::start().await;

    let long = edge.get(&format!("/v1/books?filter={}", "x".repeat(8192))).await;

    assert_eq!(long.error(), (414, "INVALID_ARGUMENT".to_owned(), "URI_TOO_LONG".to_owned()));
}

#[tokio::test]
async fn large_headers_are_refused() {
    let edge = Edge::start().await;
    let filler = HeaderValue::try_from("x".repeat(64 * 1024)).expect("a header");

    let large = send(edge.request("GET", "/v1/books/7").header("x-filler", filler)).await;

    assert_eq!(large.error(), (431, "INVALID_ARGUMENT".to_owned(), "HEADERS_TOO_LARGE".to_owned()));
}

#[tokio::test]
async fn head_has_the_headers_of_get_and_no_body() {
    let edge = Edge::start().await;

    let get = edge.get("/v1/books/7").await;
    let head = send(edge.request("HEAD", "/v1/books/7")).await;

    assert_eq!((head.status, head.text.as_str()), (200, ""));
    assert_eq!(head.headers["content-length"], get.text.len().to_string().as_str());
    assert_eq!(head.headers["content-type"], "application/json");
    assert_eq!(send(edge.request("HEAD", "/v1/books/missing")).await.status, 404);
}

#[tokio::test]
async fn another_method_is_refused_with_those_that_are_allowed() {
    let edge = Edge::start().await;

    let put = send(edge.request("PUT", "/v1/books/7")).await;

    assert_eq!(put.error(), (405, "UNIMPLEMENTED".to_owned(), "METHOD_NOT_ALLOWED".to_owned()));
    assert_eq!(put.headers["allow"], "DELETE, GET, HEAD, OPTIONS, PATCH");
}

#[tokio::test]
async fn options_says_what_a_path_allows_without_a_token() {
    let edge = Edge::start().await;

    let path = send(edge.anonymous("OPTIONS", "/v1/books/7:lend")).await;
    let grpc = send(edge.anonymous("OPTIONS", "/example.library.v1.LibraryService/GetBook")).await;

    assert_eq!((path.status, &path.headers["allow"]), (204, &HeaderValue::from_static("OPTIONS,POST")));
    assert_eq!(grpc.headers["allow"], "POST,OPTIONS");
    assert_eq!(send(edge.anonymous("OPTIONS", "/v1/nowhere")).await.status, 404);
}

#[tokio::test]
async fn only_pages_of_allowed_origins_may_read_answers() {
    let edge = Edge::with(&[("TRATO_CORS__ALLOWED_ORIGINS", r#"["https://crm.example.com"]"#)]).await;
    let preflight = |origin: &str| {
        let request = edge.anonymous("OPTIONS", "/v1/books").header("origin", origin);
        request
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization")
    };

    let allowed = send(preflight("https://crm.example.com")).await;
    assert_eq!(allowed.status, 204);
    assert_eq!(allowed.headers["access-control-allow-origin"], "https://crm.example.com");
    assert_eq!(allowed.headers["access-control-allow-methods"], "GET,HEAD,OPTIONS,POST");
    assert!(
        allowed.headers["access-control-allow-headers"].to_str().expect("text").contains("idempotency-key")
    );
    assert_eq!(allowed.headers["access-control-max-age"], "3600");
    let other = send(preflight("https://evil.example.com")).await;
    assert!(!other.headers.contains_key("access-control-allow-origin"));
    assert_eq!(other.headers["vary"], "origin");

    let read = send(edge.request("GET", "/v1/books/7").header("origin", "https://crm.example.com")).await;
    assert_eq!(read.headers["access-control-allow-origin"], "https://crm.example.com");
    assert!(read.headers["access-control-expose-headers"].to_str().expect("text").contains("grpc-status"));
}

#[tokio::test]
async fn bad_tokens_are_all_answered_alike() {
    let edge = Edge::start().await;
    let expired = edge.issuer.token(json!({"exp": 1}));
    let foreign = edge.issuer.token(json!({"aud": "other"}));
    let with =
        |token: &str| edge.anonymous("GET", "/v1/books/7").header("authorization", format!("Bearer {token}"));

    let missing = send(edge.anonymous("GET", "/v1/books/7").header("x-request-id", "r")).await;
    assert_eq!(missing.error(), (401, "UNAUTHENTICATED".to_owned(), "INVALID_TOKEN".to_owned()));
    assert_eq!(missing.headers["www-authenticate"], "Bearer");
    for token in [expired.as_str(), foreign.as_str(), "a.b.c", "x"] {
        assert_eq!(send(with(token).header("x-request-id", "r")).await.text, missing.text);
    }
    assert_eq!(edge.upstream.seen.calls(), 0);
}

/// I4: what only the service knows of a token, such as that it is revoked, does not show in its answer.
#[tokio::test]
async fn a_token_that_the_service_refuses_is_answered_like_any_other() {
    let edge = Edge::with(&[("TRATO_GATEWAY__TRUSTED_HOPS", "1")]).await;
    // Each from an address of its own, for how often one has asked does show.
    let ask = async |request: RequestBuilder, address: &str| {
        let mut answer = send(request.header("x-forwarded-for", address).header("x-request-id", "r")).await;
        answer.headers.remove("date");
        (answer.status, answer.headers, answer.text)
    };

    let revoked = ask(edge.request("GET", "/v1/books/revoked"), "192.0.2.1").await;
    let forged = ask(edge.anonymous("GET", "/v1/books/7").bearer_auth("a.b.c"), "192.0.2.2").await;

    assert_eq!(revoked, forged);
    assert_eq!(revoked.0, 401);
    assert!(revoked.1["ratelimit-policy"].to_str().expect("text").starts_with("\"address\""), "{revoked:?}");
}

/// I4: nobody finds out by asking often whether a token was revoked or never good.
#[tokio::test]
async fn a_token_that_the_service_refuses_is_limited_by_address() {
    let edge = Edge::with(&[("TRATO_RATE__PER_ADDRESS", "1"), ("TRATO_RATE__BURST_PER_ADDRESS", "2")]).await;

    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(edge.get("/v1/books/revoked").await);
    }

    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses[..2], [401, 401]);
    let limited = answers.iter().find(|answer| answer.status == 429).expect("one beyond the burst");
    assert_eq!(limited.detail("ErrorInfo")["metadata"]["limit"], "address", "{statuses:?}");
}

#[tokio::test]
async fn a_caller_beyond_its_rate_is_told_when_to_come_back_and_others_are_not_affected() {
    let edge = Edge::with(&[("TRATO_RATE__PER_CALLER", "1"), ("TRATO_RATE__BURST_PER_CALLER", "3")]).await;

    let first = edge.get("/v1/books/7").await;
    assert_eq!(first.headers["ratelimit-policy"], "\"caller\";q=3;w=3, \"tenant\";q=20000;w=2");
    assert_eq!(first.headers["ratelimit"], "\"caller\";r=2;t=0, \"tenant\";r=19999;t=0");
    let mut answers: Vec<Answer> = Vec::new();
    for _ in 0..4 {
        answers.push(edge.get("/v1/books/7").await);
    }
    let refused = answers.iter().find(|answer| answer.status == 429).expect("one beyond the burst");
    assert_eq!(refused.error(), (429, "RESOURCE_EXHAUSTED".to_owned(), "RATE_EXCEEDED".to_owned()));
    assert_eq!(refused.headers["retry-after"], "1");
    assert!(refused.detail("RetryInfo")["retryDelay"].is_string());

    let other = edge.issuer.token(json!({"sub": "ben"}));
    assert_eq!(send(edge.anonymous("GET", "/v1/books/7").bearer_auth(other)).await.status, 200);
}

#[tokio::test]
async fn guessing_tokens_is_limited_by_address() {
    let edge = Edge::with(&[("TRATO_RATE__PER_ADDRESS", "1"), ("TRATO_RATE__BURST_PER_ADDRESS", "2")]).await;

    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(send(edge.anonymous("GET", "/v1/books/7").bearer_auth("a.b.c")).await.status);
    }

    assert_eq!(statuses[..2], [401, 401]);
    assert!(statuses[2..].contains(&429), "{statuses:?}");
    assert_eq!(edge.get("/v1/books/7").await.status, 200, "a good token is counted for its caller");
}

#[tokio::test]
async fn a_full_gateway_says_so_at_once() {
    let edge = Edge::with(&[("TRATO_SERVER__MAX_CONCURRENCY", "1")]).await;

    let slow = tokio::spawn(send(edge.request("GET", "/v1/books/late")));
    crate::harness::eventually("the first call", || edge.upstream.seen.calls() == 1).await;
    let second = edge.get("/v1/books/7").await;

    assert_eq!(second.error(), (429, "RESOURCE_EXHAUSTED".to_owned(), "TOO_MANY_CALLS".to_owned()));
    assert_eq!(slow.await.expect("no panic").status, 200);
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let edge = Edge::start().await;
    let mut stream = connect(&edge).await;
    let request =
        format!("GET /v1/books/7 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", edge.token);

    for _ in 0..3 {
        stream.write_all(request.as_bytes()).await.expect("sent");
        let (head, body) = read_answer(&mut stream).await;
        assert!(head.starts_with("HTTP/1.1 200") && body.contains("Momo"), "{head}");
    }
    // Two at once: answered in order.
    stream.write_all(request.repeat(2).as_bytes()).await.expect("sent");
    let (head, _) = read_answer(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
}

#[tokio::test]
async fn a_head_that_comes_too_slowly_and_a_connection_that_only_waits_are_closed() {
    let edge =
        Edge::with(&[("TRATO_GATEWAY__HEADER_READ_SECONDS", "1"), ("TRATO_GATEWAY__IDLE_SECONDS", "1")])
            .await;
    let mut silent = connect(&edge).await;
    let mut slow = connect(&edge).await;
    slow.write_all(b"GET /v1/books/7 HTTP/1.1\r\nhost: x\r\nx-drip: ").await.expect("sent");
    let mut idle = connect(&edge).await;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    assert!(read_answer(&mut idle).await.1.contains("SERVING"));

    for (name, stream) in [("silent", &mut silent), ("slow", &mut slow), ("idle", &mut idle)] {
        let closed = tokio::time::timeout(PATIENCE, stream.read(&mut [0; 64])).await;
        assert!(matches!(closed, Ok(Ok(0) | Err(_))), "{name}: {closed:?}");
    }
}

#[tokio::test]
async fn pages_need_no_token() {
    let edge = Edge::start().await;
    let page = async |path| send(edge.anonymous("GET", path)).await;

    assert_eq!(page("/healthz").await.json(), json!({"status": "SERVING"}));
    assert_eq!(page("/").await.headers["location"], "/docs");
    let docs = page("/docs").await;
    assert!(docs.headers["content-security-policy"].to_str().expect("text").contains("script-src 'self'"));
    let document = page("/openapi.json").await;
    assert_eq!(document.json()["openapi"], "3.1.0");
    let etag = document.headers["etag"].clone();
    assert_eq!(send(edge.anonymous("GET", "/openapi.json").header("if-none-match", etag)).await.status, 304);
    assert_eq!(send(edge.anonymous("POST", "/docs")).await.status, 405);
}

#[tokio::test]
async fn a_tenant_beyond_its_rate_is_refused_by_json_and_by_grpc_and_told_which_limit_it_was() {
    let own = r#"{ "0192f0c1-0000-7000-8000-000000000001" = { per_tenant = 1, burst_per_tenant = 2 } }"#;
    let edge = Edge::with(&[("TRATO_RATE__TENANTS", own)]).await;
    let as_subject = |subject: &str| {
        let token = edge.issuer.token(json!({ "sub": subject }));
        edge.anonymous("GET", "/v1/books/7").bearer_auth(token)
    };

    assert_eq!(send(as_subject("ana")).await.status, 200);
    assert_eq!(send(as_subject("ben")).await.status, 200);
    let refused = send(as_subject("cem")).await;
    assert_eq!(refused.error(), (429, "RESOURCE_EXHAUSTED".to_owned(), "RATE_EXCEEDED".to_owned()));
    assert_eq!(refused.detail("ErrorInfo")["metadata"]["limit"], "tenant");
    assert_eq!(refused.headers["ratelimit"], "\"caller\";r=4000;t=0, \"tenant\";r=0;t=1");
    let grpc = send(
        edge.request("POST", "/example.library.v1.LibraryService/GetBook")
            .header("content-type", "application/grpc"),
    )
    .await;
    assert_eq!((grpc.status, &grpc.headers["grpc-status"]), (200, &HeaderValue::from_static("8")));
    assert_eq!(grpc.headers["ratelimit-policy"], "\"caller\";q=4000;w=2, \"tenant\";q=2;w=2");
}

#[tokio::test]
async fn a_caller_may_not_hold_more_calls_open_than_its_share() {
    let edge = Edge::with(&[("TRATO_RATE__CONCURRENT_PER_CALLER", "1")]).await;

    let slow = tokio::spawn(send(edge.request("GET", "/v1/books/late")));
    crate::harness::eventually("the first call", || edge.upstream.seen.calls() == 1).await;
    let second = edge.get("/v1/books/7").await;
    assert_eq!(second.error(), (429, "RESOURCE_EXHAUSTED".to_owned(), "TOO_MANY_CALLS".to_owned()));
    assert_eq!(second.detail("ErrorInfo")["metadata"]["limit"], "caller");
    let other = edge.issuer.token(json!({ "sub": "ben" }));
    assert_eq!(send(edge.anonymous("GET", "/v1/books/7").bearer_auth(other)).await.status, 200);
    assert_eq!(slow.await.expect("no panic").status, 200);
}

#[tokio::test]
async fn a_connection_of_http2_that_only_answers_pings_is_ended() {
    let edge =
        Edge::with(&[("TRATO_SERVER__KEEPALIVE_SECONDS", "1"), ("TRATO_GATEWAY__IDLE_SECONDS", "2")]).await;
    let (client, connection) = h2::client::handshake(connect(&edge).await).await.expect("a handshake");

    // It answers the pings of the gateway, and is told to go all the same.
    let ended = tokio::time::timeout(PATIENCE, connection).await;
    assert!(matches!(ended, Ok(Ok(()) | Err(_))), "{ended:?}");
    drop(client);
}

#[tokio::test]
async fn rates_that_cannot_be_are_named_with_their_tenant() {
    let loaded = trato_gateway::config::loader().load(&trato_platform::config::Environment::of([(
        "TRATO_RATE__TENANTS".to_owned(),
        r#"{ "0192f0c1-0000-7000-8000-000000000001" = { per_tenant = 0 } }"#.to_owned(),
    )]));

    let faults = loaded.err().expect("zero is no rate").to_string();
    assert!(faults.contains("rate.tenants.0192f0c1-0000-7000-8000-000000000001.per_tenant"), "{faults}");
}

/// What cannot be looked up would leave every gateway the whole rate, so that nothing starts with it.
#[test]
fn names_of_gateways_that_cannot_be_looked_up_are_each_named() {
    let load = |gateways: &str| {
        let variable = ("TRATO_RATE__GATEWAYS".to_owned(), gateways.to_owned());
        trato_gateway::config::loader().load(&trato_platform::config::Environment::of([variable]))
    };
    let usable = load(r#"["gateway.internal", "gateway_pods", "10.0.0.1", "fd00::1"]"#);
    let wrong = load(
        r#"["", "gateway:8080", "http://gateway", "gateway/v1", "[fd00::1]", "10.0.0.1:80", " gateway", "gateway"]"#,
    );

    assert!(usable.is_ok(), "{:?}", usable.err());
    let faults = wrong.err().expect("they are no names").0;
    let named: Vec<_> = faults.iter().map(|fault| fault.key.clone()).collect();
    assert_eq!(named, (0..7).map(|at| format!("rate.gateways[{at}]")).collect::<Vec<_>>());
    for fault in &faults {
        assert!(fault.origin.contains("TRATO_RATE__GATEWAYS"), "{fault}");
        assert!(fault.problem.contains("without a scheme, a port or a path"), "{fault}");
    }
}
