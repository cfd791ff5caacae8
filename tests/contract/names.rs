//! Resource names in requests: where they stand, and others in their place.

use rand::random;
use serde_json::{Value, json};
use uuid::Uuid;

use super::samples::NOUNS;

/// A name of the same collection that nothing has. Members get an unlikely subject, all others an identifier.
pub fn random_name(name: &str) -> String {
    let collection = name.split_once('/').map_or(name, |(collection, _)| collection);
    match collection {
        "members" => format!("members/nobody-{:032x}", random::<u128>()),
        _ => format!("{collection}/{}", Uuid::now_v7()),
    }
}

/// Where a request holds resource names, as JSON pointers.
pub fn names_in(request: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(request, String::new(), &mut found);
    found
}

/// The request with every resource name put in another's place.
pub fn with_random_names(request: &Value) -> Value {
    let mut changed = request.clone();
    for pointer in names_in(request) {
        let place = changed.pointer_mut(&pointer).expect("the pointer was just found");
        *place = json!(random_name(place.as_str().unwrap_or_default()));
    }
    changed
}

fn walk(value: &Value, pointer: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| walk(value, format!("{pointer}/{key}"), found))
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, value)| walk(value, format!("{pointer}/{at}"), found));
        }
        Value::String(text) => {
            let collection = text.split_once('/').map(|(collection, _)| collection);
            if NOUNS.iter().any(|(_, known, _)| Some(*known) == collection) {
                found.push(pointer);
            }
        }
        _ => {}
    }
}
