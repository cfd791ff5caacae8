//! Events: what happens here leaves through the log, and what happens elsewhere comes in through the inbox.
//!
//! Out: `Tx` writes rows, the relay's leader numbers what was committed and publishes it, streams read it. In: the
//! consumer takes batches from the service's queue, the processor brings them to handlers, the inbox keeps order and
//! makes each event count once; what fails is parked, and `commands` is how an operator deals with it.

mod broker;
pub mod commands;
mod consumer;
mod cursor;
mod event;
mod headers;
mod inbox;
pub(crate) mod lease;
mod log;
mod numbering;
pub mod parked;
pub mod partitions;
mod processor;
mod publisher;
mod relay;
pub mod replay;
mod session;
pub mod stream;
mod tail;
mod topology;
mod verdict;

use trato_types::{Timestamp, time::to_microseconds};

pub use self::{
    consumer::{Consumer, declare},
    event::{Event, Handler, Incoming, Subscription},
    processor::{Interrupted, Processor},
    relay::Relay,
    stream::Streams,
    tail::Tail,
    topology::{DEAD_EXCHANGE, EXCHANGE, dead_queue, queue},
};

/// The clock, read where work begins.
fn now() -> Timestamp {
    to_microseconds(chrono::Utc::now())
}
