//! How long a stream lives: until its client's deadline, or until the gateway is about to stop.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use trato_platform::rpc::exceeded;
use trato_types::Error;

use super::{place::Place, record::Record};

/// What a stream holds on to, and what ends it from our side.
pub struct Life {
    /// Where the outcome is noted.
    pub record: Record,
    _place: Place,
    drain: Pin<Box<WaitForCancellationFutureOwned>>,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Life {
    /// A stream that takes up `place` until it ends.
    pub fn new(record: Record, place: Place, drain: &CancellationToken, deadline: Option<Instant>) -> Self {
        Self {
            record,
            _place: place,
            drain: Box::pin(drain.clone().cancelled_owned()),
            deadline: deadline.map(|deadline| Box::pin(sleep_until(deadline))),
        }
    }

    /// Ready, with the reason, when the stream must end now.
    pub fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        if self.drain.as_mut().poll(cx).is_ready() {
            return Poll::Ready(stopping());
        }
        match &mut self.deadline {
            Some(deadline) => deadline.as_mut().poll(cx).map(|()| exceeded()),
            None => Poll::Pending,
        }
    }
}

/// The error of streams and calls that meet a gateway about to stop.
fn stopping() -> Error {
    Error::unavailable("SHUTTING_DOWN", "the gateway is stopping; go on with another one")
        .retry_after(Duration::from_millis(100))
}
