//! A collector of telemetry that remembers what it was sent.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

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
    resource::v1::Resource,
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

/// One span as it matters to tests.
#[derive(Clone, Debug)]
pub struct Span {
    /// Name of the program.
    pub service: String,
    /// Name of the span.
    pub name: String,
    /// Trace, in hex.
    pub trace: String,
    /// Itself, in hex.
    pub id: String,
    /// Its parent, in hex; empty for a root.
    pub parent: String,
}

/// What was sent.
#[derive(Clone, Debug, Default)]
pub struct Received {
    /// Every span.
    pub spans: Vec<Span>,
    /// Program and name of every metric.
    pub metrics: Vec<(String, String)>,
    /// Program and trace of every log record, the trace in hex.
    pub logs: Vec<(String, String)>,
    /// All of it as text, for what must not be in it.
    pub text: String,
}

/// A collector that listens until it is dropped.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    received: Arc<Mutex<Received>>,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Sink(Arc<Mutex<Received>>);

impl Collector {
    /// Starts to listen on a free port of this machine.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let address = listener.local_addr().expect("it was just bound");
        let received = Arc::<Mutex<Received>>::default();
        let sink = Sink(received.clone());
        let server = tokio::spawn(async move {
            let server = Server::builder()
                .add_service(TraceServiceServer::new(sink.clone()))
                .add_service(MetricsServiceServer::new(sink.clone()))
                .add_service(LogsServiceServer::new(sink));
            // It ends when the task is aborted.
            let _ = server.serve_with_incoming(TcpListenerStream::new(listener)).await;
        });
        Self { address, received, server }
    }

    /// Where programs shall send to.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came so far.
    pub fn received(&self) -> Received {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Sink {
    fn note(&self, note: impl FnOnce(&mut Received)) {
        note(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[tonic::async_trait]
impl TraceService for Sink {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.note(|received| received.text += &format!("{:?}\n", request.get_ref()));
        for resource in request.into_inner().resource_spans {
            let service = service_of(resource.resource.as_ref());
            let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            let spans = spans.map(|span| Span {
                service: service.clone(),
                name: span.name,
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
            });
            self.note(|received| received.spans.extend(spans));
        }
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Sink {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.note(|received| received.text += &format!("{:?}\n", request.get_ref()));
        for resource in request.into_inner().resource_metrics {
            let service = service_of(resource.resource.as_ref());
            let metrics = resource.scope_metrics.into_iter().flat_map(|scope| scope.metrics);
            let metrics = metrics.map(|metric| (service.clone(), metric.name));
            self.note(|received| received.metrics.extend(metrics));
        }
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Sink {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        self.note(|received| received.text += &format!("{:?}\n", request.get_ref()));
        for resource in request.into_inner().resource_logs {
            let service = service_of(resource.resource.as_ref());
            let records = resource.scope_logs.into_iter().flat_map(|scope| scope.log_records);
            let records = records.map(|record| (service.clone(), hex(&record.trace_id)));
            self.note(|received| received.logs.extend(records));
        }
        Ok(Response::new(Default::default()))
    }
}

fn service_of(resource: Option<&Resource>) -> String {
    let attributes = resource.map(|resource| resource.attributes.as_slice()).unwrap_or_default();
    let name = attributes.iter().find(|attribute| attribute.key == "service.name");
    match name.and_then(|name| name.value.as_ref()).and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(name)) => name.clone(),
        _ => String::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
