//! One address and the connections to it.
//!
//! Calls never wait for a connection while another address has one: what is lost is made again beside them.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{
            AtomicBool, AtomicUsize,
            Ordering::{AcqRel, Acquire, Relaxed, Release},
        },
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::future::try_join_all;
use h2::client::SendRequest;
use tokio::sync::Notify;

use super::{
    Network,
    connection::{self, ConnectError, Windows},
    names::Target,
};

/// After a failure nobody tries again for this long; callers that come meanwhile learn it at once.
const PAUSE: Duration = Duration::from_millis(20);
/// First and longest wait between attempts to mend an address that does not answer.
const MENDING: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// An address of a service.
#[derive(Debug)]
pub(super) struct Peer {
    pub address: SocketAddr,
    pub target: Target,
    network: Network,
    windows: Windows,
    lanes: Vec<Lane>,
    turn: AtomicUsize,
    /// All connections stand, as far as is known.
    is_up: AtomicBool,
    is_mending: AtomicBool,
    /// Woken when a connection is lost, for then the name may stand for something else.
    look: Arc<Notify>,
}

/// A place for one connection.
#[derive(Debug, Default)]
struct Lane {
    live: Mutex<Option<SendRequest<Bytes>>>,
    /// Held while connecting, so that many callers make one connection; when the last attempt failed, and why.
    connecting: tokio::sync::Mutex<Option<(Instant, Arc<ConnectError>)>>,
}

impl Peer {
    /// Begins to connect.
    pub fn begin(
        address: SocketAddr,
        target: &Target,
        network: &Network,
        windows: Windows,
        look: &Arc<Notify>,
    ) -> Arc<Self> {
        let peer = Arc::new(Self {
            address,
            target: target.clone(),
            network: network.clone(),
            windows,
            lanes: (0..network.settings.connections).map(|_| Lane::default()).collect(),
            turn: AtomicUsize::new(0),
            is_up: AtomicBool::new(false),
            is_mending: AtomicBool::new(false),
            look: Arc::clone(look),
        });
        peer.mend();
        peer
    }

    pub fn is_up(&self) -> bool {
        self.is_up.load(Acquire)
    }

    /// A handle that can send a request now; none when the connection whose turn it is was lost.
    pub async fn ready(self: &Arc<Self>) -> Option<SendRequest<Bytes>> {
        let ready = self.lane().ready().await;
        if ready.is_none() {
            self.lost();
        }
        ready
    }

    /// A handle that can send a request, over a new connection if need be.
    pub async fn connect(self: &Arc<Self>) -> Result<SendRequest<Bytes>, ConnectError> {
        self.ready_or_connect(self.lane()).await
    }

    fn lane(&self) -> &Lane {
        &self.lanes[self.turn.fetch_add(1, Relaxed) % self.lanes.len()]
    }

    /// A connection was lost: it gets no calls until it is mended.
    fn lost(self: &Arc<Self>) {
        self.is_up.store(false, Release);
        self.look.notify_one();
        self.mend();
    }

    fn mend(self: &Arc<Self>) {
        if !self.is_mending.swap(true, AcqRel) {
            tokio::spawn(mend(Arc::downgrade(self)));
        }
    }

    async fn ready_or_connect(self: &Arc<Self>, lane: &Lane) -> Result<SendRequest<Bytes>, ConnectError> {
        if let Some(requests) = lane.ready().await {
            return Ok(requests);
        }
        let mut failed = lane.connecting.lock().await;
        // Somebody else may have connected while this caller waited.
        if let Some(requests) = lane.ready().await {
            return Ok(requests);
        }
        if let Some((when, why)) = &*failed
            && when.elapsed() < PAUSE
        {
            return Err(ConnectError::JustFailed(Arc::clone(why)));
        }
        let peer = Arc::downgrade(self);
        let ended = move || {
            if let Some(peer) = peer.upgrade() {
                peer.lost();
            }
        };
        let opened = connection::open(self.address, &self.target, &self.network, self.windows, ended).await;
        match opened {
            Ok(requests) => {
                *failed = None;
                *lane.live.lock().unwrap_or_else(PoisonError::into_inner) = Some(requests.clone());
                Ok(requests)
            }
            Err(error) => {
                let why = Arc::new(error);
                *failed = Some((Instant::now(), Arc::clone(&why)));
                Err(ConnectError::JustFailed(why))
            }
        }
    }
}

impl Lane {
    /// Waits for room on the connection; none when it is lost, or the other side told it to go away.
    async fn ready(&self) -> Option<SendRequest<Bytes>> {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        live.ready().await.ok()
    }
}

/// Connects until all connections of an address stand, or until nobody wants them any more.
async fn mend(peer: Weak<Peer>) {
    let mut pause = MENDING.0;
    loop {
        {
            let Some(peer) = peer.upgrade() else { return };
            match try_join_all(peer.lanes.iter().map(|lane| peer.ready_or_connect(lane))).await {
                Ok(_) => {
                    // In this order: one lost in between is mended anew.
                    peer.is_mending.store(false, Release);
                    peer.is_up.store(true, Release);
                    return;
                }
                Err(error) => {
                    let address = peer.address;
                    let error = trato_types::error::chain(&error);
                    if pause == MENDING.0 {
                        tracing::info!(upstream = %address, error, "no calls go to {address} for now: {error}");
                    } else {
                        tracing::debug!(upstream = %address, error, "{address} does not answer yet: {error}");
                    }
                }
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(MENDING.1);
    }
}
