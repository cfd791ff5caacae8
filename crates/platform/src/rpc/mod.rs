//! The gRPC server: what every call passes on its way to a handler, and how the server itself lives.
//!
//! A call passes, in this order: span → limits → deadline → authenticate → turn → permit → handler → record. The order is
//! the code of [`Stack::serve`], which is one future, boxed once.

mod admin;
mod answer;
mod authenticate;
mod client;
mod deadline;
mod health;
mod limits;
mod permit;
mod purpose;
mod readiness;
mod recording;
mod remote;
mod server;
mod span;
pub mod status;
mod turns;

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::{FutureExt as _, future::BoxFuture};
use http::{HeaderValue, Method as Verb, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body::Body;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, service::Routes};
use tower::Service as _;
use tracing::Instrument as _;
use trato_types::{Actor, Error, Kind};

pub use admin::Admin;
pub use answer::Answer;
pub use authenticate::bearer;
pub use client::{Peer, Upstream, UpstreamError};
pub use deadline::{exceeded, parse_timeout};
pub use limits::{Places, message_too_large, too_many_calls};
pub use permit::{Caller, NoTeams, TeamsOf};
pub use purpose::PURPOSE;
pub use readiness::{Condition, Readiness};
pub use remote::from_status;
pub use server::{BindError, Server, Setup};
pub use span::is_server_fault;
pub use turns::{Turns, elsewhere};

use answer::Call;
use authenticate::{Authenticated, authenticate};
use limits::LimitedBody;
use permit::{Method, Methods};
use recording::{Patience, Recording};
use status::{DOMAIN, to_status};

use crate::{
    access::records::{Recorder, Visit},
    auth::Verifier,
    barred::Barred,
    telemetry::propagate,
};

/// What calls pass. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Stack(Arc<Inner>);

struct Inner {
    domain: Arc<str>,
    /// What calls of methods that are not in the contract are called in spans and metrics.
    other: Arc<str>,
    methods: Methods,
    verifier: Verifier,
    teams: Arc<dyn TeamsOf>,
    recorder: Recorder,
    barred: Barred,
    /// Services behind the guard.
    routes: Routes,
    /// Health and reflection, which anybody may ask.
    open: Routes,
    places: Places,
    open_places: Places,
    turns: Turns,
    max_message_bytes: usize,
    request_timeout: Duration,
    shutdown: CancellationToken,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Calls of health and reflection at once; a watcher holds one for as long as it watches.
const OPEN_PLACES: usize = 256;

impl Stack {
    pub(crate) fn new(setup: &Setup, open: Routes, shutdown: CancellationToken) -> Self {
        Self(Arc::new(Inner {
            domain: format!("{}.trato", setup.service).into(),
            other: "_OTHER".into(),
            methods: Methods::new(setup.rules.clone(), &setup.roles),
            verifier: setup.verifier.clone(),
            teams: Arc::clone(&setup.teams),
            recorder: setup.recorder.clone(),
            barred: setup.barred.clone(),
            routes: setup.routes.clone().prepare(),
            open,
            places: Places::new(setup.settings.max_concurrency),
            open_places: Places::new(OPEN_PLACES),
            turns: setup.turns.clone(),
            max_message_bytes: setup.settings.max_message_bytes,
            request_timeout: setup.settings.request_timeout(),
            shutdown,
        }))
    }

    /// Answers one call.
    pub(crate) async fn serve<B>(self, request: Request<B>) -> Response<Answer>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        let Self(inner) = self;
        let started = Instant::now();
        if let Some(refusal) = not_grpc(&request) {
            return refusal;
        }
        let method = inner.methods.get(request.uri().path()).cloned();
        let full_name = match &method {
            Some(method) => Arc::clone(&method.rule.full_name),
            // One name for all, or anybody could fill the metrics with made-up ones.
            None => Arc::clone(&inner.other),
        };

        // span: child of the caller's, named after the method.
        let (span, traceparent) = span::server(&full_name, request.headers());
        let mut call = Call {
            method: full_name,
            domain: Arc::clone(&inner.domain),
            request_id: request_id(&request),
            span: span.clone(),
            started,
            place: None,
            ended: false,
        };
        let streams = method.as_ref().is_none_or(|method| method.rule.is_streaming());

