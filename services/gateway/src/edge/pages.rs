//! What anybody may read: the API document, the page that shows it, and a word on health.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION,
        X_CONTENT_TYPE_OPTIONS,
    },
};
use uuid::Uuid;

use crate::body::Body;

/// A page of the gateway.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Page {
    /// Leads to the documentation.
    Root,
    /// Says that the process answers.
    Health,
    /// The OpenAPI document.
    OpenApi,
    /// A part of the documentation, by its position.
    Asset(usize),
}

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// The documentation: path, content type and text of each part.
const ASSETS: [(&str, &str, &str); 7] = [
    ("/docs", HTML, include_str!("../../assets/docs.html")),
    ("/docs/docs.css", STYLE, include_str!("../../assets/docs.css")),
    ("/docs/app.js", SCRIPT, include_str!("../../assets/app.js")),
    ("/docs/console.js", SCRIPT, include_str!("../../assets/console.js")),
    ("/docs/dom.js", SCRIPT, include_str!("../../assets/dom.js")),
    ("/docs/schema.js", SCRIPT, include_str!("../../assets/schema.js")),
    ("/docs/token.js", SCRIPT, include_str!("../../assets/token.js")),
];

impl Page {
    /// The page at a path.
    pub fn at(path: &str) -> Option<Self> {
        match path {
            "/" => Some(Self::Root),
            "/healthz" => Some(Self::Health),
            "/openapi.json" => Some(Self::OpenApi),
            _ => ASSETS.iter().position(|(own, ..)| *own == path).map(Self::Asset),
        }
    }

    /// Where the page is.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Root => "/",
            Self::Health => "/healthz",
            Self::OpenApi => "/openapi.json",
            Self::Asset(position) => ASSETS[position].0,
        }
    }
}

/// All pages, rendered.
#[derive(Debug)]
pub struct Pages {
    openapi: Content,
    assets: Vec<Content>,
}

#[derive(Debug)]
struct Content {
    kind: &'static str,
    bytes: Bytes,
    etag: HeaderValue,
}

impl Content {
    fn new(kind: &'static str, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        // A name-based UUID is a digest that is at hand; pages change only with the program.
        let digest = Uuid::new_v5(&Uuid::NAMESPACE_URL, &bytes).simple().to_string();
        let etag = HeaderValue::try_from(format!("\"{digest}\"")).unwrap_or(HeaderValue::from_static("\"\""));
        Self { kind, bytes, etag }
    }
}

/// Only our own script and style run, nothing is loaded from elsewhere, and nobody frames the page.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'",
);

impl Pages {
    /// Pages around an API document.
    pub fn new(openapi: String) -> Self {
        Self {
            openapi: Content::new("application/json", openapi),
            assets: ASSETS.iter().map(|(_, kind, text)| Content::new(kind, *text)).collect(),
        }
    }

    /// The API document.
    pub fn openapi(&self) -> &str {
        std::str::from_utf8(&self.openapi.bytes).unwrap_or_default()
    }

    /// Answers GET for a page.
    pub fn answer(&self, page: Page, headers: &HeaderMap) -> Response<Body> {
        let content = match page {
            Page::Root => return redirect(ASSETS[0].0),
            Page::Health => return text("{\"status\":\"SERVING\"}"),
            Page::OpenApi => &self.openapi,
            Page::Asset(position) => &self.assets[position],
        };
        let mut response = Response::new(Body::Whole(content.bytes.clone()));
        if headers.get(IF_NONE_MATCH).is_some_and(|known| known == content.etag) {
            response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content.kind));
        headers.insert(ETAG, content.etag.clone());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(HeaderName::from_static("referrer-policy"), HeaderValue::from_static("no-referrer"));
        if content.kind == HTML {
            headers.insert(CONTENT_SECURITY_POLICY, POLICY);
        }
        response
    }
}

fn redirect(to: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    response.headers_mut().insert(LOCATION, HeaderValue::from_static(to));
    response
}

fn text(json: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(json));
    response.headers_mut().insert(CONTENT_TYPE, crate::response::JSON);
    response
}
