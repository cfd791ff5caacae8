//! The sections every program has; what each key means stands in `config.toml`.

use std::{collections::HashMap, net::SocketAddr, path::Path, time::Duration};

use http::Uri;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};

use super::{Checker, Section};

/// `[server]`: where calls arrive and how much of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents each key for operators and readers alike")]
pub struct Server {
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    #[serde(deserialize_with = "address")]
    pub admin_listen: SocketAddr,
    pub max_message_bytes: usize,
    pub max_header_bytes: u32,
    pub max_concurrency: usize,
    pub max_streams_per_connection: u32,
    pub request_timeout_seconds: u64,
    pub drain_seconds: u64,
    pub keepalive_seconds: u64,
    pub max_connection_age_seconds: u64,
}

impl Server {
    /// Upper bound and default of a call's deadline.
    pub fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout_seconds)
    }
    /// How long calls in hand may take to finish after the stop signal.
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }
    /// Idle time after which a connection is probed.
    pub fn keepalive(&self) -> Duration {
        Duration::from_secs(self.keepalive_seconds)
    }
    /// Age at which a connection is asked to go away.
    pub fn max_connection_age(&self) -> Duration {
        Duration::from_secs(self.max_connection_age_seconds)
    }
}

impl Section for Server {
    const NAME: &'static str = "server";

    fn check(&self, check: &mut Checker<'_>) {
        check.range("max_message_bytes", self.max_message_bytes, 1024..=4 << 20);
        check.range("max_header_bytes", self.max_header_bytes, 1024..=1 << 20);
        check.range("max_concurrency", self.max_concurrency, 1..=100_000);
        check.range("max_streams_per_connection", self.max_streams_per_connection, 1..=100_000);
        check.range("request_timeout_seconds", self.request_timeout_seconds, 1..=3600);
        check.range("drain_seconds", self.drain_seconds, 0..=600);
        check.range("keepalive_seconds", self.keepalive_seconds, 1..=3600);
        check.range("max_connection_age_seconds", self.max_connection_age_seconds, 10..=86_400);
    }
}

/// `[database]`: the service's own PostgreSQL database, by role.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents each key for operators and readers alike")]
pub struct Database {
    pub url: SecretString,
    pub system_url: SecretString,
    pub owner_url: SecretString,
    pub max_connections: u32,
    pub min_connections: u32,
    pub system_max_connections: u32,
    pub acquire_timeout_ms: u64,
    pub statement_timeout_ms: u64,
}

impl Database {
    /// Longest wait for a connection of the pool.
    pub fn acquire_timeout(&self) -> Duration {
        Duration::from_millis(self.acquire_timeout_ms)
    }
    /// Longest time one statement may run.
    pub fn statement_timeout(&self) -> Duration {
        Duration::from_millis(self.statement_timeout_ms)
    }
}

impl Section for Database {
    const NAME: &'static str = "database";
    const SECRETS: &'static [&'static str] = &["url", "system_url", "owner_url"];

    fn check(&self, check: &mut Checker<'_>) {
        for (key, url) in
            [("url", &self.url), ("system_url", &self.system_url), ("owner_url", &self.owner_url)]
        {
            scheme(check, key, url, &["postgres", "postgresql"]);
        }
        check.range("max_connections", self.max_connections, 1..=1000);
        check.range("min_connections", self.min_connections, 0..=self.max_connections);
        check.range("system_max_connections", self.system_max_connections, 1..=100);
        check.range("acquire_timeout_ms", self.acquire_timeout_ms, 10..=60_000);
        check.range("statement_timeout_ms", self.statement_timeout_ms, 100..=600_000);
    }
}

/// `[broker]`: RabbitMQ.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents each key for operators and readers alike")]
pub struct Broker {
    pub url: SecretString,
    pub authority: String,
    pub prefetch: u16,
    pub batch: usize,
}

impl Section for Broker {
    const NAME: &'static str = "broker";
    const SECRETS: &'static [&'static str] = &["url"];

    fn check(&self, check: &mut Checker<'_>) {
        scheme(check, "url", &self.url, &["amqp", "amqps"]);
        file(check, "authority", &self.authority);
        check.range("prefetch", self.prefetch, 1..=u16::MAX);
        check.range("batch", self.batch, 1..=10_000);
    }
}

/// `[access]`: where the roles come from, and how it is recorded who read what.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents each key for operators and readers alike")]
pub struct Access {
    pub roles_file: String,
    pub record: Recording,
    pub flush_interval_ms: u64,
    pub retention_days: u32,
}

