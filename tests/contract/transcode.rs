//! A request as JSON → the HTTP call that means it, by the method's annotation. The gateway does the way back; this is
//! written apart from it, so that both must agree with the annotation.

use prost_reflect::MethodDescriptor;
use reqwest::Method;
use serde_json::{Map, Value};

use super::options::{Binding, bindings};
use crate::harness::{
    answer::Answer,
    client::{Http, encode, escape},
};

/// What is sent.
#[derive(Clone, Debug)]
pub struct Call {
    /// HTTP method.
    pub verb: Method,
    /// Path without the query.
    pub path: String,
    /// Query parameters.
    pub query: Vec<(String, String)>,
    /// Body, where the binding has one.
    pub body: Option<Value>,
}

/// The call of `method` with this request, by its first binding.
pub fn call(method: &MethodDescriptor, request: &Value) -> Call {
    let all = bindings(method);
    let fits = |binding: &&Binding| {
        captures(&binding.path).iter().all(|capture| {
            let value = pick(request, &capture.field);
            value.is_some_and(|value| value.starts_with(&capture.prefix))
        })
    };
    let binding = all
        .iter()
        .find(fits)
        .unwrap_or_else(|| panic!("no binding of {} fits {request}", method.full_name()));
    by(binding, request)
}

/// The call by one binding.
pub fn by(binding: &Binding, request: &Value) -> Call {
    let mut rest = request.clone();
    let mut path = binding.path.clone();
    for capture in captures(&binding.path) {
        let value = take(&mut rest, &capture.field).unwrap_or_default();
        let escaped: Vec<_> = value.split('/').map(escape).collect();
        path = path.replace(&capture.text, &escaped.join("/"));
    }
    let body = match binding.body.as_str() {
        "" => None,
        "*" => Some(std::mem::replace(&mut rest, Value::Object(Map::new()))),
        field => rest.as_object_mut().and_then(|rest| rest.remove(&camel(field))),
    };
    let mut query = Vec::new();
    flatten(&rest, "", &mut query);
    Call { verb: binding.verb.parse().expect("bindings have HTTP's methods"), path, query, body }
}

/// Sends a request through the gateway as JSON.
pub async fn send(http: &Http, method: &MethodDescriptor, request: &Value) -> Answer {
    call(method, request).send(http).await
}

impl Call {
    /// Path and query.
    pub fn target(&self) -> String {
        if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, encode(&self.query))
        }
    }

    /// Sends it.
    pub async fn send(&self, http: &Http) -> Answer {
        // The same id every time, so that answers to equal questions are equal bytes.
        let request = http.request(self.verb.clone(), &self.target()).header("x-request-id", "contract-walk");
        let request = match &self.body {
            Some(body) => request.json(body),
            None => request,
        };
        http.send(request).await
    }
}

/// One capture of a path template, `{account.name=accounts/*}`.
struct Capture {
    /// As it stands in the template.
    text: String,
    /// Its field, `account.name`.
    field: String,
    /// What its values begin with, `accounts/`.
    prefix: String,
}

fn captures(path: &str) -> Vec<Capture> {
    let inner = path.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(inner, _)| inner);
    let capture = |inner: &str| {
        let (field, pattern) = inner.split_once('=').unwrap_or((inner, "*"));
        let prefix = pattern.split('*').next().unwrap_or_default().to_owned();
        Capture { text: format!("{{{inner}}}"), field: field.to_owned(), prefix }
    };
    inner.map(capture).collect()
}

fn pick<'v>(request: &'v Value, field: &str) -> Option<&'v str> {
    let mut value = request;
    for part in field.split('.') {
        value = value.get(camel(part))?;
    }
    value.as_str()
}

fn take(request: &mut Value, field: &str) -> Option<String> {
    let (parents, last) =
        field.rsplit_once('.').map_or((None, field), |(parents, last)| (Some(parents), last));
    let mut value = request;
    for part in parents.into_iter().flat_map(|parents| parents.split('.')) {
        value = value.get_mut(camel(part))?;
    }
    value.as_object_mut()?.remove(&camel(last))?.as_str().map(str::to_owned)
}

/// Fields of messages are joined by dots, lists are repeated.
fn flatten(value: &Value, name: &str, query: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flatten(value, &name, query);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| flatten(item, name, query)),
        Value::String(text) => query.push((name.to_owned(), text.clone())),
        Value::Null => {}
        other => query.push((name.to_owned(), other.to_string())),
    }
}

/// `page_size` is `pageSize` in JSON.
pub fn camel(field: &str) -> String {
    let mut words = field.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (letter, rest) = word.split_at(word.len().min(1));
        format!("{name}{}{rest}", letter.to_uppercase())
    })
}
