//! Requests that are too large, too deep or no text: refused at once with a stable reason, and nothing is half written.

use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt as _};
use prost_reflect::{
    DynamicMessage, Kind, MessageDescriptor, MethodDescriptor, ReflectMessage as _, Value as Reflected,
};
use reqwest::Method;
use serde_json::json;

use super::{options::behaviours, samples::World};
use crate::harness::{
    answer::{Answer, Refusal},
    caller::Caller,
    dynamic::{self, methods},
    report::say,
    stack::Vigil,
    tenant::Tenant,
    values::list,
};

/// Largest body taken, in bytes.
const MOST: usize = 4 * 1024 * 1024;
/// Calls of one method that are under way at once.
const AT_ONCE: usize = 8;

async fn post(caller: &Caller, body: Vec<u8>) -> Answer {
    let request = caller.request(Method::POST, "/v1/accounts").header("content-type", "application/json");
    caller.send(request.body(body)).await
}

fn text_field(text: &str) -> Vec<u8> {
    format!(r#"{{"displayName":"{text}"}}"#).into_bytes()
}

#[tokio::test]
async fn bodies_too_large_too_deep_or_no_text_are_refused_with_a_stable_reason() {
    let vigil = Vigil::begin();
    let director = Tenant::fresh().director();
    let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
    let list_of_a_million = format!(r#"{{"kinds":[{}0]}}"#, "0,".repeat(1_000_000)).into_bytes();
    let cases: Vec<(&str, Vec<u8>, u16, &str)> = vec![
        ("four megabytes and one byte", vec![b' '; MOST + 1], 413, "MESSAGE_TOO_LARGE"),
        ("a text of ten megabytes", text_field(&"a".repeat(10_000_000)), 413, "MESSAGE_TOO_LARGE"),
        ("ten thousand levels", nested(10_000), 400, "JSON_TOO_DEEP"),
        (
            "ten thousand levels in a field",
            [br#"{"kinds":"#.to_vec(), nested(10_000)].concat(),
            400,
            "JSON_TOO_DEEP",
        ),
        (
            "invalid UTF-8",
            [br#"{"displayName":""#.to_vec(), vec![0xff, 0xfe, b'"', b'}']].concat(),
            400,
            "INVALID_UTF8",
        ),
        (
            "an overlong encoding",
            [br#"{"displayName":""#.to_vec(), vec![0xc0, 0x80, b'"', b'}']].concat(),
            400,
            "INVALID_UTF8",
        ),
        ("a lone surrogate", text_field(r"\ud800"), 400, "MALFORMED_JSON"),
        ("surrogates the wrong way round", text_field(r"\udc00\ud800"), 400, "MALFORMED_JSON"),
        ("half an object", br#"{"displayName":"#.to_vec(), 400, "MALFORMED_JSON"),
        ("two objects", b"{} {}".to_vec(), 400, "MALFORMED_JSON"),
    ];
    for (what, body, status, reason) in cases {
        let answer = post(&director, body).await;
        assert_eq!(
            (answer.status, answer.refused().reason.as_str()),
            (status, reason),
            "{what}: {}",
            answer.text()
        );
    }
    for (what, body) in [
        ("a million elements", list_of_a_million),
        ("a null character", text_field(r"a\u0000b")),
        ("a name twice", br#"{"displayName":"a","displayName":"b"}"#.to_vec()),
        (
            "a number with a million digits",
            format!(r#"{{"employeeCount":{}}}"#, "9".repeat(1_000_000)).into_bytes(),
        ),
        ("a number beyond all", br#"{"employeeCount":1e1000000}"#.to_vec()),
        ("an empty list as the body", b"[]".to_vec()),
    ] {
        let refusal = post(&director, body).await.refused();
        assert_eq!(refusal.code, "INVALID_ARGUMENT", "{what}: {refusal:?}");
        assert!(!refusal.reason.is_empty(), "{what}: {refusal:?}");
    }
    assert!(
        list(&director.get("/v1/accounts").await.ok(), "accounts").is_empty(),
        "something was half written"
    );
    vigil.all_live().await;
}

#[tokio::test]
async fn headers_and_paths_too_long_are_refused_and_the_connection_lives_on() {
    let director = Tenant::fresh().director();
    let padded = director.request(Method::GET, "/v1/accounts").header("x-padding", "a".repeat(65_536));
    let answer = director.send(padded).await;
    assert_eq!(answer.status, 431, "{}", answer.text());

    let answer = director.get(&format!("/v1/accounts?filter={}", "a".repeat(20_000))).await;
    assert_eq!(answer.status, 414, "{}", answer.text());

    director.get("/v1/accounts").await.ok();
}

#[tokio::test]
async fn a_grpc_message_too_large_is_refused() {
    let tenant = Tenant::fresh();
    let create = dynamic::method("trato.customers.v1.AccountService.CreateAccount");
    let request = json!({ "account": { "displayName": "a".repeat(MOST + 1) } });
    let refused = tenant.director().unary(&create, &request).await.expect_err("it is too large");
    assert_eq!(Refusal::of(&refused).code, "RESOURCE_EXHAUSTED");
}

/// Texts that break programs. None of them is a format anything asks for.
fn nasty() -> Vec<(&'static str, String)> {
    vec![
        ("a null character", "a\0b".to_owned()),
        ("control characters", "\u{1}\u{7f}\u{9b}".to_owned()),
        ("bidirectional marks", "abc\u{202e}fed\u{2066}".to_owned()),
        ("a byte-order mark", "\u{feff}name".to_owned()),
        ("combining marks", format!("Z{}", "\u{301}".repeat(2000))),
        ("a family", "👨‍👩‍👧‍👦".repeat(50)),
        ("a hundred thousand letters", "a".repeat(100_000)),
        ("a path", "../../../etc/passwd".to_owned()),
        ("a name with too much", "accounts/00000000-0000-7000-8000-000000000000/x".to_owned()),
        ("a percent", "%00%ff%s%n".to_owned()),
    ]
}

/// PLT-12: whatever stands in any text of any method is stored, found or refused; nothing of it reaches the database raw.
#[tokio::test]
async fn every_text_of_every_method_takes_any_characters_or_says_why_not() {
    let vigil = Vigil::begin();
    let tenant = Tenant::fresh();
    let world = World::make(&tenant).await;
    let (channel, token, nasty) = (tenant.channel(), world.keeper.token(), nasty());
    let (mut tried, mut slowest, mut faults) = (0, Duration::ZERO, Vec::new());
    for method in methods().iter().filter(|method| !method.is_server_streaming()) {
        let sample = dynamic::message(&method.input(), &world.sample(method).await.request);
        let paths = texts_of(&method.input(), 3);
        let trials = paths.iter().flat_map(|path| nasty.iter().map(move |(what, text)| (path, *what, text)));
        let mut answers = stream::iter(trials)
            .map(|(path, what, text)| {
                let mut message = sample.clone();
                put(&mut message, path, text);
                async move {
                    let begun = Instant::now();
                    let answer = dynamic::unary(channel, Some(token), method, message).await;
                    (begun.elapsed(), fault(method, path, what, answer))
                }
            })
            .buffer_unordered(AT_ONCE);
        while let Some((took, fault)) = answers.next().await {
            slowest = slowest.max(took);
            faults.extend(fault);
            tried += 1;
        }
    }
    say(format!("{tried} nasty texts, the slowest answer took {slowest:.1?}"));
    assert!(faults.is_empty(), "{faults:#?}");
    vigil.all_live().await;
}

/// What is wrong with an answer to a nasty text; nothing when it was stored, found or clearly refused.
fn fault(
    method: &MethodDescriptor,
    path: &[String],
    what: &str,
    answer: Result<DynamicMessage, tonic::Status>,
) -> Option<String> {
    const CLEAR: [&str; 5] =
        ["INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "ABORTED", "ALREADY_EXISTS"];
    let place = format!("{what} in {} of {}", path.join("."), method.full_name());
    match answer {
        Ok(answer) => {
            let must_refuse = what == "a null character" && method.name().starts_with("Create");
            if must_refuse && !is_ignored(&method.input(), path) {
                return Some(format!("{place} was accepted"));
            }
            // In a batch each item has a status of its own.
            let answer = dynamic::json(&answer);
            let internal = list(&answer, "results").iter().any(|result| result["error"]["code"] == json!(13));
            internal.then(|| format!("{place}: an item was refused as INTERNAL"))
        }
        Err(status) => {
            let refusal = Refusal::of(&status);
            let clear = CLEAR.contains(&refusal.code.as_str()) && !refusal.reason.is_empty();
            (!clear).then(|| format!("{place}: {} {} {}", refusal.code, refusal.reason, refusal.message))
        }
    }
}

/// True when the last field of the path, or one before it, is for the service alone to fill.
fn is_ignored(message: &MessageDescriptor, path: &[String]) -> bool {
    let Some((first, rest)) = path.split_first() else { return false };
    let field = message.get_field_by_name(first).expect("paths are made of fields");
    let own = behaviours(&field).iter().any(|one| one == "OUTPUT_ONLY" || one == "IDENTIFIER");
    own || field.name() == "etag" || field.kind().as_message().is_some_and(|inner| is_ignored(inner, rest))
}

/// Paths of all texts, through lists and messages `depth` levels deep.
fn texts_of(message: &MessageDescriptor, depth: usize) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for field in message.fields().filter(|field| !field.is_map()) {
        let name = field.name().to_owned();
        match field.kind() {
            Kind::String => paths.push(vec![name]),
            Kind::Message(inner) if depth > 1 && inner.package_name().starts_with("trato.") => {
                let inner = texts_of(&inner, depth - 1).into_iter();
                paths.extend(inner.map(|path| [vec![name.clone()], path].concat()));
            }
            _ => {}
        }
    }
    paths
}

/// Puts a text at a path; a list gets it in its first element.
fn put(message: &mut DynamicMessage, path: &[String], text: &str) {
    let Some((first, rest)) = path.split_first() else { return };
    let field = message.descriptor().get_field_by_name(first).expect("paths are made of fields");
    let make = |current: Option<&Reflected>| match field.kind() {
        Kind::Message(inner) => {
            let current = current.and_then(Reflected::as_message).cloned();
            let mut inner = current.unwrap_or_else(|| DynamicMessage::new(inner));
            put(&mut inner, rest, text);
            Reflected::Message(inner)
        }
        _ => Reflected::String(text.to_owned()),
    };
    let current = message.get_field(&field).into_owned();
    let value = match current {
        Reflected::List(mut items) => {
            let made = make(items.first());
            match items.first_mut() {
                Some(first) => *first = made,
                None => items.push(made),
            }
            Reflected::List(items)
        }
        single => make(Some(&single)),
    };
    message.set_field(&field, value);
}
