//! The services behind the gateway: which address serves which proto package, and the connections to them.

mod budget;
mod call;
mod channel;
mod pipe;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::Uri;

use budget::Budget;
pub use call::{Answer, Call, broken, no_status};
use channel::Channel;
pub use channel::ConnectionSettings;
pub use pipe::Pump;

/// One service and the connections to it.
#[derive(Debug)]
pub struct Upstream {
    /// The configured package, as messages and logs name it.
    name: String,
    calls: Pool,
    /// Streams have connections of their own: a slow reader must not take the window of short calls.
    streams: Pool,
    budget: Budget,
    max_answer: usize,
}

/// How upstreams are called.
#[derive(Clone, Copy, Debug)]
pub struct UpstreamSettings {
    /// Connections for calls, and as many again for streams.
    pub channels: usize,
    /// How each is made and kept. The windows are chosen here.
    pub connection: ConnectionSettings,
    /// Retries for each hundred calls.
    pub retry_percent: u32,
    /// Largest answer of a call, in bytes.
    pub max_answer: usize,
}

/// Retries that may be made at once after a quiet time.
const RETRY_RESERVE: u32 = 500;

/// Answers of calls are read at once, so that much may be under way.
const CALL_WINDOW: u32 = 1 << 20;
const CALLS_WINDOW: u32 = 16 << 20;
/// What a stream may have under way is what a slow client costs in memory; together they may have anything.
const STREAM_WINDOW: u32 = 64 << 10;
const STREAMS_WINDOW: u32 = (1 << 31) - 1;

/// Several connections used in turn.
#[derive(Debug)]
struct Pool {
    channels: Vec<Channel>,
    turn: AtomicUsize,
}

impl Pool {
    fn new(addresses: &[Uri], count: usize, settings: ConnectionSettings) -> Self {
        let channels =
            (0..count.max(1)).map(|slot| Channel::new(addresses.to_vec(), slot, settings)).collect();
        Self { channels, turn: AtomicUsize::new(0) }
    }

    fn next(&self) -> &Channel {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        &self.channels[turn % self.channels.len()]
    }
}

impl Upstream {
    fn new(name: &str, addresses: &[Uri], settings: UpstreamSettings) -> Self {
        let connection = |stream_window, connection_window| ConnectionSettings {
            stream_window,
            connection_window,
            ..settings.connection
        };
        Self {
            name: name.to_owned(),
            calls: Pool::new(addresses, settings.channels, connection(CALL_WINDOW, CALLS_WINDOW)),
            streams: Pool::new(addresses, settings.channels, connection(STREAM_WINDOW, STREAMS_WINDOW)),
            budget: Budget::new(settings.retry_percent, RETRY_RESERVE),
            max_answer: settings.max_answer,
        }
    }
}

/// All upstreams by package.
#[derive(Debug)]
pub struct Upstreams {
    by_package: HashMap<String, Arc<Upstream>>,
}

impl Upstreams {
    /// Upstreams at the addresses given by package. Packages with the same addresses share their connections.
    pub fn new<'a>(
        addresses: impl IntoIterator<Item = (&'a str, Vec<Uri>)>,
        settings: UpstreamSettings,
    ) -> Self {
        let mut by_address: HashMap<Vec<String>, Arc<Upstream>> = HashMap::new();
        let mut by_package = HashMap::new();
        for (package, addresses) in addresses {
            let key = addresses.iter().map(ToString::to_string).collect();
            let upstream = by_address
                .entry(key)
                .or_insert_with(|| Arc::new(Upstream::new(package, &addresses, settings)));
            by_package.insert(package.to_owned(), Arc::clone(upstream));
        }
        Self { by_package }
    }

    /// The upstream of a package such as `trato.sales.v1`: the longest configured prefix, so that a version need not
    /// be named.
    pub fn find(&self, package: &str) -> Option<&Arc<Upstream>> {
        let mut prefix = package;
        loop {
            if let Some(upstream) = self.by_package.get(prefix) {
                return Some(upstream);
            }
            prefix = prefix.rsplit_once('.')?.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_longest_prefix_of_a_package_decides() {
        let connection = ConnectionSettings {
            connect_timeout: Duration::from_secs(1),
            keepalive: Duration::from_secs(1),
            max_age: Duration::from_secs(1),
            stream_window: 0,
            connection_window: 0,
        };
        let settings = UpstreamSettings { channels: 1, connection, retry_percent: 20, max_answer: 1 };
        let uri = |port: u16| vec![Uri::try_from(format!("http://127.0.0.1:{port}")).expect("an address")];
        let packages = [
            ("example", uri(1)),
            ("example.library", uri(2)),
            ("example.library.v2", uri(3)),
            ("example.archive", uri(2)),
        ];
        let upstreams = Upstreams::new(packages, settings);
        let name = |package| upstreams.find(package).map(|upstream| upstream.name.as_str());

        assert_eq!(name("example.library.v1"), Some("example.library"));
        assert_eq!(name("example.library.v2"), Some("example.library.v2"));
        assert_eq!(name("example.libraryx.v1"), Some("example"));
        assert_eq!(name("example.archive.v1"), Some("example.library"), "same address, same connections");
        assert_eq!(name("other.v1"), None);
    }
}
