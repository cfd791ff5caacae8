//! A collector in the test, and production's own start: what arrives there is what an operator sees.

use std::sync::{Arc, Mutex};

use futures::future::join_all;
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::{
            ExportLogsServiceRequest, ExportLogsServiceResponse,
            logs_service_server::{LogsService, LogsServiceServer},
        },
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
        trace::v1::{
            ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
    },
    common::v1::any_value::Value,
    logs::v1::LogRecord,
    metrics::v1::Metric,
    resource::v1::Resource,
    trace::v1::{Span, span::SpanKind},
};
use opentelemetry_semantic_conventions::{
    attribute::{
        DB_NAMESPACE, ERROR_TYPE, RPC_METHOD, RPC_RESPONSE_STATUS_CODE, RPC_SYSTEM_NAME, SERVER_ADDRESS,
        SERVICE_NAME,
    },
    metric,
};
use tonic::{Request, Response, Status};
use tracing::Instrument as _;
use trato_types::Context;

use super::*;
use crate::{
    config,
    db::{Database, recorded},
    rpc::testing::{TestServer, network, unary},
    transport::{Call, Transport},
};

/// Takes and keeps what is exported.
#[derive(Clone, Default)]
pub(super) struct Collector(Arc<Mutex<Received>>);

#[derive(Default)]
struct Received {
    spans: Vec<Span>,
    logs: Vec<LogRecord>,
    metrics: Vec<Metric>,
    resources: Vec<Resource>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let scopes =
            request.into_inner().resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        self.0.lock().expect("not poisoned").spans.extend(scopes.flat_map(|scope| scope.spans));
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Collector {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let scopes = request.into_inner().resource_logs.into_iter().flat_map(|resource| resource.scope_logs);
        self.0.lock().expect("not poisoned").logs.extend(scopes.flat_map(|scope| scope.log_records));
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        for resource in request.into_inner().resource_metrics {
            let mut received = self.0.lock().expect("not poisoned");
            received.resources.extend(resource.resource);
            received.metrics.extend(resource.scope_metrics.into_iter().flat_map(|scope| scope.metrics));
        }
        Ok(Response::new(Default::default()))
    }
}

impl Collector {
    /// What was measured.
    pub(super) fn metrics(&self) -> Vec<Metric> {
        self.0.lock().expect("not poisoned").metrics.clone()
    }

    /// Listens for as long as the runtime lives; its URL.
    pub(super) async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let server = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(self.clone()))
            .add_service(LogsServiceServer::new(self.clone()))
            .add_service(MetricsServiceServer::new(self.clone()));
        tokio::spawn(server.serve_with_incoming(tokio_stream::wrappers::TcpListenerStream::new(listener)));
        url
    }
}

/// As many calls as use up what may be sent again.
const MANY: usize = 200;

/// A statement in a trace of its own that its database fails, and calls to where nobody listens.
async fn ask_others() {
    let variables = ["TRATO_DATABASE__URL", "TRATO_DATABASE__SYSTEM_URL"]
        .map(|name| (name.to_owned(), "postgres://db.example.com/notes".to_owned()));
    let loaded = config::Loader::new("").load(&config::Environment::of(variables));
    let settings = loaded.expect("the test's settings are right").settings.database;
    Database::new(&settings, "test").expect("addresses of databases");
    let span = tracing::info_span!("request", trace_id = tracing::field::Empty);
    let mut cx = Context::of_system(uuid::Uuid::nil(), "test", chrono::Utc::now());
    let mut headers = http::HeaderMap::new();
    propagate::inject(&mut headers, "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    cx.traceparent = Some(propagate::enter(&span, &headers));
    let failing = recorded::<()>(&cx, "select", "note", async { Err(crate::db::away()) });
    assert!(failing.instrument(span).await.is_err());

    let call = Call {
        path: http::uri::PathAndQuery::from_static("/trato.test.v1.EchoService/GetEcho"),
        headers: http::HeaderMap::new(),
        frames: bytes::Bytes::new(),
        is_idempotent: true,
        is_stream: false,
    };
    let nowhere = http::Uri::from_static("http://127.0.0.1:9");
    let transport = Transport::new("trato.test", &[nowhere], &network(&[]));
    let answers = join_all((0..MANY).map(|_| transport.send(&call))).await;
    assert!(answers.iter().all(Result::is_err));
}

fn string<'a>(span: &'a Span, name: &str) -> Option<&'a str> {
    let found = span.attributes.iter().find(|attribute| attribute.key == name)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.as_str()),
        _ => None,
    }
}

