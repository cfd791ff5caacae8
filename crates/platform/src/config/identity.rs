//! The sections about telemetry and about whose tokens are trusted.

use std::{collections::HashMap, time::Duration};

use http::Uri;
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use uuid::Uuid;

use super::{Checker, Section, sections::file};

/// `[telemetry]`: where traces, metrics and logs go.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents each key for operators and readers alike")]
pub struct Telemetry {
    pub otlp_endpoint: String,
    pub sampling_ratio: f64,
    pub log_filter: String,
    pub log_format: LogFormat,
    pub metrics_interval_seconds: u64,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl TryFrom<String> for LogFormat {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("must be text or json"),
        }
    }
}

impl Telemetry {
    /// How often metrics are sent.
    pub fn metrics_interval(&self) -> Duration {
        Duration::from_secs(self.metrics_interval_seconds)
    }
}

impl Section for Telemetry {
    const NAME: &'static str = "telemetry";

    fn check(&self, check: &mut Checker<'_>) {
        if !self.otlp_endpoint.is_empty() && !is_web_address(&self.otlp_endpoint) {
            check.refuse("otlp_endpoint", "must be an address such as http://127.0.0.1:4317");
        }
        check.range("sampling_ratio", self.sampling_ratio, 0.0..=1.0);
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&self.log_filter) {
            check.refuse("log_filter", format!("is not a filter: {error}"));
        }
        check.range("metrics_interval_seconds", self.metrics_interval_seconds, 1..=3600);
    }
}

/// `[auth]`: the trusted issuers and how their tokens are read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents each key for operators and readers alike")]
pub struct Auth {
    pub issuers: Vec<Issuer>,
    pub leeway_seconds: u64,
    pub jwks_refresh_seconds: u64,
    pub token_cache_capacity: u64,
    pub allow_insecure_issuers: bool,
    pub claims: Claims,
}

/// One trusted issuer. Missing keys are reported together by `check`, hence the defaults.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "config.toml documents each key for operators and readers alike")]
pub struct Issuer {
    pub url: String,
    pub audience: String,
    pub tenants: HashMap<String, Uuid>,
    pub any_tenant: bool,
    pub algorithms: Algorithms,
    pub jwks_url: String,
    pub ca: String,
}

/// Signature algorithms accepted of an issuer; never `none` and never a shared secret.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Vec<String>")]
pub struct Algorithms(pub Vec<Algorithm>);

impl Default for Algorithms {
    fn default() -> Self {
        Self(vec![Algorithm::ES256, Algorithm::RS256])
    }
}

impl TryFrom<Vec<String>> for Algorithms {
    type Error = String;

    fn try_from(names: Vec<String>) -> Result<Self, String> {
        let parse = |name: &String| -> Result<Algorithm, String> {
            let refused = || format!("must list some of {ASYMMETRIC}; {name} is not accepted");
            let known = ASYMMETRIC.split(' ').any(|known| known == name);
            if known { name.parse().map_err(|_| refused()) } else { Err(refused()) }
        };
        if names.is_empty() {
            return Err(format!("must list some of {ASYMMETRIC}"));
        }
        names.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }
}

const ASYMMETRIC: &str = "ES256 ES384 RS256 RS384 RS512 PS256 PS384 PS512 EdDSA";

/// `[auth.claims]`: the names of the claims read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents each key for operators and readers alike")]
pub struct Claims {
    pub tenant: String,
    pub roles: String,
}

impl Section for Auth {
    const NAME: &'static str = "auth";

    fn check(&self, check: &mut Checker<'_>) {
        for (index, issuer) in self.issuers.iter().enumerate() {
            let key = |name: &str| format!("issuers[{index}].{name}");
            if !self.is_trustworthy(&issuer.url) {
                check.refuse(&key("url"), "must be an https address, or http on a loopback address");
            }
            if self.issuers[..index].iter().any(|earlier| earlier.url == issuer.url) {
                check.refuse(&key("url"), "is already the address of another issuer");
            }
            if issuer.audience.is_empty() {
                check.refuse(&key("audience"), "must be set");
            }
            if issuer.tenants.is_empty() && !issuer.any_tenant {
                check.refuse(
                    &key("tenants"),
                    "must name at least one tenant: { \"claim value\" = \"tenant id\" }",
                );
            }
            if !issuer.jwks_url.is_empty() && !self.is_trustworthy(&issuer.jwks_url) {
                check.refuse(&key("jwks_url"), "must be an https address, or http on a loopback address");
            }
            file(check, &key("ca"), &issuer.ca);
        }
        check.range("leeway_seconds", self.leeway_seconds, 0..=60);
        check.range("jwks_refresh_seconds", self.jwks_refresh_seconds, 10..=86_400);
        check.range("token_cache_capacity", self.token_cache_capacity, 0..=1_000_000);
        for (key, name) in [("claims.tenant", &self.claims.tenant), ("claims.roles", &self.claims.roles)] {
            if name.is_empty() {
                check.refuse(key, "must be set");
            }
        }
    }
}

impl Auth {
    /// True when keys fetched from this address can be believed: https, loopback, or allowed by a setting.
    pub fn is_trustworthy(&self, url: &str) -> bool {
        is_web_address(url)
            && (url.starts_with("https://") || self.allow_insecure_issuers || is_loopback(url))
    }
}

/// True for an address on this machine itself.
pub(crate) fn is_loopback(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

fn is_web_address(url: &str) -> bool {
    // User information would end up in logs, and no issuer or collector needs it.
    url.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
    })
}
