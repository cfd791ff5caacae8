//! Mints tokens: proper ones for people and tests, and every kind of improper one for tests.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::Utc;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::keys::SigningKey;

/// How long a token is good for unless said otherwise.
pub const DEFAULT_TTL: Duration = Duration::from_secs(12 * 3600);

/// Audience of every token of the dev issuer.
pub const AUDIENCE: &str = "trato";

/// Whom a token is for.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Value of the tenant claim, `acme`.
    pub tenant: String,
    /// Roles of the caller.
    pub roles: Vec<String>,
    /// Subject; `{role}.{tenant}` unless set.
    pub subject: Option<String>,
    /// From now until when.
    pub ttl: Duration,
}

impl Grant {
    /// A member of `tenant` with one role.
    pub fn new(tenant: &str, role: &str) -> Self {
        Self { tenant: tenant.into(), roles: vec![role.into()], subject: None, ttl: DEFAULT_TTL }
    }

    /// Another role as well.
    #[must_use]
    pub fn role(mut self, role: &str) -> Self {
        self.roles.push(role.into());
        self
    }

    /// A named subject.
    #[must_use]
    pub fn subject(mut self, subject: &str) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Another lifetime.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// The subject the token will carry.
    pub fn subject_or_default(&self) -> String {
        let role = self.roles.first().map_or("member", String::as_str);
        self.subject.clone().unwrap_or_else(|| format!("{role}.{}", self.tenant))
    }
}

/// Signs tokens of one issuer.
#[derive(Clone, Debug)]
pub struct Minter {
    key: Arc<SigningKey>,
    issuer: String,
}

impl Minter {
    /// A minter for `issuer`, the URL that stands in the tokens.
    pub fn new(key: Arc<SigningKey>, issuer: &str) -> Self {
        Self { key, issuer: issuer.to_owned() }
    }

    /// The key it signs with.
    pub fn key(&self) -> &Arc<SigningKey> {
        &self.key
    }

    /// The same issuer with another key, known to its key set or not.
    #[must_use]
    pub fn with_key(&self, key: Arc<SigningKey>) -> Self {
        Self { key, issuer: self.issuer.clone() }
    }

    /// A proper token.
    pub fn mint(&self, grant: &Grant) -> Result<String> {
        self.sign(&self.claims(grant))
    }

    /// The claims of a proper token, for a test to change before `sign`.
    pub fn claims(&self, grant: &Grant) -> Value {
        let now = Utc::now().timestamp();
        let subject = grant.subject_or_default();
        let lifetime = i64::try_from(grant.ttl.as_secs()).unwrap_or(i64::MAX / 2);
        json!({
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": subject,
            "name": display_name(&subject),
            "tenant": grant.tenant,
            "roles": grant.roles,
            "jti": Uuid::new_v4(),
            "iat": now,
            "nbf": now,
            "exp": now + lifetime,
        })
    }

    /// The header of a proper token, for a test to change before `compose`.
    pub fn header(&self) -> Value {
        json!({ "alg": "ES256", "typ": "JWT", "kid": self.key.id() })
    }

    /// Signs claims with the proper header.
    pub fn sign(&self, claims: &Value) -> Result<String> {
        compose(&self.header().to_string(), &claims.to_string(), Signature::Es256(&self.key))
    }
}

/// How `compose` ends a token.
#[derive(Clone, Copy, Debug)]
pub enum Signature<'a> {
    /// By a key pair, whatever the header says.
    Es256(&'a SigningKey),
    /// By a shared secret.
    Hs256(&'a [u8]),
    /// By this text, as it is; empty for `alg: none`.
    Text(&'a str),
}

/// Puts a token together from JSON texts, so that a test can send any header and any claims, even a claim twice.
pub fn compose(header: &str, claims: &str, signature: Signature<'_>) -> Result<String> {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = match signature {
        Signature::Es256(key) => key.sign(message.as_bytes())?,
        Signature::Hs256(secret) => jsonwebtoken::crypto::sign(
            message.as_bytes(),
            &EncodingKey::from_secret(secret),
            Algorithm::HS256,
        )?,
        Signature::Text(text) => text.to_owned(),
    };
    Ok(format!("{message}.{signature}"))
}

/// `sales-manager.acme` is called `Sales Manager Acme`.
fn display_name(subject: &str) -> String {
    let words = subject.split(['-', '.', '_', '@']).filter(|word| !word.is_empty()).map(|word| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, Validation, decode};

    use super::*;

    #[test]
    fn a_minted_token_is_verified_by_its_public_key_only() {
        let minter = Minter::new(Arc::new(SigningKey::generate().expect("a key")), "http://issuer.test");
        let other = SigningKey::generate().expect("another key");
        let token = minter.mint(&Grant::new("acme", "sales-manager")).expect("a token");
        let mut rules = Validation::new(Algorithm::ES256);
        rules.set_audience(&[AUDIENCE]);
        rules.set_issuer(&["http://issuer.test"]);

        let verified = |key: &SigningKey| {
            let key = DecodingKey::from_jwk(key.public()).expect("a public key");
            decode::<Value>(&token, &key, &rules).map(|token| token.claims)
        };

        assert_eq!(verified(minter.key()).expect("it verifies")["sub"], "sales-manager.acme");
        assert!(verified(&other).is_err());
    }
}
