//! The sections about how programs reach each other: by which certificates, and over which connections.

use std::time::Duration;

use serde::Deserialize;

use super::{Checker, Section};
use crate::tls;

/// `[tls]`: certificates for the connections between programs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents each key for operators and readers alike")]
pub struct Tls {
    pub certificate: String,
    pub key: String,
    pub authority: String,
}

impl Tls {
    /// True when programs speak plainly.
    pub fn is_empty(&self) -> bool {
        self.keys().iter().all(|(_, path)| path.is_empty())
    }

    /// The path that stands at a key.
    pub(crate) fn path(&self, key: &str) -> &str {
        self.keys().into_iter().find(|(name, _)| *name == key).map_or("", |(_, path)| path)
    }

    fn keys(&self) -> [(&'static str, &str); 3] {
        [("certificate", &self.certificate), ("key", &self.key), ("authority", &self.authority)]
    }
}

impl Section for Tls {
    const NAME: &'static str = "tls";

    fn check(&self, check: &mut Checker<'_>) {
        if self.is_empty() {
            return;
        }
        let missing: Vec<_> = self.keys().into_iter().filter(|(_, path)| path.is_empty()).collect();
        for (key, _) in &missing {
            check.refuse(key, "must be set, since certificate, key and authority belong together");
        }
        if missing.is_empty()
            && let Err(error) = tls::check(self)
        {
            check.refuse(error.key(), trato_types::error::chain(&error));
        }
    }
}

/// `[transport]`: how other services are called.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents each key for operators and readers alike")]
pub struct Transport {
    pub connections: usize,
    pub connect_timeout_ms: u64,
    pub keepalive_seconds: u64,
    pub resolve_seconds: u64,
    pub retry_percent: u32,
}

impl Transport {
    /// Longest time to find addresses, and to connect to one.
    pub fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }
    /// Time between pings.
    pub fn keepalive(&self) -> Duration {
        Duration::from_secs(self.keepalive_seconds)
    }
    /// Time between two looks at the names.
    pub fn resolve(&self) -> Duration {
        Duration::from_secs(self.resolve_seconds)
    }
}

impl Section for Transport {
    const NAME: &'static str = "transport";

    fn check(&self, check: &mut Checker<'_>) {
        check.range("connections", self.connections, 1..=64);
        check.range("connect_timeout_ms", self.connect_timeout_ms, 10..=60_000);
        check.range("keepalive_seconds", self.keepalive_seconds, 1..=600);
        check.range("resolve_seconds", self.resolve_seconds, 1..=3600);
        check.range("retry_percent", self.retry_percent, 0..=100);
    }
}
