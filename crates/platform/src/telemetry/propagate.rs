//! Trace context in and out: HTTP and gRPC headers, AMQP headers, and the plain text kept in an event's row.
//!
//! Everything is W3C `traceparent` text. It is passed on even where this process records nothing, so that a trace
//! does not break at a service whose telemetry is off. Where nobody has brought one, it begins here, recorded or not: log
//! lines, events and access records of what belongs together bear one id.

use std::str::FromStr as _;

use http::{HeaderMap, HeaderValue, header::HeaderName};
use lapin::types::{AMQPValue, FieldTable};
use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::metrics::metrics;

/// Name of the header, in HTTP as in AMQP.
pub const TRACEPARENT: &str = "traceparent";
const HEADER: HeaderName = HeaderName::from_static(TRACEPARENT);
const STATE: HeaderName = HeaderName::from_static("tracestate");

/// The caller's trace context, if the headers carry a valid one.
pub fn extract(headers: &HeaderMap) -> Option<SpanContext> {
    let context = parse(headers.get(HEADER)?.to_str().ok()?)?;
    let state = headers.get(STATE).and_then(|state| state.to_str().ok()).map(TraceState::from_str);
    let state = state.and_then(Result::ok).unwrap_or_default();
    Some(SpanContext::new(context.trace_id(), context.span_id(), context.trace_flags(), true, state))
}

/// The `traceparent` text of the headers, if it is valid.
pub fn traceparent_in(headers: &HeaderMap) -> Option<&str> {
    headers.get(HEADER)?.to_str().ok().filter(|text| parse(text).is_some())
}

/// Puts a `traceparent` into the headers of an outgoing call.
pub fn inject(headers: &mut HeaderMap, traceparent: &str) {
    if let Ok(value) = HeaderValue::from_str(traceparent) {
        headers.insert(HEADER, value);
    }
}

/// The `traceparent` of a message's headers, if it is valid.
pub fn extract_table(table: &FieldTable) -> Option<String> {
    let text = match table.inner().get(TRACEPARENT)? {
        AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes()).ok()?,
        AMQPValue::ShortString(text) => text.as_str(),
        _ => return None,
    };
    parse(text).map(|_| text.to_owned())
}

/// Puts a `traceparent` into the headers of a message.
pub fn inject_table(table: &mut FieldTable, traceparent: &str) {
    table.insert(TRACEPARENT.into(), AMQPValue::LongString(traceparent.into()));
}

/// The `traceparent` of a request that comes in under this span, which was just made: the span's own, within the caller's trace;
/// while traces are off the caller's, else that of a trace that begins here. Its id becomes the span's `trace_id`.
pub fn enter(span: &Span, headers: &HeaderMap) -> String {
    if let Some(parent) = extract(headers) {
        set_parent_context(span, parent);
    }
    let traceparent = traceparent_of(span).or_else(|| traceparent_in(headers).map(str::to_owned));
    let traceparent = traceparent.unwrap_or_else(begin);
    if let Some(trace_id) = trace_id(&traceparent) {
        span.record("trace_id", trace_id);
    }
    traceparent
}

/// Gives what the suite begins by itself, a job or an operator's command, the trace of the present span; while traces are off
/// one that begins here.
pub fn traced(cx: trato_types::Context) -> trato_types::Context {
    let traceparent = traceparent_of(&Span::current()).unwrap_or_else(begin);
    trato_types::Context { traceparent: Some(traceparent), ..cx }
}

/// The `traceparent` of a trace that nobody records, and of no span: two random numbers, neither of which is zero.
fn begin() -> String {
    format!("00-{:032x}-{:016x}-00", rand::random::<u128>().max(1), rand::random::<u64>().max(1))
}

/// The `traceparent` that children of this span elsewhere must name; `None` while traces are off.
pub fn traceparent_of(span: &Span) -> Option<String> {
    let context = span.context();
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| format(span))
}

/// Makes the owner of a `traceparent` the parent of a span that was just made. No effect when traces are off.
pub fn set_parent(span: &Span, traceparent: &str) {
    if let Some(parent) = parse(traceparent) {
        set_parent_context(span, parent);
    }
}

