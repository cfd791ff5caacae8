//! One trace from the gateway to the consumer, and metrics and logs that belong to it, by OTLP.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    received::{Attributes, Log, Received, Span},
    rotel::Rotel,
};
use crate::harness::{
    answer::Answer,
    breakable::{Breakable, on_a_breakable_stack},
    caller::Caller,
    eventually::eventually,
    programs::PROGRAMS,
    report::say,
    values::{dollars, name},
    writers::Subjects,
};

/// By which Kubernetes says where a process runs; see OPERATIONS.md.
const RESOURCE: &str = "OTEL_RESOURCE_ATTRIBUTES";
const ENDPOINT: &str = "TRATO_TELEMETRY__OTLP_ENDPOINT";
const SAMPLING: &str = "TRATO_TELEMETRY__SAMPLING_RATIO";
const INTERVAL: &str = "TRATO_TELEMETRY__METRICS_INTERVAL_SECONDS";
const FILTER: &str = "TRATO_TELEMETRY__LOG_FILTER";
/// Spans are sent in batches; this is long enough for several.
const LATEST: Duration = Duration::from_secs(40);
/// Span of the client, which is not sent.
const ROOT: &str = "00f067aa0ba902b7";

async fn tell_all(stack: &Breakable, endpoint: &str, sampling: &str, interval: &str) {
    let resource = if endpoint.is_empty() { "" } else { "k8s.pod.name=a-pod,service.namespace=not-ours" };
    // What is refused has a line, too.
    let filter = if endpoint.is_empty() { "info" } else { "info,trato_platform::rpc::status=debug" };
    let variables = [
        (ENDPOINT, endpoint),
        (SAMPLING, sampling),
        (INTERVAL, interval),
        (RESOURCE, resource),
        (FILTER, filter),
    ];
    for program in PROGRAMS {
        stack.restart_with(program, &variables).await;
    }
}

/// Posts in a trace that the client begins; its id, and what was answered.
async fn post_traced(caller: &Caller, path: &str, body: Value) -> (String, Answer) {
    let trace = format!("{:032x}", rand::random::<u128>() | 1);
    let request = caller.request(Method::POST, path).header("traceparent", format!("00-{trace}-{ROOT}-01"));
    let answer = caller.send(request.json(&body)).await;
    (trace, answer)
}

/// The spans that hang together with the client's span in one unbroken tree.
fn reached(received: &Received, trace: &str) -> Vec<Span> {
    let spans: Vec<_> = received.spans.iter().filter(|span| span.trace == trace).collect();
    let mut found = Vec::new();
    let mut parents = VecDeque::from([ROOT.to_owned()]);
    while let Some(parent) = parents.pop_front() {
        for span in spans.iter().filter(|span| span.parent == parent) {
            found.push((*span).clone());
            parents.push_back(span.id.clone());
        }
    }
    found
}

/// The boundaries that winning an opportunity crosses, by program and kind of span.
const CROSSED: [(&str, &str); 8] = [
    ("gateway", "SERVER"),
    ("sales", "SERVER"),
    ("sales", "CLIENT"),
    ("sales", "PRODUCER"),
    ("customers", "CONSUMER"),
    ("customers", "PRODUCER"),
    ("sales", "CONSUMER"),
    ("billing", "CONSUMER"),
];

/// What sales asks customers by.
const ASK: &str = "trato.customers.v1.AccountService/GetAccount";

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
        let (trace, answer) = post_traced(&director, &format!("/v1/{deal}:win"), json!({})).await;
        answer.ok();

        let look = || async { reached(&collector.received(), &trace) };
        let whole = |spans: &Vec<Span>| CROSSED.iter().all(|one| crossed(spans).contains(one));
        let spans = eventually(LATEST, "the whole trace", look, whole).await;

        for span in &spans {
            say(format!("{} {}: {}", span.service(), span.kind, span.name));
        }
        one_span_for_each_boundary(&spans);
        clients_are(&spans, &[("sales", "insert opportunity"), ("sales", "select opportunity")]);
        let of = |service: &str, kind: &str| {
            let found = spans.iter().find(|span| span.service() == service && span.kind == kind);
            found.expect("it was crossed")
        };
        has(&of("gateway", "SERVER").attributes, &[("http.route", "/v1/{name=opportunities/*}:win")]);
        has(
            &of("sales", "SERVER").attributes,
            &[("rpc.method", "trato.sales.v1.OpportunityService/WinOpportunity")],
        );
        let stored = &of("sales", "CLIENT").attributes;
        has(stored, &[("db.system.name", "postgresql"), ("db.collection.name", "opportunity")]);
        assert!(
            ["db.namespace", "server.address"].iter().all(|name| stored.contains_key(*name)),
            "{stored:#?}"
        );
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
        let complete = |(services, logs): &(usize, usize)| *services == PROGRAMS.len() && *logs > 0;
        eventually(LATEST, "metrics of all, and logs", measured, complete).await;
        tell_all(&stack, "", "0.1", "15").await;
    });
}