        // limits: a full server refuses at once.
        let places = if method.is_some() { &inner.places } else { &inner.open_places };
        call.place = match places.take() {
            Ok(place) => Some(place),
            Err(error) => return finish(to_status(error).into_http(), call, None, None),
        };

        // deadline: the caller's, within the server's bounds; a stream may last as long as its caller says.
        let asked = deadline::timeout(request.headers());
        let head_by = started + asked.unwrap_or(inner.request_timeout).min(inner.request_timeout);
        let deadline = if streams { asked.map(|timeout| started + timeout) } else { Some(head_by) };
        let mut guest = Guest::default();
        let work = inner.guarded(
            request,
            method.as_deref(),
            deadline,
            call.request_id.clone(),
            traceparent,
            &mut guest,
        );
        let work = DOMAIN.scope(Arc::clone(&inner.domain), AssertUnwindSafe(work).catch_unwind());
        let done = tokio::time::timeout_at(head_by.into(), work).instrument(span.clone()).await;
        let response = match done {
            Ok(Ok(Ok(response))) => response,
            Ok(Ok(Err(error))) => span.in_scope(|| to_status(error).into_http()),
            Ok(Err(_panic)) => {
                span.in_scope(|| to_status(Error::internal("the handler panicked")).into_http())
            }
            Err(_elapsed) => span.in_scope(|| to_status(exceeded()).into_http()),
        };

        // record: what holds somebody's data, and who was refused it.
        let patience = if streams { Patience::Each(inner.request_timeout) } else { Patience::Until(head_by) };
        let (response, recording) = match guest.visit {
            Some(visit) => {
                inner.record(response, visit, method.as_deref(), patience, head_by).instrument(span).await
            }
            None => (response, None),
        };
        let limits = streams.then(|| stream_limits(deadline, guest.expires, &inner));
        finish(response, call, limits, recording)
    }
}

/// What is learned of a caller on the way to its handler.
#[derive(Default)]
struct Guest {
    /// When its token ends.
    expires: Option<Instant>,
    /// What is recorded of the call; only of methods whose answers hold somebody's data.
    visit: Option<Visit>,
}

impl Inner {
    /// authenticate → turn → permit → handler, for methods behind the guard.
    async fn guarded<B>(
        &self,
        request: Request<B>,
        method: Option<&Method>,
        deadline: Option<Instant>,
        request_id: Option<HeaderValue>,
        traceparent: String,
        guest: &mut Guest,
    ) -> Result<Response<tonic::body::Body>, Error>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        let mut request = request.map(|body| LimitedBody::new(body, self.max_message_bytes));
        let Some(method) = method else {
            if !health::is_open(request.uri().path()) {
                return Err(Error::new(
                    Kind::Unimplemented,
                    "METHOD_NOT_SERVED",
                    "the server does not serve this method",
                ));
            }
            return call(&self.open, request).await;
        };
        let Authenticated { verified, token } = authenticate(request.headers(), &self.verifier).await?;
        // After the verifier, which remembers tokens: one that was good a moment ago is refused, too.
        self.barred.check(&verified.identity).await?;
        // The hook learns of a token's roles once, and of none that is refused, until it is let in: that would write them down.
        if verified.is_news() {
            self.teams.seen(&verified.identity);
        }
        let identity = verified.identity;
        let token_ends = until(identity.expires, self.verifier.leeway());
        guest.expires = Some(token_ends);
        let purpose = purpose::purpose(request.headers());
        guest.visit = method.rule.subjects.is_some().then(|| Visit {
            tenant: identity.tenant,
            actor: Actor::Member(Arc::clone(&identity.subject)),
            method: Arc::clone(&method.rule.full_name),
            is_change: method.rule.is_change,
            purpose: purpose.as_ref().ok().cloned().flatten(),
            request_id: request_id.clone(),
            trace_id: propagate::trace_id(&traceparent).map(str::to_owned),
        });
        let work = async {
            let context = self.methods.permit(method, &identity, &*self.teams, traceparent).await?;
            let deadline = deadline.unwrap_or(token_ends);
            let token = SecretString::from(token);
            let caller = Caller { identity, token, deadline, request_id, purpose: purpose? };
            request.extensions_mut().insert(context);
            request.extensions_mut().insert(caller);
            call(&self.routes, request).await
        };
        if method.rule.is_streaming() {
            // A stream lasts, and mostly waits; places bound how many there are.
            return work.await;
        }
        self.turns.take().await?.work(work).await
    }

    /// Records a refusal by the answer's status; of an answer without one, what it says as it leaves.
    async fn record(
        &self,
        response: Response<tonic::body::Body>,
        visit: Visit,
        method: Option<&Method>,
        patience: Patience,
        by: Instant,
    ) -> (Response<tonic::body::Body>, Option<Recording>) {
        let refused =
            response.headers().get(Status::GRPC_STATUS).map(|code| Code::from_bytes(code.as_bytes()));
        match refused {
            None => {
                let subjects = method.and_then(|method| method.rule.subjects.as_ref());
                let recording =
                    subjects.map(|subjects| Recording::new(&self.recorder, visit, subjects, patience));
                (response, recording)
            }
            Some(code @ (Code::NotFound | Code::PermissionDenied)) => {
                let asked = status::resource(response.headers()).into_iter().collect();
                match self.recorder.record(&visit, code, asked, by.into()).await {
                    Ok(()) => (response, None),
                    Err(error) => (to_status(error).into_http(), None),
                }
            }
            Some(_) => (response, None),
        }
    }
}

