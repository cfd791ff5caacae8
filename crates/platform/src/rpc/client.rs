//! The one way to call another service (D5): with the caller's token, what is left of its deadline, and its trace.
//!
//! Calls are spread over several connections to each address, for one HTTP/2 connection is one core's work, and over
//! all addresses a name stands for, for the pods of a headless service come and go.

use std::{
    net::IpAddr,
    sync::{
        Arc, PoisonError, RwLock, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context as TaskContext, Poll},
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response, Uri, header::AUTHORIZATION};
use secrecy::ExposeSecret as _;
use tonic::{
    Code, Status,
    body::Body,
    transport::{Channel, Endpoint},
};
use tower::{Service, ServiceExt as _};
use tracing::Instrument as _;
use trato_types::{Context, Error, Kind};

use super::{
    deadline::{self, exceeded},
    permit::Caller,
    purpose::PURPOSE,
    remote::from_status,
    span,
    status::code_name,
};
use crate::telemetry::{metrics::metrics, propagate};

/// Connections to another service. Cheap to clone; generated clients take it in place of a channel. By themselves they
/// read answers of at most 4 MiB: one that asks for batches is made with `max_decoding_message_size`.
#[derive(Clone, Debug)]
pub struct Upstream(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Proto package, `trato.customers`; names the upstream in errors, spans and metrics.
    package: Arc<str>,
    addresses: Vec<Uri>,
    connections: usize,
    lanes: RwLock<Arc<[Arc<Lane>]>>,
    next: AtomicUsize,
    born: Instant,
}

/// One connection.
#[derive(Debug)]
struct Lane {
    /// `host:port` or `ip:port` it leads to.
    target: String,
    channel: Channel,
    /// Milliseconds after `Shared::born` until which the lane is avoided, because connecting failed.
    avoid_until_ms: AtomicU64,
}

/// Why a call did not reach the other service.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// No address of this upstream is configured, or its name stands for none.
    #[error("no address of {0} is known")]
    NoAddress(Arc<str>),
    /// The connection could not be made, or broke.
    #[error("the connection to {0} failed")]
    Transport(Arc<str>, #[source] tonic::transport::Error),
}

/// Connections to each address; four carry one and a half times what one does.
pub const CONNECTIONS: usize = 4;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const KEEPALIVE: Duration = Duration::from_secs(10);
const PROBE: Duration = Duration::from_secs(5);
/// How often names are resolved again.
const RESOLVE_EVERY: Duration = Duration::from_secs(5);
/// How long an address is avoided after it refused a connection, while there are others.
const AVOID: Duration = Duration::from_secs(1);
const WINDOW: u32 = 1 << 20;

impl Upstream {
    /// Prepares connections to the services of `package`; none is made before the first call. Call it from within the
    /// runtime: names among the addresses are resolved again in the background for as long as a clone lives.
    pub fn new(package: &str, addresses: Vec<Uri>, connections: usize) -> Self {
        let has_names = addresses.iter().any(|address| ip(address).is_none());
        let shared = Arc::new(Shared {
            package: package.into(),
            addresses,
            connections: connections.max(1),
            lanes: RwLock::new(Arc::new([])),
            next: AtomicUsize::new(0),
            born: Instant::now(),
        });
        // Until a name is resolved the lane leads to the name, and the connector resolves it.
        let targets =
            shared.addresses.iter().map(|address| (host_and_port(address), address.clone())).collect();
        shared.lead_to(targets);
        if has_names {
            tokio::spawn(resolve_again(Arc::downgrade(&shared)));
        }
        Self(shared)
    }

    /// A request on behalf of the caller: its token, its request id, its purpose, its trace and what is left of its deadline.
    /// DEADLINE_EXCEEDED when nothing is left.
    pub fn request<T>(&self, cx: &Context, caller: &Caller, message: T) -> Result<tonic::Request<T>, Error> {
        let mut request = tonic::Request::new(message);
        let headers = request.metadata_mut().as_mut();
        deadline::inject(headers, caller.deadline)?;
        let mut token = HeaderValue::try_from(format!("Bearer {}", caller.token.expose_secret()))
            .map_err(|_| Error::internal("a verified token is no header value"))?;
        token.set_sensitive(true);
        headers.insert(AUTHORIZATION, token);
        if let Some(request_id) = &caller.request_id {
            headers.insert("x-request-id", request_id.clone());
        }
        if let Some(purpose) = &caller.purpose {
            headers.insert(PURPOSE, purpose.clone());
        }
        if let Some(traceparent) = &cx.traceparent {
            propagate::inject(headers, traceparent);
        }
        Ok(request)
    }

    /// The error that a failed call means here: UNAVAILABLE `UPSTREAM_UNAVAILABLE` when the other service cannot be
    /// reached or says that it cannot answer now, DEADLINE_EXCEEDED when time ran out, else what it answered.
    pub fn error(&self, status: Status) -> Error {
        // A status with a source was made on this side of the connection.
        let is_local = std::error::Error::source(&status).is_some();
        match status.code() {
            Code::DeadlineExceeded | Code::Cancelled => exceeded().with("upstream", &self.0.package),
            Code::Unavailable => self.unavailable(status),
            _ if is_local => self.unavailable(status),
            _ => from_status(&status),
        }
    }

