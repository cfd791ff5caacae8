//! What the instruments send, held against the catalogue, and the catalogue against its document.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_proto::tonic::metrics::v1::{Metric as Sent, metric::Data};

use super::{
    catalogue::{ALL, Kind, Metric, all},
    export_tests::Collector,
    metrics::Metrics,
    *,
};
use crate::testing::pool;

/// Calls every method once with every attribute there can be.
fn record_everything(metrics: &Metrics) {
    let second = Duration::from_secs(1);
    let method = "a.B/C".into();
    metrics.request_answered("GET", &"/v1/x".into(), http::StatusCode::BAD_GATEWAY, second);
    metrics.call_served(&method, "INTERNAL", true, second);
    metrics.call_made(&method, "UNAVAILABLE", second);
    metrics.call_repeated(&"trato.customers".into(), "unreachable");
    metrics.call_not_repeated(&"trato.customers".into(), "unreachable");
    metrics.call_barred("token_revoked");
    metrics.watch_subscribers(|| 2);
    metrics.recorded(["a.b.won", "a.b.lost", "a.b.won"].into_iter());
    metrics.leads(true);
    metrics.event_log(3, second);
    metrics.published("trato.events", 2, second);
    metrics.consumed("sales.events", 2);
    metrics.handled("make-customer", Some("BUSY"), second);
    metrics.duplicate("make-customer");
    metrics.retried("make-customer");
    metrics.parked("make-customer");
    metrics.held(&[("make-customer".to_owned(), "parked".to_owned(), 1)]);
    metrics.queue("sales.dead", 1);
    metrics.consumer_connected(true);
    metrics.watch_pool("serving", &pool("postgres://127.0.0.1/nothing"));
    metrics.database_operation(&"sales".into(), "select", "account", Some("BUSY"), second);
    metrics.database_failed("pool_timeout");
    metrics.watch_access_records(|| 3);
    metrics.access_stored(2);
    metrics.access_lost(1);
    metrics.job_planned("forget");
    metrics.job_ran("forget", Some("BUSY"), second);
    metrics.job_ran("forget", None, second);
    metrics.tasks_parked(&[("dun".to_owned(), "GONE".to_owned(), 2)], Duration::from_secs(60));
    metrics.chains_stalled(&[("INVOICE".to_owned(), 3)], Duration::from_secs(60));
    metrics.resources_overdue("payments", &[("UNKNOWN".to_owned(), 2)], Duration::from_secs(60));
    metrics.watch_readiness(|| true, || Some(Duration::from_secs(1)));
    metrics.watch_certificate(|| Some(4_000_000_000));
}

/// Has a meter send what `record` does.
async fn sent(record: impl FnOnce(&Metrics)) -> BTreeMap<String, Sent> {
    let collector = Collector::default();
    let exporter = MetricExporter::builder().with_tonic().with_endpoint(collector.start().await).build();
    let reader = PeriodicReader::builder(exporter.expect("an exporter"))
        .with_interval(Duration::from_secs(3600))
        .build();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();
    record(&Metrics::new(&provider.meter("trato")));
    let flushed = tokio::task::spawn_blocking(move || provider.shutdown()).await;
    flushed.expect("no panic").expect("the collector takes it");
    collector.metrics().into_iter().map(|metric| (metric.name.clone(), metric)).collect()
}

/// Kind and names of the attributes of what was sent.
fn form(metric: &Sent) -> (Kind, BTreeSet<String>) {
    let names = |attributes: &[opentelemetry_proto::tonic::common::v1::KeyValue]| {
        attributes.iter().map(|attribute| attribute.key.clone()).collect::<Vec<_>>()
    };
    match metric.data.as_ref().expect("a metric has data") {
        Data::Gauge(gauge) => {
            (Kind::Gauge, gauge.data_points.iter().flat_map(|point| names(&point.attributes)).collect())
        }
        Data::Sum(sum) => {
            let kind = if sum.is_monotonic { Kind::Counter } else { Kind::UpDownCounter };
            (kind, sum.data_points.iter().flat_map(|point| names(&point.attributes)).collect())
        }
        Data::Histogram(histogram) => {
            let points = histogram.data_points.iter();
            (Kind::Histogram, points.flat_map(|point| names(&point.attributes)).collect())
        }
        other => panic!("{} is of no known kind: {other:?}", metric.name),
    }
}

