//! HTTP requests → request messages, held against prost-reflect.

use http::Method;
use proptest::prelude::*;
use prost_reflect::{DynamicMessage, SerializeOptions};
use serde_json::json;
use trato_gateway::{
    request::{FRAME_PREFIX, Parts, assemble},
    routes::Route,
};
use trato_types::Error;

use crate::{
    contract::{self, ROUTES, SCHEMA},
    random::{Random, random},
};

/// A request as the tests write it.
#[derive(Clone, Default)]
struct Asked<'a> {
    query: &'a str,
    body: &'a [u8],
    key: Option<&'a str>,
    last_event_id: Option<&'a str>,
}

/// The message made of a request to `path`, as JSON without defaults.
fn asked(verb: Method, path: &str, asked: Asked<'_>) -> Result<serde_json::Value, Error> {
    let message = message(verb, path, asked)?;
    Ok(serde_json::to_value(&message).expect("the oracle writes it"))
}

fn message(verb: Method, path: &str, asked: Asked<'_>) -> Result<DynamicMessage, Error> {
    let Route::Found(binding, captures) = ROUTES.find(&verb, path) else { panic!("{path} leads nowhere") };
    let method = ROUTES.method_of(binding);
    let parts = Parts {
        binding,
        captures: &captures,
        query: asked.query,
        body: asked.body,
        idempotency_key: asked.key,
        last_event_id: asked.last_event_id,
        max_depth: 64,
    };
    let frame = assemble(&SCHEMA, method, parts)?;
    let length = u32::from_be_bytes(frame[1..FRAME_PREFIX].try_into().expect("four bytes"));
    assert_eq!(usize::try_from(length).expect("a length"), frame.len() - FRAME_PREFIX);
    let descriptor =
        contract::POOL.get_message_by_name(&SCHEMA.message(method.input).name).expect("its descriptor");
    Ok(DynamicMessage::decode(descriptor, &frame[FRAME_PREFIX..]).expect("wire bytes of the message"))
}

fn get(path: &str, query: &str) -> Result<serde_json::Value, Error> {
    asked(Method::GET, path, Asked { query, ..Asked::default() })
}

fn post(path: &str, body: &str) -> Result<serde_json::Value, Error> {
    asked(Method::POST, path, Asked { body: body.as_bytes(), ..Asked::default() })
}

/// The violations of a refused request: field and reason.
fn violations(result: Result<serde_json::Value, Error>) -> Vec<(String, &'static str)> {
    let error = result.expect_err("it is refused");
    error.violations().iter().map(|violation| (violation.field.clone(), violation.reason)).collect()
}

