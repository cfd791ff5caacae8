//! Our errors as `google.rpc.Status` with details (AIP-193); the only place that knows both.
//!
//! A handler's error becomes a status with [`to_status`]; the server completes every status on its way out, so that
//! even those of the libraries carry a reason, the domain and the request id.

use std::sync::Arc;

use base64::{Engine as _, alphabet::STANDARD, engine::general_purpose};
use http::{HeaderMap, HeaderValue};
use prost::Message;
use prost_types::Any;
use tonic::{Code, Status};
use tonic_types::pb;
use trato_types::{Error, Kind, error::chain};

use crate::descriptors::subjects::whole;

tokio::task_local! {
    /// Domain of the reasons of the call that is being worked on, `sales.trato`.
    pub(super) static DOMAIN: Arc<str>;
}

/// The status of an error, with all details. Logs the cause of what is not the caller's fault, once, here.
pub fn to_status(error: Error) -> Status {
    log(&error);
    let wire = render(&error, MAX_DETAILS_BYTES);
    Status::with_details(code(error.kind()), wire.message.clone(), wire.encode_to_vec().into())
}

/// The status of an error as a message, for answers that carry one for each item. Logs like [`to_status`].
pub fn to_wire(error: &Error) -> pb::Status {
    log(error);
    render(error, usize::MAX)
}

/// The gRPC code of a kind of failure.
pub const fn code(kind: Kind) -> Code {
    match kind {
        Kind::Invalid => Code::InvalidArgument,
        Kind::Unauthenticated => Code::Unauthenticated,
        Kind::Forbidden => Code::PermissionDenied,
        Kind::NotFound => Code::NotFound,
        Kind::AlreadyExists => Code::AlreadyExists,
        Kind::Stale => Code::Aborted,
        Kind::Precondition => Code::FailedPrecondition,
        Kind::Exhausted => Code::ResourceExhausted,
        Kind::DeadlineExceeded => Code::DeadlineExceeded,
        Kind::Unavailable => Code::Unavailable,
        Kind::Unimplemented => Code::Unimplemented,
        Kind::Internal => Code::Internal,
    }
}

/// The name of a code as metrics and traces write it.
pub const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

fn log(error: &Error) {
    let reason = error.reason();
    match error.kind() {
        Kind::Internal => {
            let cause = chain(error);
            tracing::error!(reason, cause, "a call failed: {cause}");
        }
        Kind::Unavailable => {
            let cause = chain(error);
            tracing::warn!(reason, cause, "a call was turned away: {cause}");
        }
        // Its message may repeat what the caller sent.
        _ => tracing::debug!(reason, "a call was refused: {reason}"),
    }
}

/// Details travel in a header, and peers take header lists of 16 KiB at most; base64 adds a third.
const MAX_DETAILS_BYTES: usize = 6 * 1024;
/// The message travels percent-encoded in a header of its own.
const MAX_MESSAGE_CHARS: usize = 1000;
/// Names of resources are much shorter.
const MAX_NAME_BYTES: usize = 200;

fn render(error: &Error, max_bytes: usize) -> pb::Status {
    let message: String = match error.kind() {
        // Whatever a careless caller put there, it stays inside.
        Kind::Internal => "an internal error occurred".to_owned(),
        _ => error.message().chars().take(MAX_MESSAGE_CHARS).collect(),
    };
    let domain = DOMAIN.try_with(|domain| domain.to_string()).unwrap_or_default();
    let metadata = match error.kind() {
        Kind::Internal => Default::default(),
        _ => error.metadata().iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect(),
    };
    let info = pb::ErrorInfo { reason: error.reason().to_owned(), domain, metadata };
    let mut details = vec![any("ErrorInfo", &info)];
    if !error.violations().is_empty() {
        details.push(any("BadRequest", &bad_request(error, max_bytes)));
    }
    let subject = || error.resource().unwrap_or_default().to_owned();
    match error.kind() {
        Kind::Precondition => {
            let violation = pb::precondition_failure::Violation {
                r#type: error.reason().to_owned(),
                subject: subject(),
                description: message.clone(),
            };
            details
                .push(any("PreconditionFailure", &pb::PreconditionFailure { violations: vec![violation] }));
        }
        Kind::NotFound | Kind::AlreadyExists if error.resource().is_some() => {
            let resource_name = subject();
            // The innermost collection says what sort of thing it is.
            let resource_type = resource_name.rsplit('/').nth(1).unwrap_or_default().to_owned();
            let info = pb::ResourceInfo {
                resource_type,
                resource_name,
                owner: String::new(),
                description: message.clone(),
            };
            details.push(any("ResourceInfo", &info));
        }
        Kind::Exhausted => {
            let violation = pb::quota_failure::Violation {
                description: message.clone(),
                subject: subject(),
                ..Default::default()
            };
            details.push(any("QuotaFailure", &pb::QuotaFailure { violations: vec![violation] }));
        }
        _ => {}
    }
    if let Some(delay) = error.retry_delay() {
        let retry_delay = prost_types::Duration::try_from(delay).ok();
        details.push(any("RetryInfo", &pb::RetryInfo { retry_delay }));
    }
    pb::Status { code: code(error.kind()).into(), message, details }
}

