//! The one way to call another service (D5): with the caller's token, nearly all that is left of its deadline, and its trace.
//!
//! Generated clients use it in place of a channel; how calls are spread, watched and repeated is the transport's.

use std::{
    collections::HashMap,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, ready},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response, Uri, header::AUTHORIZATION};
use http_body::Frame;
use http_body_util::BodyExt as _;
use secrecy::ExposeSecret as _;
use tokio::time::{Sleep, sleep_until, timeout_at};
use tonic::{Code, Status, body::Body};
use tonic_types::StatusExt as _;
use tower::Service;
use tracing::Instrument as _;
use trato_types::{Context, Error, Kind};

use super::{
    deadline::{self, exceeded},
    permit::Caller,
    purpose::PURPOSE,
    remote::from_status,
    span,
    status::{code_name, to_status},
};
use crate::{
    descriptors::MethodRule,
    telemetry::{metrics::metrics, propagate},
    transport::{Answered, Call, CallError, Incoming, Network, Pump, Transport},
};

/// Connections to another service. Cheap to clone; generated clients take it in place of a channel. By themselves they
/// read answers of at most 4 MiB: one that asks for batches is made with `max_decoding_message_size`.
#[derive(Clone, Debug)]
pub struct Upstream(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Proto package, `trato.customers`; names the upstream in errors, spans and metrics.
    package: Arc<str>,
    /// Host and port of the first address, as spans name the other side.
    server: String,
    transport: Transport,
    methods: HashMap<String, Method>,
}

/// What decides how a method is called.
#[derive(Clone, Copy, Debug)]
struct Method {
    is_idempotent: bool,
    is_stream: bool,
    sends_stream: bool,
}

/// Who answered a call; among the extensions of each answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Peer(pub SocketAddr);

/// Why a call did not reach the other service.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// The connection could not be made, or broke.
    #[error("{0} cannot be reached")]
    Transport(Arc<str>, #[source] CallError),
    /// The caller's own message broke off, or nothing is left of its time.
    #[error("the call ended on this side")]
    Call(#[from] Status),
}

impl Upstream {
    /// Prepares the way to the services of `package`; nothing is connected before the first call. Of the methods in
    /// `rules` it knows which may be called twice. Call it from within the runtime.
    pub fn new<'a>(
        package: &str,
        addresses: &[Uri],
        network: &Network,
        rules: impl IntoIterator<Item = &'a MethodRule>,
    ) -> Self {
        let method = |rule: &MethodRule| Method {
            is_idempotent: rule.is_idempotent,
            is_stream: rule.is_streaming(),
            sends_stream: rule.client_streaming,
        };
        let authority = addresses.first().and_then(|address| address.authority());
        Self(Arc::new(Shared {
            package: package.into(),
            server: authority.map(ToString::to_string).unwrap_or_default(),
            transport: Transport::new(package, addresses, network),
            methods: rules.into_iter().map(|rule| (rule.path.clone(), method(rule))).collect(),
        }))
    }

    /// A request on behalf of the caller: its token, its request id, its purpose, its trace and what is left of its deadline,
    /// but for the time it takes to tell that no answer came. DEADLINE_EXCEEDED when nothing is left.
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
    /// reached, says that it cannot answer now, or did not answer in its time, else what it answered. Its time is over before
    /// the caller's is, who hears of it therefore. What was asked for may have been done all the same: ask for what can be
    /// asked twice. What took too long for a reason of its own, such as a statement, is not worth another try a second later.
    pub fn error(&self, status: Status) -> Error {
        // A status with a source was made on this side of the connection.
        let is_local = std::error::Error::source(&status).is_some();
        match status.code() {
            Code::Cancelled | Code::Unavailable => self.unavailable(status),
            _ if is_local || ran_out(&status) => self.unavailable(status),
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

/// True when the time of a call was over, on whichever side, and nothing else is said of it.
fn ran_out(status: &Status) -> bool {
    let details = status.get_error_details();
    status.code() == Code::DeadlineExceeded
        && details.error_info().is_none_or(|info| info.reason == exceeded().reason())
}

impl Shared {
    async fn call(&self, request: Request<Body>) -> Result<Response<Body>, UpstreamError> {
        let (head, body) = request.into_parts();
        let deadline = deadline::timeout(&head.headers).map(|left| Instant::now() + left);
        let answering = self.answer(head, body);
        let (answered, pump) = match deadline {
            Some(deadline) => {
                timeout_at(deadline.into(), answering).await.map_err(|_| to_status(exceeded()))??
            }
            None => answering.await?,
        };
        let (mut head, source) = answered.response.into_parts();
        head.extensions.insert(Peer(answered.address));
        let expires = deadline.map(|deadline| Box::pin(sleep_until(deadline.into())));
        Ok(Response::from_parts(head, Body::new(Answer { source: source.into(), expires, _pump: pump })))
    }

    async fn answer(
        &self,
        head: http::request::Parts,
        body: Body,
    ) -> Result<(Answered, Option<Pump>), UpstreamError> {
        let unreachable = |error| UpstreamError::Transport(Arc::clone(&self.package), error);
        let path =
            head.uri.path_and_query().cloned().unwrap_or_else(|| http::uri::PathAndQuery::from_static("/"));
        // A method that is not known may send anything.
        let Some(method) = self.methods.get(path.path()).filter(|method| !method.sends_stream) else {
            let (answered, pump) =
                self.transport.pipe(path, head.headers, body).await.map_err(unreachable)?;
            return Ok((answered, Some(pump)));
        };
        let frames = body.collect().await?.to_bytes();
        let Method { is_idempotent, is_stream, .. } = *method;
        let call = Call { path, headers: head.headers, frames, is_idempotent, is_stream };
        Ok((self.transport.send(&call).await.map_err(unreachable)?, None))
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
            let started = Instant::now();
            let method: Arc<str> = request.uri().path().trim_start_matches('/').into();
            let (span, traceparent) = span::client(&method, &shared.server);
            if let Some(traceparent) = &traceparent {
                propagate::inject(request.headers_mut(), traceparent);
            }
            let answered = shared.call(request).instrument(span.clone()).await;
            let code = match &answered {
                Ok(response) => response
                    .headers()
                    .get(Status::GRPC_STATUS)
                    .map_or(Code::Ok, |code| Code::from_bytes(code.as_bytes())),
                Err(UpstreamError::Call(status)) => status.code(),
                Err(UpstreamError::Transport(..)) => Code::Unavailable,
            };
            span::end(&span, code, code != Code::Ok);
            metrics().call_made(&method, code_name(code), started.elapsed());
            answered
        })
    }
}

/// What follows the headers of an answer, within the caller's time.
struct Answer {
    source: Incoming,
    expires: Option<Pin<Box<Sleep>>>,
    /// Passes on what the caller sends for as long as the answer lasts.
    _pump: Option<Pump>,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.source).poll_frame(cx) {
            // Its source tells that it was this side that found out.
            return Poll::Ready(frame.map(|frame| frame.map_err(|error| Status::from_error(error.into()))));
        }
        match &mut this.expires {
            Some(expires) => {
                ready!(expires.as_mut().poll(cx));
                Poll::Ready(Some(Err(to_status(exceeded()))))
            }
            None => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.source.is_end_stream()
    }
}
