//! What a connection is doing, seen from outside: whether it sends a head too slowly, or is only held open.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Most bytes of a write that is no progress: a ping of HTTP/2 and its answer have 17 each, and a client that only answers
/// pings idles.
const A_PING: usize = 64;

/// Shared by a connection's bytes, its requests and its watchman.
#[derive(Clone, Debug)]
pub struct Pulse(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    opened: Instant,
    /// Requests being answered.
    in_hand: AtomicUsize,
    /// Milliseconds from the opening to the last sign of progress.
    last: AtomicU64,
    /// Milliseconds from the opening to the first byte of a head that is not complete yet; 0 for none.
    head: AtomicU64,
}

/// What the watchman should do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Nothing.
    Fine,
    /// End the connection in order: nothing has happened for long.
    Idle,
    /// Cut it: the head of a request is coming too slowly.
    Stalled,
}

impl Pulse {
    /// For a connection just opened.
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            opened: Instant::now(),
            in_hand: AtomicUsize::new(0),
            last: AtomicU64::new(0),
            head: AtomicU64::new(0),
        }))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A request has begun; it ends when the guard is dropped.
    pub fn begin(&self) -> InHand {
        self.0.in_hand.fetch_add(1, Relaxed);
        self.0.head.store(0, Relaxed);
        InHand(self.clone())
    }

    fn received(&self) {
        if self.0.in_hand.load(Relaxed) == 0 && self.0.head.load(Relaxed) == 0 {
            self.0.head.store(self.now().max(1), Relaxed);
        }
    }

    fn progressed(&self) {
        self.0.last.store(self.now(), Relaxed);
    }

    fn wrote(&self, polled: &Poll<std::io::Result<usize>>) {
        if matches!(polled, Poll::Ready(Ok(count)) if *count > A_PING) {
            self.progressed();
        }
    }

    /// Judges a connection. Connections of HTTP/2 receive pings between requests, which are no heads.
    pub fn judge(&self, head_within: Duration, idle_for: Duration, is_http2: bool) -> Verdict {
        if self.0.in_hand.load(Relaxed) > 0 {
            return Verdict::Fine;
        }
        let since = |then: u64| Duration::from_millis(self.now().saturating_sub(then));
        let head = self.0.head.load(Relaxed);
        if head > 0 && !is_http2 && since(head) > head_within {
            return Verdict::Stalled;
        }
        if since(self.0.last.load(Relaxed)) > idle_for { Verdict::Idle } else { Verdict::Fine }
    }
}

/// A request being answered.
#[derive(Debug)]
pub struct InHand(Pulse);

impl Drop for InHand {
    fn drop(&mut self) {
        self.0.progressed();
        self.0.0.head.store(0, Relaxed);
        self.0.0.in_hand.fetch_sub(1, Relaxed);
    }
}

/// A connection whose first bytes were read already, and whose pulse is taken.
#[derive(Debug)]
pub struct Watched<S> {
    stream: S,
    first: Bytes,
    pulse: Pulse,
}

impl<S> Watched<S> {
    /// `first` is given out again before anything else is read.
    pub fn new(stream: S, first: Bytes, pulse: Pulse) -> Self {
        Self { stream, first, pulse }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if !self.first.is_empty() {
            let length = self.first.len().min(buffer.remaining());
            buffer.put_slice(&self.first[..length]);
            self.first.advance(length);
            self.pulse.received();
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.pulse.received();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.pulse.wrote(&polled);
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.pulse.wrote(&polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_unfinished_head_of_http1_is_stalled_and_only_silence_is_idle() {
        let (none, hour) = (Duration::ZERO, Duration::from_secs(3600));
        let pulse = Pulse(Arc::new(Inner {
            opened: Instant::now().checked_sub(Duration::from_secs(10)).expect("ten seconds ago"),
            in_hand: AtomicUsize::new(0),
            last: AtomicU64::new(0),
            head: AtomicU64::new(0),
        }));

        assert_eq!(pulse.judge(none, hour, false), Verdict::Fine);
        assert_eq!(pulse.judge(none, none, false), Verdict::Idle);
        pulse.0.head.store(1, Relaxed);
        assert_eq!(pulse.judge(none, hour, false), Verdict::Stalled);
        assert_eq!(pulse.judge(none, hour, true), Verdict::Fine);
        let in_hand = pulse.begin();
        assert_eq!(pulse.judge(none, none, false), Verdict::Fine);
        drop(in_hand);
        assert_eq!(pulse.judge(none, hour, false), Verdict::Fine);
    }
}
