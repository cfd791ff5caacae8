//! One port for HTTP/1.1 and HTTP/2: connections are accepted, watched and, at the end, drained.

mod pulse;

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::Request;
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::GracefulConnection,
};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::edge::Gateway;
use pulse::{Pulse, Verdict, Watched};

/// What a connection of HTTP/2 begins with (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Pause after the system refuses a connection, mostly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often connections are looked at.
const ROUND: Duration = Duration::from_secs(1);
/// How often the gateway forgets what it no longer needs.
const TIDY: Duration = Duration::from_secs(60);
/// Beyond our own limits, which answer with an error that says what is wrong, these cut short what is absurd.
const HARD_HEADER_BYTES: u32 = 256 * 1024;
/// Streams a client may open and reset before they were looked at, and resets it may cause us (CVE-2023-44487).
const MAX_PENDING_RESETS: usize = 20;
const MAX_LOCAL_RESETS: usize = 256;
/// Bytes a client may send ahead on one stream and on one connection.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 2 << 20;

/// Serves connections until `stop` is cancelled; then nothing is accepted any more, streams end, requests in hand finish
/// within the drain time, and what is left is cut.
pub async fn serve(gateway: Arc<Gateway>, listener: TcpListener, stop: CancellationToken) {
    let connections = TaskTracker::new();
    let cut = CancellationToken::new();
    let settings = &gateway.config().gateway;
    let places = Arc::new(Semaphore::new(settings.max_connections));
    let mut tidy = interval(TIDY);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            _ = tidy.tick() => {
                gateway.tidy();
                continue;
            }
            accepted = accept(&listener, &places) => accepted,
        };
        let (stream, peer, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let connection = connection(Arc::clone(&gateway), stream, peer, stop.clone());
        let cut = cut.clone();
        connections.spawn(async move {
            tokio::select! {
                () = cut.cancelled() => {}
                () = connection => {}
            }
            drop(place);
        });
    }
    drop(listener);
    gateway.set_serving(false).await;
    gateway.end_streams();
    connections.close();
    if timeout(gateway.config().platform.server.drain(), connections.wait()).await.is_err() {
        let count = connections.len();
        tracing::warn!(count, "{count} connections did not finish in time and are cut");
        cut.cancel();
        connections.wait().await;
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    if let Err(error) = stream.set_nodelay(true) {
        // The client is gone already; its connection will say so.
        tracing::debug!(%error, "a connection broke at once: {error}");
    }
    Ok((stream, peer, place))
}

async fn connection(gateway: Arc<Gateway>, mut stream: TcpStream, peer: SocketAddr, stop: CancellationToken) {
    let (head_within, keepalive) =
        (gateway.config().gateway.header_read(), gateway.config().platform.server.keepalive());
    let sniffed = tokio::select! {
        sniffed = timeout(head_within, sniff(&mut stream)) => sniffed,
        () = stop.cancelled() => return,
    };
    let Ok(Ok((first, is_http2))) = sniffed else { return };
    let pulse = Pulse::new();
    let io = TokioIo::new(Watched::new(stream, first, pulse.clone()));
    let service = {
        let (gateway, pulse) = (Arc::clone(&gateway), pulse.clone());
        service_fn(move |request: Request<Incoming>| {
            let (gateway, in_hand) = (Arc::clone(&gateway), pulse.begin());
            async move {
                let response = gateway.answer(request, peer.ip()).await;
                Ok::<_, Infallible>(response.map(|body| Held { body, _in_hand: in_hand }))
            }
        })
    };
    let server = &gateway.config().platform.server;
    if is_http2 {
        let mut http = http2::Builder::new(TokioExecutor::new());
        http.timer(TokioTimer::new())
            .max_concurrent_streams(server.max_streams_per_connection)
            .max_header_list_size(HARD_HEADER_BYTES)
            .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
            .max_local_error_reset_streams(MAX_LOCAL_RESETS)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .keep_alive_interval(keepalive)
            .keep_alive_timeout(keepalive);
        watch(http.serve_connection(io, service), &gateway, &pulse, true, stop).await;
    } else {
        let mut http = http1::Builder::new();
        // Slow heads are the watchman's business, who needs no timer for each request.
        http.header_read_timeout(None).max_buf_size(2 * HARD_HEADER_BYTES as usize);
        watch(http.serve_connection(io, service), &gateway, &pulse, false, stop).await;
    }
}

/// Reads enough to know which HTTP it is. What was read is given back.
async fn sniff(stream: &mut TcpStream) -> io::Result<(Bytes, bool)> {
    let mut first = Vec::with_capacity(PREFACE.len());
    loop {
        if first.len() == PREFACE.len() {
            return Ok((first.into(), true));
        }
        let mut rest = [0; PREFACE.len()];
        let room = PREFACE.len() - first.len();
        let count = stream.read(&mut rest[..room]).await?;
        first.extend_from_slice(&rest[..count]);
        if count == 0 || !PREFACE.starts_with(&first) {
            return Ok((first.into(), false));
        }
    }
}

/// Runs a connection to its end, and ends it when it idles, stalls, or when the gateway stops.
async fn watch<C: GracefulConnection>(
    connection: C,
    gateway: &Gateway,
    pulse: &Pulse,
    is_http2: bool,
    stop: CancellationToken,
) where
    C::Error: std::fmt::Display,
{
    let (head_within, idle_for) = (gateway.config().gateway.header_read(), gateway.config().gateway.idle());
    let mut connection = pin!(connection);
    let mut is_ending = false;
    let mut round = interval(ROUND);
    round.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    // Clients that vanish or speak another protocol are everyday business.
                    tracing::debug!(%error, "a connection ended: {error}");
                }
                return;
            }
            () = stop.cancelled(), if !is_ending => {
                is_ending = true;
                connection.as_mut().graceful_shutdown();
            }
            _ = round.tick() => match pulse.judge(head_within, idle_for, is_http2) {
                Verdict::Fine => {}
                Verdict::Idle if !is_ending => {
                    is_ending = true;
                    connection.as_mut().graceful_shutdown();
                }
                // Having been told to go away, it has had another round to do so.
                Verdict::Idle if !stop.is_cancelled() => return,
                Verdict::Idle => {}
                Verdict::Stalled => return,
            }
        }
    }
}

/// A body that keeps its connection from counting as idle until it is sent.
struct Held {
    body: crate::body::Body,
    _in_hand: pulse::InHand,
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = crate::body::Cut;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        pin!(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
