//! Writes the standard request and response traits for every message that has their shape.

use std::fmt::Write as _;

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};

use crate::fields::{resource_options, resources, rust_field, rust_path};

/// The impls for all requests and responses of `package`.
pub fn impls(pool: &DescriptorPool, package: &str) -> String {
    let mut code = String::new();
    let message = |name: String| pool.get_message_by_name(&format!("{package}.{name}"));
    for resource in resources(pool, package) {
        let (noun, rust) = (resource.name().to_owned(), rust_path(&resource));
        let plural = plural(&resource);
        let (field, fields) = (noun.to_snake_case(), plural.to_snake_case());
        if let Some(request) = message(format!("Get{noun}Request")) {
            write_get(&mut code, &request, &rust);
        }
        if let (Some(request), Some(response)) =
            (message(format!("List{plural}Request")), message(format!("List{plural}Response")))
        {
            write_list(&mut code, &request, &response, &rust, &fields);
        }
        if let Some(request) = message(format!("Create{noun}Request")) {
            write_create(&mut code, &request, &rust, &field);
        }
        for verb in ["Update", "Upsert"] {
            if let Some(request) = message(format!("{verb}{noun}Request")) {
                write_update(&mut code, &request, &rust, &field);
            }
        }
        if let (Some(request), Some(response)) =
            (message(format!("BatchGet{plural}Request")), message(format!("BatchGet{plural}Response")))
        {
            write_batch_get(&mut code, &request, &response, &rust, &fields);
        }
        if let (Some(request), Some(response)) =
            (message(format!("BatchCreate{plural}Request")), message(format!("BatchCreate{plural}Response")))
        {
            write_batch_create(&mut code, &request, &response, &noun, &field);
        }
    }
    for request in pool.all_messages().filter(|message| message.package_name() == package) {
        if request.name().ends_with("Request") && is_verb(&request) {
            write_verb(&mut code, &request);
        }
    }
    code
}

fn plural(resource: &MessageDescriptor) -> String {
    let named = resource_options(resource).and_then(|options| {
        options.get_field_by_name("plural").map(|plural| plural.as_str().unwrap_or("").to_owned())
    });
    named.unwrap_or_default().to_upper_camel_case()
}

fn is_string(message: &MessageDescriptor, field: &str) -> bool {
    message.get_field_by_name(field).is_some_and(|field| field.kind() == Kind::String && !field.is_list())
}

fn is_verb(message: &MessageDescriptor) -> bool {
    let validates =
        message.get_field_by_name("validate_only").is_some_and(|field| field.kind() == Kind::Bool);
    ["name", "etag", "request_id"].into_iter().all(|field| is_string(message, field)) && validates
}

fn write_get(code: &mut String, request: &MessageDescriptor, resource: &str) {
    if !is_string(request, "name") {
        return;
    }
    let path = rust_path(request);
    let _ = write!(
        code,
        "
impl trato_types::standard::GetRequest for {path} {{
    type Message = {resource};
    fn name(&self) -> &str {{ &self.name }}
}}
"
    );
}

fn write_list(
    code: &mut String,
    request: &MessageDescriptor,
    response: &MessageDescriptor,
    resource: &str,
    items: &str,
) {
    let (path, answer) = (rust_path(request), rust_path(response));
    let text = |field: &str| {
        if is_string(request, field) { format!("&self.{}", rust_field(field)) } else { "\"\"".to_owned() }
    };
    let show_deleted =
        if request.get_field_by_name("show_deleted").is_some() { "self.show_deleted" } else { "false" };
    let (parent, page_token, filter, order_by) =
        (text("parent"), text("page_token"), text("filter"), text("order_by"));
    let _ = write!(
        code,
        "
impl trato_types::standard::ListRequest for {path} {{
    type Message = {resource};
    fn parent(&self) -> &str {{ {parent} }}
    fn page_size(&self) -> i32 {{ self.page_size }}
    fn page_token(&self) -> &str {{ {page_token} }}
    fn filter(&self) -> &str {{ {filter} }}
    fn order_by(&self) -> &str {{ {order_by} }}
    fn show_deleted(&self) -> bool {{ {show_deleted} }}
}}
impl trato_types::standard::ListResponse<{resource}> for {answer} {{
    fn page(items: Vec<{resource}>, next_page_token: String) -> Self {{ Self {{ {items}: items, next_page_token }} }}
}}
"
    );
}

