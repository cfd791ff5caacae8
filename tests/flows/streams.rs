//! The log for consumers outside the suite: from any place on, without loss and without anything twice.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::make::{account, opportunity, pipeline};
use crate::harness::{
    caller::Caller,
    dynamic::method,
    eventually::{SOON, eventually},
    stream::{Form, HttpStream, Message},
    tenant::Tenant,
    values::{list, name, text, texts, whole},
};

const SUBSCRIBE: &str = "/v1/customers/events:subscribe";
const REPLAY: &str = "/v1/customers/events:replay";

fn bodies(messages: Vec<Message>) -> Vec<Value> {
    messages.into_iter().map(|message| message.body).collect()
}

async fn all_events(by: &Caller, service: &str) -> Vec<Value> {
    let replay = method(&format!("trato.{service}.v1.EventService.ReplayEvents"));
    by.collect(&replay, &json!({})).await.expect("the caller may replay")
}

/// CRD-03: a consumer that is cut off again and again and goes on by its cursor gets everything once, in order.
#[tokio::test]
async fn a_consumer_that_is_cut_off_goes_on_by_its_cursor_without_loss_or_double() {
    let tenant = Tenant::fresh();
    let director = tenant.director();
    let writer = director.clone();
    let writing = tokio::spawn(async move {
        let mut names = Vec::new();
        for number in 0..60 {
            names.push(account(&writer, &format!("Account {number}")).await);
        }
        names
    });

    let mut seen: Vec<Value> = Vec::new();
    let mut cursor = String::new();
    let mut form = Form::Lines;
    while seen.len() < 60 {
        // A browser sends its cursor as Last-Event-ID; everybody else as a parameter.
        let mut stream = match (form, cursor.is_empty()) {
            (Form::Events, false) => {
                HttpStream::open_after(&director, SUBSCRIBE, &[], form, Some(&cursor)).await
            }
            (_, true) => HttpStream::open(&director, SUBSCRIBE, &[("fromStart", "true")], form).await,
            _ => HttpStream::open(&director, SUBSCRIBE, &[("cursor", &cursor)], form).await,
        };
        let part = stream.take((60 - seen.len()).min(13), SOON).await;
        cursor = text(&part[part.len() - 1].body, "cursor").to_owned();
        seen.extend(bodies(part));
        form = if form == Form::Lines { Form::Events } else { Form::Lines };
    }

    let written = writing.await.expect("the writer finishes");
    assert_eq!(texts(&seen, "subject"), written, "one writer's order is the log's");
    let ids: BTreeSet<String> = texts(&seen, "eventId").into_iter().collect();
    assert_eq!(ids.len(), 60);
    assert_eq!(texts(&all_events(&director, "customers").await, "eventId"), texts(&seen, "eventId"));
}

/// CRD-03: a subscription without cursor begins now; a replay has all there is, or as many as asked for, and ends.
#[tokio::test]
async fn a_subscription_begins_now_and_a_replay_ends() {
    let tenant = Tenant::fresh();
    let director = tenant.director();
    let old = account(&director, "Old").await;
    let numbered = || all_events(&director, "customers");
    eventually(SOON, "the event to be numbered", numbered, |events| events.len() == 1).await;

    let mut stream = HttpStream::open(&director, SUBSCRIBE, &[], Form::Lines).await;
    let new = account(&director, "New").await;
    let first = bodies(stream.take(1, SOON).await);

    assert_eq!(text(&first[0], "subject"), new);
    let replayed = HttpStream::open(&director, REPLAY, &[], Form::Lines).await.until_end(SOON).await;
    assert_eq!(texts(&bodies(replayed), "subject"), [old.clone(), new]);
    let limited =
        HttpStream::open(&director, REPLAY, &[("limit", "1")], Form::Events).await.until_end(SOON).await;
    assert_eq!(texts(&bodies(limited), "subject"), [old]);
    for wrong in ["nonsense", "AAAAAAAAAAAAAAAAAA", ""] {
        let answer = director.query(REPLAY, &[("cursor", wrong), ("limit", "-1")]).await;
        assert_eq!(answer.refused().code, "INVALID_ARGUMENT", "{wrong:?}");
    }
}

