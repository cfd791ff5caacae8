//! Another tenant's resources: every method answers as if they were not there, byte for byte.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use prost_reflect::MethodDescriptor;
use serde_json::{Value, json};

use super::{
    options::is_read,
    samples::{NOUNS, World, names_in, random_name},
    transcode,
};
use crate::harness::{
    answer::{Answer, Refusal},
    caller::Caller,
    database,
    dynamic::{method, methods},
    eventually::{SOON, eventually},
    programs::SERVICES,
    settled::settled,
    stream::{Form, HttpStream},
    tenant::Tenant,
    values::{list, name, text},
};

/// The pointers under which the request says what it acts upon; everything else is a reference.
const TARGETS: [&str; 3] = ["/name", "/parent", "/names/0"];

/// I5, PLT-12: a name of another tenant is answered like a name nobody has, whatever method it is given to, wherever.
#[tokio::test]
async fn every_method_answers_a_foreign_name_as_it_answers_one_that_nobody_has() {
    let (ours, theirs) = (Tenant::fresh(), Tenant::fresh());
    let (our_world, their_world) = (World::make(&ours).await, World::make(&theirs).await);
    let before = snapshot(&theirs).await;
    let mut walked = 0;
    for method in &methods() {
        let sample = our_world.sample(method).await.request;
        for pointer in names_in(&sample) {
            let own = sample.pointer(&pointer).and_then(Value::as_str).expect("it was just found").to_owned();
            let foreign =
                their_world.counterpart(&own).expect("both worlds have the same resources").to_owned();
            let nobody = random_name(&own);
            let mut told = Vec::new();
            for name in [&foreign, &nobody] {
                // Each try begins with a request of its own, for one that succeeds uses it up.
                let mut request = our_world.sample(method).await.request;
                *request.pointer_mut(&pointer).expect("samples of a method have one shape") = json!(name);
                told.push(tell(&our_world.keeper, method, &request, name).await);
            }
            assert_eq!(told[0], told[1], "{} tells of {foreign} at {pointer}", method.full_name());
            let is_target = TARGETS.contains(&pointer.as_str()) || pointer.ends_with("/name");
            let is_asked_about = method.name() == "ExplainAccess";
            if is_target && !is_asked_about {
                assert_eq!(told[0].0, 404, "{} at {pointer}: {}", method.full_name(), told[0].1);
            }
            walked += 1;
        }
    }
    assert!(walked >= 70, "only {walked} names were tried");
    assert_eq!(snapshot(&theirs).await, before, "something of the other tenant was changed");
}

/// I5, PLT-12: an etag of another tenant's resource, the right one or a wrong one, brings out nothing of it.
#[tokio::test]
async fn every_method_that_takes_an_etag_answers_a_foreign_one_as_one_of_nobodys() {
    let (ours, theirs) = (Tenant::fresh(), Tenant::fresh());
    let (our_world, their_world) = (World::make(&ours).await, World::make(&theirs).await);
    let before = snapshot(&theirs).await;
    let mut walked = 0;
    for method in methods().iter().filter(|method| !is_read(method)) {
        let mut request = our_world.sample(method).await.request;
        let Some((name_at, etag_at)) = takes_an_etag(method, &request) else { continue };
        let own = request.pointer(&name_at).and_then(Value::as_str).expect("it was just found").to_owned();
        let foreign = their_world.counterpart(&own).expect("both worlds have the same resources");
        let stored = their_world.keeper.get(&format!("/v1/{foreign}")).await.ok();
        let etag = text(&stored, "etag");
        assert!(!etag.is_empty(), "{foreign} has no etag");
        for etag in [etag, "\"0\""] {
            let mut told = Vec::new();
            for name in [foreign, &random_name(&own)] {
                put(&mut request, &name_at, name);
                put(&mut request, &etag_at, etag);
                told.push(tell(&our_world.keeper, method, &request, name).await);
            }
            assert_eq!(told[0], told[1], "{} tells of {foreign} by its etag", method.full_name());
            assert_eq!(told[0].0, 404, "{}: {}", method.full_name(), told[0].1);
        }
        walked += 1;
    }
    assert!(walked >= 60, "only {walked} methods took an etag");
    assert_eq!(snapshot(&theirs).await, before, "something of the other tenant was changed");
}

/// Where a request names the one resource that the method acts on, and where its etag goes: in the request, or in the
/// resource that it holds.
fn takes_an_etag(method: &MethodDescriptor, request: &Value) -> Option<(String, String)> {
    let input = method.input();
    let held = input.fields().filter_map(|field| {
        let message = field.kind().as_message().cloned();
        message.map(|message| (format!("/{}", field.json_name()), message))
    });
    let mut places = std::iter::once((String::new(), input.clone())).chain(held);
    let names = names_in(request);
    let (place, _) = places.find(|(place, message)| {
        message.get_field_by_name("etag").is_some() && names.contains(&format!("{place}/name"))
    })?;
    Some((format!("{place}/name"), format!("{place}/etag")))
}

/// Puts a text where a pointer leads to; what it stands in is there.
fn put(request: &mut Value, pointer: &str, text: &str) {
    let (parent, field) = pointer.rsplit_once('/').expect("a pointer begins with a slash");
    request.pointer_mut(parent).expect("it is a part of the request")[field] = json!(text);
}

/// What a caller is told by HTTP and by gRPC who asks for this name.
async fn tell(by: &Caller, method: &MethodDescriptor, request: &Value, name: &str) -> Told {
    let answer = transcode::send(by, method, request).await;
    let grpc = by.attempt(method, request).await.map_err(|status| Refusal::of(&status));
    summary(&answer, grpc.err(), name)
}