/// Makes a remote span the parent of a span that was just made. No effect when traces are off.
pub fn set_parent_context(span: &Span, parent: SpanContext) {
    // It fails only when no trace is recorded, which is no news.
    let _ = span.set_parent(Context::new().with_remote_span_context(parent));
}

/// The 32 hexadecimal digits of a valid `traceparent` that name the trace.
pub fn trace_id(traceparent: &str) -> Option<&str> {
    parse(traceparent).and(traceparent.get(3..35))
}

/// True when a `traceparent` belongs to a trace that this process records.
pub fn is_recorded(traceparent: &str) -> bool {
    // The last digit of the flags says whether the trace is sampled.
    metrics().is_enabled() && traceparent.as_bytes().get(54).is_some_and(|digit| digit % 2 == 1)
}

/// Parses version 00 of <https://www.w3.org/TR/trace-context/>; later versions are read by the same rule.
pub fn parse(traceparent: &str) -> Option<SpanContext> {
    let bytes = traceparent.as_bytes();
    let lower_hex = |part: &[u8]| part.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let dashes = bytes.len() >= 55 && bytes[2] == b'-' && bytes[35] == b'-' && bytes[52] == b'-';
    let version_fits =
        dashes && &bytes[..2] != b"ff" && (bytes.len() == 55 || (&bytes[..2] != b"00" && bytes[55] == b'-'));
    let digits =
        version_fits && [0..2, 3..35, 36..52, 53..55].into_iter().all(|part| lower_hex(&bytes[part]));
    if !digits {
        return None;
    }
    let trace_id = TraceId::from_hex(traceparent.get(3..35)?).ok()?;
    let span_id = SpanId::from_hex(traceparent.get(36..52)?).ok()?;
    let flags = u8::from_str_radix(traceparent.get(53..55)?, 16).ok()?;
    let context = SpanContext::new(
        trace_id,
        span_id,
        TraceFlags::new(flags) & TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    context.is_valid().then_some(context)
}

/// Writes version 00.
fn format(context: &SpanContext) -> String {
    let flags = context.trace_flags() & TraceFlags::SAMPLED;
    format!("00-{}-{}-{:02x}", context.trace_id(), context.span_id(), flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_traceparent_survives_every_carrier() {
        let mut headers = HeaderMap::new();
        let mut table = FieldTable::default();

        inject(&mut headers, PARENT);
        inject_table(&mut table, PARENT);

        assert_eq!(traceparent_in(&headers), Some(PARENT));
        assert_eq!(extract(&headers).as_ref().map(format).as_deref(), Some(PARENT));
        assert_eq!(extract_table(&table).as_deref(), Some(PARENT));
        assert_eq!(trace_id(PARENT), Some("0af7651916cd43dd8448eb211c80319c"));
    }

    #[test]
    fn what_comes_without_a_trace_begins_one_that_is_not_recorded() {
        let mut headers = HeaderMap::new();
        let entered = |headers: &HeaderMap| enter(&Span::none(), headers);

        let (one, other) = (entered(&headers), entered(&headers));
        inject(&mut headers, &PARENT.to_uppercase());
        let mended = entered(&headers);
        inject(&mut headers, PARENT);

        for begun in [&one, &other, &mended] {
            let context = parse(begun).expect("it is valid");
            assert!(!context.trace_flags().is_sampled(), "{begun}");
            assert_eq!(*begun, format(&context));
        }
        assert_ne!(trace_id(&one), trace_id(&other));
        assert_ne!(trace_id(&mended), trace_id(PARENT));
        assert_eq!(entered(&headers), PARENT, "the caller's is kept");
    }

    #[test]
    fn what_is_no_traceparent_is_ignored() {
        let zero = "00-00000000000000000000000000000000-b7ad6b7169203331-01";
        let upper = PARENT.to_uppercase();
        let long = format!("{PARENT}-00");
        for wrong in ["", "00", "00-ñ", zero, upper.as_str(), long.as_str(), &PARENT.replace('-', "_")] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
        assert!(parse(&long.replacen("00", "01", 1)).is_some(), "a later version may add parts");
    }
}
