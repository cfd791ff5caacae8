//! Path, query, body and headers of an HTTP request → the request message of gRPC, as wire bytes.

mod body;
mod json;
mod known;
mod open;
mod query;
mod scalar;

use std::borrow::Cow;

use trato_types::{Error, Kind, Violations};
use uuid::Uuid;

use crate::{
    codec::wire::{last_delimited, put_delimited},
    routes::{self, Binding, Method},
    schema::Schema,
};
use body::Body;
use json::{Json, SyntaxError};
pub use query::decode as decode_query;

/// Length of the prefix gRPC puts before each message: one byte of flags and four of length.
pub const FRAME_PREFIX: usize = 5;

/// The parts of an HTTP request that become the request message.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'p> {
    /// The binding found.
    pub binding: &'p Binding,
    /// The decoded captures, in the template's order.
    pub captures: &'p [Cow<'p, str>],
    /// The query string, without the question mark.
    pub query: &'p str,
    /// The body.
    pub body: &'p [u8],
    /// `Idempotency-Key`, which becomes the field `request_id`.
    pub idempotency_key: Option<&'p str>,
    /// `Last-Event-ID`, which becomes the field `cursor`.
    pub last_event_id: Option<&'p str>,
    /// How deeply JSON may be nested.
    pub max_depth: usize,
}

/// Makes the request message, as one frame of gRPC. All that is wrong with the fields is named at once.
pub fn assemble(schema: &Schema, method: &Method, parts: Parts<'_>) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(FRAME_PREFIX + 64 + parts.body.len());
    out.resize(FRAME_PREFIX, 0);
    let mut violations = Violations::new();
    let binding = parts.binding;
    put_body(schema, method, parts, &mut out, &mut violations)?;
    for (capture, value) in binding.captures.iter().zip(parts.captures) {
        query::put_capture(schema, capture, value, &mut out, FRAME_PREFIX, &mut violations);
    }
    if !parts.query.is_empty() {
        put_query(schema, method, parts, &mut out, &mut violations);
    }
    if let (Some(number), Some(key)) = (method.request_id, parts.idempotency_key) {
        put_request_id(number, key, &mut out, &mut violations);
    }
    if let (Some(number), Some(cursor)) = (method.request_cursor, parts.last_event_id)
        && last_delimited(&out[FRAME_PREFIX..], number).unwrap_or_default().is_empty()
    {
        put_delimited(&mut out, number, cursor.as_bytes());
    }
    if !violations.is_empty() {
        return Err(violations.into_error());
    }
    finish_frame(&mut out)?;
    Ok(out)
}

fn put_body(
    schema: &Schema,
    method: &Method,
    parts: Parts<'_>,
    out: &mut Vec<u8>,
    violations: &mut Violations,
) -> Result<(), Error> {
    let text = std::str::from_utf8(parts.body).map_err(|error| {
        let at = error.valid_up_to();
        Error::new(Kind::Invalid, "INVALID_UTF8", format!("the body is not UTF-8 at byte {at}"))
            .with("byte", at)
    })?;
    if text.is_empty() {
        return Ok(());
    }
    let json = Json::new(text, parts.max_depth);
    let read = |body: Body<'_>| match parts.binding.body {
        routes::Body::Whole => body.whole(method.input),
        routes::Body::Field(position) => body.only_field(&schema.message(method.input).fields[position]),
        routes::Body::None => Ok(()),
    };
    if parts.binding.body == routes::Body::None {
        return refuse_body(json);
    }
    read(Body::new(schema, json, out, violations)).map_err(malformed)
}

/// A binding without a body gets none; an empty object, which some clients always send, does no harm.
fn refuse_body(mut json: Json<'_>) -> Result<(), Error> {
    let is_empty_object = json
        .next()
        .and_then(|_| json.object())
        .and_then(|()| json.key(&mut true))
        .is_ok_and(|key| key.is_none());
    if is_empty_object && json.end().is_ok() {
        return Ok(());
    }
    Err(Error::invalid("body", "BODY_NOT_EXPECTED", "this method takes no body"))
}

fn malformed(error: SyntaxError) -> Error {
    let reason = if error.is_too_deep { "JSON_TOO_DEEP" } else { "MALFORMED_JSON" };
    Error::new(Kind::Invalid, reason, format!("the body cannot be read: {error}")).with("byte", error.at)
}

fn put_query(
    schema: &Schema,
    method: &Method,
    parts: Parts<'_>,
    out: &mut Vec<u8>,
    violations: &mut Violations,
) {
    let mut taken: Vec<Cow<'_, str>> =
        parts.binding.captures.iter().map(|capture| Cow::Borrowed(&*capture.name)).collect();
    let message = schema.message(method.input);
    match parts.binding.body {
        routes::Body::None => {}
        routes::Body::Field(position) => taken.push(Cow::Borrowed(&*message.fields[position].name)),
        routes::Body::Whole => taken.extend(message.fields.iter().map(|field| Cow::Borrowed(&*field.name))),
    }
    query::Query { schema, message: method.input, taken: &taken }.put(parts.query, out, violations);
}

/// `Idempotency-Key` may be written bare or, as the draft of its RFC has it, in quotes.
fn put_request_id(number: u32, key: &str, out: &mut Vec<u8>, violations: &mut Violations) {
    let key = key.trim().trim_matches('"');
    let given = last_delimited(&out[FRAME_PREFIX..], number).unwrap_or_default();
    let Ok(id) = Uuid::try_parse(key) else {
        violations.add("request_id", "INVALID_REQUEST_ID", "the Idempotency-Key header must be a UUID");
        return;
    };
    if given.is_empty() {
        put_delimited(out, number, id.hyphenated().to_string().as_bytes());
    } else if !Uuid::try_parse_ascii(given).is_ok_and(|given| given == id) {
        violations.add("request_id", "REQUEST_ID_MISMATCH", "differs from the Idempotency-Key header");
    }
}

/// Fills in the prefix of the frame.
fn finish_frame(frame: &mut [u8]) -> Result<(), Error> {
    let length = u32::try_from(frame.len() - FRAME_PREFIX).map_err(Error::internal)?;
    frame[1..FRAME_PREFIX].copy_from_slice(&length.to_be_bytes());
    Ok(())
}
