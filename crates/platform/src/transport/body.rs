//! What follows the headers of an answer, as a body: its reader's pace is the other side's.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use h2::RecvStream;
use http_body::{Body, Frame};

/// Data, then trailers. Dropping it cancels the call.
#[derive(Debug)]
pub struct Incoming {
    source: RecvStream,
    is_data_over: bool,
}

impl From<RecvStream> for Incoming {
    fn from(source: RecvStream) -> Self {
        Self { source, is_data_over: false }
    }
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        let this = self.get_mut();
        if !this.is_data_over {
            match ready!(this.source.poll_data(cx)) {
                Some(Ok(data)) => {
                    let released = this.source.flow_control().release_capacity(data.len());
                    return Poll::Ready(Some(released.map(|()| Frame::data(data))));
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => this.is_data_over = true,
            }
        }
        let trailers = ready!(this.source.poll_trailers(cx));
        Poll::Ready(trailers.map(|trailers| trailers.map(Frame::trailers)).transpose())
    }

    fn is_end_stream(&self) -> bool {
        self.source.is_end_stream()
    }
}
