//! Whose tokens are believed: bearer tokens of configured OIDC issuers, verified here by every program itself.
//!
//! A caller learns nothing from a refusal: the answer is always the same, the cause stands in a debug line, and the
//! token stands nowhere. A token that was verified once costs one hash and one look-up until it expires.

mod issuer;
mod keys;
pub mod marks;
mod strict;
pub mod tls;
mod token;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use moka::{Expiry, sync::Cache};
use sha2::{Digest as _, Sha256};
use trato_types::{Error, Kind, Result, Timestamp};
use uuid::Uuid;

use crate::config;
use issuer::{FetchError, Issuer, Pauses};
use marks::{Leaked, Marks};
use token::{Refusal, Token};

/// Who a verified token speaks for.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The tenant, from the issuer's table of tenants.
    pub tenant: Uuid,
    /// The `sub` claim; always a valid `MemberRef` subject.
    pub subject: Arc<str>,
    /// The roles claim, as sent.
    pub roles: Arc<[String]>,
    /// The `iss` claim.
    pub issuer: Arc<str>,
    /// The `exp` claim.
    pub expires: Timestamp,
    /// What it may be revoked by.
    pub marks: Marks,
}

/// What is remembered of a token that was verified. Clones are of one token.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Who it speaks for.
    pub identity: Arc<Identity>,
    is_noted: Arc<AtomicBool>,
}

/// Verifies bearer tokens. Cheap to clone; all clones share keys and cache.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    issuers: HashMap<String, Arc<Issuer>>,
    claims: config::Claims,
    leeway_seconds: i64,
    cache: Cache<[u8; 32], Verified>,
    started: Instant,
    refresh_every: Duration,
    /// Milliseconds after `started` at which the keys of all issuers are fetched again.
    next_refresh_ms: AtomicU64,
}

/// A remembered token is forgotten the moment it expires.
struct UntilExpiry;

impl Expiry<[u8; 32], Verified> for UntilExpiry {
    fn expire_after_create(&self, _: &[u8; 32], verified: &Verified, _: Instant) -> Option<Duration> {
        Some((verified.identity.expires - chrono::Utc::now()).to_std().unwrap_or_default())
    }
}

/// Longest token looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The one answer to a missing, malformed, forged, expired, foreign or revoked token.
pub fn unauthenticated() -> Error {
    Error::new(Kind::Unauthenticated, "INVALID_TOKEN", "the bearer token is missing or not valid")
}

/// Reads a token that is to be revoked, whose signature may be wrong.
pub fn leaked(token: &str) -> Result<Leaked> {
    Token::parse(token).and_then(|token| token.leaked()).map_err(|Refusal(cause)| {
        let message = format!("this is no token that would be accepted: {cause}");
        Error::new(Kind::Invalid, "INVALID_INPUT", message)
    })
}

impl Verified {
    fn new(identity: Identity) -> Self {
        Self { identity: Arc::new(identity), is_noted: Arc::default() }
    }

    /// Notes that what the token says was told on; true for whoever is the first to do so while it is remembered.
    pub fn is_news(&self) -> bool {
        !self.is_noted.swap(true, Ordering::Relaxed)
    }
}

impl Verifier {
    /// A verifier for the configured issuers. Fetches nothing yet; see [`warm`](Self::warm).
    pub fn new(settings: &config::Auth) -> Result<Self> {
        Self::build(settings, Pauses::default())
    }

    fn build(settings: &config::Auth, pauses: Pauses) -> Result<Self> {
        tls::install();
        let issuer = |issuer: &config::Issuer| Issuer::new(issuer, settings, pauses).map(Arc::new);
        let issuers = settings
            .issuers
            .iter()
            .map(|settings| Ok((settings.url.clone(), issuer(settings)?)))
            .collect::<Result<HashMap<_, _>, reqwest::Error>>()
            .map_err(Error::internal)?;
        let cache =
            Cache::builder().max_capacity(settings.token_cache_capacity).expire_after(UntilExpiry).build();
        let refresh_every = Duration::from_secs(settings.jwks_refresh_seconds);
        Ok(Self(Arc::new(Inner {
            issuers,
            claims: settings.claims.clone(),
            leeway_seconds: settings.leeway_seconds.cast_signed(),
            cache,
            started: Instant::now(),
            refresh_every,
            next_refresh_ms: AtomicU64::new(millis(refresh_every)),
        })))
    }

    /// Fetches the keys of all issuers, so that the first call need not wait. Failures are logged and tried again later.
    pub async fn warm(&self) {
        let fetches = self.0.issuers.values().map(|issuer| self.refresh(issuer));
        futures::future::join_all(fetches).await;
    }

