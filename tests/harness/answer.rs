//! Answers of the gateway, and refusals in one form whether they came as JSON or as a gRPC status.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message as _;
use serde_json::Value;
use tonic::{Code, Status};
use tonic_types::pb;

/// One HTTP answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Method and path, for failures.
    pub asked: String,
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub bytes: Bytes,
}

/// One refusal, from JSON (AIP-193) or from a gRPC status.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// Canonical code: `NOT_FOUND`.
    pub code: String,
    /// Stable reason of the ErrorInfo.
    pub reason: String,
    /// Domain of the ErrorInfo: `sales.trato`.
    pub domain: String,
    /// Values of the ErrorInfo.
    pub metadata: BTreeMap<String, String>,
    /// Sentence for people.
    pub message: String,
    /// Field and reason of each violation.
    pub violations: Vec<(String, String)>,
    /// True when it says when to try again.
    pub says_when_to_retry: bool,
}

impl Answer {
    /// The body of a success.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(self.status == 200, "{} was answered {}: {}", self.asked, self.status, self.text());
        self.json()
    }

    /// The body of a success; an error that tells the refusal otherwise.
    pub fn acknowledged(self) -> anyhow::Result<Value> {
        anyhow::ensure!(self.status == 200, "{} was answered {}: {}", self.asked, self.status, self.text());
        Ok(self.json())
    }

    /// What was refused. Panics for a success.
    #[track_caller]
    pub fn refused(&self) -> Refusal {
        assert!(self.status >= 400, "{} was not refused: {}", self.asked, self.text());
        let json = self.json();
        let error = &json["error"];
        let details = error["details"].as_array().cloned().unwrap_or_default();
        let detail = |name: &str| {
            let found = details.iter().find(|detail| {
                detail["@type"].as_str().is_some_and(|kind| kind.ends_with(&format!("google.rpc.{name}")))
            });
            found.cloned().unwrap_or_default()
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let violations = detail("BadRequest")["fieldViolations"].as_array().cloned().unwrap_or_default();
        Refusal {
            code: text(&error["status"]),
            reason: text(&detail("ErrorInfo")["reason"]),
            domain: text(&detail("ErrorInfo")["domain"]),
            metadata: metadata(&detail("ErrorInfo")["metadata"]),
            message: text(&error["message"]),
            violations: violations.iter().map(|one| (text(&one["field"]), text(&one["reason"]))).collect(),
            says_when_to_retry: !detail("RetryInfo").is_null(),
        }
    }

    /// Panics unless it was refused with this reason.
    #[track_caller]
    pub fn refused_as(&self, reason: &str) -> Refusal {
        let refusal = self.refused();
        assert_eq!(refusal.reason, reason, "{}: {}", self.asked, self.text());
        refusal
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

impl Refusal {
    /// Reads a gRPC status.
    pub fn of(status: &Status) -> Self {
        let details = pb::Status::decode(status.details()).unwrap_or_default().details;
        let info: pb::ErrorInfo = detail(&details, "ErrorInfo").unwrap_or_default();
        let request: pb::BadRequest = detail(&details, "BadRequest").unwrap_or_default();
        let violations = request.field_violations.into_iter();
        Self {
            code: code_name(status.code()).to_owned(),
            reason: info.reason,
            domain: info.domain,
            metadata: info.metadata.into_iter().collect(),
            message: status.message().to_owned(),
            violations: violations.map(|violation| (violation.field, violation.reason)).collect(),
            says_when_to_retry: detail::<pb::RetryInfo>(&details, "RetryInfo").is_some(),
        }
    }
}

fn metadata(value: &Value) -> BTreeMap<String, String> {
    let entries = value.as_object().into_iter().flatten();
    entries.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

fn detail<M: prost::Message + Default>(details: &[prost_types::Any], name: &str) -> Option<M> {
    let found = details.iter().find(|any| any.type_url.ends_with(&format!("google.rpc.{name}")))?;
    M::decode(found.value.as_slice()).ok()
}

/// The canonical name of a code.
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
