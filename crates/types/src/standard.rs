//! The shapes every standard request and resource message has (AIP-131 to 135, 154, 155, 163, 231, 233).
//!
//! The impls are written at build time from the descriptors. A message that departs from the shape gets no impl, and
//! the handler that needs one does not compile: the API convention is checked by the compiler.

use crate::error::Violations;

/// Field-wise work on one message, by the field behaviour its proto file declares (AIP-203).
pub trait Fields: Clone + Default + PartialEq + Send + Sync + 'static {
    /// Full proto name: `trato.sales.v1.Opportunity`.
    const TYPE_NAME: &'static str;
    /// Names of the fields a client may set, in proto order.
    const MUTABLE: &'static [&'static str];

    /// Empties every OUTPUT_ONLY field: what a client sends there is ignored.
    fn discard_output_only(&mut self);

    /// Notes every REQUIRED field that is empty, under `prefix` (empty, or ending with a dot).
    fn check_required(&self, prefix: &str, violations: &mut Violations);

    /// Takes the field at `path` over from `from`.
    fn merge(&mut self, path: &str, from: &Self) -> Result<(), PathError>;

    /// Names of the fields that hold something, without OUTPUT_ONLY ones: the mask meant when none is sent (AIP-134).
    fn populated(&self) -> Vec<&'static str>;

    /// Names of the top-level fields in which the two differ.
    fn changed(&self, before: &Self) -> Vec<&'static str>;

    /// Names of IMMUTABLE fields in which the two differ.
    fn changed_immutable(&self, before: &Self) -> Vec<&'static str>;
}

/// A path of a field mask that cannot be followed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no such field")]
pub struct PathError;

/// A message that is a resource.
pub trait ResourceMessage: Fields {
    /// Resource name; empty before it is created.
    fn name(&self) -> &str;
    /// Etag the client read; empty when it does not care.
    fn etag(&self) -> &str;
    /// External system and the identifier there; both or neither.
    fn external(&self) -> (&str, &str);
}

/// What every write may say beside its content.
#[derive(Clone, Debug, Default)]
pub struct WriteOptions {
    /// Identifies the request for safe repetition (AIP-155); a UUID or empty.
    pub request_id: String,
    /// Do everything but write (AIP-163).
    pub validate_only: bool,
}

/// `GetXRequest`.
pub trait GetRequest {
    /// The resource asked for.
    type Message;
    /// Its name.
    fn name(&self) -> &str;
}

/// `ListXRequest`.
pub trait ListRequest {
    /// The resource listed.
    type Message;
    /// Parent resource name; empty for a top-level collection.
    fn parent(&self) -> &str;
    /// Wanted size of the page; 0 is the default.
    fn page_size(&self) -> i32;
    /// Token of an earlier answer, or empty.
    fn page_token(&self) -> &str;
    /// AIP-160 filter, or empty.
    fn filter(&self) -> &str;
    /// AIP-132 order, or empty.
    fn order_by(&self) -> &str;
    /// Whether soft-deleted resources are listed too (AIP-164).
    fn show_deleted(&self) -> bool;
}

/// `ListXResponse`.
pub trait ListResponse<M> {
    /// One page; an empty token means that it is the last one.
    fn page(items: Vec<M>, next_page_token: String) -> Self;
}

/// `CreateXRequest`.
pub trait CreateRequest {
    /// The resource made.
    type Message;
    /// Name of the field that holds it, for violations.
    const FIELD: &'static str;
    /// The resource and the options.
    fn into_parts(self) -> (Option<Self::Message>, WriteOptions);
    /// Empties the request id, so that the same content has the same hash.
    fn take_request_id(&mut self) -> String;
}

/// `UpdateXRequest` and `UpsertXRequest`.
pub trait UpdateRequest {
    /// The resource changed.
    type Message;
    /// Name of the field that holds it, for violations.
    const FIELD: &'static str;
    /// The resource, the paths of the mask when one was sent, and the options.
    fn into_parts(self) -> (Option<Self::Message>, Option<Vec<String>>, WriteOptions);
    /// Empties the request id, so that the same content has the same hash.
    fn take_request_id(&mut self) -> String;
}

/// `DeleteXRequest`, `UndeleteXRequest` and every custom verb on one resource.
pub trait VerbRequest {
    /// The resource acted upon.
    fn name(&self) -> &str;
    /// Etag the client read, or empty.
    fn etag(&self) -> &str;
    /// Do everything but write.
    fn validate_only(&self) -> bool;
    /// Empties the request id, so that the same content has the same hash.
    fn take_request_id(&mut self) -> String;
}

/// `BatchGetXRequest`.
pub trait BatchGetRequest {
    /// The resource asked for.
    type Message;
    /// Their names, answered in this order.
    fn names(&self) -> &[String];
}

/// `BatchGetXResponse`.
pub trait BatchGetResponse<M> {
    /// All of them, in the order of the request.
    fn all(items: Vec<M>) -> Self;
}

/// `BatchCreateXRequest`.
pub trait BatchCreateRequest {
    /// The request of one item.
    type Item: CreateRequest;
    /// The items and the options of the whole batch.
    fn into_parts(self) -> (Vec<Self::Item>, WriteOptions);
    /// Empties the request id, so that the same content has the same hash.
    fn take_request_id(&mut self) -> String;
}

/// What became of one item of a batch.
#[derive(Clone, Debug)]
pub enum Outcome<M, S> {
    /// It was made.
    Created(M),
    /// Its (source, external_id) was there already; nothing was written.
    Existing(M),
    /// It was refused; the others are not touched by that.
    Refused(S),
}

/// `BatchCreateXResponse`.
pub trait BatchCreateResponse<M, S> {
    /// One answer per item, in the order of the request.
    fn each(outcomes: Vec<Outcome<M, S>>) -> Self;
}
