//! Listens, speaks HTTP/2 and stops without losing what is in hand.

use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rand::RngExt as _;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::service::Routes;

use super::{Readiness, Stack, TeamsOf, Turns, health};
use crate::{
    access::{records::Recorder, roles::Roles},
    auth::Verifier,
    barred::Barred,
    config,
    descriptors::MethodRule,
    tls::Tls,
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
    /// Whose calls are refused although their tokens are good.
    pub barred: Barred,
    /// Calls worked on at once; streams are not among them.
    pub turns: Turns,
    /// Reported by `grpc.health.v1`.
    pub readiness: Readiness,
    /// Callers must come by TLS, with a certificate of the authority.
    pub tls: Option<Tls>,
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
    tls: Option<Tls>,
    /// Tells streams to end.
    stop_streams: CancellationToken,
}

/// What a connection of HTTP/2 begins with (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How long a new connection may take to send it, and how long TLS may take to come about.
const PREFACE_WITHIN: Duration = Duration::from_secs(10);
/// How often a preface that comes in parts is looked at.
const PREFACE_PAUSE: Duration = Duration::from_millis(50);
/// Streams a caller may open and reset before they were looked at, and resets it may cause us (CVE-2023-44487).
const MAX_PENDING_RESETS: usize = 20;
const MAX_LOCAL_RESETS: usize = 256;
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
        Ok(Self { listener, address, settings: setup.settings, stack, tls: setup.tls, stop_streams })
    }

    /// The address taken.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Answers calls until `stop` is cancelled. Then no connection is accepted any more, the open ones are told to go
    /// away, streams end with UNAVAILABLE `SHUTTING_DOWN`, and other calls in hand finish within `drain_seconds`.
    pub async fn serve(self, stop: CancellationToken) {
        let Self { listener, settings, stack, tls, stop_streams, .. } = self;
        let connections = TaskTracker::new();
        let cut = CancellationToken::new();
        let life =
            Life { http: http(&settings), stack, age: settings.max_connection_age(), stop: stop.clone() };
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
            let connection = accepted(stream, tls.clone(), life.clone());
            let cut = cut.clone();
            connections.spawn(async move {
                tokio::select! {
                    () = cut.cancelled() => {}
                    () = connection => {}
                }
            });
        }
        drop(listener);
        stop_streams.cancel();
        connections.close();
        if tokio::time::timeout(settings.drain(), connections.wait()).await.is_err() {
            let count = connections.len();
            tracing::warn!(count, "{count} connections did not finish in time and are cut");
        }
        cut.cancel();
        connections.wait().await;
    }
}

/// What a connection is served with, and until when.
#[derive(Clone)]
struct Life {
    http: http2::Builder<TokioExecutor>,
    stack: Stack,
    age: Duration,
    stop: CancellationToken,
}

/// Serves what was accepted to its end.
async fn accepted(stream: TcpStream, tls: Option<Tls>, life: Life) {
    let begun = tokio::select! {
        begun = has_begun(&stream) => begun,
        () = life.stop.cancelled() => false,
    };
    if !begun {
        return;
    }
    let Some(tls) = tls else { return life.serve(stream).await };
    // The certificates of this moment: each connection sees those that were read last.
    let accepting = TlsAcceptor::from(tls.server()).accept(stream);
    match tokio::time::timeout(PREFACE_WITHIN, accepting).await {
        Ok(Ok(stream)) => life.serve(stream).await,
        // Strangers are everyday business, too.
        Ok(Err(error)) => tracing::debug!(error = %error, "a caller was refused by TLS: {error}"),
        Err(_) => tracing::debug!("a caller did not finish the handshake of TLS"),
    }
}

impl Life {
    /// Answers calls until the other side is done. At a certain age, and when the server stops, the other side is told to
    /// go away; what it has begun by then is finished.
    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(stream), self.stack));
        // By chance, or all callers that came at one moment would come again at one moment.
        let age = self.age.mul_f64(rand::rng().random_range(0.9..1.1));
        let told = async {
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = tokio::time::sleep(age) => {}
            }
        };
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = told => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            // Peers that vanish or speak another protocol are everyday business.
            tracing::debug!(error = %error, "a connection ended: {error}");
        }
    }
}

fn http(settings: &config::Server) -> http2::Builder<TokioExecutor> {
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new())
        .max_concurrent_streams(settings.max_streams_per_connection)
        .max_header_list_size(settings.max_header_bytes)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_local_error_reset_streams(MAX_LOCAL_RESETS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(settings.keepalive())
        .keep_alive_timeout(PROBE);
    http
}

/// Waits for the preface, so that a connection that never speaks, or speaks a letter at a time, does not stay. What
/// begins otherwise has begun too: it is not for us to say what it is.
async fn has_begun(stream: &TcpStream) -> bool {
    // Small answers must not wait for more to send.
    if stream.set_nodelay(true).is_err() {
        return false;
    }
    let preface = async {
        let mut first = [0; PREFACE.len()];
        loop {
            let count = stream.peek(&mut first).await?;
            if count == 0 || count == first.len() || !PREFACE.starts_with(&first[..count]) {
                return io::Result::Ok(count > 0);
            }
            // What was peeked at stays readable, so that there is nothing to wait for but time.
            tokio::time::sleep(PREFACE_PAUSE).await;
        }
    };
    matches!(tokio::time::timeout(PREFACE_WITHIN, preface).await, Ok(Ok(true)))
}
