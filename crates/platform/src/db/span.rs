//! The time of a statement, or of a transaction with all its statements, and its span: a child of the call's, where that is
//! recorded.

use std::{
    sync::{Arc, OnceLock},
    time::Instant,
};

use sqlx::postgres::PgConnectOptions;
use tracing::{Instrument as _, Span, field::Empty};
use trato_types::{Context, Error, Result};

use crate::telemetry::{metrics::metrics, propagate};

/// Where the program's database is.
#[derive(Debug)]
struct Place {
    database: Arc<str>,
    address: Box<str>,
    port: u16,
}

/// What a transaction ends with that nothing failed and that was not committed: a look, a trial, a refusal.
const ROLLED_BACK: &str = "rolled_back";
/// What ends with it was dropped while it waited for an answer.
const GIVEN_UP: &str = "given_up";

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

/// A statement or transaction under way. Its time is told when it ends, however it ends.
#[derive(Debug)]
pub(super) struct Operation {
    span: Span,
    name: &'static str,
    table: &'static str,
    started: Instant,
    /// What it would end with now; none for a success.
    failure: Option<&'static str>,
}

impl Operation {
    /// A transaction; its span ends when the last handle to it is dropped.
    pub(super) fn transaction(cx: &Context) -> Self {
        Self::begin(cx, "transaction", "")
    }

    fn begin(cx: &Context, name: &'static str, table: &'static str) -> Self {
        Self { span: span(cx, name, table), name, table, started: Instant::now(), failure: Some(GIVEN_UP) }
    }

    /// Notes that a transaction is begun: dropped from now on, it is rolled back.
    pub(super) fn begun(&mut self) {
        self.failure = Some(ROLLED_BACK);
    }

    /// What its statements run in.
    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Notes that a transaction waits for an answer; gives what `hear` needs.
    pub(super) fn ask(&mut self) -> Option<&'static str> {
        self.failure.replace(GIVEN_UP)
    }

    /// Notes the answer to a statement of a transaction. The first failure counts: those behind it are PostgreSQL's refusal to
    /// go on.
    pub(super) fn hear(&mut self, before: Option<&'static str>, error: Option<&sqlx::Error>) {
        self.failure = match error.and_then(super::failure) {
            Some(reason) if before == Some(ROLLED_BACK) => Some(reason),
            _ => before,
        };
    }

    /// Notes that a transaction is committed.
    pub(super) fn succeed(&mut self) {
        self.failure = None;
    }

    /// What it would end with now; none for a success.
    pub(super) fn failure(&self) -> Option<&'static str> {
        self.failure
    }

    /// Ends it, with what came of it.
    pub(super) fn end<T>(mut self, outcome: Result<T>) -> Result<T> {
        self.failure = outcome.as_ref().err().map(Error::reason);
        outcome
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        let failure = self.failure();
        if let Some(reason) = failure.filter(|reason| *reason != ROLLED_BACK) {
            self.span.record("error.type", reason);
            self.span.record("otel.status_code", "ERROR");
        }
        let metrics = metrics();
        if let Some(place) = PLACE.get().filter(|_| metrics.is_enabled()) {
            let time = self.started.elapsed();
            metrics.database_operation(&place.database, self.name, self.table, failure, time);
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
