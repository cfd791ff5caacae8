//! Where a request is going, and in which language it wants its answer; decided before anything is read or checked.

use std::{borrow::Cow, sync::Arc};

use http::{HeaderValue, Method as Verb, StatusCode, header::CONTENT_TYPE, request};
use trato_types::{Error, Kind};

use super::{Gateway, local, pages::Page};
use crate::{
    headers,
    response::Refusal,
    routes::{Binding, Method, Route},
};

/// How a client speaks.
#[derive(Clone, Debug)]
pub enum Speech {
    /// HTTP with JSON.
    Http,
    /// gRPC or gRPC-Web, with the content type of its answers.
    Grpc(HeaderValue),
}

impl Speech {
    /// By the content type of the request.
    pub fn of(head: &request::Parts) -> Self {
        match head.headers.get(CONTENT_TYPE) {
            Some(kind) if kind.as_bytes().starts_with(b"application/grpc-web-text") => {
                Self::Grpc(HeaderValue::from_static("application/grpc-web-text+proto"))
            }
            Some(kind) if kind.as_bytes().starts_with(b"application/grpc-web") => {
                Self::Grpc(HeaderValue::from_static("application/grpc-web+proto"))
            }
            Some(kind) if kind.as_bytes().starts_with(b"application/grpc") => Self::Grpc(headers::GRPC),
            _ => Self::Http,
        }
    }
}

/// Where a request is going.
pub enum Target<'r, 'p> {
    /// To a binding of HTTP, with the captures of the path.
    Call(&'r Binding, Vec<Cow<'p, str>>),
    /// To a method of gRPC.
    Grpc(&'r Method),
    /// To a method of gRPC, or to the gateway's own services, by way of gRPC-Web.
    Web(Option<&'r Method>),
    /// To the gateway's own health and reflection.
    Local,
    /// To a page of the gateway.
    Page(Page),
    /// Asks what the path allows.
    Options(Vec<Verb>),
    /// To a path that has other HTTP methods.
    OtherMethods(Vec<Verb>),
    /// Nowhere.
    Refused(Refusal),
}

impl Target<'_, '_> {
    /// The template of the path, for telemetry; never the path itself. Empty where there is none.
    pub fn route(&self) -> Arc<str> {
        match self {
            Self::Call(binding, _) => Arc::clone(&binding.pattern),
            Self::Grpc(method) | Self::Web(Some(method)) => Arc::clone(&method.route),
            Self::Page(page) => page.path().into(),
            Self::Local | Self::Web(None) => "/grpc".into(),
            Self::Options(_) | Self::OtherMethods(_) | Self::Refused(_) => "".into(),
        }
    }
}

impl Gateway {
    /// Decides where a request is going.
    pub(super) fn target<'r, 'p>(&'r self, head: &'p request::Parts) -> Target<'r, 'p> {
        if let Err(refusal) = self.check_size(head) {
            return Target::Refused(refusal);
        }
        let path = head.uri.path();
        if let Speech::Grpc(_) = Speech::of(head) {
            return self.grpc_target(head, path);
        }
        if let Some(page) = Page::at(path) {
            return match head.method {
                Verb::GET | Verb::HEAD => Target::Page(page),
                Verb::OPTIONS => Target::Options(vec![Verb::GET, Verb::HEAD, Verb::OPTIONS]),
                _ => Target::OtherMethods(vec![Verb::GET, Verb::HEAD, Verb::OPTIONS]),
            };
        }
        if head.method == Verb::OPTIONS {
            return match self.routes.methods_at(path) {
                _ if self.is_grpc_path(path) => Target::Options(vec![Verb::POST, Verb::OPTIONS]),
                methods if methods.is_empty() => Target::Refused(no_route()),
                methods => Target::Options(methods),
            };
        }
        match self.routes.find(&head.method, path) {
            Route::Found(binding, captures) => Target::Call(binding, captures),
            Route::OtherMethods(methods) => Target::OtherMethods(methods),
            Route::BadEncoding => Target::Refused(
                Error::invalid("path", "INVALID_ENCODING", "must be percent-encoded UTF-8").into(),
            ),
            Route::NotFound if self.is_grpc_path(path) => Target::Refused(Refusal::http(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                Kind::Invalid,
                "UNSUPPORTED_CONTENT_TYPE",
                "this path is for gRPC and gRPC-Web; JSON has paths of its own",
            )),
            Route::NotFound => Target::Refused(no_route()),
        }
    }

    /// The method a request leads to.
    pub(super) fn method_of<'r>(&'r self, target: &Target<'r, '_>) -> Option<&'r Method> {
        match target {
            Target::Call(binding, _) => Some(self.routes.method_of(binding)),
            Target::Grpc(method) => Some(method),
            Target::Web(method) => *method,
            _ => None,
        }
    }

    fn grpc_target(&self, head: &request::Parts, path: &str) -> Target<'_, 'static> {
        let is_web = head
            .headers
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc-web"));
        if head.method != Verb::POST {
            return Target::OtherMethods(vec![Verb::POST, Verb::OPTIONS]);
        }
        match self.routes.method(path) {
            Some(method) if is_web => Target::Web(Some(method)),
            Some(method) => Target::Grpc(method),
            None if local::is_local(path) && is_web => Target::Web(None),
            None if local::is_local(path) => Target::Local,
            None => {
                let error =
                    Error::new(Kind::Unimplemented, "METHOD_NOT_SERVED", "no service here has this method");
                Target::Refused(error.into())
            }
        }
    }

    fn is_grpc_path(&self, path: &str) -> bool {
        self.routes.method(path).is_some() || local::is_local(path)
    }

    fn check_size(&self, head: &request::Parts) -> Result<(), Refusal> {
        let max = self.config.gateway.max_uri_bytes;
        if head.uri.path_and_query().is_some_and(|path| path.as_str().len() > max) {
            let message = format!("path and query may have at most {max} bytes");
            return Err(Refusal::http(StatusCode::URI_TOO_LONG, Kind::Invalid, "URI_TOO_LONG", message)
                .with("max_uri_bytes", max));
        }
        let max = usize::try_from(self.config.platform.server.max_header_bytes).unwrap_or(usize::MAX);
        if headers::size(&head.headers) > max {
            let message = format!("all headers together may have at most {max} bytes");
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            return Err(Refusal::http(status, Kind::Invalid, "HEADERS_TOO_LARGE", message)
                .with("max_header_bytes", max));
        }
        Ok(())
    }
}

fn no_route() -> Refusal {
    Error::new(Kind::NotFound, "ROUTE_NOT_FOUND", "nothing is served at this path").into()
}
