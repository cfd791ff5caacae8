//! `google.api.HttpRule` read from a method's options.

use prost_reflect::{
    DescriptorPool, DynamicMessage, ExtensionDescriptor, MethodDescriptor, ReflectMessage, Value,
};

/// One pattern with its body and response body.
#[derive(Debug)]
pub struct Rule {
    /// HTTP method; `*` for any.
    pub verb: String,
    /// Path template.
    pub path: String,
    /// Name of the field that is the body, `*` or empty.
    pub body: String,
    /// Name of the response field to answer, or empty.
    pub response_body: String,
    /// Whether it has additional bindings, which only an outermost rule may have.
    pub is_nested: bool,
}

/// The option, when the descriptors know it.
pub fn extension(pool: &DescriptorPool) -> Option<ExtensionDescriptor> {
    pool.get_extension_by_name("google.api.http")
}

/// The rule of a method and its additional bindings; empty when it has no HTTP binding.
pub fn rules(method: &MethodDescriptor, extension: Option<&ExtensionDescriptor>) -> Vec<Rule> {
    let options = method.options();
    let Some(extension) = extension.filter(|extension| options.has_extension(extension)) else {
        return Vec::new();
    };
    let value = options.get_extension(extension);
    let Some(message) = value.as_message() else { return Vec::new() };
    let mut rules = vec![rule(message, false)];
    rules.extend(additional(message).iter().map(|message| {
        let is_nested = !additional(message).is_empty();
        rule(message, is_nested)
    }));
    rules
}

fn rule(message: &DynamicMessage, is_nested: bool) -> Rule {
    let (verb, path) = pattern(message);
    Rule { verb, path, body: text(message, "body"), response_body: text(message, "response_body"), is_nested }
}

/// The member of the oneof that is set; both empty when none is.
fn pattern(message: &DynamicMessage) -> (String, String) {
    for verb in ["get", "put", "post", "delete", "patch"] {
        if message.has_field_by_name(verb) {
            return (verb.to_ascii_uppercase(), text(message, verb));
        }
    }
    match message.get_field_by_name("custom").as_deref() {
        Some(Value::Message(custom)) if message.has_field_by_name("custom") => {
            (text(custom, "kind"), text(custom, "path"))
        }
        _ => (String::new(), String::new()),
    }
}

fn text(message: &DynamicMessage, field: &str) -> String {
    let value = message.get_field_by_name(field);
    value.as_deref().and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn additional(message: &DynamicMessage) -> Vec<DynamicMessage> {
    debug_assert!(message.descriptor().get_field_by_name("additional_bindings").is_some());
    let value = message.get_field_by_name("additional_bindings");
    let list = value.as_deref().and_then(Value::as_list).unwrap_or_default();
    list.iter().filter_map(Value::as_message).cloned().collect()
}
