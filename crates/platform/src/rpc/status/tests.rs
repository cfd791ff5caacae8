//! Errors as `google.rpc.Status` and back.

use std::time::Duration;

use tonic_types::StatusExt as _;
use trato_types::Violations;

use super::*;

fn completed(status: Status, request_id: Option<&'static str>) -> Status {
    let mut headers = status.into_http::<()>().into_parts().0.headers;
    let request_id = request_id.map(HeaderValue::from_static);
    let completion = Completion { domain: &"sales.trato".into(), request_id: request_id.as_ref() };
    complete(&mut headers, &completion).expect("a status");
    Status::from_header_map(&headers).expect("a status")
}

#[test]
fn every_status_has_reason_domain_and_request_id() {
    let error = Error::new(Kind::Forbidden, "PERMISSION_MISSING", "no").with("permission", "a.b");

    let status = completed(to_status(error), Some("r-1"));

    let details = status.get_error_details();
    let info = details.error_info().expect("info");
    assert_eq!(status.code(), Code::PermissionDenied);
    assert_eq!((info.reason.as_str(), info.domain.as_str()), ("PERMISSION_MISSING", "sales.trato"));
    assert_eq!(info.metadata["permission"], "a.b");
    assert_eq!(details.request_info().expect("request").request_id, "r-1");
    let made_up = completed(to_status(Error::not_found("a/1")), None);
    assert_eq!(made_up.get_error_details().request_info().expect("request").request_id.len(), 36);
}

#[test]
fn each_kind_brings_its_details() {
    let mut violations = Violations::new();
    violations.add("a.b", "EMPTY", "must not be empty");
    violations.add("a.c", "TOO_LONG", "is too long");
    let invalid = to_status(violations.into_error()).get_error_details();
    let violations = &invalid.bad_request().expect("violations").field_violations;
    assert_eq!(violations.len(), 2);
    assert_eq!((violations[1].field.as_str(), violations[1].description.as_str()), ("a.c", "is too long"));

    let precondition = Error::new(Kind::Precondition, "NOT_OPEN", "it is closed").about("opportunities/1");
    let precondition = to_status(precondition).get_error_details();
    let violation = &precondition.precondition_failure().expect("precondition").violations[0];
    assert_eq!((violation.r#type.as_str(), violation.subject.as_str()), ("NOT_OPEN", "opportunities/1"));

    let missing = to_status(Error::not_found("accounts/1")).get_error_details();
    assert_eq!(missing.resource_info().expect("resource").resource_type, "accounts");

    let full = Error::new(Kind::Exhausted, "TOO_MANY_CALLS", "full").retry_after(Duration::from_millis(250));
    let full = to_status(full).get_error_details();
    assert_eq!(full.retry_info().expect("retry").retry_delay, Some(Duration::from_millis(250)));
    assert_eq!(full.quota_failure().expect("quota").violations[0].description, "full");
}

#[test]
fn an_internal_error_keeps_its_cause_inside() {
    let error = Error::internal("password=hush").with("query", "hush");

    let status = completed(to_status(error), None);

    assert_eq!((status.code(), status.message()), (Code::Internal, "an internal error occurred"));
    assert!(!String::from_utf8_lossy(status.details()).contains("hush"));
    assert!(!format!("{:?}", to_wire(&Error::internal("hush"))).contains("hush"));
}

/// The library calls bytes it cannot decode INTERNAL; for the caller that is INVALID_ARGUMENT.
#[test]
fn a_status_of_the_library_is_completed_and_blames_the_right_side() {
    let malformed = completed(Status::internal("failed to decode Protobuf message"), None);
    let unserved = completed(Status::unimplemented(""), None);

    assert_eq!(malformed.code(), Code::InvalidArgument);
    assert_eq!(malformed.get_error_details().error_info().expect("info").reason, "MALFORMED_MESSAGE");
    assert_eq!(unserved.get_error_details().error_info().expect("info").reason, "METHOD_NOT_SERVED");
}

#[test]
fn details_stay_within_what_peers_accept() {
    let mut violations = Violations::new();
    for index in 0..2000 {
        violations.add(format!("items[{index}]"), "EMPTY", "must not be empty");
    }

    let error = violations.into_error();

    assert!(to_status(Error::new(Kind::Invalid, "X", "y".repeat(100_000))).message().len() <= 1000);
    assert_eq!(to_wire(&error).details.len(), 2);
    assert!(completed(to_status(error), None).details().len() < 8 * 1024);
}

#[test]
fn a_good_answer_is_left_alone() {
    let mut trailers = HeaderMap::new();
    trailers.insert(Status::GRPC_STATUS, HeaderValue::from_static("0"));

    assert_eq!(
        complete(&mut trailers, &Completion { domain: &"x".into(), request_id: None }),
        Some(Code::Ok)
    );
    assert_eq!(trailers.len(), 1);
    assert_eq!(complete(&mut HeaderMap::new(), &Completion { domain: &"x".into(), request_id: None }), None);
}