/// CRD-03: a filter narrows a stream by type, subject, owner, revision and time, and says what it does not know.
#[tokio::test]
async fn a_stream_is_narrowed_by_a_filter() {
    let tenant = Tenant::fresh();
    let (director, ana) = (tenant.director(), tenant.caller("ana", &["commercial-director"]));
    let sales = pipeline(&director, "Sales", &["lead", "offer"]).await;
    let first = name(&opportunity(&director, json!({ "pipeline": sales })).await);
    let second = name(&opportunity(&ana, json!({ "pipeline": sales })).await);
    director.post(&format!("/v1/{first}:move"), json!({ "stage": "offer" })).await.ok();
    let look = || all_events(&director, "sales");
    eventually(SOON, "four events", look, |events| events.len() == 4).await;

    let matching = |filter: String| {
        let director = director.clone();
        async move {
            let parameters = [("filter", filter.as_str())];
            let stream =
                HttpStream::open(&director, "/v1/sales/events:replay", &parameters, Form::Lines).await;
            let events = bodies(stream.until_end(SOON).await).into_iter();
            events
                .map(|event| (text(&event, "subject").to_owned(), whole(&event["revision"])))
                .collect::<Vec<_>>()
        }
    };
    let moved = matching("type = \"trato.sales.v1.opportunity.moved\"".to_owned()).await;
    assert_eq!(moved, [(first.clone(), 2)]);
    assert_eq!(matching(format!("subject = \"{first}\"")).await, [(first.clone(), 1), (first.clone(), 2)]);
    assert_eq!(matching("owner = \"members/ana\"".to_owned()).await, [(second.clone(), 1)]);
    let created = "type = \"trato.sales.v1.opportunity.created\" AND revision = 1 AND create_time > \"2020-01-01T00:00:00Z\"";
    assert_eq!(matching(created.to_owned()).await, [(first, 1), (second, 1)]);
    let refusal = director.query("/v1/sales/events:replay", &[("filter", "colour = red")]).await.refused();
    assert_eq!(refusal.violations, [("filter".to_owned(), "UNKNOWN_FIELD".to_owned())]);
}

/// CRD-03: an event carries the resource after it, what changed, who did it and when, and revisions have no gaps.
#[tokio::test]
async fn every_change_is_one_event_with_the_resource_after_it() {
    let tenant = Tenant::fresh();
    let director = tenant.director();
    let acme = account(&director, "Acme").await;
    director.patch(&format!("/v1/{acme}?updateMask=sector"), json!({ "sector": "retail" })).await.ok();
    director.delete(&format!("/v1/{acme}")).await.ok();
    let last = director.post(&format!("/v1/{acme}:undelete"), json!({})).await.ok();
    director
        .patch(&format!("/v1/{acme}?updateMask=sector&validateOnly=true"), json!({ "sector": "x" }))
        .await
        .ok();
    director.patch(&format!("/v1/{acme}?updateMask=website"), json!({ "website": "no" })).await.refused();

    let look = || all_events(&director, "customers");
    let events = eventually(SOON, "four events", look, |events| events.len() >= 4).await;

    let verbs: Vec<&str> = events.iter().filter_map(|event| text(event, "type").rsplit('.').next()).collect();
    assert_eq!(verbs, ["created", "updated", "deleted", "undeleted"]);
    assert_eq!(events.iter().map(|event| whole(&event["revision"])).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(events.iter().all(|event| event["actor"] == json!(director.name())));
    assert_eq!(events[1]["change"]["changedMask"], "sector");
    let after = &events[3]["change"]["resource"];
    for (field, value) in last.as_object().expect("an account is an object") {
        // An `Any` is written without defaults, an answer with them.
        let is_default = value.is_null()
            || *value == json!("")
            || *value == json!(0)
            || list(&last, field).is_empty() && value.is_array();
        assert!(is_default || after[field] == *value, "{field}: {after} after {last}");
    }
}
