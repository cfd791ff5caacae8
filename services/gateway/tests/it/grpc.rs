//! gRPC passed through, gRPC-Web, and the gateway's own health and reflection.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost_reflect::{DynamicMessage, Value};
use tokio::net::TcpStream;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::{
    contract,
    harness::{Edge, eventually, send},
    upstream::frame,
};

const SERVICE: &str = "/example.library.v1.LibraryService/";

fn request(edge: &Edge, method: &str, body: Bytes) -> Request<Full<Bytes>> {
    let request = Request::builder().method(Method::POST).uri(edge.url(&format!("{SERVICE}{method}")));
    let request = request.header("content-type", "application/grpc").header("te", "trailers");
    request
        .header("authorization", format!("Bearer {}", edge.token))
        .body(Full::new(body))
        .expect("a request")
}

fn get_book(name: &str) -> Bytes {
    let mut message = DynamicMessage::new(contract::message("GetBookRequest"));
    message.set_field_by_name("name", Value::String(name.to_owned()));
    frame(&message)
}

/// Headers, body and trailers of a call over HTTP/2.
async fn call(edge: &Edge, request: Request<Full<Bytes>>) -> (HeaderMap, Bytes, HeaderMap) {
    let stream = TcpStream::connect(edge.running.address).await.expect("a connection");
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("HTTP/2");
    tokio::spawn(connection);
    let response = sender.send_request(request).await.expect("an answer");
    assert_eq!(response.status(), 200);
    let headers = response.headers().clone();
    let body = response.into_body().collect().await.expect("a body");
    let trailers = body.trailers().cloned().unwrap_or_default();
    (headers, body.to_bytes(), trailers)
}

fn book(frames: &[u8]) -> DynamicMessage {
    DynamicMessage::decode(contract::message("Book"), &frames[5..]).expect("a book")
}

#[tokio::test]
async fn a_call_is_passed_through_with_headers_and_trailers() {
    let edge = Edge::start().await;

    let (headers, body, trailers) = call(&edge, request(&edge, "GetBook", get_book("books/7"))).await;

    assert_eq!(headers["content-type"], "application/grpc");
    assert_eq!(headers["x-service"], "library");
    assert!(headers.contains_key("x-request-id"));
    assert_eq!(
        book(&body).get_field_by_name("name").and_then(|name| name.as_str().map(str::to_owned)).as_deref(),
        Some("books/7")
    );
    assert_eq!(
        (&trailers["grpc-status"], &trailers["x-cost"]),
        (&"0".parse().expect("a header"), &"42".parse().expect("a header"))
    );
}

#[tokio::test]
async fn the_error_of_a_service_is_passed_through_with_its_details() {
    let edge = Edge::start().await;

    let (headers, body, _) = call(&edge, request(&edge, "GetBook", get_book("books/missing"))).await;

    assert_eq!(headers["grpc-status"], "5");
    assert_eq!(headers["grpc-message"], "no %C2%ABbook%C2%BB for you");
    assert!(headers.contains_key("grpc-status-details-bin") && body.is_empty());
}

/// I4: what only the service knows of a token, such as that it is revoked, does not show in its answer.
#[tokio::test]
async fn a_token_that_the_service_refuses_is_refused_as_by_the_gateway() {
    let edge = Edge::with(&[("TRATO_GATEWAY__TRUSTED_HOPS", "1")]).await;
    // Each from an address of its own, for how often one has asked does show.
    let ask = async |mut request: Request<Full<Bytes>>, address: &'static str| {
        request.headers_mut().insert("x-forwarded-for", HeaderValue::from_static(address));
        request.headers_mut().insert("x-request-id", HeaderValue::from_static("r"));
        let (mut headers, body, trailers) = call(&edge, request).await;
        headers.remove("date");
        (headers, body, trailers)
    };
    let revoked = request(&edge, "GetBook", get_book("books/revoked"));
    let mut forged = request(&edge, "GetBook", get_book("books/7"));
    forged.headers_mut().insert("authorization", HeaderValue::from_static("Bearer a.b.c"));

    let (revoked, forged) = (ask(revoked, "192.0.2.1").await, ask(forged, "192.0.2.2").await);

    assert_eq!(revoked, forged);
    assert_eq!(revoked.0["grpc-status"], "16");
}

#[tokio::test]
async fn errors_of_the_gateway_speak_grpc_too() {
    let edge = Edge::with(&[("TRATO_SERVER__MAX_MESSAGE_BYTES", "1024")]).await;
    let mut anonymous = request(&edge, "GetBook", get_book("books/7"));
    anonymous.headers_mut().remove("authorization");
    let large = request(&edge, "GetBook", get_book(&"x".repeat(2000)));
    let unknown = request(&edge, "Nothing", Bytes::new());

    for (request, status) in [(anonymous, "16"), (large, "8"), (unknown, "12")] {
        let (headers, body, _) = call(&edge, request).await;
        assert_eq!((headers["grpc-status"].to_str().expect("text"), body.len()), (status, 0));
        assert!(headers.contains_key("grpc-status-details-bin"));
    }
    assert_eq!(edge.upstream.seen.calls(), 0);
}

#[tokio::test]
async fn streams_are_passed_through_in_both_directions() {
    let edge = Edge::start().await;
    let mut watch = DynamicMessage::new(contract::message("WatchBooksRequest"));
    watch.set_field_by_name("limit", Value::I32(-3));

    let (_, body, trailers) = call(&edge, request(&edge, "WatchBooks", frame(&watch))).await;
    assert_eq!(body.windows(4).filter(|part| part == b"lent").count(), 3);
    assert_eq!(trailers["grpc-status"], "10");

    let said = [frame(&DynamicMessage::new(contract::message("Everything"))), get_book("books/1")].concat();
    let (_, body, trailers) = call(&edge, request(&edge, "Chat", said.clone().into())).await;
    assert_eq!((body, &trailers["grpc-status"]), (said.into(), &"0".parse().expect("a header")));
}

