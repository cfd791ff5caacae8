//! What is noted of each request: one span, and its duration by method and outcome. Never a token, a body or a path.

use std::{sync::Arc, time::Instant};

use http::{HeaderMap, StatusCode};
use tonic::Code;
use tracing::{Span, field::Empty};
use trato_platform::{
    rpc::status::code_name,
    telemetry::{metrics::metrics, propagate},
};

/// Begins when a request arrives and ends with its answer, also when the client leaves before.
#[derive(Debug)]
pub struct Record {
    /// The span of the request.
    pub span: Span,
    label: Arc<str>,
    started: Instant,
    is_ended: bool,
}

impl Record {
    /// Opens the span. `label` is the method's name, or one name for all requests that lead nowhere; `route` is the
    /// template of the path.
    pub fn begin(label: Arc<str>, verb: &http::Method, route: &str, headers: &HeaderMap) -> Self {
        // One name for all made-up verbs, or anybody could fill the traces with them.
        let verb = match verb.as_str() {
            verb @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => verb,
            _ => "HTTP",
        };
        let method = &*label;
        let span = tracing::info_span!(
            "request",
            otel.name = %format_args!("{verb} {route}"),
            otel.kind = "server",
            otel.status_code = Empty,
            http.request.method = verb,
            http.route = route,
            http.response.status_code = Empty,
            rpc.method = method,
            rpc.response.status_code = Empty,
            trace_id = Empty,
        );
        if let Some(parent) = propagate::extract(headers) {
            propagate::set_parent_context(&span, parent);
        }
        Self { span, label, started: Instant::now(), is_ended: false }
    }

    /// The `traceparent` for what the request causes, noted in the log lines too; `None` while traces are off.
    pub fn traceparent(&self) -> Option<String> {
        let traceparent = propagate::traceparent_of(&self.span);
        if let Some(trace_id) = traceparent.as_deref().and_then(propagate::trace_id) {
            self.span.record("trace_id", trace_id);
        }
        traceparent
    }

    /// Notes the outcome. Only the first counts.
    pub fn end(&mut self, code: Code) {
        if std::mem::replace(&mut self.is_ended, true) {
            return;
        }
        self.span.record("rpc.response.status_code", code_name(code));
        metrics().call_served(&self.label, code_name(code), self.started.elapsed());
    }
}

/// Notes the status of the answer's head.
pub fn answered(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        // What ends without an outcome was given up by its client.
        self.end(Code::Cancelled);
    }
}
