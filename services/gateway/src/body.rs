//! The body of an answer: nothing, one piece, or a stream.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// A stream of pieces. It never fails: whatever goes wrong is said in the stream, or the stream is cut.
pub type Stream = Pin<Box<dyn http_body::Body<Data = Bytes, Error = Cut> + Send>>;

/// The answer cannot be finished; the connection or stream is reset, so that nobody takes it for whole.
#[derive(Debug, thiserror::Error)]
#[error("the answer is cut off")]
pub struct Cut;

impl From<Infallible> for Cut {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// The body of an answer.
pub enum Body {
    /// Nothing, or all of it at once.
    Whole(Bytes),
    /// Piece by piece.
    Stream(Stream),
}

impl Body {
    /// Nothing.
    pub fn empty() -> Self {
        Self::Whole(Bytes::new())
    }

    /// A stream.
    pub fn stream(stream: impl http_body::Body<Data = Bytes, Error = Cut> + Send + 'static) -> Self {
        Self::Stream(Box::pin(stream))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Whole(bytes.into())
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::Whole(Bytes::from_static(text.as_bytes()))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match self.get_mut() {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Stream(stream) => stream.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Stream(stream) => stream.size_hint(),
        }
    }
}
