//! Bodies of requests as bytes, within their limit.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{
    StatusCode,
    header::{CONTENT_LENGTH, EXPECT},
};
use tokio::time::{Instant, timeout, timeout_at};
use trato_platform::rpc::{exceeded, message_too_large};
use trato_types::{Error, Kind};

use super::Ask;
use crate::response::Refusal;

/// Most bytes of a refused body that are thrown away before the answer.
const MOST_DISCARDED: usize = 32 * 1024 * 1024;
/// Longest time this may take.
const DISCARD_PATIENCE: Duration = Duration::from_secs(1);

/// Reads a body of at most `max_bytes`. Of one that is larger no more is kept than was read until then.
pub(super) async fn read<B>(
    ask: &Ask<'_>,
    body: B,
    max_bytes: usize,
    until: Instant,
) -> Result<Bytes, Refusal>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: std::fmt::Display,
{
    let too_large =
        || Refusal { error: message_too_large(max_bytes), http: Some(StatusCode::PAYLOAD_TOO_LARGE) };
    let headers = &ask.head.headers;
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let mut body = pin!(body);
    if announced.is_some_and(|length: u64| length > max_bytes as u64) {
        // A client that asks first (`Expect: 100-continue`) has nothing under way.
        if !headers.contains_key(EXPECT) {
            discard(body).await;
        }
        return Err(too_large());
    }
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let collect = async {
        let mut only = Bytes::new();
        let mut joined = BytesMut::new();
        while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
            let frame = frame.map_err(|error| broken_body(&error.to_string()))?;
            let Ok(data) = frame.into_data() else { continue };
            if only.len() + joined.len() + data.len() > max_bytes {
                discard(body).await;
                return Err(too_large());
            }
            if only.is_empty() && joined.is_empty() {
                only = data;
                continue;
            }
            joined.extend_from_slice(&std::mem::take(&mut only));
            joined.extend_from_slice(&data);
        }
        Ok(if joined.is_empty() { only } else { joined.freeze() })
    };
    timeout_at(until, collect).await.map_err(|_| Refusal::from(exceeded()))?
}

/// Throws away what is still to come of a refused body, within bounds: a client that is writing when its connection
/// closes sees a broken pipe and never the answer.
async fn discard<B: http_body::Body<Data = Bytes>>(mut body: Pin<&mut B>) {
    let rest = async {
        let mut discarded = 0;
        while discarded < MOST_DISCARDED
            && let Some(Ok(frame)) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await
        {
            discarded += frame.data_ref().map_or(0, Bytes::len);
        }
    };
    // Whoever writes more slowly gets the answer as well as the connection lets through.
    let _ = timeout(DISCARD_PATIENCE, rest).await;
}

fn broken_body(problem: &str) -> Refusal {
    Error::new(Kind::Invalid, "BROKEN_BODY", format!("the body could not be read: {problem}")).into()
}
