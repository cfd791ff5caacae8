//! A service for the gateway to stand in front of: a real HTTP/2 server that does what the names in a request say.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody, combinators::UnsyncBoxBody};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost_reflect::{DynamicMessage, Value, prost::Message};
use tokio::net::TcpListener;
use tonic::Code;
use tonic_types::{ErrorDetails, StatusExt};

use crate::contract;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// What the service has seen and done so far.
#[derive(Default)]
pub struct Seen {
    /// Headers of every call.
    pub headers: Mutex<Vec<HeaderMap>>,
    /// Messages of streams that were asked for by the other side.
    pub sent: AtomicUsize,
    /// Streams that are open.
    pub open_streams: AtomicUsize,
    /// Calls that wait for ever and are still waited for.
    pub waiting: AtomicUsize,
}

impl Seen {
    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.headers.lock().expect("not poisoned").len()
    }

    /// A header of the last call.
    pub fn header(&self, name: &str) -> Option<String> {
        let headers = self.headers.lock().expect("not poisoned");
        headers.last()?.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    }
}

/// A running service.
pub struct Upstream {
    /// Where it listens.
    pub address: Uri,
    /// What it has seen.
    pub seen: Arc<Seen>,
}

impl Upstream {
    /// Listens on a free port for as long as the test runs.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address =
            format!("http://{}", listener.local_addr().expect("bound")).parse().expect("an address");
        let seen = Arc::new(Seen::default());
        let shared = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let seen = Arc::clone(&shared);
                let service = service_fn(move |request| {
                    let seen = Arc::clone(&seen);
                    async move { Ok::<_, Infallible>(serve(request, seen).await) }
                });
                tokio::spawn(
                    http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { address, seen }
    }
}

async fn serve(request: Request<Incoming>, seen: Arc<Seen>) -> Response<Body> {
    seen.headers.lock().expect("not poisoned").push(request.headers().clone());
    let path = request.uri().path().to_owned();
    let method = path.rsplit('/').next().unwrap_or_default().to_owned();
    if method == "Chat" {
        // What comes in goes out, frame by frame.
        let echoed = request
            .into_body()
            .into_data_stream()
            .filter_map(async |data| data.ok().map(Frame::data).map(Ok));
        return ok(echoed.chain(stream::once(async { Ok(Frame::trailers(trailers(Code::Ok))) })));
    }
    let body = request.into_body().collect().await.expect("a body").to_bytes();
    assert_eq!(
        usize::try_from(u32::from_be_bytes(body[1..5].try_into().expect("a prefix"))),
        Ok(body.len() - 5)
    );
    let asked = |name: &str| DynamicMessage::decode(contract::message(name), &body[5..]).expect("a message");
    match method.as_str() {
        "GetBook" => get_book(&text(&asked("GetBookRequest"), "name"), &seen).await,
        "CreateBook" => {
            let asked = asked("CreateBookRequest");
            let tags = vec![Value::String(text(&asked, "request_id"))];
            let Some(Value::Message(mut book)) =
                asked.get_field_by_name("book").map(|book| book.into_owned())
            else {
                panic!("a book")
            };
            book.set_field_by_name("tags", Value::List(tags));
            answer(&book)
        }
        "DeleteBook" => answer(&DynamicMessage::new(
            contract::POOL.get_message_by_name("google.protobuf.Empty").expect("Empty"),
        )),
        "ListBooks" | "ListBareBooks" => {
            let mut page = DynamicMessage::new(contract::message("ListBooksResponse"));
            let books = ["books/1", "books/2"].map(|name| Value::Message(book(name)));
            page.set_field_by_name("books", Value::List(books.into()));
            answer(&page)
        }
        "Echo" => answer(&asked("Everything")),
        "WatchBooks" => watch_books(&asked("WatchBooksRequest"), &seen),
        _ => refuse(Code::Unimplemented, &ErrorDetails::new()),
    }
}

async fn get_book(name: &str, seen: &Arc<Seen>) -> Response<Body> {
    match name {
        "books/missing" => {
            let mut details = ErrorDetails::with_error_info(
                "BOOK_NOT_FOUND",
                "library.example",
                [("name".into(), name.into())],
            );
            details.set_resource_info("books", name, "", "it was never bought");
            refuse(Code::NotFound, &details)
        }
        "books/revoked" => refuse(
            Code::Unauthenticated,
            &ErrorDetails::with_error_info("INVALID_TOKEN", "library.example", []),
        ),
        "books/busy" => {
            refuse(Code::ResourceExhausted, &ErrorDetails::with_retry_info(Some(Duration::from_millis(6500))))
        }
        // As a proxy or a connection in between says it: a bare code.
        "books/flaky" if seen.calls() < 3 => send_status(tonic::Status::unavailable("no healthy upstream")),
        "books/closed" => {
            refuse(Code::Unavailable, &ErrorDetails::with_error_info("CLOSED", "library.example", []))
        }
        "books/full" => refuse(
            Code::ResourceExhausted,
            &ErrorDetails::with_error_info("TOO_MANY_CALLS", "library.example", []),
        ),
        "books/slow" => {
            let _waiting = Counted::new(seen, |seen| &seen.waiting);
            std::future::pending().await
        }
        "books/late" => {
            let _waiting = Counted::new(seen, |seen| &seen.waiting);
            tokio::time::sleep(Duration::from_millis(300)).await;
            answer(&book(name))
        }
        "books/panic" => panic!("the service panics, which closes its stream"),
        _ => answer(&book(name)),
    }
}

