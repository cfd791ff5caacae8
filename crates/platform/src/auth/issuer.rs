//! One trusted issuer: what it may speak for, and its keys, fetched over HTTP and kept while it is down.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use jsonwebtoken::Algorithm;
use reqwest::{Certificate, Client, redirect::Policy};
use serde::Deserialize;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::keys::KeySet;
use crate::config;

/// A configured issuer and its keys as last fetched.
pub(super) struct Issuer {
    pub url: Arc<str>,
    pub audience: String,
    tenants: HashMap<String, Uuid>,
    any_tenant: bool,
    pub algorithms: Vec<Algorithm>,
    jwks_url: String,
    settings: config::Auth,
    client: Client,
    pauses: Pauses,
    state: RwLock<State>,
    /// Held while fetching, so that a hundred calls ask the issuer once; when an unknown key id last caused a fetch.
    fetching: Mutex<Option<Instant>>,
}

#[derive(Default)]
struct State {
    keys: Option<Arc<KeySet>>,
    /// When the last attempt ended, whatever came of it.
    attempted: Option<Instant>,
}

/// Least time between two fetches that callers cause.
#[derive(Clone, Copy)]
pub(super) struct Pauses {
    /// After an unknown key id caused a fetch, before one causes another.
    pub unknown_key: Duration,
    /// After a failure, while there are no keys at all.
    pub failure: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { unknown_key: Duration::from_secs(10), failure: Duration::from_secs(1) }
    }
}

/// Why keys could not be fetched.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("{url} did not answer")]
    Http { url: String, source: reqwest::Error },
    #[error("{url} answered with status {status}")]
    Status { url: String, status: u16 },
    #[error("{url} answered with more than {MAX_DOCUMENT_BYTES} bytes")]
    TooLong { url: String },
    #[error("{url} did not answer with the expected JSON")]
    Json { url: String, source: serde_json::Error },
    #[error("{url} speaks for another issuer")]
    OtherIssuer { url: String },
    #[error("{url} names keys at an address that cannot be trusted")]
    Untrusted { url: String },
    #[error("the keys could not be fetched a moment ago")]
    JustFailed,
}

/// Longest discovery document or key set read.
const MAX_DOCUMENT_BYTES: usize = 256 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_secs(5);

/// The two members of the discovery document that matter (OpenID Connect Discovery, 4.2).
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl Issuer {
    pub(super) fn new(
        issuer: &config::Issuer,
        settings: &config::Auth,
        pauses: Pauses,
    ) -> Result<Self, reqwest::Error> {
        // A redirect would let the issuer's host choose another one for us to believe.
        let mut client = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .no_gzip();
        if config::is_loopback(&issuer.url) {
            client = client.no_proxy();
        }
        if !issuer.ca.is_empty() {
            // The file was there when the configuration was checked; if it is gone, no certificate will be trusted.
            let pem = std::fs::read(&issuer.ca).unwrap_or_default();
            client = client.tls_certs_only(Certificate::from_pem_bundle(&pem)?);
        }
        Ok(Self {
            url: issuer.url.as_str().into(),
            audience: issuer.audience.clone(),
            tenants: issuer.tenants.clone(),
            any_tenant: issuer.any_tenant,
            algorithms: issuer.algorithms.0.clone(),
            jwks_url: issuer.jwks_url.clone(),
            settings: settings.clone(),
            client: client.build()?,
            pauses,
            state: RwLock::default(),
            fetching: Mutex::default(),
        })
    }

    /// The tenant a claim's value stands for, if the issuer may speak for it.
    pub(super) fn tenant(&self, claimed: &str) -> Option<Uuid> {
        let any = || Uuid::parse_str(claimed).ok().filter(|_| self.any_tenant);
        self.tenants.get(claimed).copied().or_else(any)
    }

    /// The keys as last fetched.
    pub(super) fn keys(&self) -> Option<Arc<KeySet>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).keys.clone()
    }

    /// Fetches the keys; callers that come meanwhile share the outcome. True when a key was withdrawn.
    pub(super) async fn refresh(&self) -> Result<bool, FetchError> {
        let asked = Instant::now();
        let _fetching = self.fetching.lock().await;
        let has_keys = self.keys().is_some();
        if self.attempted().is_some_and(|attempt| attempt > asked) && has_keys {
            return Ok(false);
        }
        if self.attempted().is_some_and(|attempt| attempt.elapsed() < self.pauses.failure) && !has_keys {
            return Err(FetchError::JustFailed);
        }
        self.fetch_and_keep().await
    }

    /// Fetches the keys because a token names one that is not known, unless that happened a moment ago: made-up ids
    /// must not become requests to the issuer. True when a key was withdrawn.
    pub(super) async fn look_again(&self) -> Result<bool, FetchError> {
        let mut last = self.fetching.lock().await;
        if last.is_some_and(|last| last.elapsed() < self.pauses.unknown_key) {
            return Ok(false);
        }
        *last = Some(Instant::now());
        self.fetch_and_keep().await
    }

    async fn fetch_and_keep(&self) -> Result<bool, FetchError> {
        let fetched = self.fetch().await;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.attempted = Some(Instant::now());
        match fetched {
            Ok(keys) => {
                let withdrawn = state.keys.as_ref().is_some_and(|old| old.lost_in(&keys));
                state.keys = Some(Arc::new(keys));
                Ok(withdrawn)
            }
            Err(error) => {
                let issuer = &*self.url;
                let cause = trato_types::error::chain(&error);
                tracing::warn!(issuer, cause, "the keys of {issuer} could not be fetched: {cause}");
                Err(error)
            }
        }
    }

    fn attempted(&self) -> Option<Instant> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).attempted
    }

    async fn fetch(&self) -> Result<KeySet, FetchError> {
        let url = if self.jwks_url.is_empty() { self.discover().await? } else { self.jwks_url.clone() };
        let document = self.get(&url).await?;
        KeySet::parse(&document).map_err(|source| FetchError::Json { url, source })
    }

    async fn discover(&self) -> Result<String, FetchError> {
        let url = format!("{}/.well-known/openid-configuration", self.url.trim_end_matches('/'));
        let document = self.get(&url).await?;
        let discovery: Discovery = match serde_json::from_slice(&document) {
            Ok(discovery) => discovery,
            Err(source) => return Err(FetchError::Json { url, source }),
        };
        if discovery.issuer != *self.url {
            return Err(FetchError::OtherIssuer { url });
        }
        if !self.settings.is_trustworthy(&discovery.jwks_uri) {
            return Err(FetchError::Untrusted { url });
        }
        Ok(discovery.jwks_uri)
    }

    async fn get(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        let failed =
            |source: reqwest::Error| FetchError::Http { url: url.to_owned(), source: source.without_url() };
        let mut response = self.client.get(url).send().await.map_err(failed)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(FetchError::Status { url: url.to_owned(), status: response.status().as_u16() });
        }
        let mut document = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            document.extend_from_slice(&chunk);
            if document.len() > MAX_DOCUMENT_BYTES {
                return Err(FetchError::TooLong { url: url.to_owned() });
            }
        }
        Ok(document)
    }
}
