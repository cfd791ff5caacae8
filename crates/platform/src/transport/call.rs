//! One call: sent, answered, perhaps sent again.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use h2::RecvStream;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, uri, uri::PathAndQuery};

use super::{Transport, connection::ConnectError, names::Target};
use crate::telemetry::metrics::metrics;

/// What is sent.
#[derive(Clone, Debug)]
pub struct Call {
    /// `/package.Service/Method`
    pub path: PathAndQuery,
    /// Headers of the call, all of them chosen by the caller.
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
pub struct Answered {
    /// Headers and what follows. Dropping it cancels the call.
    pub response: Response<RecvStream>,
    /// Who answers.
    pub address: SocketAddr,
}

/// Why a call brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody was there, so that the request never reached a handler.
    #[error("the request was not sent")]
    Unreachable(#[source] ConnectError),
    /// The other side says that it did not begin: it is going away, or it refused the stream.
    #[error("the request was not accepted")]
    NotBegun(#[source] h2::Error),
    /// The request was sent and nothing came back; it may have had its effect.
    #[error("the connection broke before the answer")]
    NoAnswer(#[source] h2::Error),
}

impl CallError {
    /// One word for it, as metrics have it.
    const fn cause(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::NotBegun(_) => "not_begun",
            Self::NoAnswer(_) => "no_answer",
        }
    }
}

/// Most attempts of a call whose request never reached a handler, and of one that may have.
const MOST_UNSENT: u32 = 6;
const MOST_UNANSWERED: u32 = 3;

impl Transport {
    /// Sends a call and waits for the beginning of the answer. What never reached a handler is sent again whatever it
    /// does, to the next address; an idempotent call also when its connection broke before the answer, or when a proxy
    /// in between says that nobody is there. The caller sets the time.
    ///
    /// Who is turned away is told that nothing was done. After an attempt that may have had its effect that would be
    /// said of the repetition alone, so what became of that attempt is answered instead.
    pub async fn send(&self, call: &Call) -> Result<Answered, CallError> {
        self.budget.deposit();
        let mut open = None;
        let mut attempt = 1;
        loop {
            let outcome = self.attempt(call).await;
            let most = match &outcome {
                Ok(answered) if is_turned_away(&answered.response) => return open.unwrap_or(outcome),
                Ok(answered) if is_unserved(&answered.response) && call.is_idempotent => MOST_UNANSWERED,
                Err(CallError::NoAnswer(_)) if call.is_idempotent => MOST_UNANSWERED,
                Ok(_) | Err(CallError::NoAnswer(_)) => 1,
                Err(CallError::Unreachable(_) | CallError::NotBegun(_)) => MOST_UNSENT,
            };
            if attempt >= most || !self.may_repeat(attempt, outcome.as_ref().err()) {
                return outcome;
            }
            if most == MOST_UNANSWERED {
                open = Some(outcome);
            }
            tokio::time::sleep(pause(attempt)).await;
            attempt += 1;
        }
    }

    /// True when the budget has room for one more attempt, after one that failed or, without an error, was not served.
    fn may_repeat(&self, attempt: u32, error: Option<&CallError>) -> bool {
        let cause = error.map_or("unserved", CallError::cause);
        let may_repeat = self.budget.withdraw();
        if may_repeat {
            metrics().call_repeated(&self.name, cause);
            tracing::debug!(upstream = self.name(), attempt, ?error, "a call to {} is sent again", self.name);
        } else {
            metrics().call_not_repeated(&self.name, cause);
            tracing::debug!(
                upstream = self.name(),
                attempt,
                ?error,
                "too many calls to {} are sent again",
                self.name
            );
        }
        may_repeat
    }

    /// Sends a request whose body is already there.
    async fn attempt(&self, call: &Call) -> Result<Answered, CallError> {
        let pool = if call.is_stream { &self.streams } else { &self.calls };
        let (mut requests, peer) = pool.acquire().await.map_err(CallError::Unreachable)?;
        let head = head(&peer.target, call.path.clone(), call.headers.clone());
        let (answered, mut body) = requests.send_request(head, false).map_err(CallError::NotBegun)?;
        body.send_data(call.frames.clone(), true).map_err(CallError::NoAnswer)?;
        match answered.await {
            Ok(response) => Ok(Answered { response, address: peer.address }),
            Err(error) => Err(unanswered(error)),
        }
    }
}

/// Tells whether the other side has begun.
pub(super) fn unanswered(error: h2::Error) -> CallError {
    let is_going_away = error.is_go_away() && error.is_remote();
    if is_going_away || error.reason() == Some(h2::Reason::REFUSED_STREAM) {
        CallError::NotBegun(error)
    } else {
        CallError::NoAnswer(error)
    }
}

/// True for what something in between says: UNAVAILABLE without details, or the HTTP status of a proxy. A status with
/// details is the service's own word: its client is told when to try again, and to wait here for what it lacks would
/// only make the answer late.
fn is_unserved(response: &Response<RecvStream>) -> bool {
    const UNAVAILABLE: HeaderValue = HeaderValue::from_static("14");
    match response.headers().get("grpc-status") {
        Some(code) => code == UNAVAILABLE && !response.headers().contains_key("grpc-status-details-bin"),
        None => matches!(
            response.status(),
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        ),
    }
}

/// True when the service did nothing for want of room.
fn is_turned_away(response: &Response<RecvStream>) -> bool {
    const RESOURCE_EXHAUSTED: HeaderValue = HeaderValue::from_static("8");
    response.headers().get("grpc-status").is_some_and(|code| code == RESOURCE_EXHAUSTED)
}

/// 10, 20, 40 … milliseconds, up to half more by chance, so that callers do not come back all at once.
fn pause(attempt: u32) -> Duration {
    let base = Duration::from_millis(5 << attempt.min(6));
    // The clock's nanoseconds are chance enough to spread callers.
    let chance = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |now| now.subsec_nanos()) % 512;
    base + base * chance / 1024
}

pub(super) fn head(target: &Target, path: PathAndQuery, headers: HeaderMap) -> Request<()> {
    let mut parts = uri::Parts::default();
    parts.scheme = Some(if target.server_name.is_some() { uri::Scheme::HTTPS } else { uri::Scheme::HTTP });
    parts.authority = Some(target.authority.clone());
    parts.path_and_query = Some(path);
    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    // All three parts are there, which is what a URI needs.
    *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    *request.version_mut() = http::Version::HTTP_2;
    *request.headers_mut() = headers;
    request
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::rpc::testing::{network, soon};

    /// A server that reads a request on each of so many connections and breaks them, and turns away what comes then.
    async fn breaking(connections: usize) -> Transport {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        tokio::spawn(async move {
            for number in 0.. {
                let (stream, _) = listener.accept().await.expect("a connection");
                let mut connection = h2::server::handshake(stream).await.expect("HTTP/2");
                tokio::spawn(async move {
                    while let Some(Ok((request, mut answer))) = connection.accept().await {
                        if number < connections {
                            break;
                        }
                        drop(request);
                        let refusal = Response::builder().header("grpc-status", "8").body(());
                        answer.send_response(refusal.expect("a response"), true).expect("it is sent");
                    }
                });
            }
        });
        Transport::new("test", &[address.parse().expect("an address")], &network(&[]))
    }

    /// F13: who is turned away by a repetition is not told that nothing was done: the first attempt may have done it.
    #[tokio::test]
    async fn what_may_have_been_done_is_not_said_to_be_turned_away() {
        let call = Call {
            path: PathAndQuery::from_static("/trato.test.v1.EchoService/GetEcho"),
            headers: HeaderMap::new(),
            frames: Bytes::from_static(&[0; 5]),
            is_idempotent: true,
            is_stream: false,
        };

        let turned_away = soon(breaking(0).await.send(&call)).await;
        let open = soon(breaking(1).await.send(&call)).await;

        assert!(turned_away.is_ok_and(|answered| is_turned_away(&answered.response)));
        assert!(matches!(open, Err(CallError::NoAnswer(_))), "{open:?}");
    }
}
