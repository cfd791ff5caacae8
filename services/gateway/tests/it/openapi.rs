//! The API document: complete, consistent with itself, and as the contract says.

use std::collections::BTreeSet;

use serde_json::Value;
use trato_gateway::openapi::document;

use crate::contract::{POOL, ROUTES};

fn openapi() -> Value {
    serde_json::from_str(&document(&POOL, &ROUTES)).expect("JSON")
}

/// Calls `visit` for every object in a document.
fn walk<'v>(value: &'v Value, visit: &mut impl FnMut(&'v serde_json::Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            visit(object);
            object.values().for_each(|value| walk(value, visit));
        }
        Value::Array(list) => list.iter().for_each(|value| walk(value, visit)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_referred_to() {
    let document = openapi();
    let mut named = BTreeSet::new();
    walk(&document, &mut |object| {
        if let Some(Value::String(reference)) = object.get("$ref") {
            let pointer = reference.strip_prefix('#').expect("a local reference");
            assert!(document.pointer(pointer).is_some(), "{reference}");
            named.insert(reference.clone());
        }
    });

    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    for name in schemas.keys().filter(|name| *name != "google.rpc.Status") {
        assert!(named.contains(&format!("#/components/schemas/{name}")), "{name}");
    }
}

#[test]
fn every_binding_is_an_operation_whose_path_parameters_are_declared() {
    let document = openapi();
    let paths = document["paths"].as_object().expect("paths");
    let mut ids = BTreeSet::new();
    for (path, item) in paths {
        for operation in item.as_object().expect("operations").values() {
            assert!(ids.insert(operation["operationId"].as_str().expect("an id").to_owned()), "{path}");
            let names =
                path.split('{').skip(1).map(|part| part.split('}').next().expect("a name").to_owned());
            let declared = operation["parameters"].as_array().into_iter().flatten();
            let declared = declared.filter(|parameter| parameter["in"] == "path");
            let declared: Vec<_> =
                declared.map(|parameter| parameter["name"].as_str().expect("a name").to_owned()).collect();
            assert_eq!(declared, names.collect::<Vec<_>>(), "{path}");
        }
    }
    assert_eq!(ids.len(), ROUTES.bindings().len());
}

#[test]
fn an_operation_says_what_the_contract_says() {
    let document = openapi();
    let get = &document["paths"]["/v1/books/{book}"]["get"];
    assert_eq!(get["summary"], "Gets a book.");
    assert_eq!(get["description"], "Errors: `RESOURCE_NOT_FOUND`.");
    assert_eq!(get["parameters"][0]["description"], "Part of `name`: `books/{book}`");
    assert!(document["paths"]["/v1/shelves/{shelf}/books/{book}"]["get"].is_object());
    assert!(document["paths"]["/v1/files/{path}"]["get"].is_object());

    let update = &document["paths"]["/v1/books/{book}"]["patch"];
    let names: Vec<_> =
        update["parameters"].as_array().expect("parameters").iter().map(|one| one["name"].as_str()).collect();
    assert_eq!(names, [Some("book"), Some("updateMask"), Some("requestId"), Some("Idempotency-Key")]);
    let lend = &document["paths"]["/v1/books/{book}:lend"]["post"]["requestBody"]["content"]["application/json"]
        ["schema"];
    assert!(lend["properties"]["reader"].is_object() && lend["properties"]["name"].is_null(), "{lend}");
    let bare = &document["paths"]["/v1/books:bare"]["get"]["responses"]["200"]["content"]["application/json"]
        ["schema"];
    assert_eq!(bare["type"], "array");
}

#[test]
fn a_schema_says_what_the_contract_says() {
    let document = openapi();
    let book = &document["components"]["schemas"]["example.library.v1.Book"];

    assert_eq!(book["required"], serde_json::json!(["displayName"]));
    assert_eq!(book["properties"]["createTime"]["readOnly"], true);
    assert_eq!(book["properties"]["createTime"]["format"], "date-time");
    assert_eq!(book["properties"]["pageCount"]["format"], "int64");
    assert_eq!(book["properties"]["tags"]["description"], "Words to find it by.");
    let colour = &document["components"]["schemas"]["example.library.v1.Colour"];
    assert_eq!(colour["enum"][3], "COLOUR_INFRARED");
    assert!(colour["description"].as_str().expect("text").contains("- `COLOUR_RED`: Red."));
}

#[test]
fn a_stream_has_two_forms_and_what_has_no_binding_is_named() {
    let document = openapi();
    let content = &document["paths"]["/v1/books:watch"]["get"]["responses"]["200"]["content"];

    assert!(content["application/x-ndjson"].is_object() && content["text/event-stream"].is_object());
    assert_eq!(document["x-grpc-only"][0]["method"], "example.library.v1.LibraryService.Chat");
}
