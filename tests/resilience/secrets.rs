//! What must not be told to anybody who watches: tokens and personal data, in logs, spans and metrics.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::rotel::Rotel;
use crate::harness::{
    breakable::{Breakable, on_a_breakable_stack},
    caller::Caller,
    desk::Desk,
    dynamic::method,
    eventually::eventually,
    programs::PROGRAMS,
    stack::logs,
    tenant::Tenant,
    values::{list, name},
};

const VARIABLES: [&str; 4] = [
    "TRATO_TELEMETRY__OTLP_ENDPOINT",
    "TRATO_TELEMETRY__SAMPLING_RATIO",
    "TRATO_TELEMETRY__METRICS_INTERVAL_SECONDS",
    "TRATO_TELEMETRY__LOG_FILTER",
];
/// Our own code tells all it can.
const ALL: &str = "info,trato_platform=trace,trato_gateway=trace,trato_customers=trace,trato_sales=trace,\
                   trato_billing=trace";
/// Spans are sent in batches; this is long enough for several.
const LATEST: Duration = Duration::from_secs(40);

async fn tell(stack: &Breakable, values: [&str; 4]) {
    let variables: Vec<_> = VARIABLES.into_iter().zip(values).collect();
    for program in PROGRAMS {
        stack.restart_with(program, &variables).await;
    }
}

/// Words that stand nowhere else.
struct Marks(Vec<String>);

impl Marks {
    /// A word that is part of a name, address or token.
    fn word(&mut self, kind: &str) -> String {
        let word = format!("{kind}{:016x}", rand::random::<u64>());
        self.0.push(word.clone());
        word
    }

    fn none_in(&self, place: &str, text: &str) {
        for mark in &self.0 {
            let at = text.find(mark.as_str()).map(|at| text.get(at.saturating_sub(200)..at + mark.len()));
            assert!(at.is_none(), "{place} tells {mark}: …{:?}", at.flatten());
        }
    }
}