/// CRD-08: what programs measure is what the reference says they measure.
#[tokio::test(flavor = "multi_thread")]
async fn every_metric_is_sent_as_the_catalogue_says_and_no_other() {
    let sent = sent(record_everything).await;

    let known: BTreeSet<&str> = all().map(|metric| metric.name).collect();
    assert_eq!(sent.keys().map(String::as_str).collect::<BTreeSet<_>>(), known);
    for metric in all() {
        let one = &sent[metric.name];
        let kind = if metric.kind == Kind::Total { Kind::Counter } else { metric.kind };
        let attributes = metric.attributes.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(form(one), (kind, attributes), "{}", metric.name);
        assert_eq!((one.unit.as_str(), one.description.as_str()), (metric.unit, metric.about));
    }
}

/// CRD-08: a process that no longer leads says no more of a log that another one watches.
#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_leader_knows_ends_with_its_term() {
    let sent = sent(|metrics| {
        metrics.leads(true);
        metrics.event_log(3, Duration::from_secs(1));
        metrics.held(&[("make-customer".to_owned(), "parked".to_owned(), 1)]);
        metrics.leads(false);
    })
    .await;

    assert!(sent.contains_key("trato.relay.leader"), "{:?}", sent.keys());
    for gone in ["trato.event_log.depth", "trato.event_log.age", "trato.inbox.held"] {
        assert!(!sent.contains_key(gone), "{gone}");
    }
}

/// CRD-08: what a process counted ends when it is not counted anew, for another one may count since then.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_counted_ends_when_it_is_not_counted_anew() {
    let tell = |metrics: &Metrics, count: usize, valid: Duration| {
        metrics.tasks_parked(&vec![("dun".to_owned(), "GONE".to_owned(), 2); count], valid);
        metrics.resources_overdue("payments", &vec![("UNKNOWN".to_owned(), 2); count], valid);
    };
    let minute = Duration::from_secs(60);
    let fresh = sent(|metrics| tell(metrics, 1, minute)).await;
    let old = sent(|metrics| tell(metrics, 1, Duration::ZERO)).await;
    let mended = sent(|metrics| {
        tell(metrics, 1, minute);
        tell(metrics, 0, minute);
    })
    .await;

    for name in ["trato.tasks.parked", "trato.resources.overdue"] {
        assert!(fresh.contains_key(name), "{:?}", fresh.keys());
        for gone in [&old, &mended] {
            assert!(!gone.contains_key(name), "{:?}", gone.keys());
        }
    }
}

/// The name that Prometheus gives a metric: by its default translation, with suffixes for unit and kind.
fn in_prometheus(metric: &Metric) -> String {
    let unit = match metric.unit {
        "s" => "_seconds",
        "By" => "_bytes",
        counted if counted.starts_with('{') => "",
        other => panic!("{other} is not translated yet"),
    };
    let total = if matches!(metric.kind, Kind::Counter | Kind::Total) { "_total" } else { "" };
    format!("{}{unit}{total}", metric.name.replace('.', "_"))
}

const INTRODUCTION: &str = "\
Made by a test from the catalogue in `crates/platform/src/telemetry`. Changes made by hand are lost;
`TRATO_UPDATE=1 cargo test -p trato-platform catalogue` writes it.

Names and attributes are those of OpenTelemetry's semantic conventions where these have one. The second name is the one in
Prometheus, by its default translation: dots become underscores, units and `total` are appended; a histogram has
`_bucket`, `_sum` and `_count` behind it. Attributes become labels in the same way. `service.namespace` and
`service.name` become the label `job` (`trato/sales`), `service.instance.id` the label `instance`; all others of the
resource, `service.version` among them, are labels of `target_info`.

A name that is not here does not exist, and what a dashboard or an alert of `deploy/telemetry` names is here.
";

fn document() -> String {
    let mut text = format!("# Metrics\n\n{INTRODUCTION}");
    for (title, metrics) in ALL {
        text.push_str(&format!(
            "\n## {title}\n\n| metric | in Prometheus | kind | unit | attributes | meaning |\n|---|---|---|---|---|---|\n"
        ));
        for metric in *metrics {
            let attributes: Vec<_> = metric.attributes.iter().map(|name| format!("`{name}`")).collect();
            text.push_str(&format!(
                "| `{}` | `{}` | {} | {} | {} | {} |\n",
                metric.name,
                in_prometheus(metric),
                metric.kind,
                metric.unit,
                attributes.join(", "),
                metric.about
            ));
        }
    }
    text
}

#[test]
fn the_reference_of_metrics_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/metrics.md");
    if std::env::var_os("TRATO_UPDATE").is_some() {
        std::fs::write(&path, document()).expect("the reference can be written");
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let text = document();
    let differing = committed.lines().zip(text.lines()).find(|(old, new)| old != new);
    assert!(committed == text, "docs/reference/metrics.md is out of date, at {differing:#?}");
}