async fn call<B>(routes: &Routes, request: Request<B>) -> Result<Response<tonic::body::Body>, Error>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    match routes.clone().call(request).await {
        Ok(response) => Ok(response),
        Err(never) => match never {},
    }
}

fn finish(
    response: Response<tonic::body::Body>,
    mut call: Call,
    limits: Option<answer::Limits>,
    recording: Option<Recording>,
) -> Response<Answer> {
    let (mut parts, body) = response.into_parts();
    // A status in the headers is the whole answer; one in the trailers comes later, through the body.
    call.finish(&mut parts.headers);
    Response::from_parts(parts, Answer::new(body, call, limits, recording))
}

/// A stream ends when its caller no longer waits, when its token is no longer good, or when the program stops. When its caller
/// is barred, [`Streams`](crate::events::Streams) end it, also where the client takes nothing and nobody asks for more.
fn stream_limits(deadline: Option<Instant>, expires: Option<Instant>, inner: &Inner) -> answer::Limits {
    let by_deadline = deadline.map(|end| (end, exceeded as fn() -> Error));
    let by_token = expires.map(|end| (end, crate::auth::unauthenticated as fn() -> Error));
    let first = by_deadline.into_iter().chain(by_token).min_by_key(|(end, _)| *end);
    let end =
        first.map(|(end, error)| answer::End { at: Box::pin(tokio::time::sleep_until(end.into())), error });
    answer::Limits { end, shutdown: Box::pin(inner.shutdown.clone().cancelled_owned()) }
}

/// The instant at which a token is no longer accepted.
fn until(expires: trato_types::Timestamp, leeway: Duration) -> Instant {
    // A day is longer than any call; it also keeps far-away expiries within what the clock can count.
    const LONGEST: Duration = Duration::from_secs(24 * 3600);
    let leeway = chrono::TimeDelta::from_std(leeway).unwrap_or_default();
    let left = (expires - chrono::Utc::now() + leeway).to_std().unwrap_or_default();
    Instant::now() + left.min(LONGEST)
}

/// What is no gRPC call at all gets an HTTP answer, as the protocol asks.
fn not_grpc<B>(request: &Request<B>) -> Option<Response<Answer>> {
    let content_type = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let status = if request.method() != Verb::POST {
        StatusCode::METHOD_NOT_ALLOWED
    } else if content_type.starts_with(b"application/grpc")
        && !content_type.starts_with(b"application/grpc-web")
    {
        return None;
    } else {
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    };
    let mut response = Response::new(Answer::empty());
    *response.status_mut() = status;
    Some(response)
}

/// The caller's request id, when it is one that can be sent back: short and printable.
fn request_id<B>(request: &Request<B>) -> Option<HeaderValue> {
    let id = request.headers().get("x-request-id")?;
    let printable = id.as_bytes().iter().all(u8::is_ascii_graphic);
    (!id.is_empty() && id.len() <= 128 && printable).then(|| id.clone())
}

impl hyper::service::Service<Request<hyper::body::Incoming>> for Stack {
    type Response = Response<Answer>;
    type Error = std::convert::Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn call(&self, request: Request<hyper::body::Incoming>) -> Self::Future {
        Box::pin(self.clone().serve(request).map(Ok))
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod upstream_tests;
