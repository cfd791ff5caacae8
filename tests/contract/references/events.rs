//! `events.md`: from the comments of the methods, which say what they publish, held against the verbs in the sources; and
//! from the subscriptions.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{MessageDescriptor, MethodDescriptor};

use super::{
    MADE, code_list,
    comments::{code_spans, comment, comment_of},
    keep,
    sources::{Consumer, consumers, verbs},
    table,
};
use crate::{
    contract::{
        annotations::{BY_VERBS, upper_snake},
        options::{is_read, own_messages},
    },
    harness::dynamic::methods,
};

const INTRODUCTION: &str = "\
Every change of a resource is one event, appended in the transaction of the change: `trato.events.v1.Event` in the log
and in the streams of `EventService`, `trato.events.v1.Change` on the broker, where the type is the routing key. It
carries the resource after the change, the names of the fields that differ, and the facts named here. Order holds per
resource; each event takes effect once per consumer.

A consumer that changes a resource publishes an event of its own, with the first one as its `cause`: `make-customer` makes
of `trato.sales.v1.opportunity.won` a `trato.customers.v1.account.updated`.
";

/// The types that a method publishes: those its comment names, or those of a standard method.
fn published(method: &MethodDescriptor) -> BTreeSet<String> {
    let comment = comment_of(method);
    let named: BTreeSet<String> = code_spans(&comment)
        .filter(|span| span.starts_with("trato.") && span.split('.').count() == 5)
        .map(str::to_owned)
        .collect();
    if !named.is_empty() {
        return named;
    }
    let participles: &[&str] = match method.name() {
        name if name.starts_with("Create") || name.starts_with("BatchCreate") => &["created"],
        name if name.starts_with("Update") => &["updated"],
        name if name.starts_with("Upsert") => &["created", "updated"],
        name if name.starts_with("Delete") => &["deleted"],
        name if name.starts_with("Undelete") => &["undeleted"],
        _ => &[],
    };
    let service = method.parent_service();
    let noun = upper_snake(service.name().trim_end_matches("Service")).to_lowercase();
    participles.iter().map(|participle| format!("{}.{noun}.{participle}", service.package_name())).collect()
}

/// The methods by the type that they publish.
fn types() -> BTreeMap<String, Vec<String>> {
    let mut types: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for method in methods().iter().filter(|method| !is_read(method)) {
        let published = published(method);
        assert!(
            !published.is_empty(),
            "{} changes something and does not say what it publishes",
            method.full_name()
        );
        for kind in published {
            types.entry(kind).or_default().push(method.name().to_owned());
        }
    }
    types
}

/// The facts by the type that they ride on: the message whose comment says so.
fn facts(messages: &[MessageDescriptor]) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    for message in messages {
        let comment = comment(&message.parent_file(), message.path());
        for (_, rest) in
            comment.match_indices("Rides on `").map(|(at, rides)| comment.split_at(at + rides.len()))
        {
            let kind = rest.split('`').next().unwrap_or_default();
            facts.insert(kind.to_owned(), message.full_name().to_owned());
        }
    }
    facts
}

/// Beginning of the event types of a resource.
fn event_of(message: &str) -> String {
    let (package, noun) = message.rsplit_once('.').unwrap_or_default();
    format!("{package}.{}", upper_snake(noun).to_lowercase())
}

fn hears(consumer: &Consumer, kind: &str) -> bool {
    consumer.patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(beginning) => kind.starts_with(beginning),
        None => pattern == kind,
    })
}

/// What the contract says of events is what the services do, and the other way round.
#[test]
fn every_verb_in_the_sources_publishes_what_the_contract_says() {
    let types = types();
    let mut in_sources: BTreeSet<String> = BTreeSet::new();
    for (event, participles) in verbs() {
        // What verbs alone make has no standard methods.
        let by_verbs = BY_VERBS.iter().any(|message| event_of(message) == event);
        let standard: &[&str] = if by_verbs { &[] } else { &["created", "updated", "deleted", "undeleted"] };
        let standard = standard.iter().map(|participle| (*participle).to_owned());
        in_sources.extend(
            participles.into_iter().chain(standard).map(|participle| format!("{event}.{participle}")),
        );
    }
    let unsaid: Vec<_> = in_sources.iter().filter(|kind| !types.contains_key(*kind)).collect();
    assert!(unsaid.is_empty(), "no method of the contract says that it publishes {unsaid:?}");
    let invented: Vec<_> = types.keys().filter(|kind| !in_sources.contains(*kind)).collect();
    assert!(invented.is_empty(), "nothing in the sources publishes {invented:?}");
    for consumer in consumers() {
        for pattern in &consumer.patterns {
            let alone =
                Consumer { patterns: vec![pattern.clone()], component: String::new(), name: String::new() };
            assert!(
                types.keys().any(|kind| hears(&alone, kind)),
                "{} waits for {pattern} in vain",
                consumer.name
            );
        }
    }
}

#[test]
fn the_reference_of_events_is_up_to_date() {
    let (types, consumers, facts) = (types(), consumers(), facts(&own_messages()));
    let mut text = format!("# Events\n\n{MADE}\n\n{INTRODUCTION}");
    let mut packages: BTreeMap<String, Vec<[String; 4]>> = BTreeMap::new();
    for (kind, methods) in &types {
        let package = kind.splitn(4, '.').take(3).collect::<Vec<_>>().join(".");
        let hearing =
            consumers.iter().filter(|consumer| hears(consumer, kind)).map(|consumer| {
                match consumer.component.as_str() {
                    "platform" => format!("{} in every service", consumer.name),
                    service => format!("{} in {service}", consumer.name),
                }
            });
        packages.entry(package).or_default().push([
            format!("`{kind}`"),
            code_list(methods.iter().map(String::as_str)),
            facts.get(kind).map(|fact| format!("`{fact}`")).unwrap_or_default(),
            hearing.collect::<Vec<_>>().join(", "),
        ]);
    }
    for (package, rows) in packages {
        text.push_str(&format!(
            "\n## {package}\n\n{}",
            table(["type", "published by", "fact", "consumers"], rows)
        ));
    }
    keep("events.md", &text);
}
