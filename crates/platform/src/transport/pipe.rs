//! Calls whose caller sends a stream: the request is passed on as it comes, under the other side's flow control.

use std::{future::poll_fn, pin::pin};

use bytes::Bytes;
use h2::{Reason, SendStream};
use http::{HeaderMap, uri::PathAndQuery};
use http_body::{Body, Frame};
use tokio_util::task::AbortOnDropHandle;

use super::{
    Transport,
    call::{self, Answered, CallError},
};

/// Attempts to find a connection; the request itself cannot be sent twice.
const ATTEMPTS: u32 = 3;

/// Passes on what a caller sends. Dropping it cancels the call.
#[derive(Debug)]
pub struct Pump(#[expect(dead_code, reason = "held for its drop")] AbortOnDropHandle<()>);

impl Transport {
    /// Opens a call and passes `body` on while the answer is read.
    pub async fn pipe<B>(
        &self,
        path: PathAndQuery,
        headers: HeaderMap,
        body: B,
    ) -> Result<(Answered, Pump), CallError>
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        self.budget.deposit();
        let mut attempt = 1;
        let (mut requests, peer) = loop {
            match self.streams.acquire().await {
                Ok(acquired) => break acquired,
                Err(error) if attempt == ATTEMPTS || !self.budget.withdraw() => {
                    return Err(CallError::Unreachable(error));
                }
                Err(_) => attempt += 1,
            }
        };
        let head = call::head(&peer.target, path, headers);
        let (answered, stream) = requests.send_request(head, false).map_err(CallError::NotBegun)?;
        let pump = Pump(AbortOnDropHandle::new(tokio::spawn(pump(body, stream))));
        let response = answered.await.map_err(call::unanswered)?;
        Ok((Answered { response, address: peer.address }, pump))
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
