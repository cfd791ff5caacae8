//! One span for each call, named and labelled by OpenTelemetry's conventions for RPC.

use std::sync::Arc;

use http::HeaderMap;
use tonic::Code;
use tracing::{Span, field::Empty};

use super::status::code_name;
use crate::telemetry::propagate;

/// The span of a call served, child of the caller's, and the `traceparent` for whatever the call causes.
pub(super) fn server(method: &Arc<str>, headers: &HeaderMap) -> (Span, String) {
    let method = &**method;
    let span = tracing::info_span!(
        "rpc",
        otel.name = method,
        otel.kind = "server",
        otel.status_code = Empty,
        rpc.system.name = "grpc",
        rpc.method = method,
        rpc.response.status_code = Empty,
        error.type = Empty,
        trace_id = Empty,
    );
    let traceparent = propagate::enter(&span, headers);
    (span, traceparent)
}

/// The span of a call made to `server` (`host:port`), child of the current one, and the `traceparent` to send.
pub(super) fn client(method: &str, server: &str) -> (Span, Option<String>) {
    let (address, port) = server.rsplit_once(':').unwrap_or((server, ""));
    let span = tracing::info_span!(
        "call",
        otel.name = method,
        otel.kind = "client",
        otel.status_code = Empty,
        rpc.system.name = "grpc",
        rpc.method = method,
        server.address = address,
        server.port = port.parse::<u16>().ok(),
        rpc.response.status_code = Empty,
        error.type = Empty,
    );
    let traceparent = propagate::traceparent_of(&span);
    (span, traceparent)
}

/// Notes how a call ended. `fault` marks codes that are the fault of the span's own side.
pub(super) fn end(span: &Span, code: Code, fault: bool) {
    span.record("rpc.response.status_code", code_name(code));
    if fault {
        span.record("error.type", code_name(code));
        span.record("otel.status_code", "ERROR");
    }
}

/// The codes that mean that the server failed, not the caller (semantic conventions for gRPC).
pub const fn is_server_fault(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}
