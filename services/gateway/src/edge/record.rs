//! What is noted of each request: one span, and its duration by method and outcome and by route and status. Never a token,
//! a body or a path.

use std::{sync::Arc, time::Instant};

use http::{HeaderMap, StatusCode};
use tonic::Code;
use tracing::{Span, field::Empty};
use trato_platform::{
    rpc::{is_server_fault, status::code_name},
    telemetry::{metrics::metrics, propagate},
};

/// Begins when a request arrives and ends with its answer, also when the client leaves before.
#[derive(Debug)]
pub struct Record {
    /// The span of the request.
    pub span: Span,
    /// The request as HTTP, until its answer's head is known.
    pub head: Head,
    label: Arc<str>,
    is_ended: bool,
}

/// A request as HTTP sees it.
#[derive(Clone, Debug)]
pub struct Head {
    verb: &'static str,
    route: Arc<str>,
    started: Instant,
}

impl Record {
    /// Opens the span, and answers the `traceparent` for what the request causes. `label` is the method's name, or one name for
    /// all requests that lead nowhere; `route` is the template of the path.
    pub fn begin(
        label: Arc<str>,
        verb: &http::Method,
        route: Arc<str>,
        headers: &HeaderMap,
    ) -> (Self, String) {
        let (method, verb) = (&*label, verb_name(verb));
        let span = tracing::info_span!(
            "request",
            otel.name = %format_args!("{} {route}", if verb == OTHER { "HTTP" } else { verb }),
            otel.kind = "server",
            otel.status_code = Empty,
            http.request.method = verb,
            http.route = (!route.is_empty()).then_some(&*route),
            url.scheme = "http",
            http.response.status_code = Empty,
            rpc.method = method,
            rpc.response.status_code = Empty,
            error.type = Empty,
            trace_id = Empty,
        );
        let traceparent = propagate::enter(&span, headers);
        let head = Head { verb, route, started: Instant::now() };
        (Self { span, head, label, is_ended: false }, traceparent)
    }

    /// Notes the outcome. Only the first counts.
    pub fn end(&mut self, code: Code) {
        if std::mem::replace(&mut self.is_ended, true) {
            return;
        }
        self.span.record("rpc.response.status_code", code_name(code));
        let duration = self.head.started.elapsed();
        metrics().call_served(&self.label, code_name(code), is_server_fault(code), duration);
    }
}

/// Notes the status of the answer's head.
pub fn answered(span: &Span, head: &Head, status: StatusCode) {
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("error.type", status.as_str());
        span.record("otel.status_code", "ERROR");
    }
    metrics().request_answered(head.verb, &head.route, status, head.started.elapsed());
}

/// What made-up verbs are called, or anybody could fill traces and metrics with them.
const OTHER: &str = "_OTHER";

fn verb_name(verb: &http::Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == verb.as_str()).unwrap_or(OTHER)
}

impl Drop for Record {
    fn drop(&mut self) {
        // What ends without an outcome was given up by its client.
        self.end(Code::Cancelled);
    }
}
