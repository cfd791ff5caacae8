//! Calls of HTTP with JSON: read, assembled, sent, answered.

use std::borrow::Cow;

use bytes::Bytes;
use http::{
    HeaderName, Response, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
};
use hyper::body::Incoming;
use tokio::time::Instant;
use tonic::Code;
use trato_platform::transport::Call;
use trato_types::{Error, Kind};

use super::{
    Ask, Failure, Gateway, bodies,
    place::Place,
    record::Record,
    stream::{Form, Messages},
};
use crate::{
    body::Body,
    codec::wire::last_delimited,
    headers,
    request::{FRAME_PREFIX, Parts, assemble},
    response::{self, Refusal},
    routes::{Binding, Method},
    status::Status,
};

/// Until when a call may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// The whole of a call, or the beginning of a stream.
    pub begun_by: Instant,
    /// The whole of it; a stream has one only when its client says so.
    pub deadline: Option<Instant>,
}

impl Gateway {
    /// Answers a call whose binding was found.
    pub(super) async fn call_json(
        &self,
        ask: &Ask<'_>,
        binding: &Binding,
        captures: &[Cow<'_, str>],
        body: Incoming,
        record: &mut Option<Record>,
        place: Place,
    ) -> Result<Response<Body>, Failure> {
        let method = self.routes.method_of(binding);
        let upstream = self.upstream(method)?;
        let passed = self.pass_on(method)?;
        let times = self.times(ask, method)?;
        check_content(ask)?;
        let max_bytes = self.config.platform.server.max_message_bytes;
        let body = bodies::read(ask, body, max_bytes, times.begun_by).await?;
        let parts = Parts {
            binding,
            captures,
            query: ask.head.uri.query().unwrap_or_default(),
            body: &body,
            idempotency_key: text(ask, &headers::IDEMPOTENCY_KEY)?,
            last_event_id: text(ask, &headers::LAST_EVENT_ID)?,
            max_depth: self.config.gateway.max_json_depth,
        };
        let frames = assemble(&self.tables.schema, method, parts)?;
        let call = self.outgoing(ask, method, frames.into(), times);
        if method.is_server_streaming {
            let answer = upstream.open(&call, times.begun_by).await?;
            if let Some(status) = answer.status {
                return Err(Failure::Upstream(status));
            }
            let form = Form::asked(&ask.head.headers, method, self.config.gateway.heartbeat());
            let life = self.life(record, place, times.deadline)?;
            let max_message = self.config.gateway.max_response_bytes;
            let tables = self.tables.clone();
            let request_id = ask.request_id();
            return Ok(Messages::respond(tables, method, form, answer.body, request_id, life, max_message));
        }
        let gathered = upstream.gather(&call, times.begun_by).await?;
        if let Some(passed) = passed {
            passed.answered(&gathered.status);
        }
        match gathered.status {
            Status { code: Code::Ok, .. } => {
                Ok(response::message(&self.tables.schema, method, binding, &gathered.message()?)?)
            }
            status => Err(Failure::Upstream(status)),
        }
    }

    /// The client's timeout within our own.
    pub(super) fn times(&self, ask: &Ask<'_>, method: &Method) -> Result<Times, Error> {
        let asked = headers::timeout(&ask.head.headers)?;
        let most = self.config.platform.server.request_timeout();
        let begun_by = ask.arrived + asked.unwrap_or(most).min(most);
        let is_stream = method.is_server_streaming || method.is_client_streaming;
        let deadline =
            if is_stream { asked.and_then(|asked| ask.arrived.checked_add(asked)) } else { Some(begun_by) };
        Ok(Times { begun_by, deadline })
    }

    /// A call as it is sent.
    pub(super) fn outgoing(&self, ask: &Ask<'_>, method: &Method, frames: Bytes, times: Times) -> Call {
        Call {
            path: method.path.clone(),
            headers: headers::forwarded(&ask.head.headers, ask.request_id, &ask.traceparent, times.deadline),
            is_idempotent: method.is_idempotent || has_request_id(method, &frames),
            is_stream: method.is_server_streaming || method.is_client_streaming,
            frames,
        }
    }
}

/// True when the one plain message in `frames` names its request, so that the service answers a second one alike.
fn has_request_id(method: &Method, frames: &[u8]) -> bool {
    let (Some(number), Some(0)) = (method.request_id, frames.first()) else { return false };
    let message = frames.get(FRAME_PREFIX..).unwrap_or_default();
    last_delimited(message, number).is_some_and(|id| !id.is_empty())
}

/// JSON without compression, or nothing at all.
fn check_content(ask: &Ask<'_>) -> Result<(), Refusal> {
    let unsupported = |reason, message: &str| {
        Refusal::http(StatusCode::UNSUPPORTED_MEDIA_TYPE, Kind::Invalid, reason, message)
    };
    let headers = &ask.head.headers;
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(unsupported("UNSUPPORTED_CONTENT_ENCODING", "a body must not be compressed"));
    }
    let Some(kind) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let kind = kind.to_str().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    if is_json || headers.get(CONTENT_LENGTH).is_some_and(|length| length == "0") {
        return Ok(());
    }
    Err(unsupported("UNSUPPORTED_CONTENT_TYPE", "a body must be application/json"))
}

/// A header that must be text when it is there.
fn text<'a>(ask: &Ask<'a>, name: &HeaderName) -> Result<Option<&'a str>, Error> {
    let Some(value) = ask.head.headers.get(name) else { return Ok(None) };
    match value.to_str() {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(Error::invalid(name.as_str(), "INVALID_HEADER", "must be visible ASCII")),
    }
}
