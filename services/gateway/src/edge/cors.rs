//! Which web pages may call, as browsers ask (the Fetch standard's CORS protocol).

use http::{
    HeaderMap, HeaderValue, Method, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ALLOW, ORIGIN,
        VARY,
    },
};

use crate::{body::Body, config};

const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization,content-type,accept-language,idempotency-key,last-event-id,x-purpose,x-request-id,\
     x-trato-timeout-ms,grpc-timeout,x-grpc-web,x-user-agent,traceparent,tracestate",
);
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static(
    "grpc-status,grpc-message,grpc-status-details-bin,x-request-id,retry-after,ratelimit,ratelimit-policy",
);

/// The configured origins.
#[derive(Debug)]
pub struct Cors {
    origins: Vec<HeaderValue>,
    any: bool,
    max_age: HeaderValue,
}

impl Cors {
    /// Origins as configured.
    pub fn new(settings: &config::Cors) -> Self {
        Self {
            any: settings.allowed_origins.iter().any(|origin| origin == "*"),
            origins: settings.allowed_origins.iter().filter_map(|origin| origin.parse().ok()).collect(),
            max_age: settings.max_age_seconds.into(),
        }
    }

    /// Tells the browser that the page may read the answer, when it may.
    pub fn write(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        if self.origins.is_empty() {
            return;
        }
        headers.append(VARY, HeaderValue::from_static("origin"));
        let Some(origin) = origin.filter(|origin| self.any || self.origins.contains(origin)) else { return };
        // Tokens travel in a header, never in a cookie, so credentials need not be allowed.
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
    }

    /// The answer to OPTIONS for a path with these methods: of a browser that asks first, or of anybody.
    pub fn options(&self, headers: &HeaderMap, methods: &[Method]) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let allow = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(",");
        let allow = HeaderValue::try_from(allow).unwrap_or(HeaderValue::from_static(""));
        response.headers_mut().insert(ALLOW, allow.clone());
        if headers.contains_key(ORIGIN) && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
            response.headers_mut().insert(ACCESS_CONTROL_ALLOW_METHODS, allow);
            response.headers_mut().insert(ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
            response.headers_mut().insert(ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
        }
        response
    }
}
