//! One call to an upstream, never later than its deadline, and its answer read.

use std::future::poll_fn;

use bytes::{Bytes, BytesMut};
use h2::RecvStream;
use http::{HeaderMap, Response};
use tokio::time::{Instant, timeout_at};
use tonic::Code;
use trato_platform::{
    rpc::exceeded,
    transport::{Call, Pump},
};
use trato_types::{Error, Kind};

use super::Upstream;
use crate::status::Status;

/// The beginning of an answer.
#[derive(Debug)]
pub struct Answer {
    /// Headers of the answer.
    pub headers: HeaderMap,
    /// The outcome, when the upstream answered with nothing else.
    pub status: Option<Status>,
    /// What follows. Dropping it cancels the call.
    pub body: RecvStream,
}

/// A whole answer of a call that is no stream.
#[derive(Debug)]
pub struct Gathered {
    /// Headers of the answer.
    pub headers: HeaderMap,
    /// The frames of gRPC: one message, or nothing after an error.
    pub frames: Bytes,
    /// What stood behind the frames; empty when the upstream answered with headers alone.
    pub trailers: HeaderMap,
    /// The outcome.
    pub status: Status,
}

impl Gathered {
    /// The message of a successful answer.
    pub fn message(&self) -> Result<Bytes, Error> {
        match self.frames.first_chunk::<5>() {
            Some([0, length @ ..])
                if usize::try_from(u32::from_be_bytes(*length)) == Ok(self.frames.len() - 5) =>
            {
                Ok(self.frames.slice(5..))
            }
            _ => Err(Error::internal("the service did not answer with exactly one plain message")),
        }
    }
}

impl Upstream {
    /// Sends a call and waits until `begun_by` for the beginning of the answer.
    pub async fn open(&self, call: &Call, begun_by: Instant) -> Result<Answer, Error> {
        within(begun_by, self.send(call)).await
    }

    /// Sends a call that is no stream, and waits until `done_by` for the whole answer.
    pub async fn gather(&self, call: &Call, done_by: Instant) -> Result<Gathered, Error> {
        let gathered = async {
            let mut answer = self.send(call).await?;
            let Some(status) = answer.status else {
                let (frames, trailers) = collect(&mut answer.body, self.max_answer).await?;
                let status = Status::read(&trailers).ok_or_else(no_status)?;
                return Ok(Gathered { headers: answer.headers, frames, trailers, status });
            };
            Ok(Gathered { headers: answer.headers, frames: Bytes::new(), trailers: HeaderMap::new(), status })
        };
        within(done_by, gathered).await
    }

    /// Opens a call and passes `body` on while the answer is read; its frames are not looked at.
    pub async fn pipe<B>(&self, call: Call, body: B) -> Result<(Answer, Pump), Error>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
    {
        let opened = self.transport.pipe(call.path, call.headers, body).await;
        let (answered, pump) = opened.map_err(|error| self.unavailable(error))?;
        Ok((answer(answered.response), pump))
    }

    async fn send(&self, call: &Call) -> Result<Answer, Error> {
        let answered = self.transport.send(call).await.map_err(|error| self.unavailable(error))?;
        Ok(answer(answered.response))
    }

    fn unavailable(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        let name = self.transport.name();
        let message = format!("{name} cannot be reached");
        Error::unavailable("UPSTREAM_UNAVAILABLE", message).with("upstream", name).caused_by(error)
    }
}

async fn within<T>(deadline: Instant, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    timeout_at(deadline, work).await.map_err(|_| exceeded())?
}

fn answer(response: Response<RecvStream>) -> Answer {
    let (head, body) = response.into_parts();
    let status = match Status::read(&head.headers) {
        Some(status) => Some(status),
        None if head.status != http::StatusCode::OK => Some(Status {
            code: code_of(head.status),
            message: format!("the service answered with HTTP status {}", head.status.as_u16()),
            details: Bytes::new(),
        }),
        None => None,
    };
    Answer { headers: head.headers, status, body }
}

/// How gRPC reads an HTTP status that some middle box gave.
fn code_of(status: http::StatusCode) -> Code {
    match status.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502 | 503 | 504 => Code::Unavailable,
        431 => Code::ResourceExhausted,
        _ => Code::Unknown,
    }
}

/// Reads all that follows: data and trailers.
async fn collect(body: &mut RecvStream, max: usize) -> Result<(Bytes, HeaderMap), Error> {
    let mut only = Bytes::new();
    let mut joined = BytesMut::new();
    while let Some(chunk) = poll_fn(|cx| body.poll_data(cx)).await {
        let chunk = chunk.map_err(broken)?;
        // Everything is read at once, so that a slow client never holds up the connection.
        body.flow_control().release_capacity(chunk.len()).map_err(broken)?;
        if only.len() + joined.len() + chunk.len() > max {
            let error =
                Error::new(Kind::Exhausted, "RESPONSE_TOO_LARGE", "the answer of the service is too large");
            return Err(error.with("max_bytes", max));
        }
        // Nearly always there is only one chunk, which is then not copied.
        if only.is_empty() && joined.is_empty() {
            only = chunk;
            continue;
        }
        joined.extend_from_slice(&std::mem::take(&mut only));
        joined.extend_from_slice(&chunk);
    }
    let trailers = poll_fn(|cx| body.poll_trailers(cx)).await.map_err(broken)?;
    let data = if joined.is_empty() { only } else { joined.freeze() };
    Ok((data, trailers.unwrap_or_default()))
}

/// An answer that broke off. Whether it may be asked again is for the client to know.
pub fn broken(error: h2::Error) -> Error {
    Error::unavailable("UPSTREAM_UNAVAILABLE", "the service broke off its answer").caused_by(error)
}

/// An answer without an outcome.
pub fn no_status() -> Error {
    Error::internal("the service ended its answer without a status")
}
