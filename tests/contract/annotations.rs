//! The shape of the contract: standard fields, request ids, enums, collections that are unique suite-wide.

use std::collections::BTreeMap;

use prost_reflect::{Kind, MessageDescriptor, Value};

use super::options::{behaviours, bindings, is_read, own_messages, resource, text};
use crate::harness::dynamic::{POOL, methods};

/// Resources that are read only, and have no life of their own: entries of a history.
const HISTORIES: [&str; 2] = ["trato.customers.v1.TimelineEntry", "trato.sales.v1.StageChange"];

/// Resources that verbs alone make and change.
pub const BY_VERBS: [&str; 3] =
    ["trato.billing.v1.CreditReservation", "trato.billing.v1.DunningState", "trato.billing.v1.ParkedTask"];

/// Lists that have one order, the oldest first.
const IN_ONE_ORDER: [&str; 2] = ["ListStageChanges", "ListStalledChains"];

fn living_resources() -> Vec<MessageDescriptor> {
    let resources = own_messages().into_iter().filter(|message| resource(message).is_some());
    resources.filter(|message| !HISTORIES.contains(&message.full_name())).collect()
}

fn kind_of(message: &MessageDescriptor, field: &str) -> Option<String> {
    Some(match message.get_field_by_name(field)?.kind() {
        Kind::Message(kind) => kind.full_name().to_owned(),
        kind => format!("{kind:?}"),
    })
}

#[test]
fn every_resource_has_the_standard_fields() {
    let time = "google.protobuf.Timestamp";
    let standard = [
        ("name", "string", "IDENTIFIER"),
        ("create_time", time, "OUTPUT_ONLY"),
        ("update_time", time, "OUTPUT_ONLY"),
        ("delete_time", time, "OUTPUT_ONLY"),
        ("creator", "string", "OUTPUT_ONLY"),
        ("source", "string", "IMMUTABLE"),
        ("external_id", "string", "IMMUTABLE"),
    ];
    let resources = living_resources();
    assert!(resources.len() >= 7, "the walk found only {} resources", resources.len());
    for message in resources {
        let name = message.full_name();
        for (field, kind, behaviour) in standard {
            assert_eq!(kind_of(&message, field).as_deref(), Some(kind), "{name}.{field}");
            let field = message.get_field_by_name(field).expect("its kind was just read");
            assert!(
                behaviours(&field).iter().any(|one| one == behaviour),
                "{} is not {behaviour}",
                field.full_name()
            );
        }
        assert_eq!(kind_of(&message, "etag").as_deref(), Some("string"), "{name}.etag");
        let ownable = [message.get_field_by_name("owner"), message.get_field_by_name("team")];
        assert!(
            ownable.iter().all(Option::is_some) || ownable.iter().all(Option::is_none),
            "{name} is half ownable"
        );
    }
}

#[test]
fn every_resource_has_the_five_standard_methods_batches_undelete_and_upsert() {
    let methods: Vec<String> = methods().iter().map(|method| method.name().to_owned()).collect();
    let written = |message: &MessageDescriptor| !BY_VERBS.contains(&message.full_name());
    for message in living_resources().into_iter().filter(written) {
        let options = resource(&message).expect("it is one");
        let plural = upper_camel(&text(&options, "plural"));
        let noun = message.name();
        for wanted in [
            format!("Get{noun}"),
            format!("List{plural}"),
            format!("Create{noun}"),
            format!("Update{noun}"),
            format!("Delete{noun}"),
            format!("Undelete{noun}"),
            format!("BatchGet{plural}"),
            format!("BatchCreate{plural}"),
            format!("Upsert{noun}"),
        ] {
            assert!(methods.contains(&wanted), "there is no {wanted}");
        }
    }
}

#[test]
fn every_method_that_changes_something_can_be_repeated_and_tried() {
    for method in methods().iter().filter(|method| !is_read(method)) {
        let input = method.input();
        for (field, kind) in [("request_id", "string"), ("validate_only", "bool")] {
            assert_eq!(kind_of(&input, field).as_deref(), Some(kind), "{}.{field}", input.full_name());
        }
    }
}