/// Calls that succeed, and calls that fail in every way that has what was sent in its hands.
async fn call(marks: &mut Marks, director: &Caller) {
    let phone = format!("+34 6{:08}", rand::random::<u32>() % 100_000_000);
    marks.0.extend([phone.clone(), phone.replace(['+', ' '], "")]);
    let email = format!("{}@example.com", marks.word("mail"));
    let contact = json!({
        "givenNames": marks.word("Given"), "surname": marks.word("Sur"), "emailAddress": email, "phoneNumber": phone,
    });
    let contact = director.post("/v1/contacts", contact).await.ok();
    let account = json!({ "displayName": marks.word("Acme"), "address": { "lines": [marks.word("Street")], "countryCode": "ES" } });
    let account = name(&director.post("/v1/accounts", account).await.ok());
    director.post(&format!("/v1/{}:link", name(&contact)), json!({ "account": account })).await.ok();
    let surname = marks.word("Changed");
    director
        .patch(&format!("/v1/{}?updateMask=surname", name(&contact)), json!({ "surname": surname }))
        .await
        .ok();
    let filter = format!("display_name = \"{}\"", marks.word("Sought"));
    assert!(list(&director.query("/v1/accounts", &[("filter", &filter)]).await.ok(), "accounts").is_empty());

    let refused: [(&str, Value); 4] = [
        ("/v1/contacts", json!({ "surname": "X", "emailAddress": marks.word("no-address") })),
        ("/v1/contacts", json!({ "surname": "X", "phoneNumber": marks.word("no-number") })),
        ("/v1/accounts", json!({ "displayName": "X", "kinds": [marks.word("NO_KIND")] })),
        ("/v1/accounts", json!({ "displayName": "X", "parentAccount": marks.word("accounts/no-id") })),
    ];
    for (path, body) in refused {
        assert_eq!(director.post(path, body).await.status, 400);
    }
    let half = format!(r#"{{"displayName":"{}"#, marks.word("Half"));
    let request = director.request(Method::POST, "/v1/accounts").header("content-type", "application/json");
    assert_eq!(director.send(request.body(half)).await.status, 400);
    for path in [format!("/v1/{}", marks.word("nowhere")), format!("/v1/accounts/{}", marks.word("no-id"))] {
        assert!(director.get(&path).await.status >= 400);
    }
    director.query("/v1/accounts", &[("filter", &format!("{} = 1", marks.word("field")))]).await.refused();
    director.query("/v1/accounts", &[("pageToken", &marks.word("token"))]).await.refused();
    let update = method("trato.customers.v1.ContactService.UpdateContact");
    let stale =
        json!({ "contact": { "name": name(&contact), "surname": marks.word("Stale"), "etag": "\"0\"" } });
    assert!(director.unary(&update, &stale).await.is_err());
    for token in [marks.word("bearer"), format!("a.{}.c", marks.word("payload"))] {
        assert_eq!(director.with_token(Some(&token)).get("/v1/accounts").await.status, 401);
    }
    for part in director.token().split('.') {
        marks.0.push(part.to_owned());
    }
}

/// The same of billing: an invoice with its buyer, and a file of the bank with who has paid.
async fn bill(marks: &mut Marks, tenant: &Tenant) {
    let desk = Desk::make(tenant).await;
    let mut invoice = desk.invoice();
    invoice["billTo"] = json!({
        "displayName": marks.word("Buyer"), "taxId": marks.word("tax"),
        "address": { "lines": [marks.word("Road")], "locality": marks.word("Town"), "countryCode": "ES" },
    });
    let made = name(&desk.caller.post("/v1/invoices", invoice.clone()).await.ok());
    let numbered = json!({ "numberSeries": desk.number_series, "requestId": Uuid::new_v4() });
    desk.caller.post(&format!("/v1/{made}:issue"), numbered).await.ok();
    desk.caller.get(&format!("/v1/{made}:render?language=es")).await.ok();
    invoice["billTo"]["taxId"] = json!(marks.word("long").repeat(3));
    invoice["lines"][0]["quantity"] = json!(marks.word("many"));
    assert_eq!(desk.caller.post("/v1/invoices", invoice).await.status, 400);

    let mut file = |amount: &str| {
        let [key, payer, reference] = ["key", "Payer", "Reference"].map(|kind| marks.word(kind));
        format!(
            "key,date,amount,currency,counterparty,reference\n{key},2026-01-31,{amount},EUR,{payer},{reference}\n"
        )
    };
    let (whole, wrong) = (file("5.00"), file("five"));
    let cut = whole[..whole.len() - 3].to_owned();
    let xml = format!("<Document><Nm>{}</Nm>", marks.word("Payer"));
    for (format, content, status) in
        [("CSV", whole, 200), ("CSV", wrong, 400), ("CSV", cut, 400), ("CAMT_053", xml, 400)]
    {
        let statement = json!({
            "legalEntity": desk.legal_entity, "format": format, "content": STANDARD.encode(content),
            "requestId": Uuid::new_v4(),
        });
        let answer = desk.caller.post("/v1/bankStatements:import", statement).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
    marks.0.extend(desk.caller.token().split('.').map(str::to_owned));
}

/// PLT-12: no log line, span or metric of any program holds a token, a name, an address or a number, even where our own
/// code tells all it can.
#[test]
fn nothing_that_is_secret_or_personal_is_told_to_who_watches() {
    on_a_breakable_stack(async |stack| {
        let collector = Rotel::start().await;
        tell(&stack, [&collector.endpoint(), "1.0", "1", ALL]).await;
        let tenant = stack.tenant().await;
        let director = tenant.director();
        let mut marks = Marks(Vec::new());
        call(&mut marks, &director).await;
        bill(&mut marks, &tenant).await;
        // What comes last has come when all before it has; and no line that is written costs a span.
        let last: Vec<String> = (0..10).map(|_| format!("{:032x}", rand::random::<u128>() | 1)).collect();
        for trace in &last {
            for path in ["/v1/accounts", "/v1/opportunities", "/v1/invoices"] {
                let traceparent = format!("00-{trace}-00f067aa0ba902b7-01");
                director
                    .send(director.request(Method::GET, path).header("traceparent", traceparent))
                    .await
                    .ok();
            }
        }
        let look = || async {
            let received = collector.received();
            let served = |trace: &String| {
                let servers =
                    received.spans.iter().filter(|span| span.trace == *trace && span.kind == "SERVER");
                servers.count()
            };
            let served: Vec<usize> = last.iter().map(served).collect();
            (served, received.logs.len(), received.metrics.len())
        };
        eventually(
            LATEST,
            "the spans of the last calls, and logs and metrics",
            look,
            |(served, logs, metrics)| {
                // Of each call the gateway's and the service's.
                served.iter().all(|spans| *spans == 6) && *logs > 0 && *metrics > 0
            },
        )
        .await;

        let told = collector.received().text;
        assert!(told.contains("rpc.method"), "the telemetry was not read");
        marks.none_in("the telemetry", &told);
        let mut read = 0;
        for (program, log) in logs(&stack.facts().await) {
            if PROGRAMS.iter().any(|ours| program.starts_with(ours)) {
                marks.none_in(&format!("the log of {program}"), &log);
                read += log.len();
            }
        }
        assert!(read > 1000, "the programs wrote only {read} bytes");
        tell(&stack, ["", "0.1", "15", "info"]).await;
    });
}
