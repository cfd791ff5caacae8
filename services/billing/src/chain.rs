//! The chain of a series: each document's hash is over its content and the hash of the one before it, so that none can be
//! changed, taken out or put in between without all later hashes telling. Pure.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest as _, Sha256};
use trato_types::{Error, Result};
use uuid::Uuid;

/// A SHA-256.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What the first document of a period follows on.
    pub const START: Self = Self([0; 32]);

    /// The hash of a content, as JSON in the order of its fields, that follows on this one.
    pub fn followed_by(self, content: &impl Serialize) -> Result<Self> {
        let mut digest = Sha256::new();
        digest.update(self.0);
        digest.update(serde_json::to_vec(content).map_err(Error::internal)?);
        Ok(Self(digest.finalize().into()))
    }
}

impl Hash {
    /// The hash of bytes by themselves.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl FromStr for Hash {
    type Err = Error;

    /// Reads 64 digits.
    fn from_str(text: &str) -> Result<Self> {
        let digits = text.as_bytes();
        let read = |at: usize| -> Option<u8> {
            let digits = std::str::from_utf8(digits.get(2 * at..2 * at + 2)?).ok()?;
            u8::from_str_radix(digits, 16).ok()
        };
        let mut hash = [0; 32];
        for (at, byte) in hash.iter_mut().enumerate() {
            *byte = read(at).ok_or_else(|| Error::internal("a hash has not 64 digits"))?;
        }
        if digits.len() == 64 { Ok(Self(hash)) } else { Err(Error::internal("a hash has not 64 digits")) }
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl TryFrom<Vec<u8>> for Hash {
    type Error = Error;

    /// Reads a stored hash; nothing but 32 bytes is one.
    fn try_from(bytes: Vec<u8>) -> Result<Self> {
        bytes.try_into().map(Self).map_err(|_| Error::internal("a stored hash has not 32 bytes"))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A document that has a place in a chain.
pub trait Chained {
    /// Its place in the period, from 1; none before it is issued.
    fn ordinal(&self) -> Option<i64>;

    /// What it follows on, and its own hash, as they are stored.
    fn hashes(&self) -> Option<(Hash, Hash)>;

    /// Its hash after `previous`, computed from what it is now.
    fn hash_after(&self, id: Uuid, previous: Hash) -> Result<Hash>;
}

/// How far a chain was followed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Walk {
    /// Documents that are as they were issued.
    pub verified: i64,
    /// The place that is looked at next.
    pub ordinal: i64,
    /// What the next one follows on.
    pub previous: Hash,
}

/// What is wrong with a document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// Its number was given, and it is not there.
    Missing,
    /// Its content is not what was issued.
    Changed,
    /// It does not follow on the one before it.
    Unchained,
}

impl Walk {
    /// Begins at a place, after the document that has this hash; after `Hash::START` at the first.
    pub fn from(ordinal: i64, previous: Hash) -> Self {
        Self { verified: 0, ordinal, previous }
    }

    /// Looks at the next document that is there, and says what is wrong with the place it should have.
    pub fn step(&mut self, id: Uuid, document: &impl Chained) -> Result<Option<Fault>> {
        if document.ordinal() != Some(self.ordinal) {
            return Ok(Some(Fault::Missing));
        }
        let Some((follows, stored)) = document.hashes() else { return Ok(Some(Fault::Changed)) };
        if document.hash_after(id, follows)? != stored {
            return Ok(Some(Fault::Changed));
        }
        if self.previous != follows {
            return Ok(Some(Fault::Unchained));
        }
        self.verified += 1;
        self.ordinal += 1;
        self.previous = stored;
        Ok(None)
    }
}
