//! The HTTP client of the runner and the readiness probe.

use std::{sync::OnceLock, time::Duration};

use anyhow::{Context as _, Result};

/// A client for local calls. Made once: it installs the process's TLS provider, which may happen only once.
pub fn client() -> Result<&'static reqwest::Client> {
    static CLIENT: OnceLock<Option<reqwest::Client>> = OnceLock::new();
    let client = CLIENT.get_or_init(|| {
        // An error means that a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // No idle connections: each would belong to the runtime of the test that opened it.
        let builder = reqwest::Client::builder().timeout(Duration::from_secs(5)).pool_max_idle_per_host(0);
        builder.no_proxy().build().ok()
    });
    client.as_ref().context("the HTTP client cannot be made")
}

/// True when the process behind this admin address is ready to serve.
pub async fn is_ready(admin: &str) -> bool {
    let Ok(client) = client() else { return false };
    client.get(format!("{admin}/readyz")).send().await.is_ok_and(|answer| answer.status().is_success())
}

/// True when the issuer of this URL publishes a key set.
pub async fn has_key_set(issuer: &str) -> bool {
    let Ok(client) = client() else { return false };
    client.get(format!("{issuer}/jwks.json")).send().await.is_ok_and(|answer| answer.status().is_success())
}
