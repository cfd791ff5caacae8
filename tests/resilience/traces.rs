//! One trace from the gateway to the consumer, and metrics and logs that belong to it, by OTLP.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use reqwest::Method;
use serde_json::json;

use super::{
    received::{Attributes, Received, Span},
    rotel::Rotel,
};
use crate::harness::{
    breakable::{Breakable, on_a_breakable_stack},
    eventually::eventually,
    report::say,
    values::{dollars, name},
    writers::Subjects,
};

/// By which Kubernetes says where a process runs; see OPERATIONS.md.
const RESOURCE: &str = "OTEL_RESOURCE_ATTRIBUTES";
const ENDPOINT: &str = "TRATO_TELEMETRY__OTLP_ENDPOINT";
const SAMPLING: &str = "TRATO_TELEMETRY__SAMPLING_RATIO";
const INTERVAL: &str = "TRATO_TELEMETRY__METRICS_INTERVAL_SECONDS";
/// Spans are sent in batches; this is long enough for several.
const LATEST: Duration = Duration::from_secs(40);

async fn tell_all(stack: &Breakable, endpoint: &str, sampling: &str, interval: &str) {
    let resource = if endpoint.is_empty() { "" } else { "k8s.pod.name=a-pod,service.namespace=not-ours" };
    for program in ["customers", "sales", "gateway"] {
        stack
            .restart_with(
                program,
                &[(ENDPOINT, endpoint), (SAMPLING, sampling), (INTERVAL, interval), (RESOURCE, resource)],
            )
            .await;
    }
}

/// The spans that hang together with the caller's span in one unbroken tree.
fn reached(received: &Received, trace: &str, root: &str) -> Vec<Span> {
    let spans: Vec<_> = received.spans.iter().filter(|span| span.trace == trace).collect();
    let mut found = Vec::new();
    let mut parents = VecDeque::from([root.to_owned()]);
    while let Some(parent) = parents.pop_front() {
        for span in spans.iter().filter(|span| span.parent == parent) {
            found.push((*span).clone());
            parents.push_back(span.id.clone());
        }
    }
    found
}

/// The boundaries that winning an opportunity crosses, by program and kind of span.
const CROSSED: [(&str, &str); 7] = [
    ("gateway", "SERVER"),
    ("sales", "SERVER"),
    ("sales", "CLIENT"),
    ("sales", "PRODUCER"),
    ("customers", "CONSUMER"),
    ("customers", "PRODUCER"),
    ("sales", "CONSUMER"),
];

fn crossed(spans: &[Span]) -> BTreeSet<(&str, &str)> {
    spans.iter().map(|span| (span.service(), span.kind.as_str())).collect()
}

/// CRD-08: one trace runs unbroken from gateway through service and broker to the consumers, with one span for each
/// boundary, as a collector sees it that nobody here wrote; metrics and logs come too.
#[test]
fn one_trace_runs_from_the_gateway_to_the_consumers_and_metrics_and_logs_arrive() {
    on_a_breakable_stack(async |stack| {
        let collector = Rotel::start().await;
        tell_all(&stack, &collector.endpoint(), "1.0", "1").await;
        let subjects = Subjects::make(stack.tenant().await).await;
        let director = subjects.tenant.director();
        let body = json!({
            "displayName": "Traced", "account": subjects.accounts[0], "pipeline": subjects.pipeline, "amount": dollars(1),
        });
        let deal = name(&director.post("/v1/opportunities", body).await.ok());
        let (trace, root) = (format!("{:032x}", rand::random::<u128>() | 1), "00f067aa0ba902b7");
        let request = director.request(Method::POST, &format!("/v1/{deal}:win"));
        let request = request.header("traceparent", format!("00-{trace}-{root}-01"));
        director.send(request.json(&json!({}))).await.ok();

        let look = || async { reached(&collector.received(), &trace, root) };
        let whole = |spans: &Vec<Span>| CROSSED.iter().all(|one| crossed(spans).contains(one));
        let spans = eventually(LATEST, "the whole trace", look, whole).await;

        for span in &spans {
            say(format!("{} {}: {}", span.service(), span.kind, span.name));
        }
        one_span_for_each_boundary(&spans);
        let of = |service: &str, kind: &str| {
            let found = spans.iter().find(|span| span.service() == service && span.kind == kind);
            found.expect("it was crossed")
        };
        has(&of("gateway", "SERVER").attributes, &[("http.route", "/v1/{name=opportunities/*}:win")]);
        has(
            &of("sales", "SERVER").attributes,
            &[("rpc.method", "trato.sales.v1.OpportunityService/WinOpportunity")],
        );
        let stored =
            spans.iter().find(|span| span.kind == "CLIENT" && span.attributes.contains_key("db.system.name"));
        has(&stored.expect("it is stored").attributes, &[("db.system.name", "postgresql")]);
        let won = ("messaging.rabbitmq.destination.routing_key", "trato.sales.v1.opportunity.won");
        has(&of("sales", "PRODUCER").attributes, &[won, ("messaging.destination.name", "trato.events")]);
        has(&of("customers", "CONSUMER").attributes, &[won, ("messaging.system", "rabbitmq")]);
        has(
            &of("customers", "CONSUMER").resource,
            &[("service.namespace", "trato"), ("k8s.pod.name", "a-pod")],
        );

        let measured = || async {
            let received = collector.received();
            let services: BTreeSet<_> = received.metrics.iter().map(|(service, _)| service.clone()).collect();
            let logging =
                received.logs.iter().filter(|log| !log.severity.is_empty() && !log.resource.is_empty());
            (services.len(), logging.count())
        };
        let complete = |(services, logs): &(usize, usize)| *services == 3 && *logs > 0;
        eventually(LATEST, "metrics of all, and logs", measured, complete).await;
        tell_all(&stack, "", "0.1", "15").await;
    });
}

/// Panics when a program has more than one span for one thing that it served, sent or handled.
fn one_span_for_each_boundary(spans: &[Span]) {
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    for span in spans.iter().filter(|span| span.kind != "CLIENT") {
        let message = span.attributes.get("messaging.message.id");
        *counts.entry((span.service(), &span.kind, &span.name, message)).or_default() += 1;
    }
    assert!(counts.values().all(|count| *count == 1), "{counts:#?}");
}

fn has(attributes: &Attributes, wanted: &[(&str, &str)]) {
    for (name, value) in wanted {
        assert_eq!(attributes.get(*name).map(String::as_str), Some(*value), "{attributes:#?}");
    }
}

/// CRD-08: a collector that is not there costs nobody an answer.
#[test]
fn a_collector_that_is_not_there_costs_no_answer() {
    on_a_breakable_stack(async |stack| {
        tell_all(&stack, "http://127.0.0.1:9", "1.0", "1").await;
        let subjects = Subjects::make(stack.tenant().await).await;
        let director = subjects.tenant.director();
        for _ in 0..20 {
            director.post("/v1/accounts", json!({ "displayName": "Untold" })).await.ok();
        }
        tell_all(&stack, "", "0.1", "15").await;
    });
}