/// CRD-08: a call between services is one span on each side, a statement or a whole transaction is one, and a line that is
/// written within a call knows trace and span.
#[test]
fn calls_and_statements_are_one_span_each_and_lines_know_them() {
    on_a_breakable_stack(async |stack| {
        let collector = Rotel::start().await;
        tell_all(&stack, &collector.endpoint(), "1.0", "1").await;
        let subjects = Subjects::make(stack.tenant().await).await;
        let director = subjects.tenant.director();
        let ana = json!({ "givenNames": "Ana", "surname": "García" });
        let ana = name(&director.post("/v1/contacts", ana).await.ok());
        let nobody = format!("accounts/{}", uuid::Uuid::now_v7());

        // An account that sales has not heard of is asked for.
        let deal = json!({ "displayName": "For nobody", "account": nobody, "pipeline": subjects.pipeline });
        let (asked, answer) = post_traced(&director, "/v1/opportunities", deal).await;
        answer.refused_as("ACCOUNT_NOT_FOUND");
        let link = format!("/v1/{ana}:link");
        let (linked, answer) = post_traced(&director, &link, json!({ "account": nobody })).await;
        answer.refused_as("ACCOUNT_NOT_FOUND");

        let asking = served(&collector, &asked, &["gateway", "sales", "customers"]).await;
        one_span_for_each_boundary(&asking);
        clients_are(
            &asking,
            &[("customers", "select account"), ("sales", "select pipeline"), ("sales", ASK)],
        );
        let call = asking.iter().find(|span| span.kind == "CLIENT" && span.name == ASK).expect("it is there");
        let answering: Vec<_> = asking.iter().filter(|span| span.parent == call.id).collect();
        let [answering] = answering.as_slice() else { panic!("one answers, not {answering:#?}") };
        let answered = (answering.service(), answering.kind.as_str(), answering.name.as_str());
        assert_eq!(answered, ("customers", "SERVER", ASK));
        lines_know(&collector, &asked, &asking, &["sales", "customers"]).await;

        let linking = served(&collector, &linked, &["gateway", "customers"]).await;
        one_span_for_each_boundary(&linking);
        clients_are(&linking, &[("customers", "transaction")]);
        tell_all(&stack, "", "0.1", "15").await;
    });
}

/// The spans of a trace, once each of these programs has told that it served its call: what it did for it came before.
async fn served(collector: &Rotel, trace: &str, programs: &[&str]) -> Vec<Span> {
    let look = || async { reached(&collector.received(), trace) };
    let all =
        |spans: &Vec<Span>| programs.iter().all(|program| crossed(spans).contains(&(*program, "SERVER")));
    eventually(LATEST, "the spans of a call", look, all).await
}

/// Panics unless each of these programs wrote that it refused the call, within a span of its own of the trace.
async fn lines_know(collector: &Rotel, trace: &str, spans: &[Span], programs: &[&str]) {
    let look = || async {
        let lines = collector.received().logs.into_iter();
        // The span is what is read last of a line.
        let lines = lines.filter(|line| line.trace == trace && !line.span.is_empty());
        lines.filter(|line| line.body.starts_with("a call was refused")).collect::<Vec<_>>()
    };
    let all =
        |lines: &Vec<Log>| programs.iter().all(|program| lines.iter().any(|line| line.service() == *program));
    for line in eventually(LATEST, "the lines of a call", look, all).await {
        let span = spans.iter().find(|span| span.id == line.span);
        assert_eq!(span.map(Span::service), Some(line.service()), "{line:#?}");
    }
}

/// Panics unless the calls and statements of a trace are these, each of them one span; by program and name.
fn clients_are(spans: &[Span], wanted: &[(&str, &str)]) {
    let clients = spans.iter().filter(|span| span.kind == "CLIENT");
    let mut found: Vec<_> = clients.map(|span| (span.service(), span.name.as_str())).collect();
    found.sort_unstable();
    assert_eq!(found, wanted);
}

/// Panics when a program has more than one span for one thing that it served, sent or handled. What it asked for may be
/// asked for again; `clients_are` knows how often.
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
