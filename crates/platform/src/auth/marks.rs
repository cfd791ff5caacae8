//! What a token is known by to whoever revokes it.
//!
//! Each mark is a SHA-256 of something with its own prefix: none can be taken for one of another kind, a claim may be as long
//! as it likes, and nothing of the token is kept.

use sha2::{Digest as _, Sha256};
use trato_types::{Timestamp, text};
use uuid::Uuid;

/// The marks of a token.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// Of the token itself.
    pub token: String,
    /// Of its issuer and its `jti` claim; none where that is no text.
    pub id: Option<String>,
    /// Of its tenant and its subject.
    pub subject: String,
    /// The `iat` claim; none where it does not say.
    pub issued: Option<Timestamp>,
}

/// A token that is to be revoked, as far as that takes.
#[derive(Clone, Debug)]
pub struct Leaked {
    /// Its mark.
    pub mark: String,
    /// Whose it is, for people.
    pub description: String,
    /// The `exp` claim.
    pub expires: Timestamp,
}

/// The mark of a token, by its header and payload as they were signed. Its signature is no part of it: whoever has one of ES256
/// can make another that is as right.
pub(super) fn of_token(signed: &[u8]) -> String {
    mark(&[b"token", signed])
}

/// The mark of the token that an issuer gave this `jti`.
pub fn of_id(issuer: &str, id: &str) -> String {
    mark(&[b"id", issuer.as_bytes(), id.as_bytes()])
}

/// The mark of all tokens that speak for a subject of a tenant.
pub fn of_subject(tenant: Uuid, subject: &str) -> String {
    mark(&[b"subject", tenant.as_bytes(), subject.as_bytes()])
}

/// What somebody else wrote, as far as it can be shown on a line.
pub fn shown(written: &str) -> String {
    text::line(written, 200).unwrap_or_else(|_| "?".to_owned())
}

fn mark(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        // No two lists of parts are alike.
        digest.update(format!("{}:", part.len()));
        digest.update(part);
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
