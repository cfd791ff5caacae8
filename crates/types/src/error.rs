//! One error type for the whole suite; it knows nothing of gRPC or HTTP.
//!
//! The reason is public API and stable; the cause (`source`) never leaves the process.

use std::{borrow::Cow, fmt, time::Duration};

/// The result of anything a caller asked for.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of failure it is; each has one gRPC code and one HTTP status.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// The request is wrong whatever the state of the system: format, mask, filter, page token.
    Invalid,
    /// No token, or one that is not trusted.
    Unauthenticated,
    /// The caller is known and may not do this. Decided before any look-up, so existence does not leak.
    Forbidden,
    /// Not there, or not visible to the caller.
    NotFound,
    /// A named unique constraint is already taken.
    AlreadyExists,
    /// The etag differs from the stored one, or a concurrent change won.
    Stale,
    /// The state of the resource forbids it.
    Precondition,
    /// A limit of size, rate or concurrency is reached.
    Exhausted,
    /// The caller's deadline passed before the answer was there.
    DeadlineExceeded,
    /// A server this one needs does not answer; trying again later may help.
    Unavailable,
    /// The method is not served here.
    Unimplemented,
    /// Everything else; the message is fixed and the cause is logged.
    Internal,
}

/// One thing that is wrong with one field of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Violation {
    /// Path of the field in the request, in proto names: `account.display_name`.
    pub field: String,
    /// Stable `UPPER_SNAKE` reason.
    pub reason: &'static str,
    /// Sentence for people.
    pub description: String,
}

/// Longest message and longest value of metadata, in bytes.
pub const LONGEST_MESSAGE: usize = 500;

/// Most violations that are told at once.
pub const MOST_VIOLATIONS: usize = 100;

/// Collects every violation of a request, so that a form is mended in one round.
#[derive(Clone, Debug, Default)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Starts an empty collection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes one violation; those beyond `MOST_VIOLATIONS` are not kept, so that a hostile request stays cheap.
    pub fn add(&mut self, field: impl Into<String>, reason: &'static str, description: impl Into<String>) {
        if self.0.len() >= MOST_VIOLATIONS {
            return;
        }
        self.0.push(Violation { field: field.into(), reason, description: description.into() });
    }

    /// Keeps the value of a parse, or notes why `field` could not be parsed.
    pub fn keep<T, E: FieldError>(&mut self, field: &str, parsed: Result<T, E>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(error) => {
                self.add(field, error.reason(), error.to_string());
                None
            }
        }
    }

    /// True when nothing was wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keeps the value of a parse that collects violations itself, put under `prefix`; a field that was noted before
    /// is not noted twice. Any other error is passed on.
    pub fn absorb<T>(&mut self, prefix: &str, parsed: Result<T>) -> Result<Option<T>> {
        let error = match parsed {
            Ok(value) => return Ok(Some(value)),
            Err(error) if error.0.violations.is_empty() => return Err(error),
            Err(error) => error,
        };
        for mut violation in error.0.violations {
            violation.field = format!("{prefix}{}", violation.field);
            if !self.0.iter().any(|known| known.field == violation.field) {
                self.0.push(violation);
            }
        }
        Ok(None)
    }

    /// `Ok(value)` when nothing was wrong, else INVALID_ARGUMENT with all of it.
    pub fn into_result<T>(self, value: Option<T>) -> Result<T> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self.into_error()),
        }
    }

    /// The INVALID_ARGUMENT error that carries all violations.
    pub fn into_error(self) -> Error {
        let message = match self.0.as_slice() {
            [] => "the request is not valid".to_owned(),
            [only] => format!("{}: {}", only.field, only.description),
            [first, rest @ ..] => format!("{}: {} (and {} more)", first.field, first.description, rest.len()),
        };
        let mut error = Error::new(Kind::Invalid, "INVALID_FIELD", message);
        error.0.violations = self.0;
        error
    }
}

/// Why a text is not a value of a vocabulary type; `Display` is the sentence for people.
pub trait FieldError: fmt::Display {
    /// Stable `UPPER_SNAKE` reason.
    fn reason(&self) -> &'static str;
}

/// A failure with a stable reason. Cheap to move (one pointer).
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    reason: &'static str,
    message: Cow<'static, str>,
    violations: Vec<Violation>,
    metadata: Vec<(&'static str, String)>,
    resource: Option<String>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind` with a stable reason and a sentence for people.
    pub fn new(kind: Kind, reason: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            reason,
            message: message.into(),
            violations: Vec::new(),
            metadata: Vec::new(),
            resource: None,
            retry_after: None,
            source: None,
        }))
    }

    /// INVALID_ARGUMENT about one field.
    pub fn invalid(field: impl Into<String>, reason: &'static str, description: impl Into<String>) -> Self {
        let mut violations = Violations::new();
        violations.add(field, reason, description);
        let mut error = violations.into_error();
        error.0.reason = reason;
        error
    }

    /// NOT_FOUND for a resource name, whether it is absent, deleted or another tenant's.
    pub fn not_found(name: impl Into<String>) -> Self {
        let name = name.into();
        let mut error = Self::new(Kind::NotFound, "RESOURCE_NOT_FOUND", format!("{name} was not found"));
        error.0.metadata.push(("name", name.clone()));
        error.0.resource = Some(name);
        error
    }

    /// INTERNAL; the cause is logged where the call ends and is never sent.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(Kind::Internal, "INTERNAL", "an internal error occurred").caused_by(source)
    }

    /// UNAVAILABLE with a hint when to try again.
    pub fn unavailable(reason: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Unavailable, reason, message).retry_after(Duration::from_secs(1))
    }

    /// Adds a value that stands in the message as machine-readable metadata (AIP-193).
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        let mut text = value.to_string();
        text.truncate(text.floor_char_boundary(LONGEST_MESSAGE));
        self.0.metadata.push((key, text));
        self
    }

    /// Names the resource the error is about.
    #[must_use]
    pub fn about(mut self, name: impl Into<String>) -> Self {
        self.0.resource = Some(name.into());
        self
    }

    /// Says when trying again makes sense.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The sort of failure.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }
    /// The stable reason.
    pub fn reason(&self) -> &'static str {
        self.0.reason
    }
    /// The sentence for people, at most `LONGEST_MESSAGE` bytes: it travels in a header, and may quote the caller.
    pub fn message(&self) -> &str {
        let end = self.0.message.floor_char_boundary(LONGEST_MESSAGE);
        &self.0.message[..end]
    }
    /// All field violations; empty unless the kind is `Invalid`.
    pub fn violations(&self) -> &[Violation] {
        &self.0.violations
    }
    /// Machine-readable values of the message.
    pub fn metadata(&self) -> &[(&'static str, String)] {
        &self.0.metadata
    }
    /// Name of the resource concerned.
    pub fn resource(&self) -> Option<&str> {
        self.0.resource.as_deref()
    }
    /// When trying again makes sense.
    pub fn retry_delay(&self) -> Option<Duration> {
        self.0.retry_after
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// A resource's own small error enum: each variant is a reason a person can act on.
pub trait DomainError: std::error::Error {
    /// The sort of failure; most are `Precondition`.
    fn kind(&self) -> Kind {
        Kind::Precondition
    }
    /// Stable `UPPER_SNAKE` reason.
    fn reason(&self) -> &'static str;
}

impl<E: DomainError> From<E> for Error {
    fn from(error: E) -> Self {
        Self::new(error.kind(), error.reason(), error.to_string())
    }
}

/// Prints an error and its causes, each once: `a: b: c`.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