/// CRD-08: an exported log line knows its trace and its span; so does a statement, and what this process asks of others is
/// measured.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_exported_as_a_child_of_its_caller_with_its_log_and_its_metrics() {
    let collector = Collector::default();
    let settings = Telemetry {
        otlp_endpoint: collector.start().await,
        sampling_ratio: 0.0,
        log_filter: "off,trato_platform::rpc::status=error".to_owned(),
        log_format: LogFormat::Json,
        metrics_interval_seconds: 3600,
    };
    let guard = init(&settings, "test").expect("the only start in this process");
    let server = TestServer::start().await;
    ask_others().await;

    let (trace, parent) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    let mut request = server.request(&["boss"], "fail");
    let traceparent = format!("00-{trace}-{parent}-01").parse().expect("a header");
    request.metadata_mut().insert("traceparent", traceparent);
    assert!(unary(server.channel().await, "Echo", request).await.is_err());
    assert!(server.call("GetEcho", &[], "not sampled").await.is_ok());
    guard.shutdown().await;

    let received = collector.0.lock().expect("not poisoned");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let ours: Vec<&Span> = received.spans.iter().filter(|span| hex(&span.trace_id) == trace).collect();
    let [span] = ours.as_slice() else { panic!("one span, not {}", ours.len()) };
    assert_eq!(hex(&span.parent_span_id), parent);
    assert_eq!(span.name, "trato.test.v1.EchoService/Echo");
    let text = |name: &str| string(span, name);
    assert_eq!(span.kind, SpanKind::Server as i32);
    assert_eq!(text(RPC_SYSTEM_NAME), Some("grpc"));
    assert_eq!(text(RPC_METHOD), Some("trato.test.v1.EchoService/Echo"));
    assert_eq!(text(RPC_RESPONSE_STATUS_CODE), Some("INTERNAL"));
    assert_eq!(text(ERROR_TYPE), Some("INTERNAL"));
    assert!(received.spans.iter().all(|span| span.name != "trato.test.v1.EchoService/GetEcho"), "ratio is 0");
    let log =
        received.logs.iter().find(|log| hex(&log.trace_id) == trace).expect("the log line knows its trace");
    assert_eq!(log.span_id, span.span_id);
    assert_eq!((log.severity_text.as_str(), log.severity_number), ("ERROR", 17));
    let measured: Vec<&str> = received.metrics.iter().map(|metric| metric.name.as_str()).collect();
    for name in [
        metric::RPC_SERVER_CALL_DURATION,
        metric::DB_CLIENT_OPERATION_DURATION,
        "trato.call.retries",
        "trato.call.retries_refused",
    ] {
        assert!(measured.contains(&name), "{name} is not in {measured:?}");
    }
    let statement = received.spans.iter().find(|span| span.name == "select note").expect("it is recorded");
    assert_eq!(statement.kind, SpanKind::Client as i32);
    // Whichever test opened the first database of this process named its place.
    for name in [DB_NAMESPACE, SERVER_ADDRESS] {
        assert!(string(statement, name).is_some_and(|place| !place.is_empty()), "{name} is missing");
    }
    assert_eq!(string(statement, ERROR_TYPE), Some("DATABASE_UNAVAILABLE"));
    let resource: Vec<&str> =
        received.resources[0].attributes.iter().map(|attribute| attribute.key.as_str()).collect();
    for name in [SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_VERSION, SERVICE_INSTANCE_ID] {
        assert!(resource.contains(&name), "{name} is not in {resource:?}");
    }
}
