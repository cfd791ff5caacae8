//! How many processes the gateway has: each gives a tenant its share of the tenant's rate.

use std::{
    collections::HashSet,
    io,
    net::{IpAddr, SocketAddr},
};

use futures::future::try_join_all;
use trato_platform::transport::Names;

/// How many processes these hosts stand for together; at least one, for whoever counts is there. One that has an address of
/// either family is one process.
pub async fn count(names: &dyn Names, hosts: &[String]) -> io::Result<u32> {
    let found = try_join_all(hosts.iter().map(|host| names.resolve(host, 0))).await?;
    let addresses: HashSet<IpAddr> = found.iter().flatten().map(SocketAddr::ip).collect();
    let of_four = addresses.iter().filter(|address| address.is_ipv4()).count();
    let most = of_four.max(addresses.len() - of_four);
    Ok(u32::try_from(most).unwrap_or(u32::MAX).max(1))
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt as _, future::BoxFuture};

    use super::*;

    /// Knows one name, of two processes.
    #[derive(Debug)]
    struct Book;

    impl Names for Book {
        fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
            let known = match host {
                "gateways" => Ok(vec!["10.0.0.1", "10.0.0.2", "10.0.0.1"]),
                "another" => Ok(vec!["10.0.0.2", "10.0.0.3"]),
                "both" => Ok(vec!["10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2"]),
                "nobody" => Ok(Vec::new()),
                _ => Err(io::Error::from(io::ErrorKind::NotFound)),
            };
            let address = |ip: &str| SocketAddr::new(ip.parse().expect("an address"), port);
            let addresses = known.map(|ips| ips.into_iter().map(address).collect());
            async move { addresses }.boxed()
        }
    }

    async fn counted(hosts: &[&str]) -> Option<u32> {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        count(&Book, &hosts).await.ok()
    }

    #[tokio::test]
    async fn each_address_counts_once_whoever_stands_for_it() {
        assert_eq!(counted(&["gateways"]).await, Some(2));
        assert_eq!(counted(&["gateways", "another"]).await, Some(3));
        assert_eq!(counted(&["both"]).await, Some(2));
    }

    #[tokio::test]
    async fn whoever_counts_is_there_and_an_unknown_name_counts_nothing() {
        assert_eq!(counted(&[]).await, Some(1));
        assert_eq!(counted(&["nobody"]).await, Some(1));
        assert_eq!(counted(&["gateways", "unknown"]).await, None);
    }
}
