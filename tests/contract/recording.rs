//! Who read whose data: every method whose answer can hold data of a customer or a person is recorded, and no other.

use std::collections::BTreeSet;

use prost_reflect::{Kind, MessageDescriptor, MethodDescriptor};
use serde_json::{Value, json};

use super::{
    options::{is_read, own_messages, resource},
    samples::World,
};
use crate::harness::{
    caller::Caller,
    dynamic::{self, POOL, methods},
    eventually::{SOON, eventually},
    tenant::Tenant,
    values::{list, text, texts},
};

/// The field that names whose data a message holds; empty when it holds nobody's.
fn recorded_by(message: &MessageDescriptor) -> String {
    let option = POOL.get_extension_by_name("trato.options.v1.recorded_by").expect("the contract has it");
    message.options().get_extension(&option).as_str().unwrap_or_default().to_owned()
}

/// True when the message, or what it is made of, has a field that is marked as personal.
fn is_personal(message: &MessageDescriptor) -> bool {
    let option = POOL.get_extension_by_name("trato.options.v1.personal").expect("the contract has it");
    message.fields().any(|field| field.options().get_extension(&option).as_bool() == Some(true))
}

/// True when a message of this type can hold somebody's data.
fn leads_to_data(message: &MessageDescriptor, seen: &mut BTreeSet<String>) -> bool {
    if !recorded_by(message).is_empty() {
        return true;
    }
    if !seen.insert(message.full_name().to_owned()) {
        return false;
    }
    let inner: Vec<MessageDescriptor> =
        message.fields().filter_map(|field| field.kind().as_message().cloned()).collect();
    inner.iter().any(|inner| leads_to_data(inner, seen))
}

/// The names of those whose data an answer holds, found in its JSON by the descriptors.
fn subjects(message: &MessageDescriptor, answer: &Value, names: &mut BTreeSet<String>) {
    let by = recorded_by(message);
    if let Some(field) = message.get_field_by_name(&by) {
        let whole: Vec<&str> = text(answer, field.json_name()).split('/').take(2).collect();
        names.insert(whole.join("/"));
        return;
    }
    for field in message.fields() {
        let Kind::Message(inner) = field.kind() else { continue };
        match &answer[field.json_name()] {
            Value::Array(items) => items.iter().for_each(|item| subjects(&inner, item, names)),
            Value::Null => {}
            item => subjects(&inner, item, names),
        }
    }
}

/// PLT-12: whoever adds a resource with personal data cannot forget that reading it is recorded.
#[test]
fn every_resource_with_personal_data_says_whose_it_is() {
    let mut marked = 0;
    for message in own_messages() {
        let by = recorded_by(&message);
        if resource(&message).is_some() && is_personal(&message) {
            assert!(!by.is_empty(), "{} is not recorded", message.full_name());
        }
        if !by.is_empty() {
            let field = message.get_field_by_name(&by);
            let kind = field.map(|field| (field.kind(), field.is_list()));
            assert_eq!(kind, Some((Kind::String, false)), "{}.{by}", message.full_name());
            marked += 1;
        }
    }
    assert!(marked >= 8, "the walk found only {marked} messages with data");
}

/// The records of a caller in the service of a method.
async fn records(by: &Caller, method: &MethodDescriptor, actor: &Caller) -> Vec<Value> {
    let service = match method.parent_service().package_name() {
        "trato.sales.v1" => "sales",
        "trato.billing.v1" => "billing",
        _ => "customers",
    };
    let filter = format!("actor = \"{}\"", actor.name());
    let page = by.query(&format!("/v1/{service}/accessRecords"), &[("filter", &filter)]).await.ok();
    list(&page, "accessRecords").to_vec()
}

