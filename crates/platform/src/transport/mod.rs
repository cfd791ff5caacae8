//! The one way calls leave a program: spread over every address a name stands for, over connections that are watched,
//! repeated where that is safe.
//!
//! The gateway passes bytes on through it; generated clients use it by [`rpc::Upstream`](crate::rpc::Upstream). It speaks
//! to `h2` directly. A general client puts a queue and two tasks between a call and its connection, and that was the
//! larger part of what a call cost.

mod body;
mod budget;
mod call;
mod connection;
mod names;
mod peer;
mod pipe;
mod pool;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use http::Uri;
use trato_types::{Error, Result};

pub use body::Incoming;
pub use call::{Answered, Call, CallError};
pub use connection::ConnectError;
pub use names::{Names, SystemNames};
pub use pipe::Pump;

use budget::Budget;
use connection::Windows;
use names::Target;
use pool::Pool;

use crate::{
    config::{self, Settings},
    tls::Tls,
};

/// How this program reaches others: its settings, its certificate, and who tells it what names stand for. Cheap to
/// clone.
#[derive(Clone, Debug)]
pub struct Network {
    settings: config::Transport,
    tls: Option<Tls>,
    names: Arc<dyn Names>,
}

impl Network {
    /// As the settings say. Reads the certificates, and follows their files for as long as it lives.
    pub fn new(settings: &Settings) -> Result<Self> {
        let tls = Tls::load(&settings.tls).map_err(Error::internal)?;
        Ok(Self { settings: settings.transport.clone(), tls, names: Arc::new(SystemNames) })
    }

    /// Names stand for what somebody else says.
    #[must_use]
    pub fn naming(mut self, names: impl Names + 'static) -> Self {
        self.names = Arc::new(names);
        self
    }

    /// The certificates of this program; none where it speaks plainly.
    pub fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }
}

/// The way to one service.
#[derive(Debug)]
pub struct Transport {
    name: Arc<str>,
    calls: Pool,
    /// Streams have connections of their own: a slow reader must not take the window of short calls.
    streams: Pool,
    budget: Budget,
}

/// Retries that may be made at once after a quiet time.
const RETRY_RESERVE: u32 = 500;

/// Answers of calls are read at once, so that much may be under way.
const CALLS: Windows = Windows { stream: 1 << 20, connection: 16 << 20 };
/// What a stream may have under way is what a slow client costs in memory; together they may have anything.
const STREAMS: Windows = Windows { stream: 64 << 10, connection: (1 << 31) - 1 };

impl Transport {
    /// The way to the service called `name` in logs, at all these addresses. Nothing is resolved or connected before the
    /// first call.
    pub fn new(name: &str, addresses: &[Uri], network: &Network) -> Self {
        let targets: Vec<Target> = addresses.iter().filter_map(Target::of).collect();
        let name: Arc<str> = name.into();
        let pool = |windows| Pool::new(&name, targets.clone(), network.clone(), windows);
        Self {
            calls: pool(CALLS),
            streams: pool(STREAMS),
            budget: Budget::new(network.settings.retry_percent, RETRY_RESERVE),
            name,
        }
    }

    /// What the service is called in logs.
    pub fn name(&self) -> &str {
        &self.name
    }
}
