//! Descriptors → routing table. Everything that is wrong is named at once, and nothing is served then.

use std::fmt;

use http::uri::PathAndQuery;
use prost_reflect::{DescriptorPool, MethodDescriptor, prost_types::method_options::IdempotencyLevel};

use super::{
    Binding, Body, BoundCapture, Method, Routes,
    rule::{self, Rule},
    trie::Trie,
};
use crate::{
    schema::{Kind, Message, MessageId, Schema, Shape},
    template::Template,
};

/// Everything that is wrong with the HTTP bindings of the descriptors.
#[derive(Debug, Eq, PartialEq)]
pub struct RouteErrors(pub Vec<String>);

impl fmt::Display for RouteErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the HTTP bindings cannot be served: {}", self.0.join("; "))
    }
}

impl std::error::Error for RouteErrors {}

impl Routes {
    /// Makes the table for every service in `pool`. Malformed and ambiguous bindings are refused.
    pub fn new(pool: &DescriptorPool, schema: &Schema) -> Result<Self, RouteErrors> {
        let extension = rule::extension(pool);
        let mut builder = Builder { schema, methods: vec![], bindings: vec![], errors: vec![] };
        for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
            builder.add(&method, &rule::rules(&method, extension.as_ref()));
        }
        builder.finish()
    }
}

struct Builder<'s> {
    schema: &'s Schema,
    methods: Vec<Method>,
    bindings: Vec<Binding>,
    errors: Vec<String>,
}

impl Builder<'_> {
    fn add(&mut self, descriptor: &MethodDescriptor, rules: &[Rule]) {
        let Some(mut method) = self.method(descriptor) else { return };
        method.is_idempotent |= rules.iter().any(|rule| rule.verb == "GET");
        for rule in rules {
            match self.binding(&method, rule) {
                Ok(binding) => self.bindings.push(binding),
                Err(problem) => self.errors.push(format!("{}: {problem}", descriptor.full_name())),
            }
        }
        self.methods.push(method);
    }

    fn method(&mut self, descriptor: &MethodDescriptor) -> Option<Method> {
        let service = descriptor.parent_service();
        let path = format!("/{}/{}", service.full_name(), descriptor.name());
        let path = PathAndQuery::try_from(path).ok()?;
        let level =
            descriptor.method_descriptor_proto().options.as_ref().map(|options| options.idempotency_level());
        let input = self.schema.find(descriptor.input().full_name())?;
        let output = self.schema.find(descriptor.output().full_name())?;
        let text_field = |message: MessageId, name: &str| {
            let field = self.schema.message(message).field(name)?;
            (field.kind == Kind::String && field.shape == Shape::Singular).then_some(field.number)
        };
        Some(Method {
            position: self.methods.len(),
            label: path.as_str()[1..].into(),
            route: path.path().into(),
            path,
            package: service.package_name().to_owned(),
            service: service.full_name().to_owned(),
            name: descriptor.name().to_owned(),
            input,
            output,
            is_client_streaming: descriptor.is_client_streaming(),
            is_server_streaming: descriptor.is_server_streaming(),
            is_idempotent: matches!(
                level,
                Some(IdempotencyLevel::NoSideEffects | IdempotencyLevel::Idempotent)
            ),
            request_id: text_field(input, "request_id"),
            request_cursor: text_field(input, "cursor"),
            response_cursor: text_field(output, "cursor"),
        })
    }

    fn binding(&self, method: &Method, rule: &Rule) -> Result<Binding, String> {
        if rule.is_nested {
            return Err("an additional binding must not have additional bindings".to_owned());
        }
        if method.is_client_streaming {
            return Err("a method that takes a stream cannot have an HTTP binding".to_owned());
        }
        let verb = match rule.verb.as_str() {
            "" => return Err("the binding has no HTTP method".to_owned()),
            "*" => None,
            verb => Some(verb.parse().map_err(|_| format!("{verb:?} is not an HTTP method"))?),
        };
        let template = Template::parse(&rule.path).map_err(|error| error.to_string())?;
        let captures: Box<[_]> = template
            .captures
            .iter()
            .map(|capture| self.capture(method.input, &capture.field))
            .collect::<Result<_, _>>()?;
        let request = self.schema.message(method.input);
        let body = match rule.body.as_str() {
            "" => Body::None,
            _ if verb == Some(http::Method::GET) => return Err("a GET binding cannot have a body".to_owned()),
            "*" => Body::Whole,
            name => Body::Field(self.top_field(request, name)?),
        };
        let response_body = match rule.response_body.as_str() {
            "" => None,
            name => Some(self.top_field(self.schema.message(method.output), name)?),
        };
        let method = self.methods.len();
        Ok(Binding {
            method,
            verb,
            pattern: rule.path.as_str().into(),
            template,
            captures,
            body,
            response_body,
        })
    }

    fn top_field(&self, message: &Message, name: &str) -> Result<usize, String> {
        let position = message.fields.iter().position(|field| &*field.name == name);
        position.ok_or_else(|| format!("{} has no field {name:?} for the body", message.name))
    }

    fn capture(&self, input: MessageId, names: &[String]) -> Result<BoundCapture, String> {
        let mut message = Some(input);
        let mut steps = Vec::new();
        for name in names {
            let Some(id) = message else {
                return Err(format!(
                    "the capture {:?} goes through a field that is no message",
                    names.join(".")
                ));
            };
            let table = self.schema.message(id);
            let position = table.fields.iter().position(|field| *field.name == **name);
            let position =
                position.ok_or_else(|| format!("{} has no field {name:?} to capture", table.name))?;
            let field = &table.fields[position];
            if field.shape != Shape::Singular {
                return Err(format!("the capture {:?} goes through a list or map", names.join(".")));
            }
            steps.push((id, position));
            message = match field.kind {
                Kind::Message(id) => Some(id),
                _ => None,
            };
        }
        if message.is_some() {
            return Err(format!("the capture {:?} is a message", names.join(".")));
        }
        Ok(BoundCapture { name: names.join("."), steps: steps.into() })
    }

    fn finish(mut self) -> Result<Routes, RouteErrors> {
        for (index, left) in self.bindings.iter().enumerate() {
            for right in &self.bindings[index + 1..] {
                let share_a_verb = left.verb == right.verb || left.verb.is_none() || right.verb.is_none();
                if share_a_verb && left.template.is_ambiguous_with(&right.template) {
                    let verb = left.verb.as_ref().or(right.verb.as_ref()).map_or("*", http::Method::as_str);
                    self.errors.push(format!(
                        "{verb} {} of {} and {verb} {} of {} match the same paths",
                        left.pattern,
                        self.methods[left.method].path,
                        right.pattern,
                        self.methods[right.method].path,
                    ));
                }
            }
        }
        if !self.errors.is_empty() {
            return Err(RouteErrors(self.errors));
        }
        let mut trie = Trie::default();
        for (position, binding) in self.bindings.iter().enumerate() {
            trie.insert(&binding.template, position);
        }
        let by_path = self
            .methods
            .iter()
            .enumerate()
            .map(|(position, method)| (method.path.to_string(), position))
            .collect();
        Ok(Routes { methods: self.methods, bindings: self.bindings, trie, by_path })
    }
}
