//! A small JSON client of the gateway, for loading data: one call, or thousands as fast as the answers allow.
//!
//! It knows the shapes that all collections of the contract share, and no business word.

mod failure;
mod feed;
mod outcome;
mod pace;
#[cfg(test)]
pub(crate) mod stub;
#[cfg(test)]
mod tests;

use std::time::Duration;

use anyhow::{Context as _, Result};
use reqwest::{Method, Url};
use serde_json::Value;

pub use failure::{Failure, Remedy};
pub use feed::Feed;
pub use outcome::{Endpoint, Placed, Stopped};
pub use pace::Pace;

/// Longest wait for the answer of one call.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Calls the gateway with one token.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    gateway: Url,
    token: String,
}

impl Client {
    /// A client of the gateway at this URL, `http://127.0.0.1:8080`.
    pub fn new(gateway: &str, token: &str) -> Result<Self> {
        // An error means that a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http =
            reqwest::Client::builder().timeout(TIMEOUT).build().context("the HTTP client cannot be made")?;
        let gateway = gateway.parse().with_context(|| format!("`{gateway}` is not the URL of a gateway"))?;
        Ok(Self { http, gateway, token: token.to_owned() })
    }

    /// One call. `path` begins with `/v1/`; its variable parts come from answers of the gateway.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let mut url = self.gateway.clone();
        url.set_path(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let unreachable = |error: reqwest::Error| Failure::unreachable(&error);
        let answer = request.send().await.map_err(unreachable)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = answer.bytes().await.map_err(unreachable)?;
        if !status.is_success() {
            return Err(Failure::of_answer(status, &headers, &bytes));
        }
        serde_json::from_slice(&bytes)
            .map_err(|error| Failure::unexpected(format!("the answer is not JSON: {error}")))
    }
}