#[tokio::test]
async fn trailers_reach_clients_of_http1_as_well() {
    let edge = Edge::start().await;
    let stream = TcpStream::connect(edge.running.address).await.expect("a connection");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP/1.1");
    tokio::spawn(connection);
    let mut request = request(&edge, "GetBook", get_book("books/7"));
    *request.uri_mut() = request.uri().path().parse().expect("a path");
    request.headers_mut().insert("host", "gateway".parse().expect("a host"));

    let response = sender.send_request(request).await.expect("an answer");
    let body = response.into_body().collect().await.expect("a body");

    assert_eq!(body.trailers().expect("trailers")["grpc-status"], "0");
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_its_call() {
    let edge = Edge::start().await;
    let calling = call(&edge, request(&edge, "GetBook", get_book("books/slow")));

    tokio::select! {
        _ = calling => panic!("it waits for ever"),
        () = eventually("the call", || edge.upstream.seen.waiting.load(std::sync::atomic::Ordering::SeqCst) == 1) => {}
    }

    eventually("the cancellation", || {
        edge.upstream.seen.waiting.load(std::sync::atomic::Ordering::SeqCst) == 0
    })
    .await;
}

/// The frames of a body of gRPC-Web: flag and content.
fn web_frames(mut body: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [flag, a, b, c, d, rest @ ..] = body {
        let length = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).expect("a length");
        frames.push((*flag, rest[..length].to_vec()));
        body = &rest[length..];
    }
    frames
}

#[tokio::test]
async fn grpc_web_puts_the_trailers_into_the_body() {
    let edge = Edge::start().await;
    let url = format!("{SERVICE}GetBook");
    let request = edge
        .request("POST", &url)
        .header("content-type", "application/grpc-web+proto")
        .header("x-grpc-web", "1");

    let response = request.body(get_book("books/7")).send().await.expect("an answer");

    assert_eq!(response.headers()["content-type"], "application/grpc-web+proto");
    let body = response.bytes().await.expect("a body");
    let frames = web_frames(&body);
    assert_eq!(frames.len(), 2, "{frames:?}");
    assert!(DynamicMessage::decode(contract::message("Book"), frames[0].1.as_slice()).is_ok());
    let trailers = String::from_utf8(frames[1].1.clone()).expect("text");
    assert!(
        frames[1].0 == 0x80 && trailers.contains("grpc-status:0") && trailers.contains("x-cost:42"),
        "{trailers}"
    );
}

#[tokio::test]
async fn grpc_web_as_text_is_base64_both_ways() {
    let edge = Edge::start().await;
    let url = format!("{SERVICE}GetBook");
    let request = |name| {
        let request = edge.request("POST", &url).header("content-type", "application/grpc-web-text");
        request.header("accept", "application/grpc-web-text").body(BASE64_STANDARD.encode(get_book(name)))
    };

    let answer = send(request("books/7")).await;
    assert_eq!(answer.headers["content-type"], "application/grpc-web-text+proto");
    // Each piece is padded for itself.
    let parts = answer.text.split_inclusive('=').collect::<String>();
    let mut bytes = Vec::new();
    for chunk in parts.as_bytes().chunks(4) {
        bytes.extend(BASE64_STANDARD.decode(chunk).expect("base64"));
    }
    let frames = web_frames(&bytes);
    assert_eq!((frames.len(), frames[1].0), (2, 0x80), "{frames:?}");

    let missing = send(request("books/missing")).await;
    assert_eq!((missing.status, &missing.headers["grpc-status"]), (200, &"5".parse().expect("a header")));
    let anonymous = edge.anonymous("POST", &url).header("content-type", "application/grpc-web-text");
    assert_eq!(send(anonymous.body("")).await.headers["grpc-status"], "16");
}

async fn channel(edge: &Edge) -> tonic::transport::Channel {
    tonic::transport::Endpoint::from_shared(edge.url(""))
        .expect("an address")
        .connect()
        .await
        .expect("a channel")
}

#[tokio::test]
async fn health_and_reflection_are_the_gateways_own_and_need_no_token() {
    let edge = Edge::start().await;

    let mut health = HealthClient::new(channel(&edge).await);
    let asked = HealthCheckRequest { service: "example.library.v1.LibraryService".to_owned() };
    assert_eq!(health.check(asked).await.expect("an answer").into_inner().status, 1);

    let mut reflection = ServerReflectionClient::new(channel(&edge).await);
    let symbol = "example.library.v1.LibraryService".to_owned();
    let asked = [MessageRequest::ListServices(String::new()), MessageRequest::FileContainingSymbol(symbol)];
    let asked =
        asked.map(|message| ServerReflectionRequest { host: String::new(), message_request: Some(message) });
    let mut answers =
        reflection.server_reflection_info(futures::stream::iter(asked)).await.expect("a stream").into_inner();
    let Some(MessageResponse::ListServicesResponse(list)) =
        answers.message().await.expect("one").and_then(|one| one.message_response)
    else {
        panic!("a list")
    };
    assert!(list.service.iter().any(|service| service.name == "example.library.v1.LibraryService"));
    let Some(MessageResponse::FileDescriptorResponse(files)) =
        answers.message().await.expect("two").and_then(|two| two.message_response)
    else {
        panic!("files")
    };
    let holds = |text: &[u8]| {
        files.file_descriptor_proto.iter().any(|file| file.windows(text.len()).any(|part| part == text))
    };
    assert!(holds(b"/v1/{name=books/*}"), "annotations are reflected");
    assert_eq!(edge.upstream.seen.calls(), 0);
}
