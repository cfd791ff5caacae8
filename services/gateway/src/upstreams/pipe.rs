//! Calls whose client sends a stream: the request is passed on as it comes, under the upstream's flow control.

use std::{future::poll_fn, pin::pin};

use bytes::Bytes;
use h2::{Reason, SendStream};
use http_body::{Body, Frame};
use tokio_util::task::AbortOnDropHandle;
use trato_types::Error;

use super::{Answer, Call, Upstream, call};

/// Attempts to find a connection; the request itself cannot be sent twice.
const ATTEMPTS: u32 = 3;

/// Passes on what a client sends. Dropping it cancels the call.
#[derive(Debug)]
pub struct Pump(#[expect(dead_code, reason = "held for its drop")] AbortOnDropHandle<()>);

impl Upstream {
    /// Opens a call and passes `body` on while the answer is read.
    pub async fn pipe<B>(&self, call: &Call, body: B) -> Result<(Answer, Pump), Error>
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        self.budget.deposit();
        let mut attempt = 1;
        let mut requests = loop {
            match self.streams.next().ready().await {
                Ok(requests) => break requests,
                Err(error) if attempt == ATTEMPTS || !self.budget.withdraw() => {
                    return Err(self.unavailable(error));
                }
                Err(_) => attempt += 1,
            }
        };
        let (answered, stream) =
            requests.send_request(call::head(call), false).map_err(|error| self.unavailable(error))?;
        let pump = Pump(AbortOnDropHandle::new(tokio::spawn(pump(body, stream))));
        let answer = answered.await.map(call::answer).map_err(|error| self.unavailable(error))?;
        Ok((answer, pump))
    }
}

async fn pump<B: Body<Data = Bytes>>(body: B, mut stream: SendStream<Bytes>) {
    let mut body = pin!(body);
    // Only the data of a frame goes on; its error has no use beyond being one.
    let next =
        |frame: Option<Result<Frame<Bytes>, B::Error>>| frame.map(|frame| frame.ok().map(Frame::into_data));
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx).map(next)).await {
        let data = match frame {
            Some(Ok(data)) => data,
            // Requests of gRPC have no trailers.
            Some(Err(_)) => continue,
            None => {
                // The client is gone or broke its own stream.
                stream.send_reset(Reason::CANCEL);
                return;
            }
        };
        if send(&mut stream, data).await.is_none() {
            return;
        }
    }
    // It fails when the upstream has ended the call already, which the answer tells.
    let _ = stream.send_data(Bytes::new(), true);
}

/// Sends as much as the upstream wants to have; `None` when it wants no more at all.
async fn send(stream: &mut SendStream<Bytes>, mut data: Bytes) -> Option<()> {
    while !data.is_empty() {
        stream.reserve_capacity(data.len());
        let granted = poll_fn(|cx| stream.poll_capacity(cx)).await?.ok()?;
        let part = data.split_to(granted.min(data.len()));
        stream.send_data(part, false).ok()?;
    }
    Some(())
}
