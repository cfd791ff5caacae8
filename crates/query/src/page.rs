//! Page tokens (AIP-158): the sort keys of the last row, sealed to the request they continue.
//!
//! A token is base64url of a version byte, a digest of 16 bytes and the content. The digest covers the content and what
//! the token is bound to, so a token used with another filter, order, parent or tenant is refused. It grants nothing:
//! a token only says where to go on among the rows the caller may read anyway.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use trato_types::Timestamp;

use crate::{
    fault::{Fault, INVALID_PAGE_TOKEN},
    order::SortKey,
    value::Value,
};

/// How long a token can be used.
pub const TOKEN_DAYS: i64 = 3;

/// The first byte; another form of content gets another one.
const VERSION: u8 = 1;
const DIGEST_LENGTH: usize = 16;
/// Longest token taken, in bytes.
const MAX_LENGTH: usize = 16 * 1024;
/// How far the clocks of two replicas may differ, in seconds.
const CLOCK_SKEW: i64 = 60;

/// When the token was made, in seconds since 1970, and a value for each sort key, written as a literal.
type Content = (i64, Vec<Option<String>>);

/// What tokens of one request are bound to.
#[derive(Clone, Debug)]
pub(crate) struct Seal(Sha256);

impl Seal {
    /// Binds to these parts, in this order.
    pub(crate) fn new<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            // With its length before it, no part can run into the next.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash)
    }

    fn digest(&self, content: &[u8]) -> [u8; DIGEST_LENGTH] {
        let full = self
            .0
            .clone()
            .chain_update((content.len() as u64).to_be_bytes())
            .chain_update(content)
            .finalize();
        let mut digest = [0; DIGEST_LENGTH];
        digest.copy_from_slice(&full[..DIGEST_LENGTH]);
        digest
    }
}

/// Makes the token that continues behind a row with these values.
pub(crate) fn issue(seal: &Seal, values: &[Option<Value>], now: Timestamp) -> String {
    let written = |value: &Option<Value>| value.as_ref().map(Value::write);
    let content: Content = (now.timestamp(), values.iter().map(written).collect());
    let content = serde_json::json!(content).to_string();
    let mut token = vec![VERSION];
    token.extend_from_slice(&seal.digest(content.as_bytes()));
    token.extend_from_slice(content.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(token)
}

/// Reads the values out of a token that was issued for the same request.
pub(crate) fn open(
    seal: &Seal,
    keys: &[SortKey],
    token: &str,
    now: Timestamp,
) -> Result<Vec<Option<Value>>, Fault> {
    let foreign =
        || Fault::whole(INVALID_PAGE_TOKEN, "is not a token of this list with this filter and order");
    if token.len() > MAX_LENGTH {
        return Err(foreign());
    }
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).map_err(|_| foreign())?;
    let sealed = bytes.strip_prefix(&[VERSION]).and_then(|sealed| sealed.split_at_checked(DIGEST_LENGTH));
    let (digest, content) = sealed.ok_or_else(foreign)?;
    // No early exit, so that the time taken tells nothing of the right digest to one who tries.
    let differing = digest.iter().zip(seal.digest(content)).fold(0, |bits, (a, b)| bits | (a ^ b));
    if differing != 0 {
        return Err(foreign());
    }
    let (issued, written): Content = serde_json::from_slice(content).map_err(|_| foreign())?;
    let age = now.timestamp().saturating_sub(issued);
    if !(-CLOCK_SKEW..=TOKEN_DAYS * 24 * 60 * 60).contains(&age) {
        return Err(Fault::whole(INVALID_PAGE_TOKEN, "has expired; start again without it"));
    }
    if written.len() != keys.len() {
        return Err(foreign());
    }
    let value = |(key, written): (&SortKey, Option<String>)| match written {
        Some(written) => key.field().kind().stored().read(&written).map(Some).map_err(|_| foreign()),
        None if key.field().is_nullable() => Ok(None),
        None => Err(foreign()),
    };
    keys.iter().zip(written).map(value).collect()
}
