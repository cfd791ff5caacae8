//! What anybody may read: the API document, the page that shows it, and a word on health.

use std::sync::OnceLock;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION,
        X_CONTENT_TYPE_OPTIONS,
    },
};
use trato_types::Error;
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

/// All pages, rendered; the API document once it is asked for. With its comments the contract takes memory that a gateway whose
/// documentation nobody reads need not spend.
#[derive(Debug)]
pub struct Pages {
    openapi: OnceLock<Content>,
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
    /// All pages but the API document.
    pub fn new() -> Self {
        Self {
            openapi: OnceLock::new(),
            assets: ASSETS.iter().map(|(_, kind, text)| Content::new(kind, *text)).collect(),
        }
    }

    /// The API document, written by `write` where it was not yet.
    pub fn openapi(&self, write: impl FnOnce() -> Result<String, Error>) -> Result<&str, Error> {
        Ok(std::str::from_utf8(&self.document(write)?.bytes).unwrap_or_default())
    }

    fn document(&self, write: impl FnOnce() -> Result<String, Error>) -> Result<&Content, Error> {
        if let Some(written) = self.openapi.get() {
            return Ok(written);
        }
        // Whoever asks at the same time writes the same.
        let written = Content::new("application/json", write()?);
        Ok(self.openapi.get_or_init(|| written))
    }

    /// Answers GET for a page. `write` writes the API document where it is asked for and was not written yet.
    pub fn answer(
        &self,
        page: Page,
        headers: &HeaderMap,
        write: impl FnOnce() -> Result<String, Error>,
    ) -> Result<Response<Body>, Error> {
        let content = match page {
            Page::Root => return Ok(redirect(ASSETS[0].0)),
            Page::Health => return Ok(text("{\"status\":\"SERVING\"}")),
            Page::OpenApi => self.document(write)?,
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
        Ok(response)
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
