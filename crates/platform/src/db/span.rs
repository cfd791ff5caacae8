//! The time of a statement, or of a transaction with all its statements, and its span: a child of the call's, where that is
//! recorded.

use std::{
    sync::{Arc, OnceLock},
    time::Instant,
};

use sqlx::postgres::PgConnectOptions;
use tracing::{Instrument as _, Span, field::Empty};
use trato_types::{Context, Result};

use crate::telemetry::{metrics::metrics, propagate};

/// Where the program's database is.
#[derive(Debug)]
struct Place {
    database: Arc<str>,
    address: Box<str>,
    port: u16,
}

static PLACE: OnceLock<Place> = OnceLock::new();

/// Notes where the program's database is. A program has one; the first counts in tests that have several.
pub(super) fn locate(options: &PgConnectOptions) {
    PLACE.get_or_init(|| Place {
        // PostgreSQL's own default is the name of the role.
        database: options.get_database().unwrap_or(options.get_username()).into(),
        address: options.get_host().into(),
        port: options.get_port(),
    });
}

/// Runs a statement in a span of its own, named by what it does (`select`) and to which table. Values never show.
pub async fn recorded<T>(
    cx: &Context,
    operation: &'static str,
    table: &'static str,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let operation = Operation::begin(cx, operation, table);
    let outcome = work.instrument(operation.span()).await;
    operation.end(outcome)
}

/// A statement or transaction under way. Its time is told when it ends, also when it is given up.
#[derive(Debug)]
pub(super) struct Operation {
    span: Span,
    name: &'static str,
    table: &'static str,
    started: Instant,
    failure: Option<&'static str>,
}

impl Operation {
    /// A transaction; its span ends when the last handle to it is dropped.
    pub(super) fn transaction(cx: &Context) -> Self {
        Self::begin(cx, "transaction", "")
    }

    fn begin(cx: &Context, name: &'static str, table: &'static str) -> Self {
        Self { span: span(cx, name, table), name, table, started: Instant::now(), failure: None }
    }

    /// What its statements run in.
    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Ends it, with what came of it.
    pub(super) fn end<T>(mut self, outcome: Result<T>) -> Result<T> {
        if let Err(error) = &outcome {
            self.failure = Some(error.reason());
            self.span.record("error.type", error.reason());
            self.span.record("otel.status_code", "ERROR");
        }
        outcome
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        let metrics = metrics();
        if let Some(place) = PLACE.get().filter(|_| metrics.is_enabled()) {
            let time = self.started.elapsed();
            metrics.database_operation(&place.database, self.name, self.table, self.failure, time);
        }
    }
}

fn span(cx: &Context, operation: &'static str, table: &'static str) -> Span {
    // A transaction of a whole batch of events belongs to no one call.
    if !cx.traceparent.as_deref().is_some_and(propagate::is_recorded) || Span::current().is_none() {
        return Span::none();
    }
    let name = if table.is_empty() { operation.to_owned() } else { format!("{operation} {table}") };
    let place = PLACE.get();
    tracing::info_span!(
        "database",
        otel.name = name,
        otel.kind = "client",
        otel.status_code = Empty,
        db.system.name = "postgresql",
        db.namespace = place.map(|place| &*place.database),
        db.operation.name = operation,
        db.collection.name = (!table.is_empty()).then_some(table),
        server.address = place.map(|place| &*place.address),
        server.port = place.map(|place| place.port),
        error.type = Empty,
    )
}
