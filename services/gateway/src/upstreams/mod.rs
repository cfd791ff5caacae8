//! The services behind the gateway: which address serves which proto package, and how they are called.

mod call;

use std::{collections::HashMap, sync::Arc};

use http::Uri;
use trato_platform::transport::{Network, Transport};

pub use call::{Answer, broken, no_status};

/// One service and the way to it.
#[derive(Debug)]
pub struct Upstream {
    /// Named after the configured package.
    transport: Transport,
    /// Largest answer of a call, in bytes.
    max_answer: usize,
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
        network: &Network,
        max_answer: usize,
    ) -> Self {
        let mut by_address: HashMap<Vec<String>, Arc<Upstream>> = HashMap::new();
        let mut by_package = HashMap::new();
        for (package, addresses) in addresses {
            let key = addresses.iter().map(ToString::to_string).collect();
            let upstream = by_address.entry(key).or_insert_with(|| {
                Arc::new(Upstream { transport: Transport::new(package, &addresses, network), max_answer })
            });
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
    use trato_platform::config::Environment;

    use super::*;
    use crate::config::loader;

    #[test]
    fn the_longest_prefix_of_a_package_decides() {
        let loaded = loader().load(&Environment::default()).expect("the defaults are right");
        let network = Network::new(&loaded.settings).expect("no certificates are asked for");
        let uri = |port: u16| vec![Uri::try_from(format!("http://127.0.0.1:{port}")).expect("an address")];
        let packages = [
            ("example", uri(1)),
            ("example.library", uri(2)),
            ("example.library.v2", uri(3)),
            ("example.archive", uri(2)),
        ];
        let upstreams = Upstreams::new(packages, &network, 1);
        let name = |package| upstreams.find(package).map(|upstream| upstream.transport.name());

        assert_eq!(name("example.library.v1"), Some("example.library"));
        assert_eq!(name("example.library.v2"), Some("example.library.v2"));
        assert_eq!(name("example.libraryx.v1"), Some("example"));
        assert_eq!(name("example.archive.v1"), Some("example.library"), "same address, same connections");
        assert_eq!(name("other.v1"), None);
    }
}
