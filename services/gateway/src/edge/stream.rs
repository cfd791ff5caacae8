//! Streams of messages as JSON: newline-delimited, or server-sent events for browsers.
//!
//! Newline-delimited: `{"result":…}` for each message and, when it fails, `{"error":…}` as the last line.
//! Server-sent events: `data:` is the message, `id:` its cursor; an `event: error` comes before an early end.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes, BytesMut};
use h2::RecvStream;
use http::{
    HeaderMap, HeaderValue, Response,
    header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE},
};
use http_body::Frame;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tonic::Code;
use trato_types::Error;

use super::life::Life;
use crate::{
    body::{Body, Cut},
    codec::{self, wire::last_delimited},
    response::{Errors, http_status},
    routes::Method,
    schema::{MessageId, Schema},
    status::Status,
    upstreams::{broken, no_status},
};

const NDJSON: HeaderValue = HeaderValue::from_static("application/x-ndjson");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");

/// How the messages of a stream are set apart.
#[derive(Debug)]
pub enum Form {
    /// A line each.
    Lines,
    /// An event each, with comments in quiet times.
    Events {
        /// Number of the text field that says where a client goes on.
        cursor: Option<u32>,
        /// When the next comment is due.
        heartbeat: Interval,
    },
}

impl Form {
    /// What the client asks for.
    pub fn asked(headers: &HeaderMap, method: &Method, heartbeat: Duration) -> Self {
        let accepts = headers.get_all(ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
        if !accepts
            .flat_map(|accept| accept.split(','))
            .any(|kind| kind.trim().starts_with("text/event-stream"))
        {
            return Self::Lines;
        }
        let mut heartbeat = interval(heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self::Events { cursor: method.response_cursor, heartbeat }
    }
}

/// The tables a stream writes by.
#[derive(Debug)]
pub struct Tables {
    /// All messages.
    pub schema: Schema,
    /// How errors are written.
    pub errors: Errors,
}

/// A stream of an upstream on its way to the client.
pub struct Messages {
    tables: Arc<Tables>,
    message: MessageId,
    form: Form,
    source: RecvStream,
    request_id: String,
    life: Life,
    /// Bytes of frames that are not complete yet.
    waiting: BytesMut,
    max_message: usize,
    is_over: bool,
}

/// Enough text for one write to the client.
const CHUNK: usize = 32 * 1024;

impl Messages {
    /// An answer that goes on for as long as the upstream has messages.
    pub fn respond(
        tables: Arc<Tables>,
        method: &Method,
        form: Form,
        source: RecvStream,
        request_id: String,
        life: Life,
        max_message: usize,
    ) -> Response<Body> {
        let content_type = match form {
            Form::Lines => NDJSON,
            Form::Events { .. } => EVENTS,
        };
        let stream = Self {
            tables,
            message: method.output,
            form,
            source,
            request_id,
            life,
            waiting: BytesMut::new(),
            max_message,
            is_over: false,
        };
        let mut response = Response::new(Body::stream(stream));
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // Some proxies hold back what they could collect.
        response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
        response
    }

    /// Takes the next whole message out of what has arrived.
    fn next_message(&mut self) -> Result<Option<Bytes>, Error> {
        let Some([flag, length @ ..]) = self.waiting.first_chunk::<5>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(Error::internal)?;
        if *flag != 0 || length > self.max_message {
            return Err(Error::internal("the service sent a message that is compressed or too large"));
        }
        if self.waiting.len() < length + 5 {
            return Ok(None);
        }
        self.waiting.advance(5);
        Ok(Some(self.waiting.split_to(length).freeze()))
    }

    fn put_message(&self, wire: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let schema = &self.tables.schema;
        match &self.form {
            Form::Lines => {
                out.extend_from_slice(b"{\"result\":");
                codec::write_message(schema, self.message, wire, out).map_err(Error::internal)?;
                out.extend_from_slice(b"}\n");
            }
            Form::Events { cursor, .. } => {
                let cursor = cursor.and_then(|number| last_delimited(wire, number)).unwrap_or_default();
                // A line break would end the field early.
                if !cursor.is_empty() && !cursor.iter().any(|byte| matches!(byte, b'\n' | b'\r' | 0)) {
                    out.extend_from_slice(b"id: ");
                    out.extend_from_slice(cursor);
                    out.push(b'\n');
                }
                out.extend_from_slice(b"data: ");
                codec::write_message(schema, self.message, wire, out).map_err(Error::internal)?;
                out.extend_from_slice(b"\n\n");
            }
        }
        Ok(())
    }

    /// All whole messages that have arrived, as far as they fit into one write, and what went wrong behind them.
    fn take_waiting(&mut self) -> (Vec<u8>, Option<Error>) {
        let mut out = Vec::new();
        while out.len() < CHUNK {
            let start = out.len();
            let taken = match self.next_message() {
                Ok(Some(message)) => self.put_message(&message, &mut out),
                Ok(None) => break,
                Err(error) => Err(error),
            };
            if let Err(error) = taken {
                out.truncate(start);
                return (out, Some(error));
            }
        }
        (out, None)
    }

    /// The last words of a stream that did not end well.
    fn failed(&mut self, status: &Status) -> Bytes {
        self.is_over = true;
        self.life.record.end(status.code);
        let mut out = Vec::new();
        let is_event = matches!(self.form, Form::Events { .. });
        if is_event {
            out.extend_from_slice(b"event: error\ndata: ");
        }
        self.tables.errors.write(&self.tables.schema, status, http_status(status.code), &mut out);
        out.extend_from_slice(if is_event { b"\n\n" } else { b"\n" });
        out.into()
    }

    fn refused(&mut self, error: &Error) -> Bytes {
        let status = self.life.record.span.in_scope(|| Status::of(error, &self.request_id));
        self.failed(&status)
    }

    fn poll_text(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if self.is_over {
                return Poll::Ready(None);
            }
            match self.take_waiting() {
                (text, None) if text.is_empty() => {}
                (text, None) => return Poll::Ready(Some(text.into())),
                (mut text, Some(error)) => {
                    text.extend_from_slice(&self.refused(&error));
                    return Poll::Ready(Some(text.into()));
                }
            }
            if let Poll::Ready(error) = self.life.poll_end(cx) {
                return Poll::Ready(Some(self.refused(&error)));
            }
            match self.source.poll_data(cx) {
                Poll::Ready(Some(Ok(data))) => {
                    // Room for as much again: this is only reached when the client has taken what came before.
                    let released = self.source.flow_control().release_capacity(data.len());
                    self.waiting.extend_from_slice(&data);
                    if let Err(error) = released {
                        return Poll::Ready(Some(self.refused(&broken(error))));
                    }
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(self.refused(&broken(error)))),
                Poll::Ready(None) => return Poll::Ready(ready!(self.poll_outcome(cx))),
                Poll::Pending => return self.poll_heartbeat(cx),
            }
        }
    }

    /// After the last message: the upstream's word on how it went.
    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let trailers = ready!(self.source.poll_trailers(cx));
        let status = match trailers {
            Ok(trailers) => trailers.as_ref().and_then(Status::read),
            Err(error) => return Poll::Ready(Some(self.refused(&broken(error)))),
        };
        Poll::Ready(match status {
            Some(status) if status.code == Code::Ok && self.waiting.is_empty() => {
                self.is_over = true;
                self.life.record.end(Code::Ok);
                None
            }
            Some(status) if status.code != Code::Ok => Some(self.failed(&status)),
            _ => Some(self.refused(&no_status())),
        })
    }

    fn poll_heartbeat(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        match &mut self.form {
            Form::Lines => Poll::Pending,
            Form::Events { heartbeat, .. } => {
                // The first is due at once and shows the client that the stream is open.
                ready!(heartbeat.poll_tick(cx));
                Poll::Ready(Some(Bytes::from_static(b":\n\n")))
            }
        }
    }
}

impl http_body::Body for Messages {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        self.get_mut().poll_text(cx).map(|text| text.map(|text| Ok(Frame::data(text))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_over
    }
}
