//! The spans of events that were handed to the broker, made when it confirms them: begin and end are known by then.
//!
//! Only of traces that are recorded anyway. They stand beside what the consumers do, which hangs at the same parent: the
//! call that recorded the event.

use std::{sync::OnceLock, time::SystemTime};

use opentelemetry::{
    Context, KeyValue,
    trace::{Span as _, SpanBuilder, SpanKind, TraceContextExt as _, Tracer as _},
};
use opentelemetry_sdk::trace::SdkTracer;
use opentelemetry_semantic_conventions::attribute::{
    MESSAGING_BATCH_MESSAGE_COUNT, MESSAGING_DESTINATION_NAME, MESSAGING_MESSAGE_ID,
    MESSAGING_OPERATION_NAME, MESSAGING_OPERATION_TYPE, MESSAGING_RABBITMQ_DESTINATION_ROUTING_KEY,
    MESSAGING_SYSTEM,
};
use uuid::Uuid;

use super::propagate;

static TRACER: OnceLock<SdkTracer> = OnceLock::new();

pub(super) fn enable(tracer: SdkTracer) {
    TRACER.get_or_init(|| tracer);
}

/// An event on its way whose trace is recorded.
#[derive(Clone, Debug)]
pub struct Sent {
    traceparent: String,
    event: Uuid,
    kind: String,
}

impl Sent {
    /// None for an event whose trace is not recorded here.
    pub fn of(traceparent: Option<&str>, event: Uuid, kind: &str) -> Option<Self> {
        let traceparent = traceparent.filter(|text| propagate::is_recorded(text))?;
        Some(Self { traceparent: traceparent.to_owned(), event, kind: kind.to_owned() })
    }

    /// The broker confirmed it in a window of `count` events that was handed over at `since`.
    pub fn confirmed(self, exchange: &'static str, count: u64, since: SystemTime) {
        let (Some(tracer), Some(parent)) = (TRACER.get(), propagate::parse(&self.traceparent)) else {
            return;
        };
        let builder = SpanBuilder::from_name(format!("send {exchange}"))
            .with_kind(SpanKind::Producer)
            .with_start_time(since)
            .with_attributes([
                KeyValue::new(MESSAGING_SYSTEM, "rabbitmq"),
                KeyValue::new(MESSAGING_OPERATION_NAME, "send"),
                KeyValue::new(MESSAGING_OPERATION_TYPE, "send"),
                KeyValue::new(MESSAGING_DESTINATION_NAME, exchange),
                KeyValue::new(MESSAGING_RABBITMQ_DESTINATION_ROUTING_KEY, self.kind),
                KeyValue::new(MESSAGING_MESSAGE_ID, self.event.to_string()),
                KeyValue::new(MESSAGING_BATCH_MESSAGE_COUNT, i64::try_from(count).unwrap_or(i64::MAX)),
            ]);
        let parent = Context::new().with_remote_span_context(parent);
        tracer.build_with_context(builder, &parent).end();
    }
}
