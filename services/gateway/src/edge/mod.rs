//! What a request passes on its way through: limits → route → token → rate and place → the call itself.

mod bodies;
mod bucket;
mod calls;
mod contract;
mod cors;
mod frames;
mod grpc;
mod life;
mod local;
mod pages;
mod peers;
mod place;
mod pressure;
mod rate;
mod record;
mod start;
mod stream;
mod target;

use std::{
    net::IpAddr,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use futures::FutureExt;
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{ALLOW, CONTENT_LENGTH, ORIGIN},
    request,
};
use hyper::body::Incoming;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tracing::Instrument;
use trato_platform::{
    auth::{Verifier, unauthenticated},
    rpc::{Places, bearer},
    transport::SystemNames,
};
use trato_types::{Error, Kind};

use crate::{
    body::Body,
    config::Config,
    headers, openapi,
    response::{Refusal, grpc},
    routes::{Method, Routes},
    status::Status,
    upstreams::Upstream,
};
pub use contract::Contract;
use cors::Cors;
use local::Local;
use pages::Pages;
use place::Place;
use pressure::{Passed, Pressure};
use rate::{Rates, Standing};
use record::Record;
pub use start::StartError;
use stream::Tables;
use target::{Speech, Target};

/// Longest time in which the processes of the gateway are counted.
const ASKING_NAMES: Duration = Duration::from_secs(2);

/// The gateway, ready to answer. Shared by all connections.
pub struct Gateway {
    contract: Contract,
    config: Config,
    routes: Routes,
    tables: Arc<Tables>,
    /// By the method's position; none where no address is configured.
    upstreams: Vec<Option<Arc<Upstream>>>,
    /// By the method's position; methods of one package share it.
    pressures: Vec<Arc<Pressure>>,
    verifier: Verifier,
    rates: Rates,
    cors: Cors,
    places: Places,
    pages: Pages,
    local: Local,
    /// Ends streams when the gateway is about to stop.
    drain: CancellationToken,
    /// The label of requests that lead to no method.
    other: Arc<str>,
    /// False while the processes of the gateway cannot be counted, which is said once.
    knows_gateways: AtomicBool,
}

/// A request on its way: what every step may need.
struct Ask<'a> {
    head: &'a request::Parts,
    request_id: &'a HeaderValue,
    peer: IpAddr,
    arrived: Instant,
    traceparent: String,
}

impl Ask<'_> {
    fn request_id(&self) -> String {
        self.request_id.to_str().unwrap_or_default().to_owned()
    }
}

/// Why a request has no answer of its own.
enum Failure {
    /// The gateway says no.
    Own(Refusal),
    /// The service said no.
    Upstream(Status),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Own(error.into())
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Own(refusal)
    }
}

impl Gateway {
    /// Fetches the issuers' keys and counts the gateways, so that the first request need not wait.
    pub async fn warm(&self) {
        self.verifier.warm().await;
        self.count_gateways().await;
    }

    /// Divides the rates of tenants among as many processes as the gateway has now; call it every few seconds. While names
    /// cannot be asked it stays at what was.
    pub async fn count_gateways(&self) {
        let counted = peers::count(&SystemNames, &self.config.rate.gateways);
        let counted = timeout(ASKING_NAMES, counted).await.unwrap_or_else(|late| Err(late.into()));
        match (counted, self.knows_gateways.load(Relaxed)) {
            (Ok(count), _) => {
                self.rates.divide(count);
                self.knows_gateways.store(true, Relaxed);
            }
            (Err(error), true) => {
                tracing::warn!(%error, "the processes of the gateway cannot be counted, the last count stands: {error}");
                self.knows_gateways.store(false, Relaxed);
            }
            (Err(_), false) => {}
        }
    }

    /// Services that no address is configured for.
    pub fn unserved(&self) -> Vec<&str> {
        let methods = self.routes.methods().iter().zip(&self.upstreams);
        let mut services: Vec<&str> =
            methods.filter(|(_, upstream)| upstream.is_none()).map(|(method, _)| &*method.service).collect();
        services.dedup();
        services
    }