    /// The issuers whose keys cannot be fetched now, and why.
    pub async fn unreachable(&self) -> Vec<(String, String)> {
        let fetches = self.0.issuers.iter().map(|(url, issuer)| async move {
            let outcome = self.refresh(issuer).await;
            outcome.err().map(|error| (url.clone(), trato_types::error::chain(&error)))
        });
        futures::future::join_all(fetches).await.into_iter().flatten().collect()
    }

    /// How long after `exp` a token is still accepted.
    pub fn leeway(&self) -> Duration {
        Duration::from_secs(self.0.leeway_seconds.unsigned_abs())
    }

    /// Who the token speaks for. UNAUTHENTICATED for every bad token; UNAVAILABLE `ISSUER_UNAVAILABLE` when its
    /// issuer's keys could never be fetched.
    pub async fn verify(&self, token: &str) -> Result<Arc<Identity>> {
        Ok(self.verify_remembering(token).await?.identity)
    }

    /// Like [`verify`](Self::verify), and answers all that is remembered of the token.
    pub async fn verify_remembering(&self, token: &str) -> Result<Verified> {
        let digest = digest(token);
        match self.lookup(&digest) {
            Some(verified) => Ok(verified),
            None => self.verify_new(token, digest).await,
        }
    }

    fn lookup(&self, digest: &[u8; 32]) -> Option<Verified> {
        self.refresh_when_due();
        self.0.cache.get(digest).filter(|verified| verified.identity.expires > chrono::Utc::now())
    }

    async fn verify_new(&self, token: &str, digest: [u8; 32]) -> Result<Verified> {
        match self.check(token).await {
            Ok(identity) => {
                let verified = Verified::new(identity);
                self.0.cache.insert(digest, verified.clone());
                Ok(verified)
            }
            Err(Refused::Token(Refusal(cause))) => {
                tracing::debug!(cause, "a bearer token was refused: {cause}");
                Err(unauthenticated())
            }
            Err(Refused::Issuer(error)) => Err(Error::unavailable(
                "ISSUER_UNAVAILABLE",
                "the token issuer cannot be reached to check the token",
            )
            .caused_by(error)),
        }
    }

    async fn check(&self, token: &str) -> Result<Identity, Refused> {
        let token = Token::parse(token)?;
        // The claim chooses among issuers that are configured; nothing in a token says where keys are fetched.
        let issuer = self.0.issuers.get(token.issuer()?).ok_or(Refusal("its issuer is not trusted"))?;
        if !issuer.algorithms.contains(&token.algorithm) {
            return Err(Refusal("its algorithm is not allowed for its issuer").into());
        }
        let key = self.key(issuer, token.key_id.as_deref()).await?;
        if !key.is_for(token.algorithm) {
            return Err(Refusal("its algorithm does not fit its key").into());
        }
        if !key.verifies(&token) {
            return Err(Refusal("its signature is wrong").into());
        }
        let now = chrono::Utc::now().timestamp();
        Ok(token.identity(issuer, &self.0.claims, now, self.0.leeway_seconds)?)
    }

    /// The key the token names. Fetches keys when there are none yet, and, not too often, when the name is new.
    async fn key(&self, issuer: &Arc<Issuer>, id: Option<&str>) -> Result<Arc<keys::Key>, Refused> {
        let unknown = Refusal("its key is not among its issuer's keys");
        match issuer.keys() {
            Some(keys) => {
                if let Some(key) = keys.find(id) {
                    return Ok(key);
                }
                // When the issuer is down now, the keys already known stay the truth.
                if let Ok(true) = issuer.look_again().await {
                    self.forget();
                }
            }
            None => self.refresh(issuer).await.map_err(Refused::Issuer)?,
        }
        issuer.keys().and_then(|keys| keys.find(id)).ok_or(Refused::Token(unknown))
    }

    async fn refresh(&self, issuer: &Arc<Issuer>) -> Result<(), FetchError> {
        if issuer.refresh().await? {
            self.forget();
        }
        Ok(())
    }

    /// What a withdrawn key signed must not be believed any longer; the rest is verified anew at little cost.
    fn forget(&self) {
        self.0.cache.invalidate_all();
    }

    /// Fetches all keys again in the background when it is time; calls never wait for it.
    fn refresh_when_due(&self) {
        let now = millis(self.0.started.elapsed());
        let due = self.0.next_refresh_ms.load(Ordering::Relaxed);
        if now < due {
            return;
        }
        let next = now + millis(self.0.refresh_every);
        if self.0.next_refresh_ms.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let verifier = self.clone();
            tokio::spawn(async move { verifier.warm().await });
        }
    }
}

enum Refused {
    Token(Refusal),
    Issuer(FetchError),
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Token(refusal)
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