/// Counts itself for as long as it lives.
struct Counted(Arc<Seen>, fn(&Seen) -> &AtomicUsize);

impl Counted {
    fn new(seen: &Arc<Seen>, what: fn(&Seen) -> &AtomicUsize) -> Self {
        what(seen).fetch_add(1, SeqCst);
        Self(Arc::clone(seen), what)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1(&self.0).fetch_sub(1, SeqCst);
    }
}

/// Events `c1`, `c2` … after the cursor. A limit below zero means that many and then an error, zero means no end; the
/// cursor `quiet` means no event at all.
fn watch_books(asked: &DynamicMessage, seen: &Arc<Seen>) -> Response<Body> {
    let number = |name| asked.get_field_by_name(name).and_then(|value| value.as_i32()).unwrap_or_default();
    let (limit, filling) = (i64::from(number("limit")), usize::try_from(number("filling")).unwrap_or(0));
    let cursor = text(asked, "cursor");
    if cursor == "forged" {
        return refuse(
            Code::InvalidArgument,
            &ErrorDetails::with_error_info("BAD_CURSOR", "library.example", []),
        );
    }
    let first: i64 = cursor.strip_prefix('c').and_then(|cursor| cursor.parse().ok()).unwrap_or(0) + 1;
    let most = if limit == 0 { i64::MAX } else { limit.abs() };
    let open = Counted::new(seen, |seen| &seen.open_streams);
    let counter = Arc::clone(seen);
    let events =
        stream::iter((first..).take(usize::try_from(most).unwrap_or(usize::MAX))).map(move |number| {
            let _kept = &open;
            counter.sent.fetch_add(1, SeqCst);
            let mut event = DynamicMessage::new(contract::message("BookEvent"));
            event.set_field_by_name("what", Value::String(format!("lent {number}{}", ".".repeat(filling))));
            event.set_field_by_name("cursor", Value::String(format!("c{number}")));
            Ok(Frame::data(frame(&event)))
        });
    if cursor == "quiet" {
        let open = Counted::new(seen, |seen| &seen.open_streams);
        return ok(stream::once(async move {
            let _kept = open;
            std::future::pending().await
        }));
    }
    let code = if limit < 0 { Code::Aborted } else { Code::Ok };
    ok(events.chain(stream::once(async move { Ok(Frame::trailers(trailers(code))) })))
}

fn book(name: &str) -> DynamicMessage {
    let mut book = DynamicMessage::new(contract::message("Book"));
    book.set_field_by_name("name", Value::String(name.to_owned()));
    book.set_field_by_name("display_name", Value::String("Momo".to_owned()));
    book
}

fn text(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A message as gRPC frames it.
pub fn frame(message: &DynamicMessage) -> Bytes {
    let wire = message.encode_to_vec();
    let length = u32::try_from(wire.len()).expect("a short message");
    [&[0][..], &length.to_be_bytes(), &wire].concat().into()
}

fn answer(message: &DynamicMessage) -> Response<Body> {
    let frames = [Ok(Frame::data(frame(message))), Ok(Frame::trailers(trailers(Code::Ok)))];
    ok(stream::iter(frames))
}

fn ok(
    frames: impl futures::Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + 'static,
) -> Response<Body> {
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    response.headers_mut().insert("x-service", HeaderValue::from_static("library"));
    response
}

fn trailers(code: Code) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from(i32::from(code)));
    if code != Code::Ok {
        trailers.insert("grpc-message", HeaderValue::from_static("it ended early"));
    }
    trailers.insert(HeaderName::from_static("x-cost"), HeaderValue::from_static("42"));
    trailers
}

fn refuse(code: Code, details: &ErrorDetails) -> Response<Body> {
    send_status(tonic::Status::with_error_details(code, "no «book» for you", details.clone()))
}

fn send_status(status: tonic::Status) -> Response<Body> {
    status.into_http::<tonic::body::Body>().map(|_| http_body_util::Empty::new().boxed_unsync())
}
