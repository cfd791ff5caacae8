//! Events: what happens here leaves through the log, and what happens elsewhere comes in through the inbox.
//!
//! Out: `Tx` writes rows, the relay's leader numbers what was committed and publishes it, streams read it. In: the
//! consumer takes batches from the service's queue, the processor brings them to handlers, the inbox keeps order and
//! makes each event count once; what fails is parked. The rest is what an operator does with log, inbox and queues.

mod broker;
pub mod compare;
mod consumer;
mod cursor;
pub(crate) mod declared;
mod event;
mod headers;
mod inbox;
pub(crate) mod lease;
pub mod listing;
mod log;
mod numbering;
pub mod parked;
pub mod partitions;
mod processor;
mod publisher;
pub mod queues;
pub mod reconcile;
mod relay;
pub mod replay;
mod session;
mod standing;
pub mod stream;
mod tail;
mod topology;
mod verdict;

use trato_types::{Timestamp, time::to_microseconds};

pub(crate) use self::broker::is_unavailable as broker_missing;
pub use self::{
    consumer::{Consumer, declare},
    event::{Event, Handler, Incoming, Subscription},
    log::{Filter, Logged},
    processor::{Interrupted, Processor},
    relay::Relay,
    standing::Standing,
    stream::Streams,
    tail::Tail,
    topology::{DEAD_EXCHANGE, EXCHANGE, dead_queue, queue},
};

/// The clock, read where work begins.
fn now() -> Timestamp {
    to_microseconds(chrono::Utc::now())
}