    /// The API document, as JSON text.
    pub fn openapi(&self) -> Result<&str, Error> {
        self.pages.openapi(|| self.document())
    }

    fn document(&self) -> Result<String, Error> {
        let pool = self.contract.read_documented().map_err(Error::internal)?;
        Ok(openapi::document(&pool, &self.routes))
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Ends all streams: their clients go on with another gateway.
    pub fn end_streams(&self) {
        self.drain.cancel();
    }

    /// Tells health checks whether requests are welcome.
    pub async fn set_serving(&self, is_serving: bool) {
        self.local.set_serving(is_serving).await;
    }

    /// Forgets what is no longer needed; call it every minute or so.
    pub fn tidy(&self) {
        self.rates.forget_the_quiet();
    }

    /// Answers one request of the client at `peer`.
    pub async fn answer(&self, request: Request<Incoming>, peer: IpAddr) -> Response<Body> {
        let (head, body) = request.into_parts();
        let request_id = headers::request_id(&head.headers);
        let target = self.target(&head);
        let label = self.method_of(&target).map_or(&self.other, |method| &method.label);
        let (record, traceparent) =
            Record::begin(Arc::clone(label), &head.method, target.route(), &head.headers);
        let (span, noted) = (record.span.clone(), record.head.clone());
        let speech = Speech::of(&head);
        let peer = headers::client_address(&head.headers, peer, self.config.gateway.trusted_hops);
        let ask = Ask { head: &head, request_id: &request_id, peer, arrived: Instant::now(), traceparent };
        let mut record = Some(record);
        let mut standing = None;
        let work =
            AssertUnwindSafe(self.serve(&ask, target, body, &mut record, &mut standing)).catch_unwind();
        let outcome = work.instrument(span.clone()).await;
        let outcome = outcome.unwrap_or_else(|_| Err(Error::internal("the gateway panicked").into()));
        let outcome = outcome.map_err(|failure| self.as_of_nobody(failure, &ask, &mut standing));
        let mut response = match outcome {
            Ok(response) => response,
            Err(failure) => span.in_scope(|| self.failed(failure, speech, &ask, &mut record)),
        };
        if let Some(mut record) = record {
            record.end(if response.status().is_success() { Code::Ok } else { Code::Unknown });
        }
        record::answered(&span, &noted, response.status());
        if let Some(standing) = standing {
            standing.write(response.headers_mut());
        }
        self.cors.write(head.headers.get(ORIGIN), response.headers_mut());
        response.headers_mut().insert(headers::REQUEST_ID, request_id.clone());
        if head.method == http::Method::HEAD { without_body(response) } else { response }
    }

    async fn serve(
        &self,
        ask: &Ask<'_>,
        target: Target<'_, '_>,
        body: Incoming,
        record: &mut Option<Record>,
        standing: &mut Option<Standing>,
    ) -> Result<Response<Body>, Failure> {
        let target = match target {
            Target::Refused(refusal) => return Err(refusal.into()),
            Target::Options(methods) => return Ok(self.cors.options(&ask.head.headers, &methods)),
            Target::OtherMethods(methods) => return self.method_not_allowed(ask, &methods),
            Target::Page(page) => {
                self.count_address(ask, standing)?;
                return Ok(self.pages.answer(page, &ask.head.headers, || self.document())?);
            }
            Target::Local => {
                self.count_address(ask, standing)?;
                let place = Place::of_nobody(&self.places)?;
                return self.call_local(ask, body, self.life(record, place, None)?).await;
            }
            target => target,
        };
        let place = self.admit(ask, standing).await?;
        match target {
            Target::Call(binding, captures) => {
                self.call_json(ask, binding, &captures, body, record, place).await
            }
            Target::Grpc(method) => self.call_grpc(ask, method, body, record, place).await,
            _ => self.call_web(ask, body, record, place).await,
        }
    }

    /// Checks the token, counts the request for whoever it speaks for, and gives it a place.
    async fn admit(&self, ask: &Ask<'_>, standing: &mut Option<Standing>) -> Result<Place, Failure> {
        let verified = match bearer(&ask.head.headers) {
            Some(token) => self.verifier.verify(token).await,
            None => Err(unauthenticated()),
        };
        match verified {
            Ok(identity) => {
                // Before it is counted: a full gateway uses up nobody's rate.
                let place = self.places.take()?;
                let (share, left) = self.rates.caller(&identity);
                *standing = Some(left);
                Ok(Place::of_caller(place, share?))
            }
            Err(error) => {
                // Guessing tokens is counted by address.
                if error.kind() == Kind::Unauthenticated {
                    self.count_address(ask, standing)?;
                }
                Err(error.into())
            }
        }
    }

    fn count_address(&self, ask: &Ask<'_>, standing: &mut Option<Standing>) -> Result<(), Failure> {
        let (counted, left) = self.rates.address(ask.peer);
        *standing = Some(left);
        Ok(counted?)
    }

    /// A token that only its service refuses, since it is revoked, is counted and answered like any other that is not good:
    /// whoever has it does not learn that it was.
    fn as_of_nobody(&self, failure: Failure, ask: &Ask<'_>, standing: &mut Option<Standing>) -> Failure {
        match failure {
            Failure::Upstream(status) if status.refuses_token() => {
                let counted = self.count_address(ask, standing);
                counted.err().unwrap_or_else(|| unauthenticated().into())
            }
            other => other,
        }
    }

    fn upstream(&self, method: &Method) -> Result<&Arc<Upstream>, Error> {
        self.upstreams[method.position].as_ref().ok_or_else(|| {
            Error::unavailable(
                "UPSTREAM_NOT_CONFIGURED",
                format!("no address is configured for {}", method.service),
            )
            .with("service", &method.service)
        })
    }

    /// Passes a call on to its service unless that would most likely turn it away. Streams are bounded by their places.
    fn pass_on(&self, method: &Method) -> Result<Option<Passed<'_>>, Error> {
        if method.is_server_streaming {
            return Ok(None);
        }
        self.pressures[method.position].admit().map(Some)
    }

