//! A server with one small service behind production's own stack, and calls to it.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context as TaskContext, Poll},
};

use futures::{Stream, StreamExt as _, future::BoxFuture, stream};
use http::{Request, Response, Uri};
use serde_json::{Value, json};
use tokio::{sync::Notify, task::JoinHandle};
use tonic::{Status, body::Body, client::Grpc, server::NamedService, service::Routes, transport::Channel};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};
use trato_types::{Context, Result};
use uuid::Uuid;

use super::*;
use crate::{
    access::{records, roles::Roles},
    auth::{Identity, testing::TestIssuer},
    barred::Lists,
    config,
    descriptors::{Descriptors, testing::contract},
    testing::{PATIENCE, pool},
    tls::Tls,
    transport::Network,
};

/// Connections that the test server's turns are sized by.
pub(crate) const TURNS: u32 = 8;

pub(crate) const ROLES: &str = r#"
[everyone]
description = "Anybody"
grants = [{ permissions = ["test.echoes.get"], scope = "OWN" }]

[teammate]
description = "Works in a team"
grants = [{ permissions = ["test.echoes.*"], scope = "TEAM" }]

[boss]
description = "Answers for all"
grants = [{ permissions = ["test.echoes.*"], scope = "ALL" }]
"#;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Text {
    #[prost(string, tag = "1")]
    pub text: String,
}

impl Text {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.to_owned() }
    }
}

/// Does what the text says: `panic`, `fail`, `hang`, `wait` (until released), `context`; anything else is echoed.
#[derive(Clone, Default)]
pub(crate) struct Echo {
    pub release: Arc<Notify>,
    pub waiting: Arc<Notify>,
}

impl NamedService for Echo {
    const NAME: &'static str = "trato.test.v1.EchoService";
}

impl Service<Request<Body>> for Echo {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let echo = self.clone();
        Box::pin(async move {
            let mut server = tonic::server::Grpc::new(ProstCodec::<Text, Text>::default());
            let streams = request.uri().path().ends_with("WatchEchoes");
            Ok(if streams {
                server.server_streaming(service_fn(watch), request).await
            } else {
                server.unary(service_fn(move |request| echo.clone().answer(request)), request).await
            })
        })
    }
}

impl Echo {
    async fn answer(self, request: tonic::Request<Text>) -> Result<tonic::Response<Text>, Status> {
        match request.get_ref().text.as_str() {
            "panic" => panic!("asked to"),
            "fail" => return Err(to_status(Error::internal("the database password is hush"))),
            "hang" => std::future::pending().await,
            "wait" => {
                self.waiting.notify_one();
                self.release.notified().await;
            }
            "context" => return Ok(tonic::Response::new(Text { text: context(&request).to_string() })),
            _ => {}
        }
        Ok(tonic::Response::new(request.into_inner()))
    }
}

type Texts = Pin<Box<dyn Stream<Item = Result<Text, Status>> + Send>>;

async fn watch(request: tonic::Request<Text>) -> Result<tonic::Response<Texts>, Status> {
    let first = stream::iter([Ok(request.get_ref().clone())]);
    Ok(tonic::Response::new(match request.get_ref().text.as_str() {
        "panic" => first.chain(stream::poll_fn(|_| panic!("asked to"))).boxed(),
        "fail" => first.chain(stream::iter([Err(to_status(Error::not_found("echoes/1")))])).boxed(),
        "forever" => first.chain(stream::pending()).boxed(),
        _ => first.boxed(),
    }))
}

fn context(request: &tonic::Request<Text>) -> Value {
    let cx = request.extensions().get::<Context>().expect("the stack gives every call a context");
    let caller = Caller::of(request).expect("the stack gives every call a caller");
    let headers: BTreeMap<_, _> = request
        .metadata()
        .as_ref()
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().ok()))
        .collect();
    json!({
        "tenant": cx.tenant, "actor": cx.actor.to_string(), "scope": cx.scope, "teams": &*cx.teams, "method": &*cx.method,
        "traceparent": cx.traceparent, "left_ms": (caller.deadline - Instant::now()).as_millis() as u64, "headers": headers,
    })
}

/// A directory that knows one team and remembers whom it saw.
#[derive(Default)]
pub(crate) struct TestTeams(pub Mutex<Vec<String>>);

pub(crate) const TEAM: Uuid = Uuid::from_u128(7);

impl TeamsOf for TestTeams {
    fn teams<'a>(&'a self, _: Uuid, _: &'a str) -> BoxFuture<'a, Result<Arc<[Uuid]>>> {
        Box::pin(std::future::ready(Ok(Arc::new([TEAM]) as Arc<[Uuid]>)))
    }

    fn seen(&self, identity: &Arc<Identity>) {
        self.0.lock().expect("not poisoned").push(identity.subject.to_string());
    }
}

