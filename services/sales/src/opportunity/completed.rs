//! A request whose opportunity was completed before the standard methods get it.
//!
//! A request id stands for what the client *sent*. What sales fills in (the default pipeline, the caller's team) may be
//! another one when the client repeats the request, so it must not count: the completed request has the bytes, and
//! thereby the hash, of the one that was sent.

use prost::{
    Message,
    bytes::{Buf, BufMut},
    encoding::{DecodeContext, WireType},
};
use trato_proto::sales::v1::Opportunity;
use trato_types::standard::{CreateRequest, UpdateRequest, WriteOptions};

/// An `R` as it was sent, and the opportunity and mask to use in the place of its own.
#[derive(Clone, Debug)]
pub struct Completed<R> {
    sent: R,
    opportunity: Option<Opportunity>,
    mask: Option<Vec<String>>,
}

impl<R> Completed<R> {
    /// Puts another opportunity in the place of the one that was sent.
    pub fn of_create(sent: R, opportunity: Option<Opportunity>) -> Self {
        Self { sent, opportunity, mask: None }
    }

    /// Like `of_create`, with the mask that says which of its fields count.
    pub fn of_update(sent: R, opportunity: Option<Opportunity>, mask: Option<Vec<String>>) -> Self {
        Self { sent, opportunity, mask }
    }
}

impl<R: CreateRequest<Message = Opportunity>> CreateRequest for Completed<R> {
    type Message = Opportunity;
    const FIELD: &'static str = R::FIELD;

    fn into_parts(self) -> (Option<Opportunity>, WriteOptions) {
        (self.opportunity, self.sent.into_parts().1)
    }

    fn take_request_id(&mut self) -> String {
        self.sent.take_request_id()
    }
}

impl<R: UpdateRequest<Message = Opportunity>> UpdateRequest for Completed<R> {
    type Message = Opportunity;
    const FIELD: &'static str = R::FIELD;

    fn into_parts(self) -> (Option<Opportunity>, Option<Vec<String>>, WriteOptions) {
        (self.opportunity, self.mask, self.sent.into_parts().2)
    }

    fn take_request_id(&mut self) -> String {
        self.sent.take_request_id()
    }
}

impl<R: Message> Message for Completed<R> {
    fn encode_raw(&self, buffer: &mut impl BufMut) {
        self.sent.encode_raw(buffer);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buffer: &mut impl Buf,
        cx: DecodeContext,
    ) -> Result<(), prost::DecodeError> {
        self.sent.merge_field(tag, wire_type, buffer, cx)
    }

    fn encoded_len(&self) -> usize {
        self.sent.encoded_len()
    }

    fn clear(&mut self) {
        self.sent.clear();
    }
}