    fn unavailable(&self, status: Status) -> Error {
        let package = &self.0.package;
        let delay = from_status(&status).retry_delay().unwrap_or(Duration::from_secs(1));
        Error::new(Kind::Unavailable, "UPSTREAM_UNAVAILABLE", format!("{package} cannot answer now"))
            .retry_after(delay)
            .with("upstream", package)
            .caused_by(status)
    }
}

impl Shared {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The next lane in turn that is not avoided; one that is, when all are.
    fn pick(&self) -> Option<Arc<Lane>> {
        let lanes = Arc::clone(&self.lanes.read().unwrap_or_else(PoisonError::into_inner));
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let now = self.now_ms();
        let in_turn = || (0..lanes.len()).map(|step| &lanes[(turn + step) % lanes.len()]);
        let healthy = in_turn().find(|lane| lane.avoid_until_ms.load(Ordering::Relaxed) <= now);
        healthy.or_else(|| in_turn().next()).cloned()
    }

    /// Keeps the lanes that still lead somewhere wanted and adds what is missing.
    fn lead_to(&self, targets: Vec<(String, Uri)>) {
        let mut guard = self.lanes.write().unwrap_or_else(PoisonError::into_inner);
        // Lanes of different targets take turns, so that a pod that is down does not take several turns in a row.
        let mut lanes = Vec::new();
        for number in 0..self.connections {
            for (target, address) in &targets {
                let old = guard.iter().filter(|lane| lane.target == *target).nth(number);
                lanes.extend(old.cloned().or_else(|| Lane::new(target, address).map(Arc::new)));
            }
        }
        *guard = lanes.into();
    }

    /// Every address with the IPs its name stands for now; `None` when a name cannot be resolved.
    async fn resolve(&self) -> Option<Vec<(String, Uri)>> {
        let mut targets = Vec::new();
        for address in &self.addresses {
            for ip in tokio::net::lookup_host(host_and_port(address)).await.ok()? {
                targets.push((ip.to_string(), address.clone()));
            }
        }
        targets.sort_by(|(one, _), (other, _)| one.cmp(other));
        targets.dedup_by(|(one, _), (other, _)| one == other);
        (!targets.is_empty()).then_some(targets)
    }
}

impl Lane {
    fn new(target: &str, address: &Uri) -> Option<Self> {
        let endpoint = Endpoint::from_shared(format!("http://{target}")).ok()?;
        let channel = endpoint
            .origin(address.clone())
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(PROBE)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(4 * WINDOW)
            .connect_lazy();
        Some(Self { target: target.to_owned(), channel, avoid_until_ms: AtomicU64::new(0) })
    }
}

impl Service<Request<Body>> for Upstream {
    type Response = Response<Body>;
    type Error = UpstreamError;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), UpstreamError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let shared = Arc::clone(&self.0);
        Box::pin(async move {
            let lane = shared.pick().ok_or_else(|| UpstreamError::NoAddress(Arc::clone(&shared.package)))?;
            let started = Instant::now();
            let method: Arc<str> = request.uri().path().trim_start_matches('/').into();
            let (span, traceparent) = span::client(&method, &lane.target);
            if let Some(traceparent) = &traceparent {
                propagate::inject(request.headers_mut(), traceparent);
            }
            let answered = lane.channel.clone().oneshot(request).instrument(span.clone()).await;
            let code = match &answered {
                Ok(response) => response
                    .headers()
                    .get(Status::GRPC_STATUS)
                    .map_or(Code::Ok, |code| Code::from_bytes(code.as_bytes())),
                Err(_) => Code::Unavailable,
            };
            span::end(&span, code, code != Code::Ok);
            metrics().call_made(&method, code_name(code), started.elapsed());
            answered.map_err(|error| {
                let until = shared.now_ms() + u64::try_from(AVOID.as_millis()).unwrap_or(u64::MAX);
                lane.avoid_until_ms.store(until, Ordering::Relaxed);
                UpstreamError::Transport(Arc::clone(&shared.package), error)
            })
        })
    }
}

/// Follows the names while the upstream is in use. A name that cannot be resolved leaves things as they are.
async fn resolve_again(shared: Weak<Shared>) {
    loop {
        {
            let Some(shared) = shared.upgrade() else { return };
            match shared.resolve().await {
                Some(targets) => shared.lead_to(targets),
                None => tracing::debug!(
                    upstream = &*shared.package,
                    "the names of {} do not resolve",
                    shared.package
                ),
            }
        }
        tokio::time::sleep(RESOLVE_EVERY).await;
    }
}

fn ip(address: &Uri) -> Option<IpAddr> {
    address.host()?.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn host_and_port(address: &Uri) -> String {
    format!("{}:{}", address.host().unwrap_or_default(), address.port_u16().unwrap_or(80))
}
