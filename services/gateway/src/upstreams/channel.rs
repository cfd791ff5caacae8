//! One HTTP/2 connection to an upstream: made when first needed, watched, made again when it is lost.
//!
//! It speaks to `h2` directly. A general client puts a queue and two tasks between a call and its connection, and that
//! was the larger part of what a call cost.

use std::{
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use h2::{
    Ping, PingPong,
    client::{Connection, SendRequest},
};
use http::Uri;
use tokio::net::TcpStream;

/// How connections to upstreams are made and kept.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionSettings {
    /// Longest time to make a connection.
    pub connect_timeout: Duration,
    /// Time between pings; an answer must come within the same time.
    pub keepalive: Duration,
    /// Age after which a connection is replaced, so that new replicas get their share.
    pub max_age: Duration,
    /// Bytes of one answer that may be under way unread.
    pub stream_window: u32,
    /// Bytes of all answers of the connection that may be under way unread.
    pub connection_window: u32,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name has no address, or the port refuses.
    #[error("no connection to {1}")]
    Io(#[source] std::io::Error, String),
    /// The other side does not speak HTTP/2.
    #[error("no HTTP/2 connection to {1}")]
    Handshake(#[source] h2::Error, String),
    /// It took too long.
    #[error("no connection to {0} in time")]
    TimedOut(String),
    /// An attempt failed a moment ago.
    #[error("no connection a moment ago")]
    JustFailed,
}

/// After a failure nobody tries again for this long; callers that come meanwhile learn it at once.
const PAUSE: Duration = Duration::from_millis(20);

/// A place for one connection.
#[derive(Debug)]
pub struct Channel {
    addresses: Vec<Uri>,
    slot: usize,
    settings: ConnectionSettings,
    live: Mutex<Option<Live>>,
    /// Held while connecting, so that many callers make one connection; when the last attempt failed.
    connecting: tokio::sync::Mutex<Option<Instant>>,
}

#[derive(Clone, Debug)]
struct Live {
    requests: SendRequest<Bytes>,
    made: Instant,
}

impl Channel {
    /// A place whose first choice among all addresses depends on `slot`.
    pub fn new(addresses: Vec<Uri>, slot: usize, settings: ConnectionSettings) -> Self {
        Self { addresses, slot, settings, live: Mutex::default(), connecting: tokio::sync::Mutex::default() }
    }

    /// A handle that can send a request now.
    pub async fn ready(&self) -> Result<SendRequest<Bytes>, ConnectError> {
        if let Some(live) = self.live()
            && let Ok(requests) = live.requests.ready().await
        {
            return Ok(requests);
        }
        let mut failed = self.connecting.lock().await;
        // Somebody else may have connected while this caller waited.
        if let Some(live) = self.live()
            && let Ok(requests) = live.requests.ready().await
        {
            return Ok(requests);
        }
        if failed.is_some_and(|failed| failed.elapsed() < PAUSE) {
            return Err(ConnectError::JustFailed);
        }
        match self.connect().await {
            Ok(requests) => {
                *failed = None;
                let live = Live { requests: requests.clone(), made: Instant::now() };
                *self.live.lock().unwrap_or_else(PoisonError::into_inner) = Some(live);
                Ok(requests)
            }
            Err(error) => {
                *failed = Some(Instant::now());
                Err(error)
            }
        }
    }

    /// The connection, unless it is too old. An old one goes on for the calls it carries and then ends by itself.
    fn live(&self) -> Option<Live> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if live.as_ref().is_some_and(|live| live.made.elapsed() > self.settings.max_age) {
            *live = None;
        }
        live.clone()
    }

    async fn connect(&self) -> Result<SendRequest<Bytes>, ConnectError> {
        let mut last = ConnectError::JustFailed;
        for address in self.resolve().await? {
            let attempt = tokio::time::timeout(self.settings.connect_timeout, self.connect_to(address));
            match attempt.await {
                Ok(Ok(requests)) => return Ok(requests),
                Ok(Err(error)) => last = error,
                Err(_) => last = ConnectError::TimedOut(address.to_string()),
            }
        }
        Err(last)
    }

    /// All addresses of all names, this slot's share first: the channels of an upstream spread over its replicas.
    async fn resolve(&self) -> Result<Vec<SocketAddr>, ConnectError> {
        let mut found = Vec::new();
        let mut failure = None;
        for uri in &self.addresses {
            let (host, port) = (uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(80));
            match tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await {
                Ok(addresses) => found.extend(addresses),
                Err(error) => failure = Some(ConnectError::Io(error, host.to_owned())),
            }
        }
        found.sort_unstable();
        found.dedup();
        match (found.len(), failure) {
            (0, Some(failure)) => Err(failure),
            (0, None) => Err(ConnectError::JustFailed),
            (count, _) => {
                found.rotate_left(self.slot % count);
                Ok(found)
            }
        }
    }

    async fn connect_to(&self, address: SocketAddr) -> Result<SendRequest<Bytes>, ConnectError> {
        let io = |error| ConnectError::Io(error, address.to_string());
        let stream = TcpStream::connect(address).await.map_err(io)?;
        stream.set_nodelay(true).map_err(io)?;
        let (requests, mut connection) = h2::client::Builder::new()
            .initial_window_size(self.settings.stream_window)
            .initial_connection_window_size(self.settings.connection_window)
            .max_frame_size(256 * 1024)
            .enable_push(false)
            .handshake(stream)
            .await
            .map_err(|error| ConnectError::Handshake(error, address.to_string()))?;
        let pings = connection.ping_pong();
        tokio::spawn(drive(connection, pings, self.settings.keepalive, address));
        Ok(requests)
    }
}

/// Runs a connection until it ends, or until its other side no longer answers pings.
async fn drive(
    connection: Connection<TcpStream, Bytes>,
    pings: Option<PingPong>,
    keepalive: Duration,
    address: SocketAddr,
) {
    tokio::select! {
        ended = connection => {
            if let Err(error) = ended {
                tracing::debug!(upstream = %address, %error, "the connection to {address} broke: {error}");
            }
        }
        () = until_silent(pings, keepalive) => {
            tracing::warn!(upstream = %address, "the connection to {address} was given up, its other side is silent");
        }
    }
}

async fn until_silent(pings: Option<PingPong>, keepalive: Duration) {
    let Some(mut pings) = pings else { return std::future::pending().await };
    loop {
        tokio::time::sleep(keepalive).await;
        match tokio::time::timeout(keepalive, pings.ping(Ping::opaque())).await {
            Ok(Ok(_)) => {}
            // The connection itself says how it ended.
            Ok(Err(_)) => return std::future::pending().await,
            Err(_) => return,
        }
    }
}
