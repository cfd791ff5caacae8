//! The routing table: which method a path of HTTP or of gRPC leads to. Made from descriptors alone.

mod bind;
mod rule;
mod trie;

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use http::uri::PathAndQuery;

use crate::{
    schema::{Field, MessageId},
    template::{Capture, Template},
};

pub use bind::RouteErrors;

/// All methods of the descriptors and all their HTTP bindings.
#[derive(Debug)]
pub struct Routes {
    methods: Vec<Method>,
    bindings: Vec<Binding>,
    trie: trie::Trie<usize>,
    by_path: HashMap<String, usize>,
}

/// A gRPC method.
#[derive(Debug)]
pub struct Method {
    /// Position among all methods.
    pub position: usize,
    /// Name in spans and metrics: `package.Service/Method`.
    pub label: Arc<str>,
    /// Path of gRPC: `/package.Service/Method`.
    pub path: PathAndQuery,
    /// The same path, as the `http.route` of telemetry.
    pub route: Arc<str>,
    /// Proto package, which decides the upstream.
    pub package: String,
    /// Full name of the service.
    pub service: String,
    /// Name of the method in its service.
    pub name: String,
    /// Request message.
    pub input: MessageId,
    /// Response message, or each message of the stream.
    pub output: MessageId,
    /// Whether the client sends a stream; such a method has no HTTP binding.
    pub is_client_streaming: bool,
    /// Whether the server answers with a stream.
    pub is_server_streaming: bool,
    /// Whether it may be sent twice: it has a GET binding, or says so by `idempotency_level`.
    pub is_idempotent: bool,
    /// Number of the request's text field `request_id`.
    pub request_id: Option<u32>,
    /// Number of the request's text field `cursor`: where a stream goes on.
    pub request_cursor: Option<u32>,
    /// Number of the response's text field `cursor`: what a client gives back to go on.
    pub response_cursor: Option<u32>,
}

/// One HTTP binding of a method.
#[derive(Debug)]
pub struct Binding {
    /// Position of the method.
    method: usize,
    /// HTTP method; `None` for a custom `*`, which takes all.
    pub verb: Option<http::Method>,
    /// The template as written, also the `http.route` of telemetry.
    pub pattern: Arc<str>,
    /// The template.
    pub template: Template,
    /// Fields that the captures fill, in the template's order.
    pub captures: Box<[BoundCapture]>,
    /// What the body is.
    pub body: Body,
    /// Position of the response field that is answered instead of the whole response.
    pub response_body: Option<usize>,
}

/// A capture with the fields it leads through.
#[derive(Debug)]
pub struct BoundCapture {
    /// Name with dots, as violations show it.
    pub name: String,
    /// Message and field position at each step; all but the last are messages.
    pub steps: Box<[(MessageId, usize)]>,
}

/// What the body of a request is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Body {
    /// There is none.
    None,
    /// The whole request message, but for what the path captures.
    Whole,
    /// The field at this position.
    Field(usize),
}

/// Where a request of HTTP leads.
#[derive(Debug)]
pub enum Route<'r, 'p> {
    /// To a binding, with the decoded captures.
    Found(&'r Binding, Vec<Cow<'p, str>>),
    /// The path is there for other HTTP methods only.
    OtherMethods(Vec<http::Method>),
    /// A capture is not percent-encoded UTF-8.
    BadEncoding,
    /// Nowhere.
    NotFound,
}

impl Routes {
    /// The method behind a binding.
    pub fn method_of(&self, binding: &Binding) -> &Method {
        &self.methods[binding.method]
    }

    /// The method with this gRPC path, `/package.Service/Method`.
    pub fn method(&self, path: &str) -> Option<&Method> {
        self.by_path.get(path).map(|position| &self.methods[*position])
    }

    /// All methods.
    pub fn methods(&self) -> &[Method] {
        &self.methods
    }

    /// All bindings, in the order of the descriptors.
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// Finds the binding of an HTTP request. HEAD is answered by GET's binding.
    pub fn find<'p>(&self, verb: &http::Method, path: &'p str) -> Route<'_, 'p> {
        let Some(inner) = path.strip_prefix('/') else { return Route::NotFound };
        let segments: Vec<&str> = inner.split('/').collect();
        let wanted = if verb == http::Method::HEAD { &http::Method::GET } else { verb };
        let mut others = Vec::new();
        let found = self.trie.find(&segments, &mut |position, is_verb| {
            let binding = &self.bindings[*position];
            match &binding.verb {
                Some(own) if own != wanted => {
                    others.push(own.clone());
                    None
                }
                _ => Some((binding, is_verb)),
            }
        });
        match found {
            Some((binding, is_verb)) => match captures(binding, path, &segments, is_verb) {
                Some(captures) => Route::Found(binding, captures),
                None => Route::BadEncoding,
            },
            None if others.is_empty() => Route::NotFound,
            None => Route::OtherMethods(allowed(others)),
        }
    }

    /// The HTTP methods a path has, for OPTIONS; empty when it has none.
    pub fn methods_at(&self, path: &str) -> Vec<http::Method> {
        let mut methods = Vec::new();
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        self.trie.find(&segments, &mut |position, _| {
            methods.extend(self.bindings[*position].verb.clone());
            None::<()>
        });
        allowed(methods)
    }
}

/// What `Allow` lists: HEAD with GET, each once, in a fixed order.
fn allowed(mut methods: Vec<http::Method>) -> Vec<http::Method> {
    if methods.is_empty() {
        return methods;
    }
    if methods.contains(&http::Method::GET) {
        methods.push(http::Method::HEAD);
    }
    methods.push(http::Method::OPTIONS);
    methods.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    methods.dedup();
    methods
}

/// Decodes what the template captures from the path.
fn captures<'p>(
    binding: &Binding,
    path: &'p str,
    segments: &[&str],
    is_verb: bool,
) -> Option<Vec<Cow<'p, str>>> {
    let verb_length = binding.template.verb.as_ref().filter(|_| is_verb).map_or(0, |verb| verb.len() + 1);
    let path = &path[1..path.len() - verb_length];
    let start_of = |segment: usize| segments[..segment].iter().map(|text| text.len() + 1).sum::<usize>();
    let text_of = |capture: &Capture| {
        let start = start_of(capture.start);
        let end = match capture.end {
            Some(end) if end < segments.len() => start_of(end) - 1,
            _ => path.len(),
        };
        path.get(start..end).unwrap_or_default()
    };
    binding.template.captures.iter().map(|capture| decode(text_of(capture), capture.is_single)).collect()
}

/// Undoes percent-encoding. In captures of several segments `%2F` stays, or it would become a separator (AIP-127).
fn decode(text: &str, is_single: bool) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            decoded.push(*byte);
            continue;
        }
        let (digits, after) = rest.split_first_chunk::<2>()?;
        let value = hex(digits[0])? << 4 | hex(digits[1])?;
        if value == b'/' && !is_single {
            decoded.push(b'%');
            decoded.extend_from_slice(digits);
        } else {
            decoded.push(value);
        }
        rest = after;
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

/// The value of a hexadecimal digit.
pub(crate) fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

impl BoundCapture {
    /// The field that is filled at last.
    pub fn leaf<'s>(&self, schema: &'s crate::schema::Schema) -> Option<&'s Field> {
        self.steps.last().map(|(message, position)| &schema.message(*message).fields[*position])
    }
}
