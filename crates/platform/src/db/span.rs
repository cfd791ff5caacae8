//! The span of a statement, or of a transaction with all its statements: a child of the call's, where that is recorded.

use tracing::{Instrument as _, Span, field::Empty};
use trato_types::{Context, Result};

use crate::telemetry::propagate;

/// Runs a statement in a span of its own, named by what it does (`select`) and to which table. Values never show.
pub async fn recorded<T>(
    cx: &Context,
    operation: &'static str,
    table: &'static str,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let span = span(cx, operation, table);
    let outcome = work.instrument(span.clone()).await;
    if let Err(error) = &outcome {
        fail(&span, error.reason());
    }
    outcome
}

/// The span of a transaction; it ends when its last handle is dropped.
pub(super) fn transaction(cx: &Context) -> Span {
    span(cx, "transaction", "")
}

pub(super) fn fail(span: &Span, reason: &'static str) {
    span.record("error.type", reason);
    span.record("otel.status_code", "ERROR");
}

fn span(cx: &Context, operation: &'static str, table: &'static str) -> Span {
    // A transaction of a whole batch of events belongs to no one call.
    if !cx.traceparent.as_deref().is_some_and(propagate::is_recorded) || Span::current().is_none() {
        return Span::none();
    }
    let name = if table.is_empty() { operation.to_owned() } else { format!("{operation} {table}") };
    tracing::info_span!(
        "database",
        otel.name = name,
        otel.kind = "client",
        otel.status_code = Empty,
        db.system.name = "postgresql",
        db.operation.name = operation,
        db.collection.name = (!table.is_empty()).then_some(table),
        error.type = Empty,
    )
}
