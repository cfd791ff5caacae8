//! What HTTP clients see: JSON of a message, and errors as AIP-193 has them.

use http::{
    HeaderValue, Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use tonic::Code;
use trato_platform::rpc::status::code_name;
use trato_types::{Error, Kind};

use crate::{
    body::Body,
    codec::{self, text::put_string},
    routes::{Binding, Method},
    schema::{MessageId, Schema},
    status::Status,
};

/// `application/json`
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An error of the gateway's own, perhaps with another HTTP status than its kind has.
#[derive(Debug)]
pub struct Refusal {
    /// What is wrong.
    pub error: Error,
    /// The HTTP status, when gRPC's code does not say it all.
    pub http: Option<StatusCode>,
}

impl Refusal {
    /// An error about HTTP itself.
    pub fn http(http: StatusCode, kind: Kind, reason: &'static str, message: impl Into<String>) -> Self {
        Self { error: Error::new(kind, reason, message.into()), http: Some(http) }
    }

    /// Adds a value that stands in the message.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl std::fmt::Display) -> Self {
        self.error = self.error.with(key, value);
        self
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { error, http: None }
    }
}

/// The HTTP status of a code of gRPC.
pub const fn http_status(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Cancelled => CLIENT_CLOSED_REQUEST,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Unknown | Code::Internal | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// 499, which no standard has and all gateways use for calls that their client gave up.
const CLIENT_CLOSED_REQUEST: StatusCode = match StatusCode::from_u16(499) {
    Ok(status) => status,
    Err(_) => StatusCode::REQUEST_TIMEOUT,
};

/// Writes errors by the tables of `google.rpc`.
#[derive(Clone, Copy, Debug)]
pub struct Errors {
    status: MessageId,
    details: usize,
}

impl Errors {
    /// Finds `google.rpc.Status` among the descriptors.
    pub fn new(schema: &Schema) -> Option<Self> {
        let status = schema.find("google.rpc.Status")?;
        Some(Self { status, details: schema.message(status).position_by_name("details")? })
    }

    /// `{"error":{"code":404,"message":…,"status":"NOT_FOUND","details":[…]}}`
    pub fn write(&self, schema: &Schema, status: &Status, http: StatusCode, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"error\":{\"code\":");
        codec::text::put_u64(out, http.as_u16().into());
        out.extend_from_slice(b",\"message\":");
        put_string(out, &status.message);
        out.extend_from_slice(b",\"status\":\"");
        out.extend_from_slice(code_name(status.code).as_bytes());
        out.extend_from_slice(b"\",\"details\":");
        let start = out.len();
        // Details that cannot be read must not hide the error itself.
        if codec::write_field(schema, self.status, self.details, &status.details, out).is_err() {
            out.truncate(start);
            out.extend_from_slice(b"[]");
        }
        out.extend_from_slice(b"}}");
    }

    /// The answer to a call that failed.
    pub fn respond(&self, schema: &Schema, status: &Status, http: Option<StatusCode>) -> Response<Body> {
        let http = http.unwrap_or(http_status(status.code));
        let mut text = Vec::with_capacity(256 + 2 * status.details.len());
        self.write(schema, status, http, &mut text);
        let mut response = json(text);
        *response.status_mut() = http;
        if let Some(seconds) = status.retry_after_seconds() {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if http == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The answer to a call that succeeded: the message, or the one field the binding asks for.
pub fn message(
    schema: &Schema,
    method: &Method,
    binding: &Binding,
    wire: &[u8],
) -> Result<Response<Body>, Error> {
    let mut text = Vec::with_capacity(wire.len() * 3 + 128);
    match binding.response_body {
        Some(position) => codec::write_field(schema, method.output, position, wire, &mut text),
        None => codec::write_message(schema, method.output, wire, &mut text),
    }
    .map_err(Error::internal)?;
    Ok(json(text))
}

fn json(text: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// An outcome as an answer of gRPC without message: headers alone.
pub fn grpc(status: &Status, content_type: HeaderValue) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    status.write(response.headers_mut());
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
