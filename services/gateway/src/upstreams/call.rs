//! One call to an upstream: sent, answered, perhaps sent again, never later than its deadline.

use std::{future::poll_fn, time::Duration};

use bytes::{Bytes, BytesMut};
use h2::RecvStream;
use http::{HeaderMap, Method, Request, Response, Uri, uri::PathAndQuery};
use tokio::time::{Instant, timeout_at};
use tonic::Code;
use trato_platform::rpc::exceeded;
use trato_types::{Error, Kind};

use super::{Upstream, channel::Channel};
use crate::status::Status;

/// What is sent.
#[derive(Clone, Debug)]
pub struct Call {
    /// `/package.Service/Method`
    pub path: PathAndQuery,
    /// Headers of the call, all of them chosen by the gateway.
    pub headers: HeaderMap,
    /// The request as frames of gRPC.
    pub frames: Bytes,
    /// Whether it may be sent twice although the first may have had its effect.
    pub is_idempotent: bool,
    /// Whether the answer is a stream.
    pub is_stream: bool,
}

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

/// Why an attempt brought no answer.
#[derive(Debug, thiserror::Error)]
enum AttemptError {
    /// The request never reached a handler, so that it can be sent again whatever it does.
    #[error("the request was not sent")]
    NotSent(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The request was sent and nothing came back; it may have had its effect.
    #[error("the connection broke before the answer")]
    NoAnswer(#[source] h2::Error),
}

/// Most attempts of a call whose request never reached a handler, and of one that may have.
const MOST_UNSENT: u32 = 6;
const MOST_UNANSWERED: u32 = 3;

impl Upstream {
    /// Sends a call and waits until `begun_by` for the beginning of the answer.
    pub async fn open(&self, call: &Call, begun_by: Instant) -> Result<Answer, Error> {
        self.budget.deposit();
        within(begun_by, self.attempts(call)).await
    }

    /// Sends a call that is no stream, and waits until `done_by` for the whole answer.
    pub async fn gather(&self, call: &Call, done_by: Instant) -> Result<Gathered, Error> {
        self.budget.deposit();
        let gathered = async {
            let mut answer = self.attempts(call).await?;
            let Some(status) = answer.status else {
                let (frames, trailers) = collect(&mut answer.body, self.max_answer).await?;
                let status = Status::read(&trailers).ok_or_else(no_status)?;
                return Ok(Gathered { headers: answer.headers, frames, trailers, status });
            };
            Ok(Gathered { headers: answer.headers, frames: Bytes::new(), trailers: HeaderMap::new(), status })
        };
        within(done_by, gathered).await
    }

    async fn attempts(&self, call: &Call) -> Result<Answer, Error> {
        let pool = if call.is_stream { &self.streams } else { &self.calls };
        let mut attempt = 1;
        loop {
            let error = match send(pool.next(), call).await {
                Ok(answer) => {
                    // A status with details is the service's own word: its client is told when to try again, and to
                    // wait here for what it lacks would only make the answer late.
                    let is_refused = answer
                        .status
                        .as_ref()
                        .is_some_and(|status| status.code == Code::Unavailable && status.details.is_empty());
                    if !(is_refused
                        && call.is_idempotent
                        && attempt < MOST_UNANSWERED
                        && self.budget.withdraw())
                    {
                        return Ok(answer);
                    }
                    None
                }
                Err(error) => {
                    let most = match error {
                        AttemptError::NotSent(_) => MOST_UNSENT,
                        AttemptError::NoAnswer(_) if call.is_idempotent => MOST_UNANSWERED,
                        AttemptError::NoAnswer(_) => 1,
                    };
                    if attempt >= most || !self.budget.withdraw() {
                        return Err(self.unavailable(error));
                    }
                    Some(error)
                }
            };
            tracing::debug!(upstream = %self.name, attempt, ?error, "a call to {} is sent again", self.name);
            tokio::time::sleep(pause(attempt)).await;
            attempt += 1;
        }
    }

    pub(super) fn unavailable(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        let message = format!("{} cannot be reached", self.name);
        Error::unavailable("UPSTREAM_UNAVAILABLE", message).with("upstream", &self.name).caused_by(error)
    }
}

async fn within<T>(deadline: Instant, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    timeout_at(deadline, work).await.map_err(|_| exceeded())?
}

/// 10, 20, 40 … milliseconds, up to half more by chance, so that callers do not come back all at once.
fn pause(attempt: u32) -> Duration {
    let base = Duration::from_millis(5 << attempt.min(6));
    // The clock's nanoseconds are chance enough to spread callers.
    let chance = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |now| now.subsec_nanos()) % 512;
    base + base * chance / 1024
}

/// Sends a request whose body is already there.
async fn send(channel: &Channel, call: &Call) -> Result<Answer, AttemptError> {
    let mut requests = channel.ready().await.map_err(|error| AttemptError::NotSent(error.into()))?;
    let (answered, mut body) =
        requests.send_request(head(call), false).map_err(|error| AttemptError::NotSent(error.into()))?;
    body.send_data(call.frames.clone(), true).map_err(AttemptError::NoAnswer)?;
    match answered.await {
        Ok(response) => Ok(answer(response)),
        // The other side says that it did not begin: it is going away, or it refused the stream.
        Err(error) if error.is_go_away() && error.is_remote() => Err(AttemptError::NotSent(error.into())),
        Err(error) if error.reason() == Some(h2::Reason::REFUSED_STREAM) => {
            Err(AttemptError::NotSent(error.into()))
        }
        Err(error) => Err(AttemptError::NoAnswer(error)),
    }
}

pub(super) fn head(call: &Call) -> Request<()> {
    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    let uri = Uri::builder().scheme("http").authority("upstream").path_and_query(call.path.clone());
    // Scheme and authority are constant, and the path was one before.
    *request.uri_mut() = uri.build().unwrap_or_default();
    *request.version_mut() = http::Version::HTTP_2;
    *request.headers_mut() = call.headers.clone();
    request
}

pub(super) fn answer(response: Response<RecvStream>) -> Answer {
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