pub(crate) struct TestServer {
    pub issuer: TestIssuer,
    pub echo: Echo,
    pub teams: Arc<TestTeams>,
    pub barred: Barred,
    pub readiness: Readiness,
    pub url: String,
    pub stop: CancellationToken,
    pub task: JoinHandle<()>,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut config::Server)) -> Self {
        Self::start_by(&TestIssuer::start().await, None, change).await
    }

    /// One of several servers that trust the same issuer, perhaps by TLS.
    pub(crate) async fn start_by(
        issuer: &TestIssuer,
        tls: Option<Tls>,
        change: impl FnOnce(&mut config::Server),
    ) -> Self {
        let issuer = issuer.clone();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let bytes = descriptors();
        let descriptors = Descriptors::read(bytes).expect("readable");
        let loader = config::Loader::new("");
        let defaults = loader.load(&config::Environment::default()).expect("defaults").settings;
        // Nobody's data is in these messages, so that nothing is recorded.
        let (recorder, _) = records::recorder(&defaults.access, &pool("postgres://nobody@127.0.0.1:9/none"));
        let mut settings = defaults.server;
        settings.drain_seconds = 5;
        change(&mut settings);
        let (echo, teams, readiness) = (Echo::default(), Arc::new(TestTeams::default()), Readiness::new());
        let barred = Barred::default();
        barred.replace(Lists::default());
        let setup = Setup {
            service: "test",
            settings,
            descriptors: bytes,
            rules: descriptors.rules_of(&[Echo::NAME]).expect("described"),
            routes: Routes::new(echo.clone()),
            verifier: issuer.verifier(),
            roles: Arc::new(Roles::parse(ROLES, descriptors.permissions()).expect("roles")),
            teams: Arc::clone(&teams) as Arc<dyn TeamsOf>,
            recorder,
            barred: barred.clone(),
            turns: Turns::new(TURNS, PATIENCE),
            readiness: readiness.clone(),
            tls,
        };
        let server = Server::bind(setup).await.expect("bound");
        let url = format!("{scheme}://{}", server.local_addr());
        let stop = CancellationToken::new();
        let task = tokio::spawn(server.serve(stop.clone()));
        Self { issuer, echo, teams, barred, readiness, url, stop, task }
    }

    /// The way to servers like this one, as services take it to each other.
    pub(crate) fn upstream(&self, addresses: &[&str]) -> Upstream {
        self.upstream_by(addresses, &network(&[]))
    }

    pub(crate) fn upstream_by(&self, addresses: &[&str], network: &Network) -> Upstream {
        let addresses: Vec<Uri> = addresses.iter().map(|url| url.parse().expect("an address")).collect();
        let descriptors = Descriptors::read(descriptors()).expect("readable");
        Upstream::new("trato.test", &addresses, network, descriptors.rules_in("trato.test"))
    }

    pub(crate) async fn channel(&self) -> Channel {
        let endpoint = Channel::from_shared(self.url.clone()).expect("an address");
        endpoint.connect().await.expect("the server listens")
    }

    /// A request with a token for these roles.
    pub(crate) fn request(&self, roles: &[&str], text: &str) -> tonic::Request<Text> {
        let mut request = tonic::Request::new(Text::new(text));
        let token = format!("Bearer {}", self.issuer.token(json!({ "roles": roles })));
        request.metadata_mut().insert("authorization", token.parse().expect("a header"));
        request
    }

    /// Calls a method as somebody with these roles.
    pub(crate) async fn call(&self, method: &str, roles: &[&str], text: &str) -> Result<String, Status> {
        unary(self.channel().await, method, self.request(roles, text)).await
    }
}

/// How programs reach others, with some settings of the test's own: `("TRATO_TRANSPORT__CONNECTIONS", "1")`.
pub(crate) fn network(variables: &[(&str, &str)]) -> Network {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let loaded = config::Loader::new("").load(&config::Environment::of(variables));
    Network::new(&loaded.expect("the test's settings are right").settings).expect("usable certificates")
}

/// The contract of the one service.
fn descriptors() -> &'static [u8] {
    let methods = [
        ("GetEcho", Some("test.echoes.get")),
        ("Echo", Some("test.echoes.create")),
        ("WatchEchoes", Some("test.echoes.watch")),
    ];
    contract(&methods).leak()
}

/// One unary call over any transport.
pub(crate) async fn unary<C>(
    channel: C,
    method: &str,
    request: tonic::Request<Text>,
) -> Result<String, Status>
where
    C: tonic::client::GrpcService<Body, ResponseBody = Body>,
{
    let mut client = Grpc::new(channel);
    client.ready().await.map_err(|error| Status::from_error(error.into()))?;
    let path = format!("/{}/{method}", Echo::NAME).parse().expect("a path");
    let response = client.unary(request, path, ProstCodec::<Text, Text>::default()).await?;
    Ok(response.into_inner().text)
}

/// A stream that was accepted.
pub(crate) async fn open(
    channel: Channel,
    request: tonic::Request<Text>,
) -> Result<tonic::Streaming<Text>, Status> {
    let mut client = Grpc::new(channel);
    client.ready().await.expect("connected");
    let path = format!("/{}/WatchEchoes", Echo::NAME).parse().expect("a path");
    let response = client.server_streaming(request, path, ProstCodec::<Text, Text>::default()).await?;
    Ok(response.into_inner())
}

/// The texts of a stream, and the status it ended with.
pub(crate) async fn stream(channel: Channel, request: tonic::Request<Text>) -> (Vec<String>, Option<Status>) {
    let mut texts = Vec::new();
    let mut stream = match open(channel, request).await {
        Ok(stream) => stream,
        Err(status) => return (texts, Some(status)),
    };
    loop {
        match stream.message().await {
            Ok(Some(Text { text })) => texts.push(text),
            Ok(None) => return (texts, None),
            Err(status) => return (texts, Some(status)),
        }
    }
}

/// Fails the test instead of hanging it.
pub(crate) async fn soon<F: Future>(work: F) -> F::Output {
    tokio::time::timeout(PATIENCE, work).await.expect("it takes no time")
}
