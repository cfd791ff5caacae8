//! How much is taken in: calls at once, and bytes of a message, both refused before they cost anything.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;
use trato_types::{Error, Kind};

use super::status::to_status;

/// Places for calls. Nobody queues: a full server says so at once, which keeps accepted calls fast.
#[derive(Clone, Debug)]
pub struct Places(Arc<Semaphore>);

impl Places {
    /// As many places as calls may be worked on at once.
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most)))
    }

    /// A place until the permit is dropped, or RESOURCE_EXHAUSTED `TOO_MANY_CALLS` with a hint when to come back.
    pub fn take(&self) -> Result<OwnedSemaphorePermit, Error> {
        let place = Arc::clone(&self.0).try_acquire_owned();
        place.map_err(|_| too_many_calls().retry_after(Duration::from_millis(100)))
    }

    /// True while no place is taken.
    pub fn is_idle(&self) -> bool {
        // Every permit holds on to the places.
        Arc::strong_count(&self.0) == 1
    }
}

/// RESOURCE_EXHAUSTED `TOO_MANY_CALLS`, by which a server turns away what it has done nothing for.
pub fn too_many_calls() -> Error {
    Error::new(Kind::Exhausted, "TOO_MANY_CALLS", "the server works on as many calls as it can")
}

/// RESOURCE_EXHAUSTED for a message beyond the limit.
pub fn message_too_large(max_bytes: usize) -> Error {
    Error::new(Kind::Exhausted, "MESSAGE_TOO_LARGE", format!("a message may have at most {max_bytes} bytes"))
        .with("max_message_bytes", max_bytes)
}

/// A request body that refuses a message by the length it announces, before it is read.
pub(super) struct LimitedBody<B> {
    inner: B,
    max_bytes: usize,
    /// The five bytes before a message (flag and length) that have arrived.
    prefix: [u8; 5],
    prefix_len: usize,
    /// Bytes of the current message still to come.
    missing: usize,
}

impl<B> LimitedBody<B> {
    pub(super) fn new(inner: B, max_bytes: usize) -> Self {
        Self { inner, max_bytes, prefix: [0; 5], prefix_len: 0, missing: 0 }
    }

    /// Follows the framing through a chunk of data.
    fn follow(&mut self, mut data: &[u8]) -> Result<(), Error> {
        while !data.is_empty() {
            if self.missing > 0 {
                let here = self.missing.min(data.len());
                self.missing -= here;
                data = &data[here..];
                continue;
            }
            let wanted = (self.prefix.len() - self.prefix_len).min(data.len());
            self.prefix[self.prefix_len..self.prefix_len + wanted].copy_from_slice(&data[..wanted]);
            self.prefix_len += wanted;
            data = &data[wanted..];
            if self.prefix_len == self.prefix.len() {
                let [_, length @ ..] = self.prefix;
                self.missing = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
                self.prefix_len = 0;
                if self.missing > self.max_bytes {
                    return Err(message_too_large(self.max_bytes));
                }
            }
        }
        Ok(())
    }
}

impl<B> Body for LimitedBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(frame) = ready!(Pin::new(&mut self.inner).poll_frame(cx)) else { return Poll::Ready(None) };
        let frame = frame.map_err(|error| Status::from_error(error.into()));
        if let Ok(frame) = &frame
            && let Some(data) = frame.data_ref()
            && let Err(error) = self.follow(data)
        {
            return Poll::Ready(Some(Err(to_status(error))));
        }
        Poll::Ready(Some(frame))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(length: u32, sent: usize) -> Vec<u8> {
        let mut bytes = vec![0];
        bytes.extend(length.to_be_bytes());
        bytes.extend(vec![7; sent]);
        bytes
    }

    #[test]
    fn a_message_is_refused_by_its_announced_length_however_it_is_cut() {
        let good = [message(10, 10), message(0, 0), message(16, 16)].concat();
        let bad = [message(10, 10), message(17, 0)].concat();
        for size in 1..=bad.len() {
            let mut body = LimitedBody::new((), 16);
            assert!(good.chunks(size).all(|chunk| body.follow(chunk).is_ok()), "{size}");
            let mut body = LimitedBody::new((), 16);
            assert!(bad.chunks(size).any(|chunk| body.follow(chunk).is_err()), "{size}");
        }
    }

    #[test]
    fn a_full_server_refuses_at_once_and_says_when_to_come_back() {
        let places = Places::new(1);

        let taken = places.take().expect("one place");
        let refused = places.take().expect_err("no second place");
        drop(taken);

        assert_eq!((refused.kind(), refused.reason()), (Kind::Exhausted, "TOO_MANY_CALLS"));
        assert!(refused.retry_delay().is_some());
        assert!(places.is_idle());
        let taken = places.take().expect("it is free again");
        assert!(!places.is_idle());
        drop(taken);
    }
}
