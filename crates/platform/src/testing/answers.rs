//! How an answer reads in a test.

use std::fmt::Debug;

use prost::Message as _;
use prost_types::FieldMask;
use tonic::{Code, Status};
use tonic_types::{StatusExt as _, pb};

/// A violation of one field: its path and the reason.
pub type FieldReason = (String, String);

/// A mask of these paths.
pub fn paths(mask: &[&str]) -> FieldMask {
    FieldMask { paths: mask.iter().map(|path| (*path).to_owned()).collect() }
}

/// Code and stable reason of a refused call.
pub fn refusal<T: Debug>(answer: Result<T, Status>) -> (Code, String) {
    let status = answer.expect_err("the call is refused");
    let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    (status.code(), reason)
}

/// Stable reason of a refused item of a batch.
pub fn item_reason(status: &pb::Status) -> String {
    let info = status.details.iter().find(|detail| detail.type_url.ends_with("/google.rpc.ErrorInfo"));
    let info = info.map(|info| pb::ErrorInfo::decode(info.value.as_slice()).expect("an ErrorInfo"));
    info.map(|info| info.reason).unwrap_or_default()
}

/// The violations of an invalid request, by field.
pub fn violations<T: Debug>(answer: Result<T, Status>) -> Vec<FieldReason> {
    let status = answer.expect_err("the call is refused");
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    item_violations(&pb::Status::decode(status.details()).expect("details are a google.rpc.Status"))
}

/// The violations of an invalid item of a batch, by field.
pub fn item_violations(status: &pb::Status) -> Vec<FieldReason> {
    let request = status.details.iter().find(|detail| detail.type_url.ends_with("/google.rpc.BadRequest"));
    let request = request.map(|detail| pb::BadRequest::decode(detail.value.as_slice()));
    let request = request.expect("there are violations").expect("they are a BadRequest");
    let mut found: Vec<_> =
        request.field_violations.into_iter().map(|violation| (violation.field, violation.reason)).collect();
    found.sort();
    found
}

/// A violation, to compare with.
pub fn field(path: &str, reason: &str) -> FieldReason {
    (path.to_owned(), reason.to_owned())
}