    /// What a stream holds on to; its record is then the stream's to end.
    fn life(
        &self,
        record: &mut Option<Record>,
        place: Place,
        deadline: Option<Instant>,
    ) -> Result<life::Life, Error> {
        let record = record.take().ok_or_else(|| Error::internal("a request was answered twice"))?;
        Ok(life::Life::new(record, place, &self.drain, deadline))
    }

    fn method_not_allowed(&self, ask: &Ask<'_>, methods: &[http::Method]) -> Result<Response<Body>, Failure> {
        let allow = methods.iter().map(http::Method::as_str).collect::<Vec<_>>().join(", ");
        let message = format!("{} is not allowed here; allowed: {allow}", ask.head.method);
        let refusal =
            Refusal::http(StatusCode::METHOD_NOT_ALLOWED, Kind::Unimplemented, "METHOD_NOT_ALLOWED", message);
        let status = Status::of(&refusal.error, &ask.request_id());
        let mut response = self.tables.errors.respond(&self.tables.schema, &status, refusal.http);
        response.headers_mut().insert(ALLOW, HeaderValue::try_from(allow).map_err(Error::internal)?);
        Ok(response)
    }

    /// An error in the client's own language.
    fn failed(
        &self,
        failure: Failure,
        speech: Speech,
        ask: &Ask<'_>,
        record: &mut Option<Record>,
    ) -> Response<Body> {
        let (status, http) = match failure {
            Failure::Own(refusal) => (Status::of(&refusal.error, &ask.request_id()), refusal.http),
            Failure::Upstream(status) => (status, None),
        };
        if let Some(record) = record {
            record.end(status.code);
        }
        match speech {
            Speech::Http => self.tables.errors.respond(&self.tables.schema, &status, http),
            Speech::Grpc(content_type) => grpc(&status, content_type),
        }
    }
}

/// The answer to HEAD: all headers of GET's, and nothing behind them.
fn without_body(response: Response<Body>) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    if let Some(length) = http_body::Body::size_hint(&body).exact() {
        head.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Response::from_parts(head, Body::empty())
}
