//! Logs always; traces, metrics and exported logs by OTLP only when an endpoint is set.
//!
//! Without an endpoint no provider and no OpenTelemetry layer exists, so nothing is recorded and nothing is paid for. What enters
//! the suite has a trace id all the same (`propagate.rs`).

mod board;
mod catalogue;
pub mod metrics;
mod outgoing;
mod plain;
mod process;
pub mod propagate;
mod sent;
mod tasks;

use std::{io::IsTerminal, time::Duration};

use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{
    ExporterBuildError, LogExporter, MetricExporter, SpanExporter, WithExportConfig, WithTonicConfig,
};
use opentelemetry_sdk::{
    Resource,
    logs::SdkLoggerProvider,
    metrics::{PeriodicReader, SdkMeterProvider},
    resource::{EnvResourceDetector, TelemetryResourceDetector},
    trace::{Sampler, SdkTracerProvider},
};
use opentelemetry_semantic_conventions::attribute::{
    SERVICE_INSTANCE_ID, SERVICE_NAMESPACE, SERVICE_VERSION,
};
use tonic::transport::ClientTlsConfig;
use tracing::{
    level_filters::LevelFilter,
    subscriber::{SetGlobalDefaultError, set_global_default},
};
use tracing_subscriber::{EnvFilter, Layer, Registry, filter::Targets, fmt, layer::SubscriberExt as _};

use self::plain::Plain;
pub use self::sent::Sent;
use crate::config::{LogFormat, Telemetry};

/// Why telemetry cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter of log lines cannot be parsed.
    #[error("telemetry.log_filter is not a filter")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The exporter refuses the endpoint.
    #[error("telemetry.otlp_endpoint cannot be used")]
    Exporter(#[from] ExporterBuildError),
    /// Another subscriber is already in place; a process can have only one.
    #[error("telemetry was started before")]
    Twice(#[from] SetGlobalDefaultError),
}

/// Flushes traces, metrics and logs when it is shut down or dropped. Keep it until the last line of the program.
#[must_use = "dropping the guard ends telemetry"]
#[derive(Debug, Default)]
pub struct Guard {
    providers: Option<Providers>,
}

#[derive(Debug)]
struct Providers {
    traces: SdkTracerProvider,
    metrics: SdkMeterProvider,
    logs: SdkLoggerProvider,
}

/// Starts logs, and OTLP when an endpoint is set. Call once, from within the runtime, before anything else.
///
/// Records of the `log` crate are not taken: its bridge asks the layers' filters without an event to follow, and they
/// then leave out the next span. Libraries that write both ways are heard by their own events.
pub fn init(settings: &Telemetry, service: &str) -> Result<Guard, Error> {
    let lines = log_lines(settings)?;
    if settings.otlp_endpoint.is_empty() {
        set_global_default(Registry::default().with(lines))?;
        return Ok(Guard::default());
    }
    let providers = Providers::start(settings, service)?;
    let spans = tracing_opentelemetry::layer()
        .with_tracer(providers.traces.tracer("trato"))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(without_transport(LevelFilter::INFO));
    let mut filter = EnvFilter::try_new(&settings.log_filter)?;
    for target in TRANSPORT {
        // Exporting what the exporter's own transport says would feed itself.
        filter = filter.add_directive(format!("{target}=off").parse()?);
    }
    let logs = OpenTelemetryTracingBridge::new(&providers.logs).with_filter(filter);
    set_global_default(Registry::default().with(lines).with(spans).with(logs))?;
    opentelemetry::global::set_meter_provider(providers.metrics.clone());
    metrics::enable(&opentelemetry::global::meter("trato"));
    sent::enable(providers.traces.tracer("trato"));
    Ok(Guard { providers: Some(providers) })
}

/// Targets of the libraries that carry the export itself.
const TRANSPORT: [&str; 8] =
    ["h2", "hyper", "hyper_util", "tonic", "tower", "reqwest", "opentelemetry", "opentelemetry_sdk"];

fn without_transport(level: LevelFilter) -> Targets {
    TRANSPORT
        .into_iter()
        .chain(["opentelemetry_otlp"])
        .fold(Targets::new().with_default(level), |targets, target| {
            targets.with_target(target, LevelFilter::OFF)
        })
}

/// The layer that writes log lines to standard error; the span's `trace_id` stands in each.
fn log_lines(settings: &Telemetry) -> Result<Box<dyn Layer<Registry> + Send + Sync>, Error> {
    let filter = EnvFilter::try_new(&settings.log_filter)?;
    let layer = fmt::layer().with_writer(std::io::stderr);
    Ok(match settings.log_format {
        LogFormat::Json => {
            layer.json().flatten_event(true).with_current_span(false).with_filter(filter).boxed()
        }
        LogFormat::Text => {
            layer.with_ansi(std::io::stderr().is_terminal()).fmt_fields(Plain).with_filter(filter).boxed()
        }
    })
}

impl Providers {
    fn start(settings: &Telemetry, service: &str) -> Result<Self, Error> {
        let resource = resource(service);
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.sampling_ratio)));
        let reader =
            PeriodicReader::builder(exporter(settings, MetricExporter::builder().with_tonic())?.build()?)
                .with_interval(settings.metrics_interval())
                .build();
        Ok(Self {
            traces: SdkTracerProvider::builder()
                .with_resource(resource.clone())
                .with_sampler(sampler)
                .with_batch_exporter(exporter(settings, SpanExporter::builder().with_tonic())?.build()?)
                .build(),
            metrics: SdkMeterProvider::builder().with_resource(resource.clone()).with_reader(reader).build(),
            logs: SdkLoggerProvider::builder()
                .with_resource(resource)
                .with_batch_exporter(exporter(settings, LogExporter::builder().with_tonic())?.build()?)
                .build(),
        })
    }

    /// Sends what is left. A collector that is down costs at most [`FLUSH`] for each kind.
    fn shutdown(&self) {
        let results = [
            ("traces", self.traces.shutdown_with_timeout(FLUSH)),
            ("metrics", self.metrics.shutdown_with_timeout(FLUSH)),
            ("logs", self.logs.shutdown_with_timeout(FLUSH)),
        ];
        for (kind, result) in results {
            if let Err(error) = result {
                tracing::warn!(kind, error = %error, "the last {kind} could not be exported");
            }
        }
    }
}