/// PLT-12: every method is called by somebody of its own; what its answer held, and nothing else, stands in the records.
#[tokio::test]
async fn every_answer_with_data_is_recorded_with_whose_it_is_and_no_other_answer_is() {
    let tenant = Tenant::fresh();
    let world = World::make(&tenant).await;
    let auditor = tenant.caller("auditor", &["auditor"]);
    let mut recorded = Vec::new();
    let mut others = Vec::new();
    for (number, method) in methods().into_iter().enumerate() {
        let caller = tenant.caller(&format!("walker-{number}"), &["administrator"]);
        let request = world.sample(&method).await.request;
        let mut names = BTreeSet::new();
        if method.is_server_streaming() {
            caller.attempt(&method, &request).await.expect("the stream is accepted");
        } else {
            let answer = caller.unary(&method, &request).await.expect("a sample is answered");
            subjects(&method.output(), &dynamic::json(&answer), &mut names);
        }
        if leads_to_data(&method.output(), &mut BTreeSet::new()) {
            recorded.push((method, caller, names));
        } else {
            others.push((method, caller));
        }
    }
    for (method, caller, names) in &recorded {
        let look = || records(&auditor, method, caller);
        // A stream is recorded with what it sent, which depends on how far the log is numbered.
        if method.is_server_streaming() {
            continue;
        }
        let found = eventually(SOON, "the record of a call", look, |found| !found.is_empty()).await;
        assert_eq!(found.len(), 1, "{}: {found:#?}", method.full_name());
        let record = &found[0];
        let called = format!("{}/{}", method.parent_service().full_name(), method.name());
        assert_eq!(text(record, "method"), called);
        assert_eq!(text(record, "operation"), if is_read(method) { "READ" } else { "CHANGE" }, "{called}");
        assert_eq!(text(record, "outcome"), "OK", "{called}");
        let resources: BTreeSet<String> = list(record, "resources")
            .iter()
            .map(|name| name.as_str().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(resources, *names, "{called}");
    }
    // Records are written in order: once those of these last calls are there, none is still to come.
    let last = tenant.caller("last", &["administrator"]);
    for name in [&world.account, &world.opportunity] {
        last.get(&format!("/v1/{name}")).await.ok();
    }
    for get in
        ["trato.customers.v1.AccountService.GetAccount", "trato.sales.v1.OpportunityService.GetOpportunity"]
    {
        let get = dynamic::method(get);
        let look = || records(&auditor, &get, &last);
        eventually(SOON, "the last record", look, |found| !found.is_empty()).await;
    }
    for (method, caller) in &others {
        assert_eq!(records(&auditor, method, caller).await, Vec::<Value>::new(), "{}", method.full_name());
    }
    let others: Vec<String> = others.iter().map(|(method, _)| method.name().to_owned()).collect();
    assert!(recorded.len() >= 45, "only {} are recorded", recorded.len());
    for not in ["GetPipeline", "ListProducts", "QueryFunnel", "GetTeam", "GetCaller", "ExplainAccess"] {
        assert!(
            others.contains(&not.to_owned()),
            "{not} is recorded; only these are not: {}",
            others.join(" ")
        );
    }
}

/// PLT-12: what a stream of events tells of is recorded under the names of what changed.
#[tokio::test]
async fn a_stream_is_recorded_with_the_resources_it_told_of() {
    let tenant = Tenant::fresh();
    let world = World::make(&tenant).await;
    let replay = dynamic::method("trato.customers.v1.EventService.ReplayEvents");
    let listener = tenant.caller("listener", &["auditor"]);
    let listen = || async { listener.collect(&replay, &json!({})).await.unwrap_or_default() };
    let told = |events: &Vec<Value>| texts(events, "subject").contains(&world.account);
    let events = eventually(SOON, "the events to be numbered", listen, told).await;
    let wanted: BTreeSet<String> = texts(&events, "subject").into_iter().collect();

    let auditor = tenant.caller("auditor", &["auditor"]);
    let look = || async {
        let found = records(&auditor, &replay, &listener).await;
        let names = found.iter().flat_map(|record| list(record, "resources").to_vec());
        names.map(|name| name.as_str().unwrap_or_default().to_owned()).collect::<BTreeSet<_>>()
    };
    eventually(SOON, "the stream to be recorded", look, |names| *names == wanted).await;
}
