//! Reads annotations out of the descriptors, as the programs do.

use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, MethodDescriptor, Value};

use crate::harness::dynamic::POOL;

/// One HTTP binding of a method.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Binding {
    /// HTTP method.
    pub verb: String,
    /// Path template.
    pub path: String,
    /// Name of the field that is the body, `*`, or empty.
    pub body: String,
}

/// The HTTP bindings of a method, the first one first.
pub fn bindings(method: &MethodDescriptor) -> Vec<Binding> {
    let http = POOL.get_extension_by_name("google.api.http").expect("the contract imports the option");
    let options = method.options();
    if !options.has_extension(&http) {
        return Vec::new();
    }
    let rule = options.get_extension(&http);
    let rule = rule.as_message().expect("the option is a message");
    let more = rule.get_field_by_name("additional_bindings");
    let more = more.as_deref().and_then(Value::as_list).unwrap_or_default();
    let rules = std::iter::once(rule).chain(more.iter().filter_map(Value::as_message));
    rules.map(binding).collect()
}

fn binding(rule: &DynamicMessage) -> Binding {
    let verb =
        ["get", "put", "post", "delete", "patch"].into_iter().find(|verb| rule.has_field_by_name(verb));
    let verb = verb.expect("a rule has one of HTTP's methods");
    Binding { verb: verb.to_ascii_uppercase(), path: text(rule, verb), body: text(rule, "body") }
}

/// The permission a method asks for; empty when it names none.
pub fn permission(method: &MethodDescriptor) -> String {
    let option =
        POOL.get_extension_by_name("trato.options.v1.permission").expect("the contract has the option");
    method.options().get_extension(&option).as_str().unwrap_or_default().to_owned()
}

/// Methods that change nothing and are asked with more than an address can hold.
const READ_BY_POST: [&str; 1] = ["PreviewInvoice"];

/// True when the method changes nothing.
pub fn is_read(method: &MethodDescriptor) -> bool {
    let by_get = bindings(method).first().is_some_and(|binding| binding.verb == "GET");
    by_get || READ_BY_POST.contains(&method.name())
}

/// What `google.api.resource` says of a message; none for a message that is no resource.
pub fn resource(message: &MessageDescriptor) -> Option<DynamicMessage> {
    let option = POOL.get_extension_by_name("google.api.resource")?;
    let options = message.options();
    options.has_extension(&option).then(|| options.get_extension(&option).as_message().cloned()).flatten()
}

/// Names of the behaviours of a field: `REQUIRED`, `OUTPUT_ONLY`.
pub fn behaviours(field: &FieldDescriptor) -> Vec<String> {
    let option =
        POOL.get_extension_by_name("google.api.field_behavior").expect("the contract imports the option");
    let numbers = field.options().get_extension(&option).into_owned();
    let kinds = POOL.get_enum_by_name("google.api.FieldBehavior").expect("it comes with the option");
    let numbers = numbers.as_list().unwrap_or_default().iter().filter_map(Value::as_enum_number);
    numbers.filter_map(|number| kinds.get_value(number)).map(|value| value.name().to_owned()).collect()
}

/// A text field of an option's message.
pub fn text(message: &DynamicMessage, field: &str) -> String {
    let value = message.get_field_by_name(field);
    value.as_deref().and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Every message of the suite's own packages, nested ones included, without the entries of maps.
pub fn own_messages() -> Vec<MessageDescriptor> {
    let own =
        |message: &MessageDescriptor| message.package_name().starts_with("trato.") && !message.is_map_entry();
    POOL.all_messages().filter(own).collect()
}
