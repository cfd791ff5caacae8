//! Typed identifiers and resource names (AIP-122).
//!
//! A resource name is `collection/id`; the tenant is never in it, so no name can point across tenants.

use std::{fmt, hash::Hash, marker::PhantomData};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::error::FieldError;

/// A kind of resource, named once: `accounts`.
pub trait Collection: 'static {
    /// Plural used in resource names and URLs.
    const COLLECTION: &'static str;
}

/// Identifier of a `T` of this service: a UUIDv7, so new rows sit together in indexes.
pub struct Id<T>(Uuid, PhantomData<fn() -> T>);

/// Reference to a `T` that may live in another service; it has the same form, but nothing guarantees that it exists.
pub type Ref<T> = Id<T>;

impl<T> Id<T> {
    /// Wraps an identifier that was read or generated.
    pub const fn from_uuid(id: Uuid) -> Self {
        Self(id, PhantomData)
    }
    /// The bare identifier.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl<T: Collection> Id<T> {
    /// The resource name, `accounts/0192…`.
    pub fn name(self) -> String {
        format!("{}/{}", T::COLLECTION, self.0)
    }

    /// Parses a resource name of this collection.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        parse_name(T::COLLECTION, name).map(Self::from_uuid)
    }

    /// Parses an optional reference: the empty text is none.
    pub fn parse_optional(name: &str) -> Result<Option<Self>, NameError> {
        if name.is_empty() { Ok(None) } else { Self::parse(name).map(Some) }
    }
}

/// As part of what is stored: the bare identifier.
impl<T> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Uuid::deserialize(deserializer).map(Self::from_uuid)
    }
}

/// Parses `collection/uuid` in its one canonical spelling.
pub fn parse_name(collection: &'static str, name: &str) -> Result<Uuid, NameError> {
    let id = name.strip_prefix(collection).and_then(|rest| rest.strip_prefix('/'));
    id.filter(|id| id.len() == 36 && !id.bytes().any(|byte| byte.is_ascii_uppercase()))
        .and_then(|id| Uuid::parse_str(id).ok())
        .ok_or(NameError { collection })
}

/// A text that is not a resource name of the expected collection.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be a resource name of the form {collection}/{{id}}")]
pub struct NameError {
    collection: &'static str,
}

impl FieldError for NameError {
    fn reason(&self) -> &'static str {
        "INVALID_RESOURCE_NAME"
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<T> Eq for Id<T> {}
impl<T> Hash for Id<T> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A member of the organisation, `members/{subject}`: the subject its tokens carry.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct MemberRef(String);

impl MemberRef {
    /// Longest subject accepted, in bytes.
    pub const MAX_LENGTH: usize = 128;

    /// Takes a token's subject. Letters, digits and `._@|:~+-` are allowed.
    pub fn from_subject(subject: &str) -> Result<Self, MemberError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._@|:~+-".contains(&byte);
        if subject.is_empty() || subject.len() > Self::MAX_LENGTH || !subject.bytes().all(allowed) {
            return Err(MemberError);
        }
        Ok(Self(subject.to_owned()))
    }

    /// Parses `members/{subject}`.
    pub fn parse(name: &str) -> Result<Self, MemberError> {
        name.strip_prefix("members/").ok_or(MemberError).and_then(Self::from_subject)
    }

    /// Parses an optional reference: the empty text is none.
    pub fn parse_optional(name: &str) -> Result<Option<Self>, MemberError> {
        if name.is_empty() { Ok(None) } else { Self::parse(name).map(Some) }
    }

    /// The resource name.
    pub fn name(&self) -> String {
        format!("members/{}", self.0)
    }

    /// The subject alone.
    pub fn subject(&self) -> &str {
        &self.0
    }
}

/// A text that names no member.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "must be a member of the form members/{{subject}}, where the subject has 1 to 128 letters, digits or ._@|:~+-"
)]
pub struct MemberError;

impl FieldError for MemberError {
    fn reason(&self) -> &'static str {
        "INVALID_MEMBER"
    }
}
