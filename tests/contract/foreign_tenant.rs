//! Another tenant's resources: every method answers as if they were not there, byte for byte.

use serde_json::{Value, json};

use super::{
    samples::{NOUNS, World, names_in, random_name},
    transcode,
};
use crate::harness::{
    answer::{Answer, Refusal},
    caller::Caller,
    database,
    dynamic::{method, methods},
    eventually::{SOON, eventually},
    tenant::Tenant,
    values::list,
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
    for method in methods().iter().filter(|method| method.name() != "SubscribeEvents") {
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
                let answer = transcode::send(&our_world.keeper, method, &request).await;
                let grpc =
                    our_world.keeper.attempt(method, &request).await.map_err(|status| Refusal::of(&status));
                told.push(summary(&answer, grpc.err(), name));
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

/// HTTP status, body without the name that was asked for, its length with any other name of that length, and the refusal
/// by gRPC.
fn summary(answer: &Answer, grpc: Option<Refusal>, name: &str) -> (u16, Value, usize, Option<String>) {
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

/// Every row of a tenant in every service.
async fn snapshot(tenant: &Tenant) -> Value {
    let mut all = serde_json::Map::new();
    for service in ["customers", "sales", "billing"] {
        let mut connection = database::superuser(tenant.facts(), service).await;
        for table in database::tenant_tables(&mut connection).await {
            // Who called last is noted whatever was asked, and what is in flight still arrives.
            if table.starts_with("platform.") {
                continue;
            }
            let rows = database::rows(&mut connection, &table, tenant.id).await;
            all.insert(format!("{service}.{table}"), json!(rows.len()));
        }
    }
    Value::Object(all)
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

    for service in ["customers", "sales", "billing"] {
        let cursor = some_cursor(&they, service).await;
        let path = format!("/v1/{service}/events:replay");
        assert_eq!(we.get(&path).await.text(), "", "a stream of {service} leaks");
        we.query(&path, &[("cursor", &cursor)]).await.refused_as("INVALID_CURSOR");
        let other = if service == "sales" { "customers" } else { "sales" };
        let path = format!("/v1/{other}/events:replay");
        they.query(&path, &[("cursor", &cursor)]).await.refused_as("INVALID_CURSOR");
    }
}

async fn some_cursor(caller: &Caller, service: &str) -> String {
    let replay = method(&format!("trato.{service}.v1.EventService.ReplayEvents"));
    let look = || async { caller.collect(&replay, &json!({})).await.unwrap_or_default() };
    let events = eventually(SOON, "an event to be numbered", look, |events| !events.is_empty()).await;
    events[0]["cursor"].as_str().expect("an event has a cursor").to_owned()
}
