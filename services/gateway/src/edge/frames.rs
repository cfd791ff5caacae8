//! Answers of gRPC on their way to a client that speaks it: bytes and trailers as they are.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use h2::RecvStream;
use http::HeaderMap;
use http_body::{Body, Frame};
use tonic::Code;
use trato_platform::transport::{Incoming, Pump};
use trato_types::Error;

use super::life::Life;
use crate::{body::Cut, status::Status, upstreams::broken};

/// A whole answer: its bytes, then its trailers.
pub struct Gathered {
    bytes: Bytes,
    trailers: Option<HeaderMap>,
}

impl Gathered {
    /// Bytes and trailers.
    pub fn new(bytes: Bytes, trailers: HeaderMap) -> Self {
        Self { bytes, trailers: Some(trailers) }
    }
}

impl Body for Gathered {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let this = self.get_mut();
        if !this.bytes.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut this.bytes)))));
        }
        Poll::Ready(this.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty() && self.trailers.is_none()
    }
}

/// A stream of an upstream as a body. The client's pace is the upstream's.
pub struct Upstreamed {
    source: Incoming,
    /// Passes on the client's own stream for as long as the answer lasts.
    _pump: Option<Pump>,
}

impl Upstreamed {
    /// What follows the headers of an answer.
    pub fn new(source: RecvStream, pump: Option<Pump>) -> Self {
        Self { source: source.into(), _pump: pump }
    }
}

impl Body for Upstreamed {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.get_mut().source).poll_frame(cx));
        Poll::Ready(frame.map(|frame| frame.map_err(broken)))
    }
}

/// A stream that ends in trailers whatever happens: its own, or ours when we end it.
pub struct Guarded<B> {
    source: Pin<Box<B>>,
    request_id: String,
    life: Life,
    is_over: bool,
}

impl<B> Guarded<B> {
    /// Watches over `source` for as long as it lasts.
    pub fn new(source: B, request_id: String, life: Life) -> Self {
        Self { source: Box::pin(source), request_id, life, is_over: false }
    }

    fn end(&mut self, error: &Error) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        self.is_over = true;
        let status = self.life.record.span.in_scope(|| Status::of(error, &self.request_id));
        self.life.record.end(status.code);
        let mut trailers = HeaderMap::new();
        status.write(&mut trailers);
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }
}

impl<B> Body for Guarded<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Error>,
{
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let this = self.get_mut();
        if this.is_over {
            return Poll::Ready(None);
        }
        if let Poll::Ready(error) = this.life.poll_end(cx) {
            return this.end(&error);
        }
        match ready!(this.source.as_mut().poll_frame(cx)) {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    this.is_over = true;
                    this.life.record.end(Status::read(trailers).map_or(Code::Unknown, |status| status.code));
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => this.end(&error.into()),
            None => this.end(&crate::upstreams::no_status()),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_over
    }
}