const TAKE_REQUEST_ID: &str =
    "fn take_request_id(&mut self) -> String { std::mem::take(&mut self.request_id) }";
const OPTIONS: &str =
    "trato_types::standard::WriteOptions { request_id: self.request_id, validate_only: self.validate_only }";

fn write_create(code: &mut String, request: &MessageDescriptor, resource: &str, field: &str) {
    let path = rust_path(request);
    let _ = write!(
        code,
        "
impl trato_types::standard::CreateRequest for {path} {{
    type Message = {resource};
    const FIELD: &'static str = \"{field}\";
    fn into_parts(self) -> (Option<{resource}>, trato_types::standard::WriteOptions) {{ (self.{field}, {OPTIONS}) }}
    {TAKE_REQUEST_ID}
}}
"
    );
}

fn write_update(code: &mut String, request: &MessageDescriptor, resource: &str, field: &str) {
    let path = rust_path(request);
    let _ = write!(
        code,
        "
impl trato_types::standard::UpdateRequest for {path} {{
    type Message = {resource};
    const FIELD: &'static str = \"{field}\";
    fn into_parts(self) -> (Option<{resource}>, Option<Vec<String>>, trato_types::standard::WriteOptions) {{
        (self.{field}, self.update_mask.map(|mask| mask.paths), {OPTIONS})
    }}
    {TAKE_REQUEST_ID}
}}
"
    );
}

fn write_verb(code: &mut String, request: &MessageDescriptor) {
    let path = rust_path(request);
    let _ = write!(
        code,
        "
impl trato_types::standard::VerbRequest for {path} {{
    fn name(&self) -> &str {{ &self.name }}
    fn etag(&self) -> &str {{ &self.etag }}
    fn validate_only(&self) -> bool {{ self.validate_only }}
    {TAKE_REQUEST_ID}
}}
"
    );
}

fn write_batch_get(
    code: &mut String,
    request: &MessageDescriptor,
    response: &MessageDescriptor,
    resource: &str,
    items: &str,
) {
    let (path, answer) = (rust_path(request), rust_path(response));
    let _ = write!(
        code,
        "
impl trato_types::standard::BatchGetRequest for {path} {{
    type Message = {resource};
    fn names(&self) -> &[String] {{ &self.names }}
}}
impl trato_types::standard::BatchGetResponse<{resource}> for {answer} {{
    fn all(items: Vec<{resource}>) -> Self {{ Self {{ {items}: items }} }}
}}
"
    );
}

fn write_batch_create(
    code: &mut String,
    request: &MessageDescriptor,
    response: &MessageDescriptor,
    noun: &str,
    field: &str,
) {
    let (path, answer) = (rust_path(request), rust_path(response));
    let module = response.name().to_snake_case();
    let variant = field.to_upper_camel_case();
    let _ = write!(
        code,
        "
impl trato_types::standard::BatchCreateRequest for {path} {{
    type Item = Create{noun}Request;
    fn into_parts(self) -> (Vec<Create{noun}Request>, trato_types::standard::WriteOptions) {{ (self.requests, {OPTIONS}) }}
    {TAKE_REQUEST_ID}
}}
impl trato_types::standard::BatchCreateResponse<{noun}, tonic_types::Status> for {answer} {{
    fn each(outcomes: Vec<trato_types::standard::Outcome<{noun}, tonic_types::Status>>) -> Self {{
        use trato_types::standard::Outcome;
        use {module}::result::Outcome as Wire;
        let results = outcomes.into_iter().map(|outcome| {{
            let (outcome, created) = match outcome {{
                Outcome::Created(message) => (Wire::{variant}(message), true),
                Outcome::Existing(message) => (Wire::{variant}(message), false),
                Outcome::Refused(status) => (Wire::Error(status), false),
            }};
            {module}::Result {{ outcome: Some(outcome), created }}
        }});
        Self {{ results: results.collect() }}
    }}
}}
"
    );
}