/// When an answer is recorded.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub enum Recording {
    /// Soon after it is given.
    Behind,
    /// Before it is given.
    BeforeAnswer,
}

impl TryFrom<String> for Recording {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "behind" => Ok(Self::Behind),
            "before_answer" => Ok(Self::BeforeAnswer),
            _ => Err("must be behind or before_answer"),
        }
    }
}

impl Access {
    /// Longest time a record waits for others to be written with it.
    pub fn flush_interval(&self) -> Duration {
        Duration::from_millis(self.flush_interval_ms)
    }
}

impl Section for Access {
    const NAME: &'static str = "access";

    fn check(&self, check: &mut Checker<'_>) {
        file(check, "roles_file", &self.roles_file);
        check.range("flush_interval_ms", self.flush_interval_ms, 10..=10_000);
        check.range("retention_days", self.retention_days, 30..=36_500);
    }
}

/// `[events]`: the event log and its relay.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents each key for operators and readers alike")]
pub struct Events {
    pub retention_days: u32,
    pub partitions_ahead_months: u32,
    pub poll_interval_ms: u64,
    pub publish_batch: usize,
    pub lease_seconds: u64,
}

impl Events {
    /// Longest time a change waits when nobody told the relay of it.
    pub fn poll_interval(&self) -> Duration {
        Duration::from_millis(self.poll_interval_ms)
    }
    /// Time after which a silent leader is replaced.
    pub fn lease(&self) -> Duration {
        Duration::from_secs(self.lease_seconds)
    }
}

impl Section for Events {
    const NAME: &'static str = "events";

    fn check(&self, check: &mut Checker<'_>) {
        check.range("retention_days", self.retention_days, 1..=36_500);
        check.range("partitions_ahead_months", self.partitions_ahead_months, 1..=24);
        check.range("poll_interval_ms", self.poll_interval_ms, 10..=60_000);
        check.range("publish_batch", self.publish_batch, 1..=10_000);
        check.range("lease_seconds", self.lease_seconds, 2..=300);
    }
}

/// `[requests]`: how long a repeated request gets its first answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents each key for operators and readers alike")]
pub struct Requests {
    pub retention_days: u32,
}

impl Section for Requests {
    const NAME: &'static str = "requests";

    fn check(&self, check: &mut Checker<'_>) {
        check.range("retention_days", self.retention_days, 1..=365);
    }
}

/// `[upstreams]`: addresses of other services by proto package.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Upstreams(HashMap<String, String>);

impl Upstreams {
    /// Addresses of the services of one package, such as `trato.customers`; empty when none is set.
    pub fn addresses(&self, package: &str) -> Vec<Uri> {
        self.0.get(package).map(|list| list.split(',').filter_map(upstream).collect()).unwrap_or_default()
    }

    /// Packages with an address of `https`.
    pub(super) fn by_tls(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, list)| list.contains("https://")).map(|(package, _)| package.as_str())
    }

    /// All packages with an address.
    pub fn packages(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl Section for Upstreams {
    const NAME: &'static str = "upstreams";

    fn check(&self, check: &mut Checker<'_>) {
        for (package, list) in &self.0 {
            if list.split(',').any(|address| upstream(address).is_none()) {
                check
                    .refuse(package, "must be addresses such as http://127.0.0.1:50051, separated by commas");
            }
        }
    }
}

fn upstream(address: &str) -> Option<Uri> {
    let uri: Uri = address.trim().parse().ok()?;
    let usable =
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.port_u16().is_some() && uri.path() == "/";
    usable.then_some(uri)
}

/// Refuses a connection address of another scheme; the empty text means "not set" and is judged by who needs it.
fn scheme(check: &mut Checker<'_>, key: &str, url: &SecretString, schemes: &[&str]) {
    let url = url.expose_secret();
    let fits = |scheme: &&str| url.strip_prefix(*scheme).is_some_and(|rest| rest.starts_with("://"));
    if !url.is_empty() && !schemes.iter().any(fits) {
        check.refuse(key, format!("must start with {}://", schemes[0]));
    }
}

/// Refuses the path of a file that is not there.
pub(super) fn file(check: &mut Checker<'_>, key: &str, path: &str) {
    if !path.is_empty() && !Path::new(path).is_file() {
        check.refuse(key, format!("{path} is not a file"));
    }
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| serde::de::Error::custom("must be an address and port such as 127.0.0.1:50051"))
}
