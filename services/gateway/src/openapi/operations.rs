//! Each HTTP binding as an operation: parameters, body, answers.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, FieldDescriptor, MethodDescriptor, Value};

use super::{
    PERMISSION,
    comments::{members, option, split},
    json::Object,
    parameters,
    schemas::Schemas,
};
use crate::routes::{Binding, Body, Method};

/// Collects operations by path.
pub struct Operations<'p> {
    pool: &'p DescriptorPool,
    /// Schemas that the operations refer to.
    pub schemas: Schemas<'p>,
    /// Operations by path and HTTP method.
    pub paths: Object,
    ids: Vec<String>,
    /// What a member of each collection is called.
    members: HashMap<String, String>,
}

impl<'p> Operations<'p> {
    /// None yet.
    pub fn new(pool: &'p DescriptorPool) -> Self {
        Self {
            pool,
            schemas: Schemas::new(pool),
            paths: Object::new(),
            ids: Vec::new(),
            members: members(pool),
        }
    }

    /// Adds a binding.
    pub fn add(&mut self, method: &Method, binding: &Binding) {
        let service = self.pool.get_service_by_name(&method.service);
        let found = service.and_then(|service| service.methods().find(|own| own.name() == method.name));
        let (Some(descriptor), Some(verb)) = (found, &binding.verb) else { return };
        let operation = self.operation(&descriptor, method, binding);
        let path = parameters::path(binding, &self.members);
        self.paths.object(&path.text).put(verb.as_str().to_ascii_lowercase(), operation);
    }

    fn operation(&mut self, descriptor: &MethodDescriptor, method: &Method, binding: &Binding) -> Object {
        let file = descriptor.parent_service().parent_file();
        let comment = self.schemas.comments.at(file.name(), descriptor.path()).to_owned();
        let (summary, mut description) = (split(&comment).0.to_owned(), split(&comment).1.to_owned());
        let permission = match option(self.pool, &descriptor.options(), PERMISSION) {
            Some(Value::String(permission)) => permission,
            _ => String::new(),
        };
        if !permission.is_empty() {
            description =
                format!("{description}\n\nNeeds the permission `{permission}`.").trim_start().to_owned();
        }
        let mut parameters = parameters::path(binding, &self.members).parameters;
        parameters.extend(parameters::query(&mut self.schemas, &descriptor.input(), binding));
        parameters.extend(headers(method));
        let mut operation = Object::new()
            .with("operationId", self.id(descriptor))
            .with("tags", vec![method.service.clone()])
            .with_text("summary", &summary)
            .with_text("description", &description);
        if descriptor.method_descriptor_proto().options.as_ref().is_some_and(|options| options.deprecated()) {
            operation.put("deprecated", true);
        }
        if !parameters.is_empty() {
            operation.put("parameters", parameters);
        }
        if let Some(body) = self.body(descriptor, binding) {
            operation.put("requestBody", body);
        }
        operation.put("responses", self.responses(descriptor, binding));
        operation.put("x-grpc-method", format!("{}/{}", method.service, method.name));
        operation.with_text("x-permission", &permission)
    }

    /// `BookService_GetBook`, with a number for additional bindings.
    fn id(&mut self, descriptor: &MethodDescriptor) -> String {
        let service = descriptor.parent_service();
        let package = service.package_name().replace('.', "_");
        let plain = format!("{package}_{}_{}", service.name(), descriptor.name());
        let count = self.ids.iter().filter(|id| **id == plain).count();
        self.ids.push(plain.clone());
        if count == 0 { plain } else { format!("{plain}_{}", count + 1) }
    }

    fn body(&mut self, descriptor: &MethodDescriptor, binding: &Binding) -> Option<Object> {
        let input = descriptor.input();
        let schema = match binding.body {
            Body::None => return None,
            Body::Whole => {
                let captured = |field: &FieldDescriptor| {
                    binding.captures.iter().any(|capture| capture.name == field.name())
                };
                if binding.captures.is_empty() {
                    self.schemas.message(&input)
                } else {
                    self.schemas.object(&input, |field| !captured(field))
                }
            }
            Body::Field(position) => {
                let mut fields: Vec<_> = input.fields().collect();
                fields.sort_by_key(FieldDescriptor::number);
                let field = fields.get(position)?;
                self.schemas.field(field)
            }
        };
        let content = Object::new().with("application/json", Object::new().with("schema", schema));
        Some(Object::new().with("required", true).with("content", content))
    }

    fn responses(&mut self, descriptor: &MethodDescriptor, binding: &Binding) -> Object {
        let output = descriptor.output();
        let schema = match binding.response_body {
            None => self.schemas.message(&output),
            Some(position) => {
                let mut fields: Vec<_> = output.fields().collect();
                fields.sort_by_key(FieldDescriptor::number);
                fields.get(position).map(|field| self.schemas.field(field)).unwrap_or_default()
            }
        };
        let of = |schema: Object| Object::new().with("schema", schema);
        let success = if descriptor.is_server_streaming() {
            let error = Object::new().with("$ref", "#/components/schemas/Error/properties/error");
            let lines = Object::new()
                .with("type", "object")
                .with("description", "One line; the last one has `error` when the stream failed.")
                .with("properties", Object::new().with("result", schema.clone()).with("error", error));
            let content =
                Object::new().with("application/x-ndjson", of(lines)).with("text/event-stream", of(schema));
            Object::new()
                .with(
                    "description",
                    "A stream: a JSON object a line, or, with `Accept: text/event-stream`, server-sent events.",
                )
                .with("content", content)
        } else {
            let content = Object::new().with("application/json", of(schema));
            Object::new().with("description", "The answer.").with("content", content)
        };
        let error = Object::new().with("$ref", "#/components/responses/Error");
        Object::new().with("200", success).with("default", error)
    }
}

/// Headers that become fields.
fn headers(method: &Method) -> Vec<Object> {
    let header = |name: &'static str, format: &'static str, description: &'static str| {
        let schema = Object::new().with("type", "string").with_text("format", format);
        Object::new()
            .with("name", name)
            .with("in", "header")
            .with("description", description)
            .with("schema", schema)
    };
    let mut headers = Vec::new();
    if method.request_id.is_some() {
        let description = "Makes the call safe to repeat: with the same UUID the first answer comes again.";
        headers.push(header("Idempotency-Key", "uuid", description));
    }
    if method.is_server_streaming && method.request_cursor.is_some() {
        headers.push(header(
            "Last-Event-ID",
            "",
            "Cursor of the last event received; the stream goes on behind it.",
        ));
    }
    headers
}
