//! The dev issuer: an OpenID provider as far as services look at one, discovery and a key set.
//!
//! It has no login; tokens are minted by whoever holds its key file.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Context as _, Result};
use axum::{Json, Router, extract::State, routing::get};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{keys::SigningKey, tokens::Minter};

/// An issuer that answers until it is dropped.
#[derive(Debug)]
pub struct Issuer {
    url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    url: String,
    /// The first signs; all are published.
    keys: RwLock<Vec<Arc<SigningKey>>>,
    fetches: AtomicUsize,
}

impl Issuer {
    /// Starts to answer on a port of the loopback address.
    pub async fn start(port: u16, key: SigningKey) -> Result<Self> {
        Self::start_at((Ipv4Addr::LOCALHOST, port).into(), url(port), key).await
    }

    /// Starts to answer on `listen`, which others know as `url`.
    pub async fn start_at(listen: SocketAddr, url: String, key: SigningKey) -> Result<Self> {
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("the issuer cannot listen on {listen}"))?;
        let shared = Arc::new(Shared {
            url: url.clone(),
            keys: RwLock::new(vec![Arc::new(key)]),
            fetches: AtomicUsize::new(0),
        });
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/jwks.json", get(key_set))
            .with_state(shared.clone());
        let server = tokio::spawn(async move {
            // It ends only when the task is aborted; accept errors are retried inside.
            let _ = axum::serve(listener, routes).await;
        });
        Ok(Self { url, shared, server })
    }

    /// Its URL, which is the `iss` of its tokens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Mints with the current key.
    pub fn minter(&self) -> Minter {
        let keys = self.shared.keys.read().unwrap_or_else(PoisonError::into_inner);
        Minter::new(keys[0].clone(), &self.url)
    }

    /// Begins to sign with a new key. The old ones stay published when `keep_old`, as in an orderly rotation.
    pub fn rotate(&self, keep_old: bool) -> Result<Arc<SigningKey>> {
        let key = Arc::new(SigningKey::generate()?);
        let mut keys = self.shared.keys.write().unwrap_or_else(PoisonError::into_inner);
        if !keep_old {
            keys.clear();
        }
        keys.insert(0, key.clone());
        Ok(key)
    }

    /// Stops to publish a key, as after a leak. The one before it signs again.
    pub fn withdraw(&self, key: &SigningKey) {
        let mut keys = self.shared.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.retain(|known| known.id() != key.id());
    }

    /// How often the key set was fetched.
    pub fn key_set_fetches(&self) -> usize {
        self.shared.fetches.load(Ordering::Relaxed)
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The URL of an issuer on a port of this machine.
pub fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

async fn configuration(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!({
        "issuer": shared.url,
        "jwks_uri": format!("{}/jwks.json", shared.url),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "claims_supported": ["iss", "aud", "sub", "name", "tenant", "roles", "jti", "iat", "nbf", "exp"],
    }))
}

async fn key_set(State(shared): State<Arc<Shared>>) -> Json<Value> {
    shared.fetches.fetch_add(1, Ordering::Relaxed);
    let keys = shared.keys.read().unwrap_or_else(PoisonError::into_inner);
    Json(json!({ "keys": keys.iter().map(|key| key.public()).collect::<Vec<_>>() }))
}