fn bad_request(error: &Error, max_bytes: usize) -> pb::BadRequest {
    let mut request = pb::BadRequest::default();
    let mut bytes = 0;
    for violation in error.violations() {
        let violation = pb::bad_request::FieldViolation {
            field: violation.field.clone(),
            description: violation.description.clone(),
            reason: violation.reason.to_owned(),
            localized_message: None,
        };
        bytes += violation.encoded_len() + 4;
        if bytes > max_bytes && !request.field_violations.is_empty() {
            break;
        }
        request.field_violations.push(violation);
    }
    request
}

fn any(name: &str, message: &impl Message) -> Any {
    Any { type_url: format!("type.googleapis.com/google.rpc.{name}"), value: message.encode_to_vec() }
}

/// What the server knows of a call and a handler does not.
pub(super) struct Completion<'a> {
    pub domain: &'a Arc<str>,
    /// The caller's `x-request-id`, if it sent one.
    pub request_id: Option<&'a HeaderValue>,
}

/// Completes the status in a response's headers or trailers; says what it is. `None` when there is none.
pub(super) fn complete(headers: &mut HeaderMap, completion: &Completion<'_>) -> Option<Code> {
    let code = Code::from_bytes(headers.get(Status::GRPC_STATUS)?.as_bytes());
    if code == Code::Ok {
        return Some(code);
    }
    let details =
        headers.get(Status::GRPC_STATUS_DETAILS).and_then(|details| BASE64.decode(details.as_bytes()).ok());
    let mut status = match details.filter(|details| !details.is_empty()) {
        Some(details) => pb::Status::decode(details.as_slice()).unwrap_or_default(),
        None => adopt(code, headers, completion),
    };
    for detail in &mut status.details {
        fill_in_domain(detail, completion.domain);
    }
    let request_id = completion.request_id.and_then(|id| id.to_str().ok()).map(str::to_owned);
    let request_id = request_id.unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
    status.details.push(any("RequestInfo", &pb::RequestInfo { request_id, serving_data: String::new() }));
    if let Ok(value) = HeaderValue::try_from(BASE64.encode(status.encode_to_vec())) {
        headers.insert(Status::GRPC_STATUS_DETAILS, value);
    }
    Some(Code::from(status.code))
}

/// Name of the resource that a status in a response's headers is about; `None` when it tells none that could be recorded.
pub(super) fn resource(headers: &HeaderMap) -> Option<String> {
    let details = BASE64.decode(headers.get(Status::GRPC_STATUS_DETAILS)?.as_bytes()).ok()?;
    let status = pb::Status::decode(details.as_slice()).ok()?;
    let told = status.details.iter().find(|detail| detail.type_url.ends_with("/google.rpc.ResourceInfo"))?;
    let name = pb::ResourceInfo::decode(told.value.as_slice()).ok()?.resource_name;
    // It is the caller's own text.
    let is_plain = name.len() <= MAX_NAME_BYTES && name.bytes().all(|byte| byte.is_ascii_graphic());
    is_plain.then(|| whole(&name).to_owned()).filter(|name| !name.is_empty())
}

/// gRPC accepts base64 with and without padding and asks senders to leave it out.
const BASE64: general_purpose::GeneralPurpose = general_purpose::GeneralPurpose::new(
    &STANDARD,
    general_purpose::GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
);

fn fill_in_domain(detail: &mut Any, domain: &Arc<str>) {
    if !detail.type_url.ends_with("/google.rpc.ErrorInfo") {
        return;
    }
    if let Ok(mut info) = pb::ErrorInfo::decode(detail.value.as_slice())
        && info.domain.is_empty()
    {
        info.domain = domain.to_string();
        detail.value = info.encode_to_vec();
    }
}

/// Gives a status of the gRPC library, which has no details, a reason, and the code that says whose fault it is.
fn adopt(code: Code, headers: &mut HeaderMap, completion: &Completion<'_>) -> pb::Status {
    let message =
        Status::from_header_map(headers).map(|status| status.message().to_owned()).unwrap_or_default();
    let (code, reason) = match code {
        // Our own failures always carry details, so this one is the library's word for bytes it could not read.
        Code::Internal => (Code::InvalidArgument, "MALFORMED_MESSAGE"),
        // The library's own limit, met when a service lowers it below the platform's.
        Code::OutOfRange => (Code::ResourceExhausted, "MESSAGE_TOO_LARGE"),
        // The library lists the encodings it takes when it refuses one.
        Code::Unimplemented if headers.contains_key("grpc-accept-encoding") => {
            (code, "ENCODING_NOT_SUPPORTED")
        }
        Code::Unimplemented => (code, "METHOD_NOT_SERVED"),
        other => (other, code_name(other)),
    };
    let message = if message.is_empty() { "the server does not serve this".to_owned() } else { message };
    let status = Status::new(code, message.as_str());
    // Only a message that is no valid header value is left as it was.
    let _ = status.add_header(headers);
    let info = pb::ErrorInfo {
        reason: reason.to_owned(),
        domain: completion.domain.to_string(),
        ..Default::default()
    };
    pb::Status { code: code.into(), message, details: vec![any("ErrorInfo", &info)] }
}

#[cfg(test)]
mod tests;
