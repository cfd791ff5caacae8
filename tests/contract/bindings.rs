//! HTTP bindings: every method has one, no two can be confused, and each names fields that are there.

use std::collections::BTreeMap;

use prost_reflect::MessageDescriptor;

use super::options::{bindings, is_read};
use crate::harness::dynamic::methods;

/// CRD-05: every public method can be called as JSON.
#[test]
fn every_method_has_an_http_binding_that_is_its_own() {
    let mut taken = BTreeMap::new();
    for method in methods() {
        let bindings = bindings(&method);
        assert!(!bindings.is_empty(), "{} has no binding", method.full_name());
        for binding in bindings {
            let shape = format!("{} {}", binding.verb, shape(&binding.path));
            let other = taken.insert(shape.clone(), method.full_name().to_owned());
            assert_eq!(other, None, "{shape} leads to two methods");
        }
    }
    assert!(taken.len() >= 80, "the walk found only {} bindings", taken.len());
}

#[test]
fn bindings_name_fields_that_are_there() {
    for method in methods() {
        for binding in bindings(&method) {
            assert!(binding.path.starts_with("/v1/"), "{}: {}", method.full_name(), binding.path);
            for capture in binding.path.split('{').skip(1) {
                let field = capture.split(['=', '}']).next().unwrap_or_default();
                assert!(has(&method.input(), field), "{}: {field}", method.full_name());
            }
            let body = binding.body.as_str();
            assert!(
                body.is_empty() || body == "*" || has(&method.input(), body),
                "{}: {body}",
                method.full_name()
            );
            let has_body = matches!(binding.verb.as_str(), "POST" | "PATCH" | "PUT");
            assert_eq!(has_body, !body.is_empty(), "{}: {}", method.full_name(), binding.verb);
        }
    }
}

/// Methods that change nothing and are asked by POST, since their question has a body.
const READS_BY_POST: [&str; 5] = [
    "trato.billing.v1.InvoiceService.PreviewInvoice",
    "trato.sales.v1.PricingService.ExplodeBundle",
    "trato.sales.v1.PricingService.PriceDocument",
    "trato.sales.v1.PricingService.RollUpLines",
    "trato.sales.v1.PricingService.ValidateConfiguration",
];

/// What is asked by GET changes nothing. What changes nothing is asked by GET, but for the questions named here.
#[test]
fn methods_that_only_read_say_so() {
    let mut by_post = Vec::new();
    for method in methods() {
        for binding in bindings(&method) {
            match binding.verb.as_str() {
                "GET" => assert!(is_read(&method), "{} changes something by GET", method.full_name()),
                "POST" if is_read(&method) => {
                    assert_eq!(binding.body, "*", "{}", method.full_name());
                    by_post.push(method.full_name().to_owned());
                }
                verb => assert!(!is_read(&method), "{} reads by {verb}", method.full_name()),
            }
        }
    }
    by_post.sort();
    assert_eq!(by_post, READS_BY_POST);
}

/// The path with every capture written as its pattern: two that look alike take the same requests.
fn shape(path: &str) -> String {
    let mut shape = String::new();
    for part in path.split('{') {
        match part.split_once('}') {
            Some((capture, rest)) => {
                shape.push_str(capture.split_once('=').map_or("*", |(_, pattern)| pattern));
                shape.push_str(rest);
            }
            None => shape.push_str(part),
        }
    }
    shape
}

fn has(message: &MessageDescriptor, path: &str) -> bool {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let Some(field) = message.get_field_by_name(first) else { return false };
    rest.is_none_or(|rest| field.kind().as_message().is_some_and(|inner| has(inner, rest)))
}
