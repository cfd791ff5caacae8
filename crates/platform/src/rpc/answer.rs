//! The body of an answer: holds back what must be recorded, ends the call's span, metrics and place when the last byte
//! is out, and ends streams that may not go on.

use std::{
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use tokio::{sync::OwnedSemaphorePermit, time::Sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::{Code, Status};
use tracing::Span;
use trato_types::Error;

use super::{
    recording::Recording,
    span,
    status::{Completion, DOMAIN, code_name, complete, to_status},
};
use crate::telemetry::metrics::metrics;

/// What is done once when a call ends, however it ends.
pub(super) struct Call {
    pub method: Arc<str>,
    pub domain: Arc<str>,
    pub request_id: Option<HeaderValue>,
    pub span: Span,
    pub started: Instant,
    /// Given back when the call ends.
    pub place: Option<OwnedSemaphorePermit>,
    pub ended: bool,
}

impl Call {
    /// Completes a status on its way out, and ends the call when there is one.
    pub(super) fn finish(&mut self, headers: &mut HeaderMap) {
        let completion = Completion { domain: &self.domain, request_id: self.request_id.as_ref() };
        if let Some(code) = complete(headers, &completion) {
            self.end(code);
        }
    }

    fn end(&mut self, code: Code) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.place = None;
        let fault = span::is_server_fault(code);
        span::end(&self.span, code, fault);
        metrics().call_served(&self.method, code_name(code), fault, self.started.elapsed());
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // Nobody is left to read the rest.
        self.end(Code::Cancelled);
    }
}

/// Why a stream may have to end before its handler ends it.
pub(super) struct Limits {
    /// When the caller's deadline passes or its token expires.
    pub end: Option<End>,
    /// The program is told to stop; the caller is to come back elsewhere.
    pub shutdown: Pin<Box<WaitForCancellationFutureOwned>>,
}

/// When a stream ends at the latest, and the error that says why.
pub(super) struct End {
    pub at: Pin<Box<Sleep>>,
    pub error: fn() -> Error,
}

type Polled = Poll<Option<Result<Frame<Bytes>, Status>>>;

/// The body of an answer.
pub struct Answer {
    inner: tonic::body::Body,
    /// `None` for what never was a call.
    call: Option<Call>,
    /// Only for streams: an answer in one piece is ready when it gets here.
    limits: Option<Limits>,
    /// Only for answers that hold somebody's data.
    recording: Option<Recording>,
    over: bool,
}

impl Answer {
    pub(super) fn new(
        inner: tonic::body::Body,
        call: Call,
        limits: Option<Limits>,
        recording: Option<Recording>,
    ) -> Self {
        let over = call.ended;
        Self { inner, call: Some(call), limits, recording, over }
    }

    /// Nothing at all, for requests that are no calls.
    pub(super) fn empty() -> Self {
        Self { inner: tonic::body::Body::empty(), call: None, limits: None, recording: None, over: true }
    }

    /// Ends the stream with an error.
    fn fail(&mut self, error: Error) -> Polled {
        self.over = true;
        let mut trailers = HeaderMap::new();
        if to_status(error).add_header(&mut trailers).is_err() {
            trailers.insert(Status::GRPC_STATUS, HeaderValue::from_static("13"));
        }
        if let Some(call) = &mut self.call {
            call.finish(&mut trailers);
        }
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }

    /// Lets data leave, once that is recorded where it must be.
    fn leave(&mut self, data: Bytes, cx: &mut Context<'_>) -> Polled {
        let Some(recording) = &mut self.recording else { return Poll::Ready(Some(Ok(Frame::data(data)))) };
        match recording.hold(data) {
            // What was just taken is polled at once, mostly to be given back.
            Ok(()) => Pin::new(self).poll_frame(cx),
            Err(error) => self.fail(error),
        }
    }

    fn limit_reached(&mut self, cx: &mut Context<'_>) -> Option<Error> {
        let limits = self.limits.as_mut()?;
        if limits.shutdown.as_mut().poll(cx).is_ready() {
            return Some(Error::unavailable("SHUTTING_DOWN", "the server is about to stop; call again"));
        }
        let end = limits.end.as_mut()?;
        end.at.as_mut().poll(cx).is_ready().then(end.error)
    }

    /// Polls the handler's stream in the call's span, so that what it logs and refuses belongs to the call.
    fn poll_inner(&mut self, cx: &mut Context<'_>) -> std::thread::Result<Polled> {
        let inner = &mut self.inner;
        let poll = AssertUnwindSafe(|| Pin::new(inner).poll_frame(cx));
        match &self.call {
            Some(call) if self.limits.is_some() => {
                let _entered = call.span.enter();
                DOMAIN.sync_scope(Arc::clone(&call.domain), || std::panic::catch_unwind(poll))
            }
            _ => std::panic::catch_unwind(poll),
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let this = &mut *self;
        if this.over {
            return Poll::Ready(None);
        }
        if let Some(error) = this.limit_reached(cx) {
            return this.fail(error);
        }
        match this.recording.as_mut().and_then(|recording| recording.poll(cx)) {
            None => {}
            Some(Poll::Pending) => return Poll::Pending,
            Some(Poll::Ready(Ok(data))) => return Poll::Ready(Some(Ok(Frame::data(data)))),
            Some(Poll::Ready(Err(error))) => return this.fail(error),
        }
        match this.poll_inner(cx) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(None)) => {
                this.over = true;
                Poll::Ready(None)
            }
            Ok(Poll::Ready(Some(Ok(frame)))) => match frame.into_trailers() {
                Ok(mut trailers) => {
                    if let Some(call) = &mut this.call {
                        call.finish(&mut trailers);
                    }
                    Poll::Ready(Some(Ok(Frame::trailers(trailers))))
                }
                Err(frame) => match frame.into_data() {
                    Ok(data) => this.leave(data, cx),
                    Err(frame) => Poll::Ready(Some(Ok(frame))),
                },
            },
            Ok(Poll::Ready(Some(Err(status)))) => {
                this.over = true;
                if let Some(call) = &mut this.call {
                    call.end(status.code());
                }
                Poll::Ready(Some(Err(status)))
            }
            Err(_panic) => this.fail(Error::internal("the handler's stream panicked")),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
