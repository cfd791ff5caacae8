//! The other direction: the status another service answered with, as our error.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use trato_types::{Error, Kind, Violations};

/// The error that a status from elsewhere stands for. Reason, violations, metadata and retry hint are kept.
pub fn from_status(status: &Status) -> Error {
    let kind = kind(status.code());
    let details = status.get_error_details();
    let reason = details.error_info().map_or("UPSTREAM_ERROR", |info| intern(&info.reason));
    let mut error = match details.bad_request().filter(|_| kind == Kind::Invalid) {
        Some(request) => {
            let mut violations = Violations::new();
            for violation in &request.field_violations {
                violations.add(&violation.field, "INVALID_FIELD", &violation.description);
            }
            violations.into_error()
        }
        None => Error::new(kind, reason, status.message().to_owned()),
    };
    for (key, value) in details.error_info().into_iter().flat_map(|info| &info.metadata) {
        error = error.with(intern(key), value);
    }
    if let Some(resource) = details.resource_info() {
        error = error.about(&resource.resource_name);
    }
    match details.retry_info().and_then(|info| info.retry_delay) {
        Some(delay) => error.retry_after(delay),
        None if kind == Kind::Unavailable => error.retry_after(Duration::from_secs(1)),
        None => error,
    }
}

const fn kind(code: Code) -> Kind {
    match code {
        Code::InvalidArgument | Code::OutOfRange => Kind::Invalid,
        Code::Unauthenticated => Kind::Unauthenticated,
        Code::PermissionDenied => Kind::Forbidden,
        Code::NotFound => Kind::NotFound,
        Code::AlreadyExists => Kind::AlreadyExists,
        Code::Aborted => Kind::Stale,
        Code::FailedPrecondition => Kind::Precondition,
        Code::ResourceExhausted => Kind::Exhausted,
        Code::DeadlineExceeded => Kind::DeadlineExceeded,
        Code::Unavailable => Kind::Unavailable,
        Code::Unimplemented => Kind::Unimplemented,
        Code::Ok | Code::Cancelled | Code::Unknown | Code::Internal | Code::DataLoss => Kind::Internal,
    }
}

/// A reason that lives as long as the process. Reasons are few and fixed; the bound keeps a broken peer from filling
/// the memory with them.
fn intern(text: &str) -> &'static str {
    static KNOWN: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    const MOST: usize = 4096;
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if text.is_empty() || text.len() > 64 || !text.bytes().all(word) {
        return "UPSTREAM_ERROR";
    }
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    match known.get(text) {
        Some(reason) => reason,
        None if known.len() >= MOST => "UPSTREAM_ERROR",
        None => {
            let reason: &'static str = Box::leak(text.into());
            known.insert(reason);
            reason
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::status::to_status;

    #[test]
    fn an_error_survives_the_way_to_another_service() {
        let sent = Error::not_found("accounts/1").with("zone", "EU");

        let received = from_status(&to_status(sent));

        assert_eq!((received.kind(), received.reason()), (Kind::NotFound, "RESOURCE_NOT_FOUND"));
        assert_eq!(received.message(), "accounts/1 was not found");
        assert_eq!(received.resource(), Some("accounts/1"));
        assert!(received.metadata().contains(&("zone", "EU".to_owned())));
    }

    #[test]
    fn violations_and_retry_hints_survive_too() {
        let mut violations = Violations::new();
        violations.add("account.name", "EMPTY", "must not be empty");
        violations.add("account.zone", "EMPTY", "must not be empty");

        let invalid = from_status(&to_status(violations.into_error()));
        let busy = from_status(&to_status(
            Error::unavailable("BUSY", "come back").retry_after(Duration::from_secs(7)),
        ));

        assert_eq!(invalid.violations().len(), 2);
        assert_eq!(busy.retry_delay(), Some(Duration::from_secs(7)));
    }

    #[test]
    fn a_status_without_details_has_a_reason_of_its_own() {
        let error = from_status(&Status::new(Code::Unknown, "what?"));

        assert_eq!((error.kind(), error.reason()), (Kind::Internal, "UPSTREAM_ERROR"));
        assert_eq!(intern("<script>"), "UPSTREAM_ERROR");
    }
}
