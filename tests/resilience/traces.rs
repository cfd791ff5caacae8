//! One trace from the gateway to the consumer, and metrics and logs that belong to it, by OTLP.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use reqwest::Method;
use serde_json::json;

use super::collector::{Collector, Received};
use crate::harness::{
    breakable::{Breakable, PROGRAMS, on_a_breakable_stack},
    eventually::eventually,
    report::say,
    values::{dollars, name},
    writers::Subjects,
};

const ENDPOINT: &str = "TRATO_TELEMETRY__OTLP_ENDPOINT";
const SAMPLING: &str = "TRATO_TELEMETRY__SAMPLING_RATIO";
const INTERVAL: &str = "TRATO_TELEMETRY__METRICS_INTERVAL_SECONDS";
/// Spans are sent in batches; this is long enough for several.
const LATEST: Duration = Duration::from_secs(40);

async fn tell_all(stack: &Breakable, endpoint: &str, sampling: &str, interval: &str) {
    for program in ["customers", "sales", "gateway"] {
        stack
            .restart_with(program, &[(ENDPOINT, endpoint), (SAMPLING, sampling), (INTERVAL, interval)])
            .await;
    }
}

/// Programs whose spans hang together with the caller's span in one unbroken tree.
fn reached(received: &Received, trace: &str, root: &str) -> BTreeSet<String> {
    let spans: Vec<_> = received.spans.iter().filter(|span| span.trace == trace).collect();
    let mut programs = BTreeSet::new();
    let mut parents = VecDeque::from([root.to_owned()]);
    while let Some(parent) = parents.pop_front() {
        for span in spans.iter().filter(|span| span.parent == parent) {
            programs.insert(span.service.clone());
            parents.push_back(span.id.clone());
        }
    }
    programs
}

/// CRD-08: one trace runs unbroken from gateway through service and broker to the consumer; metrics and logs come too.
#[test]
fn one_trace_runs_from_the_gateway_to_the_consumer_and_metrics_and_logs_arrive() {
    on_a_breakable_stack(async |stack| {
        let collector = Collector::start().await;
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
        let everybody = |programs: &BTreeSet<String>| {
            PROGRAMS.iter().all(|program| programs.iter().any(|one| one.ends_with(program)))
        };
        let programs = eventually(LATEST, "the whole trace", look, everybody).await;

        let received = collector.received();
        let spans: Vec<String> = received
            .spans
            .iter()
            .filter(|span| span.trace == trace)
            .map(|span| format!("{}: {}", span.service, span.name))
            .collect();
        say(format!("{programs:?}\n{}", spans.join("\n")));
        assert!(spans.len() >= 5, "gateway, service, relay and two consumers: {spans:#?}");
        let measured = || async {
            let received = collector.received();
            let services: BTreeSet<_> = received.metrics.iter().map(|(service, _)| service.clone()).collect();
            (services.len(), received.logs.len())
        };
        let complete = |(services, logs): &(usize, usize)| *services == 3 && *logs > 0;
        eventually(LATEST, "metrics of all, and logs", measured, complete).await;
        let metrics: BTreeSet<String> =
            collector.received().metrics.into_iter().map(|(_, name)| name).collect();
        say(format!("{metrics:?}"));
        assert!(metrics.iter().any(|name| name.contains("duration")), "{metrics:?}");
        tell_all(&stack, "", "0.1", "15").await;
    });
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