type Told = (u16, Value, usize, Option<String>);

/// HTTP status, body without the name that was asked for, its length with any other name of that length, and the refusal
/// by gRPC.
fn summary(answer: &Answer, grpc: Option<Refusal>, name: &str) -> Told {
    let id = name.split_once('/').map_or(name, |(_, id)| id);
    // What may be named once only was named by an earlier try.
    if answer.status == 200 || answer.text().contains("CREDIT_PROFILE_TAKEN") {
        return (200, Value::Null, 0, None);
    }
    let grpc = grpc.map(|refusal| format!("{refusal:?}").replace(id, "{id}"));
    // As a value, since the entries of a map have no order on the wire.
    let text = answer.text().replace(id, "{id}");
    let body = serde_json::from_str(&text).expect("a refusal is JSON");
    (answer.status, body, text.len(), grpc)
}

/// How many rows of a tenant each table has, and a hash of them, when all of its events have had their effects.
async fn snapshot(tenant: &Tenant) -> BTreeMap<String, (usize, u64)> {
    settled(tenant).await;
    let mut all = BTreeMap::new();
    for service in SERVICES {
        let mut connection = database::superuser(tenant.facts(), service).await;
        for table in database::tenant_tables(&mut connection).await {
            // Who called last is noted whatever was asked, and what is in flight still arrives.
            if table.starts_with("platform.") {
                continue;
            }
            let rows = database::rows(&mut connection, &table, tenant.id).await;
            let mut hasher = DefaultHasher::new();
            rows.iter().for_each(|row| row.to_string().hash(&mut hasher));
            all.insert(format!("{service}.{table}"), (rows.len(), hasher.finish()));
        }
    }
    all
}

/// I5, PLT-12: lists, figures, streams, tokens of pages and cursors of one tenant are of no use in another.
#[tokio::test]
async fn nothing_of_another_tenant_is_listed_counted_streamed_or_continued() {
    let (ours, theirs) = (Tenant::fresh(), Tenant::fresh());
    let their_world = World::make(&theirs).await;
    their_world.create("Account").await;
    let (we, they) = (ours.administrator(), their_world.keeper.clone());

    for (_, collection, _) in NOUNS {
        let path = format!("/v1/{collection}");
        let found = we.list_all(&path, collection, &[("showDeleted", "true")]).await;
        assert!(found.is_empty(), "{collection} shows {found:?}");
    }
    let filter = format!("account = \"{}\"", their_world.account);
    assert!(
        list(&we.query("/v1/opportunities", &[("filter", &filter)]).await.ok(), "opportunities").is_empty()
    );
    assert!(
        they.query("/v1/opportunities", &[("filter", &filter)]).await.ok()["opportunities"][0].is_object()
    );
    assert_eq!(we.get("/v1/funnel:query").await.ok()["total"]["total"]["count"], "0");

    let page = they.query("/v1/accounts", &[("pageSize", "1")]).await.ok();
    let token = page["nextPageToken"].as_str().expect("there are two accounts");
    we.query("/v1/accounts", &[("pageSize", "1"), ("pageToken", token)])
        .await
        .refused_as("INVALID_PAGE_TOKEN");

    for service in SERVICES {
        let cursor = some_cursor(&they, service).await;
        let path = format!("/v1/{service}/events:replay");
        assert_eq!(we.get(&path).await.text(), "", "a stream of {service} leaks");
        we.query(&path, &[("cursor", &cursor)]).await.refused_as("INVALID_CURSOR");
        let other = if service == "sales" { "customers" } else { "sales" };
        let path = format!("/v1/{other}/events:replay");
        they.query(&path, &[("cursor", &cursor)]).await.refused_as("INVALID_CURSOR");
        let path = format!("/v1/{service}/events:subscribe");
        we.query(&path, &[("cursor", &cursor)]).await.refused_as("INVALID_CURSOR");
        subscribed_to_ours_alone(&we, service).await;
    }
}

/// Of all that happened, a subscriber is told what happened in its own tenant: the first thing is what it does itself.
async fn subscribed_to_ours_alone(we: &Caller, service: &str) {
    let path = format!("/v1/{service}/events:subscribe");
    let mut stream = HttpStream::open(we, &path, &[("fromStart", "true")], Form::Lines).await;
    let (collection, body) = match service {
        "customers" => ("accounts", json!({ "displayName": "Ours" })),
        "sales" => (
            "pipelines",
            json!({ "displayName": "Ours", "stages": [{ "key": "lead", "displayName": "Lead" }] }),
        ),
        _ => ("paymentTerms", json!({ "code": "OURS", "displayName": "30 days", "days": 30, "rule": "NET" })),
    };
    let ours = name(&we.post(&format!("/v1/{collection}"), body).await.ok());
    let first = stream.take(1, SOON).await;
    assert_eq!(text(&first[0].body, "subject"), ours, "a subscription to {service} leaks");
}

async fn some_cursor(caller: &Caller, service: &str) -> String {
    let replay = method(&format!("trato.{service}.v1.EventService.ReplayEvents"));
    let look = || async { caller.collect(&replay, &json!({})).await.unwrap_or_default() };
    let events = eventually(SOON, "an event to be numbered", look, |events| !events.is_empty()).await;
    events[0]["cursor"].as_str().expect("an event has a cursor").to_owned()
}
