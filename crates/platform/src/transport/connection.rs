//! One HTTP/2 connection: made, proved by a ping, watched until it ends.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use h2::{
    Ping, PingPong,
    client::{Connection, SendRequest},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::oneshot,
};
use tokio_rustls::TlsConnector;

use super::{Network, names::Target};

/// Bytes that may be under way unread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Windows {
    /// Of one answer.
    pub stream: u32,
    /// Of all answers of a connection.
    pub connection: u32,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The service has no address, or none of its names stands for one.
    #[error("no address of {0} is known")]
    NoAddress(String, #[source] Option<io::Error>),
    /// The port refuses, or the network does.
    #[error("no connection to {1}")]
    Io(#[source] io::Error, SocketAddr),
    /// The other side's certificate is not to be trusted, names somebody else, or there is no TLS.
    #[error("no TLS connection to {1}")]
    Tls(#[source] io::Error, SocketAddr),
    /// The other side does not speak HTTP/2, or ended the connection at once, as it does to strangers.
    #[error("no HTTP/2 connection to {1}")]
    Handshake(#[source] h2::Error, SocketAddr),
    /// It took too long.
    #[error("no connection to {0} in time")]
    TimedOut(SocketAddr),
    /// An address of `https` without a certificate to show.
    #[error("[tls] is not set, which {0} asks for")]
    NoCertificate(SocketAddr),
    /// The other side ended the connection in good order before it was of any use.
    #[error("{0} ended the connection at once")]
    Ended(SocketAddr),
    /// An attempt failed a moment ago.
    #[error("no connection a moment ago")]
    JustFailed(#[source] Arc<ConnectError>),
}

/// Connects, and says so once the other side has answered a ping: one that refuses this program's certificate says so
/// only after the handshake. `ended` is called when the connection is over.
pub(super) async fn open(
    address: SocketAddr,
    target: &Target,
    network: &Network,
    windows: Windows,
    ended: impl FnOnce() + Send + 'static,
) -> Result<SendRequest<Bytes>, ConnectError> {
    let connecting = async {
        let stream = TcpStream::connect(address).await.map_err(|error| ConnectError::Io(error, address))?;
        // Small calls must not wait for more to send.
        stream.set_nodelay(true).map_err(|error| ConnectError::Io(error, address))?;
        let Some(server_name) = &target.server_name else {
            return begin(stream, address, network, windows, ended).await;
        };
        let tls = network.tls.as_ref().ok_or(ConnectError::NoCertificate(address))?;
        let stream = TlsConnector::from(tls.client()).connect(server_name.clone(), stream).await;
        let stream = stream.map_err(|error| ConnectError::Tls(error, address))?;
        begin(stream, address, network, windows, ended).await
    };
    match tokio::time::timeout(network.settings.connect_timeout(), connecting).await {
        Ok(connected) => connected,
        Err(_) => Err(ConnectError::TimedOut(address)),
    }
}

async fn begin<T: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    stream: T,
    address: SocketAddr,
    network: &Network,
    windows: Windows,
    ended: impl FnOnce() + Send + 'static,
) -> Result<SendRequest<Bytes>, ConnectError> {
    let (requests, mut connection) = h2::client::Builder::new()
        .initial_window_size(windows.stream)
        .initial_connection_window_size(windows.connection)
        .max_frame_size(256 * 1024)
        .enable_push(false)
        .handshake(stream)
        .await
        .map_err(|error| ConnectError::Handshake(error, address))?;
    let pings = connection.ping_pong();
    let (proved, proof) = oneshot::channel();
    let driving = drive(connection, pings, network.settings.keepalive(), address, proved);
    tokio::spawn(async move {
        driving.await;
        ended();
    });
    match proof.await {
        Ok(Ok(())) => Ok(requests),
        Ok(Err(error)) => Err(ConnectError::Handshake(error, address)),
        Err(_) => Err(ConnectError::Ended(address)),
    }
}

type Proof = oneshot::Sender<Result<(), h2::Error>>;

/// Runs a connection until it ends, or until its other side no longer answers pings.
async fn drive<T: AsyncRead + AsyncWrite + Unpin>(
    connection: Connection<T, Bytes>,
    pings: Option<PingPong>,
    keepalive: Duration,
    address: SocketAddr,
    proved: Proof,
) {
    let mut proved = Some(proved);
    tokio::select! {
        ended = connection => if let Err(error) = ended {
            tracing::debug!(upstream = %address, %error, "the connection to {address} broke: {error}");
            if let Some(proved) = proved.take() {
                // Whoever connected may have given up.
                let _ = proved.send(Err(error));
            }
        },
        () = until_silent(pings, keepalive, &mut proved) => {
            tracing::warn!(upstream = %address, "the connection to {address} was given up, its other side is silent");
        }
    }
}

async fn until_silent(pings: Option<PingPong>, keepalive: Duration, proved: &mut Option<Proof>) {
    let Some(mut pings) = pings else { return std::future::pending().await };
    loop {
        match tokio::time::timeout(keepalive, pings.ping(Ping::opaque())).await {
            Ok(Ok(_)) => {}
            // The connection itself says how it ended.
            Ok(Err(_)) => return std::future::pending().await,
            Err(_) => return,
        }
        if let Some(proved) = proved.take() {
            let _ = proved.send(Ok(()));
        }
        tokio::time::sleep(keepalive).await;
    }
}