#[test]
fn every_method_on_one_resource_that_is_there_takes_an_etag() {
    for method in methods().iter().filter(|method| !is_read(method)) {
        let input = method.input();
        if input.get_field_by_name("name").is_some() {
            assert_eq!(kind_of(&input, "etag").as_deref(), Some("string"), "{}", input.full_name());
        }
        let masked = input.get_field_by_name("update_mask").is_some();
        let changes = method.name().starts_with("Update") || method.name().starts_with("Upsert");
        assert_eq!(masked, changes, "{} has a mask where it should have none, or none", input.full_name());
    }
}

#[test]
fn every_list_has_pages_and_every_collection_can_be_filtered_and_ordered() {
    for method in methods().iter().filter(|method| method.name().starts_with("List")) {
        let (input, output) = (method.input(), method.output());
        if input.get_field_by_name("page_size").is_none() {
            assert_eq!(method.name(), "ListViewers", "{} has no pages", method.full_name());
            continue;
        }
        assert_eq!(kind_of(&input, "page_size").as_deref(), Some("int32"), "{}", input.full_name());
        assert_eq!(kind_of(&input, "page_token").as_deref(), Some("string"), "{}", input.full_name());
        assert_eq!(kind_of(&output, "next_page_token").as_deref(), Some("string"), "{}", output.full_name());
        if method.name() != "ListStageChanges" {
            assert_eq!(kind_of(&input, "filter").as_deref(), Some("string"), "{}", input.full_name());
        }
        if !IN_ONE_ORDER.contains(&method.name()) {
            assert_eq!(kind_of(&input, "order_by").as_deref(), Some("string"), "{}", input.full_name());
        }
    }
}

#[test]
fn collections_are_unique_over_the_whole_suite_and_paths_are_made_of_them() {
    let mut collections = BTreeMap::new();
    for message in own_messages() {
        let Some(options) = resource(&message) else { continue };
        let (plural, kind) = (text(&options, "plural"), text(&options, "type"));
        assert!(!plural.is_empty() && kind.contains(".trato/"), "{} is not named", message.full_name());
        let patterns = options.get_field_by_name("pattern").expect("the option has patterns");
        let patterns = patterns.as_list().expect("they are a list");
        let innermost = |pattern: &Value| {
            let pattern = pattern.as_str().unwrap_or_default();
            pattern.rsplit('/').nth(1).unwrap_or_default().to_owned()
        };
        assert!(!patterns.is_empty(), "{} has no pattern", message.full_name());
        assert!(patterns.iter().all(|pattern| innermost(pattern) == plural), "{}", message.full_name());
        let other = collections.insert(plural.clone(), message.full_name().to_owned());
        assert_eq!(other, None, "{plural} is a collection twice");
    }
    for method in methods() {
        for binding in bindings(&method) {
            for capture in binding.path.split('{').skip(1) {
                let pattern =
                    capture.split('}').next().unwrap_or_default().split('=').nth(1).unwrap_or_default();
                let collection = pattern.split('/').next().unwrap_or_default();
                assert!(collections.contains_key(collection), "{}: {}", method.full_name(), binding.path);
            }
        }
    }
}

#[test]
fn every_enum_begins_with_a_value_that_says_nothing() {
    let enums = POOL.all_enums().filter(|one| one.package_name().starts_with("trato."));
    let mut seen = 0;
    for one in enums {
        let zero = one.default_value();
        assert_eq!(zero.number(), 0, "{}", one.full_name());
        let wanted = format!("{}_UNSPECIFIED", upper_snake(one.name()));
        assert_eq!(zero.name(), wanted, "{}", one.full_name());
        seen += 1;
    }
    assert!(seen >= 8, "the walk found only {seen} enums");
}

#[test]
fn states_are_changed_by_verbs_only() {
    for message in living_resources() {
        for field in message.fields().filter(|field| field.name() == "state") {
            assert!(behaviours(&field).contains(&"OUTPUT_ONLY".to_owned()), "{}", field.full_name());
        }
    }
}

fn upper_camel(word: &str) -> String {
    let (first, rest) = word.split_at(word.len().min(1));
    format!("{}{rest}", first.to_uppercase())
}

/// `UpperCamel` as `UPPER_SNAKE`.
pub fn upper_snake(word: &str) -> String {
    let mut snake = String::new();
    for letter in word.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_uppercase());
    }
    snake
}
