//! Listens, speaks HTTP/2 and stops without losing what is in hand.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use hyper::server::conn::http2;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::service::Routes;

use super::{Readiness, Stack, TeamsOf, health};
use crate::{
    access::{records::Recorder, roles::Roles},
    auth::Verifier,
    config,
    descriptors::MethodRule,
};

/// Everything a server needs.
pub struct Setup {
    /// Name of the service; reasons belong to the domain `<service>.trato`.
    pub service: &'static str,
    /// Addresses and limits.
    pub settings: config::Server,
    /// The encoded descriptors, for reflection.
    pub descriptors: &'static [u8],
    /// The methods served, from [`Descriptors::rules_of`](crate::descriptors::Descriptors::rules_of). What is not
    /// among them is UNIMPLEMENTED, even if `routes` would serve it.
    pub rules: Vec<MethodRule>,
    /// The handlers. Generated servers read messages of at most 4 MiB, which is where the range of the setting ends.
    pub routes: Routes,
    /// Whose tokens are believed.
    pub verifier: Verifier,
    /// What each role may do.
    pub roles: Arc<Roles>,
    /// The directory.
    pub teams: Arc<dyn TeamsOf>,
    /// Where it is recorded who was answered with whose data.
    pub recorder: Recorder,
    /// Reported by `grpc.health.v1`.
    pub readiness: Readiness,
}

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address is taken or not this machine's.
    #[error("cannot listen on {address}")]
    Listen {
        /// The setting `server.listen`.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The descriptors cannot be shown.
    #[error("the descriptors cannot be served by reflection")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// A server, bound and not yet answering.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    settings: config::Server,
    stack: Stack,
    /// Tells streams to end.
    stop_streams: CancellationToken,
}

/// How long a new connection may stay silent.
const FIRST_BYTE: Duration = Duration::from_secs(10);
/// How long a probe of an idle connection may stay unanswered.
const PROBE: Duration = Duration::from_secs(10);
/// Pause after the system refuses a connection, mostly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Bytes a caller may send ahead on one stream and on one connection.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;

impl Server {
    /// Takes the address, so that it is known before anything is served.
    pub async fn bind(setup: Setup) -> Result<Self, BindError> {
        let address = setup.settings.listen;
        let listen = |source| BindError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let mut services: Vec<String> = setup.rules.iter().map(|rule| rule.service.clone()).collect();
        services.dedup();
        let open = health::routes(&services, setup.descriptors, &setup.readiness).await?;
        let stop_streams = CancellationToken::new();
        let stack = Stack::new(&setup, open, stop_streams.clone());
        Ok(Self { listener, address, settings: setup.settings, stack, stop_streams })
    }

    /// The address taken.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Answers calls until `stop` is cancelled. Then no connection is accepted any more, the open ones are told to go
    /// away, streams end with UNAVAILABLE `SHUTTING_DOWN`, and other calls in hand finish within `drain_seconds`.
    pub async fn serve(self, stop: CancellationToken) {
        let Self { listener, settings, stack, stop_streams, .. } = self;
        let http = http(&settings);
        let graceful = GracefulShutdown::new();
        let connections = TaskTracker::new();
        let cut = CancellationToken::new();
        loop {
            let stream = tokio::select! {
                () = stop.cancelled() => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!(error = %error, "a connection could not be accepted: {error}");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                        continue;
                    }
                },
            };
            let (http, stack, watcher, cut) = (http.clone(), stack.clone(), graceful.watcher(), cut.clone());
            connections.spawn(async move {
                if !has_begun(&stream).await {
                    return;
                }
                let connection = watcher.watch(http.serve_connection(TokioIo::new(stream), stack));
                tokio::select! {
                    () = cut.cancelled() => {}
                    ended = connection => if let Err(error) = ended {
                        // Peers that vanish or speak another protocol are everyday business.
                        tracing::debug!(error = %error, "a connection ended: {error}");
                    },
                }
            });
        }
        drop(listener);
        stop_streams.cancel();
        connections.close();
        if tokio::time::timeout(settings.drain(), graceful.shutdown()).await.is_err() {
            let count = connections.len();
            tracing::warn!(count, "{count} connections did not finish in time and are cut");
        }
        cut.cancel();
        connections.wait().await;
    }
}

fn http(settings: &config::Server) -> http2::Builder<TokioExecutor> {
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new())
        .max_concurrent_streams(settings.max_streams_per_connection)
        .max_header_list_size(settings.max_header_bytes)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(settings.keepalive())
        .keep_alive_timeout(PROBE);
    http
}

/// Waits for the first byte, so that a connection that never speaks does not stay.
async fn has_begun(stream: &TcpStream) -> bool {
    // Small answers must not wait for more to send.
    stream.set_nodelay(true).is_ok() && tokio::time::timeout(FIRST_BYTE, stream.readable()).await.is_ok()
}