fn violation(field: &str, reason: &'static str) -> Vec<(String, &'static str)> {
    vec![(field.to_owned(), reason)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_message_survives_its_json(
        Random(message) in random("Everything", 3),
        proto_names in any::<bool>(),
        defaults in any::<bool>(),
    ) {
        let mut text = Vec::new();
        let options = SerializeOptions::new().use_proto_field_name(proto_names).skip_default_fields(!defaults);
        message.serialize_with_options(&mut serde_json::Serializer::new(&mut text), &options).expect("the oracle writes it");

        let read = self::message(Method::POST, "/v1/echo", Asked { body: &text, ..Asked::default() });

        let read = serde_json::to_value(read.expect("a message")).expect("the oracle writes it");
        prop_assert_eq!(read, serde_json::to_value(&message).expect("the oracle writes it"));
    }

    #[test]
    fn no_body_makes_it_panic(body in any::<Vec<u8>>()) {
        let _ = asked(Method::POST, "/v1/echo", Asked { body: &body, ..Asked::default() });
    }

    #[test]
    fn no_damaged_json_makes_it_panic(
        Random(message) in random("Everything", 2),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut body = serde_json::to_vec(&message).expect("the oracle writes it");
        let at = at.index(body.len());
        body[at] = byte;
        let _ = asked(Method::POST, "/v1/echo", Asked { body: &body, ..Asked::default() });
    }

    #[test]
    fn no_query_makes_it_panic(query in "[a-zA-Z_.=&%+0-9]{0,40}") {
        let _ = get("/v1/echo", &query);
    }
}

#[test]
fn path_query_and_body_meet_in_one_message() {
    let body = br#"{"displayName": "Momo", "page_count": "304"}"#;
    let query = "updateMask=displayName,pageCount&request_id=r";

    let message =
        asked(Method::PATCH, "/v1/books/7", Asked { query, body, ..Asked::default() }).expect("a request");

    assert_eq!(
        message,
        json!({
            "book": {"name": "books/7", "displayName": "Momo", "pageCount": "304"},
            "updateMask": "displayName,pageCount",
            "requestId": "r",
        })
    );
}

#[test]
fn a_query_carries_every_kind_of_value() {
    let query = "int32Value=-5&int64_value=9007199254740993&boolValue=true&stringValue=a+b%26c&colour=COLOUR_RED\
        &optionalColour=2&numbers=1&numbers=2&texts=x&nested.nested.doubleValue=1.5&time=2026-11-22T10:00:00Z\
        &duration=1.5s&mask=a,b.cD&int64Wrapper=7&bytesValue=AQID&floatValue=Infinity&stringWrapper=";

    assert_eq!(
        get("/v1/echo", query).expect("a request"),
        json!({
            "int32Value": -5, "int64Value": "9007199254740993", "boolValue": true, "stringValue": "a b&c",
            "colour": "COLOUR_RED", "optionalColour": "COLOUR_GREEN", "numbers": [1, 2], "texts": ["x"],
            "nested": {"nested": {"doubleValue": 1.5}}, "time": "2026-11-22T10:00:00Z", "duration": "1.500s",
            "mask": "a,b.cD", "int64Wrapper": "7", "bytesValue": "AQID", "floatValue": "Infinity", "stringWrapper": "",
        })
    );
}

#[test]
fn unknown_and_wrong_parameters_are_named_all_at_once() {
    let query = "nope=1&int32Value=x&colour=PINK&nested=1&labels.a=b&time=now&boolValue=1&int32_value=1&int32Value=2\
        &time.seconds=1&numbers.x=1";

    let expected = [
        ("nope", "UNKNOWN_PARAMETER"),
        ("int32Value", "WRONG_TYPE"),
        ("colour", "UNKNOWN_VALUE"),
        ("nested", "WRONG_TYPE"),
        ("labels.a", "WRONG_TYPE"),
        ("time", "INVALID_TIMESTAMP"),
        ("boolValue", "WRONG_TYPE"),
        ("int32_value", "DUPLICATE_FIELD"),
        ("int32Value", "DUPLICATE_FIELD"),
        ("time.seconds", "UNKNOWN_PARAMETER"),
        ("numbers.x", "UNKNOWN_PARAMETER"),
    ];
    assert_eq!(
        violations(get("/v1/echo", query)),
        expected.map(|(field, reason)| (field.to_owned(), reason))
    );
}

#[test]
fn what_path_or_body_say_is_no_parameter() {
    assert_eq!(violations(get("/v1/books/7", "name=books/8")), violation("name", "UNKNOWN_PARAMETER"));
    let query = "book.displayName=x";
    let body = br#"{"displayName": "y"}"#;
    let refused = asked(Method::PATCH, "/v1/books/7", Asked { query, body, ..Asked::default() });
    assert_eq!(violations(refused), violation("book.displayName", "UNKNOWN_PARAMETER"));
    let refused = asked(Method::POST, "/v1/books/7:lend", Asked { query: "reader=ana", ..Asked::default() });
    assert_eq!(violations(refused), violation("reader", "UNKNOWN_PARAMETER"));
}

#[test]
fn a_body_may_repeat_the_name_in_the_path_but_not_contradict_it() {
    let same = post("/v1/books/7:lend", r#"{"name": "books/7", "reader": "ana"}"#);
    assert_eq!(same.expect("a request"), json!({"name": "books/7", "reader": "ana"}));

    let other =
        asked(Method::PATCH, "/v1/books/7", Asked { body: br#"{"name": "books/8"}"#, ..Asked::default() });
    assert_eq!(violations(other), violation("book.name", "PATH_MISMATCH"));
}

#[test]
fn wrong_fields_of_a_body_are_named_by_their_path_all_at_once() {
    let body = r#"{
        "nope": {"a": [1]}, "children": [{}, {"int32Value": 2147483648}], "labels": {"a": 1, "b": "x", "b": "y"},
        "byNumber": {"x": {}, "2": {"texts": [null]}}, "stringValue": 5, "string_value": "x", "boolValue": "true",
        "bytesValue": "*", "choiceText": "a", "choiceNumber": 1, "any": {"@type": "type.googleapis.com/no.Such"},
        "int64Value": 1.5, "colour": "PINK", "structure": {"a": 1, "a": 2}, "time": 5, "nested": []
    }"#;

    let expected = [
        ("nope", "UNKNOWN_FIELD"),
        ("children[1].int32_value", "OUT_OF_RANGE"),
        ("labels[\"a\"]", "WRONG_TYPE"),
        ("labels[\"b\"]", "DUPLICATE_FIELD"),
        ("by_number[\"x\"]", "WRONG_TYPE"),
        ("by_number[\"2\"].texts[0]", "WRONG_TYPE"),
        ("string_value", "WRONG_TYPE"),
        ("string_value", "DUPLICATE_FIELD"),
        ("bool_value", "WRONG_TYPE"),
        ("bytes_value", "INVALID_BASE64"),
        ("choice_number", "ONEOF_CONFLICT"),
        ("any.@type", "UNKNOWN_TYPE"),
        ("int64_value", "WRONG_TYPE"),
        ("colour", "UNKNOWN_VALUE"),
        ("structure[\"a\"]", "DUPLICATE_FIELD"),
        ("time", "WRONG_TYPE"),
        ("nested", "WRONG_TYPE"),
    ];
    assert_eq!(
        violations(post("/v1/echo", body)),
        expected.map(|(field, reason)| (field.to_owned(), reason))
    );
}

#[test]
fn a_body_that_is_no_json_is_refused_with_the_place() {
    for (body, reason) in [
        (&b"{\"stringValue\": \"\xff\"}"[..], "INVALID_UTF8"),
        (br#"{"stringValue": "\ud800"}"#, "MALFORMED_JSON"),
        (br#"{"stringValue": "a"} x"#, "MALFORMED_JSON"),
        (br#"{"stringValue": }"#, "MALFORMED_JSON"),
    ] {
        let error =
            asked(Method::POST, "/v1/echo", Asked { body, ..Asked::default() }).expect_err("it is refused");
        assert_eq!(error.reason(), reason);
        assert!(error.metadata().iter().any(|(key, _)| *key == "byte"), "{error}");
    }
}

#[test]
fn a_body_of_ten_thousand_levels_is_refused() {
    for (opening, closing) in [(r#"{"nested":"#, "}"), (r#"{"unknown":["#, "]}"), (r#"{"value":["#, "]}")] {
        let body = opening.repeat(10_000) + "1" + &closing.repeat(10_000);
        assert_eq!(post("/v1/echo", &body).expect_err("too deep").reason(), "JSON_TOO_DEEP");
    }
}

#[test]
fn a_binding_without_body_takes_none() {
    let with_body = |body| asked(Method::DELETE, "/v1/books/7", Asked { body, ..Asked::default() });

    assert!(with_body(b"").is_ok() && with_body(b" { } ").is_ok());
    assert_eq!(violations(with_body(b"{\"force\": true}")), violation("body", "BODY_NOT_EXPECTED"));
}

#[test]
fn the_idempotency_key_becomes_the_request_id() {
    let id = "0b0f1f9e-8f4c-4c55-9b1e-1a2b3c4d5e6f";
    fn create(query: &str, key: &str) -> Result<serde_json::Value, Error> {
        asked(Method::POST, "/v1/books", Asked { query, body: b"{}", key: Some(key), ..Asked::default() })
    }

    assert_eq!(create("", id).expect("a request")["requestId"], id);
    assert_eq!(create("", &format!("\"{}\"", id.to_uppercase())).expect("a request")["requestId"], id);
    assert_eq!(create(&format!("requestId={id}"), id).expect("a request")["requestId"], id);
    assert_eq!(violations(create("", "once")), violation("request_id", "INVALID_REQUEST_ID"));
    let other = "requestId=0b0f1f9e-8f4c-4c55-9b1e-000000000000";
    assert_eq!(violations(create(other, id)), violation("request_id", "REQUEST_ID_MISMATCH"));
}

#[test]
fn the_last_event_id_becomes_the_cursor_unless_one_is_given() {
    let watch = |query| {
        let asked = Asked { query, last_event_id: Some("c7"), ..Asked::default() };
        self::asked(Method::GET, "/v1/books:watch", asked).expect("a request")
    };

    assert_eq!(watch("")["cursor"], "c7");
    assert_eq!(watch("cursor=c3")["cursor"], "c3");
}

#[test]
fn null_is_the_same_as_not_there() {
    let body = r#"{"stringValue": null, "nested": null, "texts": null, "optionalNumber": null, "value": null, "int64Wrapper": null}"#;

    assert_eq!(post("/v1/echo", body).expect("a request"), json!({"value": null}));
}
