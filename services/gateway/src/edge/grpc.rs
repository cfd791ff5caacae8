//! Calls of gRPC passed through as they are, and those of gRPC-Web, whose trailers browsers find in the body.

use std::fmt::Display;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode, Version,
    header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, TRAILER},
};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout_at;
use tonic_web::GrpcWebLayer;
use tower::{Layer, ServiceExt};
use trato_platform::{rpc::exceeded, transport::Pump};
use trato_types::Error;

use super::{
    Ask, Failure, Gateway,
    bodies::read,
    calls::Times,
    frames::{Gathered, Guarded, Upstreamed},
    local,
    place::Place,
    record::Record,
};
use crate::{
    body::{Body, Cut},
    headers,
    request::FRAME_PREFIX,
    response,
    routes::Method,
    upstreams::Answer,
};

impl Gateway {
    /// Passes a call on to the service of its method.
    pub(super) async fn call_grpc<B>(
        &self,
        ask: &Ask<'_>,
        method: &Method,
        body: B,
        record: &mut Option<Record>,
        place: Place,
    ) -> Result<Response<Body>, Failure>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Display,
    {
        let upstream = self.upstream(method)?;
        let times = self.times(ask, method)?;
        if method.is_client_streaming {
            let mut call = self.outgoing(ask, method, Bytes::new(), times);
            headers::forward_encoding(&ask.head.headers, &mut call.headers);
            let opened = upstream.pipe(call, body);
            // The answer may only begin when the client has said all, which has no limit of ours.
            let (answer, pump) = match times.deadline {
                Some(deadline) => timeout_at(deadline, opened).await.map_err(|_| exceeded())??,
                None => opened.await?,
            };
            return self.stream_on(ask, answer, Some(pump), record, place, times);
        }
        let passed = self.pass_on(method)?;
        let max_bytes = self.config.platform.server.max_message_bytes + FRAME_PREFIX;
        let frames = read(ask, body, max_bytes, times.begun_by).await?;
        let mut call = self.outgoing(ask, method, frames, times);
        headers::forward_encoding(&ask.head.headers, &mut call.headers);
        if method.is_server_streaming {
            let answer = upstream.open(&call, times.begun_by).await?;
            return self.stream_on(ask, answer, None, record, place, times);
        }
        let gathered = upstream.gather(&call, times.begun_by).await?;
        if let Some(passed) = passed {
            passed.answered(&gathered.status);
        }
        if gathered.status.refuses_token() {
            return Err(Failure::Upstream(gathered.status));
        }
        if let Some(record) = record {
            record.end(gathered.status.code);
        }
        if gathered.trailers.is_empty() {
            let mut response = response::grpc(&gathered.status, headers::GRPC);
            put_headers(gathered.headers, &mut response);
            return Ok(response);
        }
        let mut response = Response::new(Body::stream(Gathered::new(gathered.frames, gathered.trailers)));
        put_headers(gathered.headers, &mut response);
        announce_trailers(ask, &mut response);
        Ok(response)
    }

    fn stream_on(
        &self,
        ask: &Ask<'_>,
        answer: Answer,
        pump: Option<Pump>,
        record: &mut Option<Record>,
        place: Place,
        times: Times,
    ) -> Result<Response<Body>, Failure> {
        if let Some(status) = answer.status {
            return Err(Failure::Upstream(status));
        }
        let life = self.life(record, place, times.deadline)?;
        let source = Upstreamed::new(answer.body, pump);
        let mut response = Response::new(Body::stream(Guarded::new(source, ask.request_id(), life)));
        put_headers(answer.headers, &mut response);
        announce_trailers(ask, &mut response);
        Ok(response)
    }

    /// Health and reflection of the gateway itself.
    pub(super) async fn call_local<B>(
        &self,
        ask: &Ask<'_>,
        body: B,
        life: super::life::Life,
    ) -> Result<Response<Body>, Failure>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut request = Request::new(tonic::body::Body::new(body));
        *request.method_mut() = ask.head.method.clone();
        *request.uri_mut() = ask.head.uri.clone();
        *request.version_mut() = Version::HTTP_2;
        request.headers_mut().insert(CONTENT_TYPE, headers::GRPC);
        headers::forward_encoding(&ask.head.headers, request.headers_mut());
        let response = self.local.call(request).await;
        let (head, body) = response.into_parts();
        let source = body.map_err(Error::internal);
        let mut response = Response::new(Body::stream(Guarded::new(source, ask.request_id(), life)));
        put_headers(head.headers, &mut response);
        announce_trailers(ask, &mut response);
        Ok(response)
    }

    /// A call of gRPC-Web, binary or text: unwrapped, passed on, and its answer wrapped again.
    pub(super) async fn call_web(
        &self,
        ask: &Ask<'_>,
        body: Incoming,
        record: &mut Option<Record>,
        place: Place,
    ) -> Result<Response<Body>, Failure> {
        let mut request = Request::new(body);
        *request.method_mut() = ask.head.method.clone();
        *request.uri_mut() = ask.head.uri.clone();
        *request.headers_mut() = ask.head.headers.clone();
        // The layer knows only the short names of the content types.
        request.headers_mut().insert(CONTENT_TYPE, plain_web_type(&ask.head.headers));
        let mut once = Some((record, place));
        let inner = tower::service_fn(move |request: Request<tonic::body::Body>| {
            let once = once.take();
            async move {
                let Some((record, place)) = once else {
                    return Err(Error::internal("a call was passed on twice").into());
                };
                let path = request.uri().path();
                match self.routes.method(path) {
                    Some(method) => self.call_grpc(ask, method, request.into_body(), record, place).await,
                    None if local::is_local(path) => {
                        let life = self.life(record, place, None)?;
                        self.call_local(ask, request.into_body(), life).await
                    }
                    None => Err(Error::internal("a call lost its method").into()),
                }
            }
        });
        let response = GrpcWebLayer::new().layer(inner).oneshot(request).await?;
        Ok(response.map(|body| Body::stream(body.map_err(|_| Cut))))
    }
}

fn plain_web_type(headers: &HeaderMap) -> HeaderValue {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if kind.starts_with(b"application/grpc-web-text") {
        HeaderValue::from_static("application/grpc-web-text")
    } else {
        HeaderValue::from_static("application/grpc-web")
    }
}

/// The answer's headers, but for those that belong to one hop.
fn put_headers(from: HeaderMap, response: &mut Response<Body>) {
    *response.status_mut() = StatusCode::OK;
    for (name, value) in from.iter().filter(|(name, _)| !matches!(**name, CONTENT_LENGTH | DATE)) {
        if response.headers().get(name).is_none() || !name.as_str().starts_with("grpc-") {
            response.headers_mut().append(name, value.clone());
        }
    }
    response.headers_mut().insert(CONTENT_TYPE, headers::GRPC);
}

/// HTTP/1.1 sends only trailers that were announced.
fn announce_trailers(ask: &Ask<'_>, response: &mut Response<Body>) {
    if ask.head.version < Version::HTTP_2 {
        let names = HeaderValue::from_static("grpc-status, grpc-message, grpc-status-details-bin");
        response.headers_mut().insert(TRAILER, names);
    }
}
