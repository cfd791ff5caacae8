//! What names stand for.

use std::{fmt::Debug, io, net::SocketAddr};

use futures::{FutureExt as _, future::BoxFuture};
use http::{Uri, uri::Authority};
use rustls::pki_types::ServerName;

/// Says which addresses a name stands for now.
pub trait Names: Debug + Send + Sync {
    /// All addresses of a host, with the port.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>>;
}

/// The names of the operating system, as `/etc/resolv.conf` and `/etc/hosts` have them.
#[derive(Clone, Copy, Debug)]
pub struct SystemNames;

impl Names for SystemNames {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        tokio::net::lookup_host((host, port)).map(|found| found.map(Iterator::collect)).boxed()
    }
}

/// An address as it is configured: a host, which stands for one or more addresses, a port, and whether TLS is spoken.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// Without the brackets of IPv6.
    pub host: String,
    pub port: u16,
    /// What calls name in `:authority`.
    pub authority: Authority,
    /// Whom the server's certificate must name; none for plain connections.
    pub server_name: Option<ServerName<'static>>,
}

impl Target {
    /// Reads a configured address. The configuration has refused what is none.
    pub fn of(address: &Uri) -> Option<Self> {
        let host = address.host()?.trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_tls = address.scheme_str() == Some("https");
        let server_name = if is_tls { Some(ServerName::try_from(host.clone()).ok()?) } else { None };
        Some(Self { host, port: address.port_u16()?, authority: address.authority()?.clone(), server_name })
    }
}