/// Who sends: the platform's own attributes, and those of `OTEL_RESOURCE_ATTRIBUTES`, by which Kubernetes and operators
/// of OpenTelemetry say where a process runs. Name and namespace are not theirs to change: dashboards and alerts go by
/// them.
fn resource(service: &str) -> Resource {
    Resource::builder_empty()
        .with_attributes([
            KeyValue::new(SERVICE_INSTANCE_ID, uuid::Uuid::now_v7().to_string()),
            KeyValue::new(SERVICE_VERSION, env!("CARGO_PKG_VERSION")),
        ])
        .with_detectors(&[Box::new(TelemetryResourceDetector), Box::new(EnvResourceDetector::new())])
        .with_attribute(KeyValue::new(SERVICE_NAMESPACE, "trato"))
        .with_service_name(service.to_owned())
        .build()
}

const FLUSH: Duration = Duration::from_secs(3);

fn exporter<B: WithExportConfig + WithTonicConfig>(settings: &Telemetry, builder: B) -> Result<B, Error> {
    let builder = builder.with_endpoint(&settings.otlp_endpoint).with_timeout(FLUSH);
    if settings.otlp_endpoint.starts_with("https://") {
        crate::auth::tls::install();
        return Ok(builder.with_tls_config(ClientTlsConfig::new().with_native_roots()));
    }
    Ok(builder)
}

impl Guard {
    /// Sends what is left and ends telemetry; the runtime goes on meanwhile.
    pub async fn shutdown(mut self) {
        if let Some(providers) = self.providers.take() {
            // The providers wait for their threads, which need a worker of this runtime to send.
            let ended = tokio::task::spawn_blocking(move || providers.shutdown()).await;
            if let Err(error) = ended {
                tracing::warn!(error = %error, "telemetry could not be ended in order");
            }
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(providers) = self.providers.take() {
            providers.shutdown();
        }
    }
}

#[cfg(test)]
mod catalogue_tests;
#[cfg(test)]
mod export_tests;
#[cfg(test)]
mod tests;
