//! Why a call failed, read from the error JSON of the gateway (AIP-193), and what that means for whoever called.

use std::{fmt, time::Duration};

use reqwest::{StatusCode, header::HeaderMap};
use serde_json::Value;

/// A call, or one item of a batch, that was not done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// Name of the gRPC code, `RESOURCE_EXHAUSTED`; `UNREACHABLE` where no answer came at all.
    pub code: String,
    /// Stable reason, `AMOUNT_TOO_FINE`; empty where the answer had none.
    pub reason: String,
    /// Sentence for people.
    pub message: String,
    /// Field violations, `field: description`.
    pub violations: Vec<String>,
    /// How long the answer asks to wait.
    pub retry_after: Option<Duration>,
}

/// What a caller can do about a failure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Remedy {
    /// Too much at once, or a server is down: call less, and again later.
    SlowDown,
    /// Bad luck, or a fault of the server: a few more tries are worth it.
    TryAgain,
    /// No call of this client can succeed: the token, the address or the version is wrong.
    GiveUp,
    /// The request is wrong; the same again fails again.
    Change,
}

/// Names of the gRPC codes by number.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

impl Failure {
    /// Nobody answered, or the answer broke off.
    pub fn unreachable(error: &reqwest::Error) -> Self {
        let mut message = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            message = format!("{message}: {error}");
            cause = error.source();
        }
        Self::of("UNREACHABLE", message)
    }

    /// The answer is not what the contract says.
    pub fn unexpected(message: impl Into<String>) -> Self {
        Self::of("UNKNOWN", message.into())
    }

    /// Reads the answer of a call that failed.
    pub fn of_answer(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let mut failure = Self::of_status(&body["error"]);
        if failure.code == "OK" || failure.code == "UNKNOWN" {
            failure.code = code_of(status).to_owned();
        }
        if failure.message.is_empty() {
            failure.message = format!("HTTP {status}");
        }
        let header = headers.get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
        failure.retry_after = failure.retry_after.or(header.map(Duration::from_secs));
        failure
    }

    /// Reads a `google.rpc.Status`, as it stands in the answer of a call or of one item.
    pub fn of_status(status: &Value) -> Self {
        let number = status["code"].as_u64().and_then(|code| CODES.get(usize::try_from(code).ok()?));
        let code = status["status"].as_str().or(number.copied()).unwrap_or("UNKNOWN");
        let mut failure = Self::of(code, status["message"].as_str().unwrap_or_default());
        for detail in status["details"].as_array().into_iter().flatten() {
            failure.add(detail);
        }
        failure
    }

    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self.code.as_str() {
            // No call of this client carries an etag, so ABORTED means that another call was in the way.
            "UNREACHABLE" | "UNAVAILABLE" | "RESOURCE_EXHAUSTED" | "DEADLINE_EXCEEDED" | "ABORTED"
            | "CANCELLED" => Remedy::SlowDown,
            "UNKNOWN" | "INTERNAL" | "DATA_LOSS" => Remedy::TryAgain,
            "UNAUTHENTICATED" | "PERMISSION_DENIED" | "UNIMPLEMENTED" => Remedy::GiveUp,
            _ => Remedy::Change,
        }
    }

    fn of(code: &str, message: impl Into<String>) -> Self {
        let (code, message) = (code.to_owned(), message.into());
        Self { code, message, reason: String::new(), violations: Vec::new(), retry_after: None }
    }

    fn add(&mut self, detail: &Value) {
        let kind = detail["@type"].as_str().unwrap_or_default();
        if kind.ends_with("google.rpc.ErrorInfo") {
            self.reason = detail["reason"].as_str().unwrap_or_default().to_owned();
        } else if kind.ends_with("google.rpc.RetryInfo") {
            let delay = detail["retryDelay"].as_str().and_then(|delay| delay.strip_suffix('s')?.parse().ok());
            self.retry_after = delay.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        } else if kind.ends_with("google.rpc.BadRequest") {
            let violations = detail["fieldViolations"].as_array().into_iter().flatten();
            let line = |violation: &Value| {
                let text = |name: &str| violation[name].as_str().unwrap_or_default().to_owned();
                format!("{}: {}", text("field"), text("description"))
            };
            self.violations.extend(violations.map(line));
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.reason.is_empty() { &self.code } else { &self.reason };
        // The message of an invalid request repeats its first violation.
        if self.violations.is_empty() {
            write!(f, "{name}: {}", self.message)
        } else {
            write!(f, "{name}: {}", self.violations.join("; "))
        }
    }
}

impl std::error::Error for Failure {}

/// The code of an answer without a status in its body, such as a proxy's.
fn code_of(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 | 405 | 501 => "UNIMPLEMENTED",
        408 | 504 => "DEADLINE_EXCEEDED",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        502 | 503 => "UNAVAILABLE",
        500..=599 => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_error_is_read_with_its_reason_violations_and_delay() {
        let body = json!({"error": {"code": 429, "message": "too much", "status": "RESOURCE_EXHAUSTED", "details": [
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_EXCEEDED", "domain": "gateway.trato"},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.500s"},
            {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"field": "a.b", "description": "is odd"}]},
        ]}});

        let failure =
            Failure::of_answer(StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new(), body.to_string().as_bytes());

        assert_eq!(failure.remedy(), Remedy::SlowDown);
        assert_eq!(failure.retry_after, Some(Duration::from_millis(1500)));
        assert_eq!(failure.to_string(), "RATE_EXCEEDED: a.b: is odd");
    }

    #[test]
    fn the_error_of_an_item_has_its_code_as_a_number() {
        let failure = Failure::of_status(&json!({"code": 14, "message": "customers is down"}));

        assert_eq!((failure.code.as_str(), failure.remedy()), ("UNAVAILABLE", Remedy::SlowDown));
    }

    #[test]
    fn an_answer_without_json_is_judged_by_its_status() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", "2".parse().expect("a header"));

        let failure = Failure::of_answer(StatusCode::BAD_GATEWAY, &headers, b"<html>");

        assert_eq!((failure.remedy(), failure.retry_after), (Remedy::SlowDown, Some(Duration::from_secs(2))));
        assert_eq!(
            Failure::of_answer(StatusCode::NOT_FOUND, &HeaderMap::new(), b"").remedy(),
            Remedy::GiveUp,
            "the address is wrong"
        );
    }
}
