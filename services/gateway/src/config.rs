//! The gateway's own settings; what each key means stands in `config.toml`.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use http::HeaderValue;
use serde::Deserialize;
use trato_platform::config::{Checker, Loaded, Loader, Section, Settings};
use uuid::Uuid;

/// The documented defaults.
pub const DEFAULTS: &str = include_str!("../config.toml");

/// A loader of all sections the gateway has.
pub fn loader() -> Loader {
    Loader::new(DEFAULTS).section::<Gateway>().section::<Cors>().section::<Rate>()
}

/// Everything the gateway is told.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each field is the section of its name")]
pub struct Config {
    pub platform: Settings,
    pub gateway: Gateway,
    pub cors: Cors,
    pub rate: Rate,
}

impl Config {
    /// The sections of a configuration that [`loader`] loaded; `None` for another loader's.
    pub fn of(loaded: &Loaded) -> Option<Self> {
        Some(Self {
            platform: loaded.settings.clone(),
            gateway: loaded.section::<Gateway>()?.as_ref().clone(),
            cors: loaded.section::<Cors>()?.as_ref().clone(),
            rate: loaded.section::<Rate>()?.as_ref().clone(),
        })
    }
}

/// `[gateway]`: limits of the edge.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents each key for operators and readers alike")]
pub struct Gateway {
    pub max_uri_bytes: usize,
    pub max_json_depth: usize,
    pub max_response_bytes: usize,
    pub max_connections: usize,
    pub header_read_seconds: u64,
    pub idle_seconds: u64,
    pub trusted_hops: usize,
    pub heartbeat_seconds: u64,
}

impl Gateway {
    /// Time to send the head of a request.
    pub fn header_read(&self) -> Duration {
        Duration::from_secs(self.header_read_seconds)
    }
    /// Time without a request.
    pub fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_seconds)
    }
    /// Time between comments in a stream of events.
    pub fn heartbeat(&self) -> Duration {
        Duration::from_secs(self.heartbeat_seconds)
    }
}

impl Section for Gateway {
    const NAME: &'static str = "gateway";

    fn check(&self, check: &mut Checker<'_>) {
        check.range("max_uri_bytes", self.max_uri_bytes, 64..=65_000);
        check.range("max_json_depth", self.max_json_depth, 4..=90);
        check.range("max_response_bytes", self.max_response_bytes, 1024..=256 << 20);
        check.range("max_connections", self.max_connections, 1..=1_000_000);
        check.range("header_read_seconds", self.header_read_seconds, 1..=600);
        check.range("idle_seconds", self.idle_seconds, 1..=3600);
        check.range("trusted_hops", self.trusted_hops, 0..=10);
        check.range("heartbeat_seconds", self.heartbeat_seconds, 1..=600);
    }
}

/// `[cors]`: web pages of other origins.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents each key for operators and readers alike")]
pub struct Cors {
    pub allowed_origins: Vec<String>,
    pub max_age_seconds: u32,
}

impl Section for Cors {
    const NAME: &'static str = "cors";

    fn check(&self, check: &mut Checker<'_>) {
        let usable = |origin: &String| {
            let is_origin =
                origin.split_once("://").is_some_and(|(_, host)| !host.is_empty() && !host.contains('/'));
            (origin == "*" || is_origin) && HeaderValue::from_str(origin).is_ok()
        };
        if !self.allowed_origins.iter().all(usable) {
            check.refuse(
                "allowed_origins",
                "must list origins such as https://crm.example.com, without a path, or *",
            );
        }
        check.range("max_age_seconds", self.max_age_seconds, 0..=86_400);
    }
}

/// `[rate]`: how many requests a second, and how many at once.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents each key for operators and readers alike")]
pub struct Rate {
    pub per_caller: u32,
    pub burst_per_caller: u32,
    pub concurrent_per_caller: usize,
    pub per_tenant: u32,
    pub burst_per_tenant: u32,
    pub concurrent_per_tenant: usize,
    pub gateways: Vec<String>,
    pub per_address: u32,
    pub burst_per_address: u32,
    pub tenants: HashMap<Uuid, TenantRate>,
}

/// An entry of `rate.tenants`: what one tenant has of its own; the rest is as for all.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "config.toml documents each key for operators and readers alike")]
pub struct TenantRate {
    pub per_caller: Option<u32>,
    pub burst_per_caller: Option<u32>,
    pub concurrent_per_caller: Option<usize>,
    pub per_tenant: Option<u32>,
    pub burst_per_tenant: Option<u32>,
    pub concurrent_per_tenant: Option<usize>,
}

impl Rate {
    /// The rates of a tenant that has its own.
    #[must_use]
    pub fn with(&self, own: &TenantRate) -> Self {
        Self {
            per_caller: own.per_caller.unwrap_or(self.per_caller),
            burst_per_caller: own.burst_per_caller.unwrap_or(self.burst_per_caller),
            concurrent_per_caller: own.concurrent_per_caller.unwrap_or(self.concurrent_per_caller),
            per_tenant: own.per_tenant.unwrap_or(self.per_tenant),
            burst_per_tenant: own.burst_per_tenant.unwrap_or(self.burst_per_tenant),
            concurrent_per_tenant: own.concurrent_per_tenant.unwrap_or(self.concurrent_per_tenant),
            ..self.clone()
        }
    }

    fn check(&self, prefix: &str, check: &mut Checker<'_>) {
        for (key, value) in [
            ("per_caller", self.per_caller),
            ("burst_per_caller", self.burst_per_caller),
            ("per_tenant", self.per_tenant),
            ("burst_per_tenant", self.burst_per_tenant),
            ("per_address", self.per_address),
            ("burst_per_address", self.burst_per_address),
        ] {
            check.range(&format!("{prefix}{key}"), value, 1..=1_000_000);
        }
        for (key, value) in [
            ("concurrent_per_caller", self.concurrent_per_caller),
            ("concurrent_per_tenant", self.concurrent_per_tenant),
        ] {
            check.range(&format!("{prefix}{key}"), value, 1..=1_000_000);
        }
    }
}

impl Section for Rate {
    const NAME: &'static str = "rate";

    fn check(&self, check: &mut Checker<'_>) {
        self.check("", check);
        for (at, _) in self.gateways.iter().enumerate().filter(|(_, name)| !is_host(name)) {
            check.refuse(
                &format!("gateways[{at}]"),
                "must be a name or an address alone, such as gateway.internal, without a scheme, a port or a path",
            );
        }
        for (tenant, own) in &self.tenants {
            self.with(own).check(&format!("tenants.{tenant}."), check);
        }
    }
}

/// True for what can be looked up as it is.
fn is_host(name: &str) -> bool {
    let of_name = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
    name.parse::<IpAddr>().is_ok() || (!name.is_empty() && name.chars().all(of_name))
}
