//! All addresses of a service, taken in turn, and followed as they come and go.

use std::{
    net::SocketAddr,
    sync::{
        Arc, PoisonError, RwLock, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use h2::client::SendRequest;
use tokio::{sync::Notify, time::timeout};

use super::{
    Network,
    connection::{ConnectError, Windows},
    names::Target,
    peer::Peer,
};

/// Shortest time between two looks at the names, however many connections break.
const SHORTEST: Duration = Duration::from_millis(250);

/// Connections to every address of a service.
#[derive(Debug)]
pub(super) struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    name: Arc<str>,
    targets: Vec<Target>,
    network: Network,
    windows: Windows,
    peers: RwLock<Arc<[Arc<Peer>]>>,
    turn: AtomicUsize,
    /// Asks to look at the names again at once.
    look: Arc<Notify>,
    /// Held during the first look, so that many callers make one.
    first: tokio::sync::Mutex<()>,
}

impl Pool {
    pub fn new(name: &Arc<str>, targets: Vec<Target>, network: Network, windows: Windows) -> Self {
        Self(Arc::new(Shared {
            name: Arc::clone(name),
            targets,
            network,
            windows,
            peers: RwLock::new(Arc::new([])),
            turn: AtomicUsize::new(0),
            look: Arc::default(),
            first: tokio::sync::Mutex::default(),
        }))
    }

    /// A handle that can send a request, and where it leads: the next address in turn among those that answer. When none
    /// is known to answer, the next of all is waited for.
    pub async fn acquire(&self) -> Result<(SendRequest<Bytes>, Arc<Peer>), ConnectError> {
        let mut peers = self.0.peers();
        if peers.is_empty() {
            peers = self.0.first_look().await?;
        }
        let turn = self.0.turn.fetch_add(1, Ordering::Relaxed);
        for _ in 0..peers.len() {
            // Those that answer take turns among themselves, so that one that is down does not double its neighbour's.
            let up = peers.iter().filter(|peer| peer.is_up()).count();
            let Some(peer) = peers.iter().filter(|peer| peer.is_up()).nth(turn % up.max(1)) else { break };
            if let Some(requests) = peer.ready().await {
                return Ok((requests, Arc::clone(peer)));
            }
        }
        let peer = &peers[turn % peers.len()];
        Ok((peer.connect().await?, Arc::clone(peer)))
    }
}

impl Shared {
    fn peers(&self) -> Arc<[Arc<Peer>]> {
        Arc::clone(&self.peers.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Finds the first addresses; from then on they are followed.
    async fn first_look(self: &Arc<Self>) -> Result<Arc<[Arc<Peer>]>, ConnectError> {
        let _guard = self.first.lock().await;
        let peers = self.peers();
        if !peers.is_empty() {
            return Ok(peers);
        }
        let looking = self.look_up();
        let failed = match timeout(self.network.settings.connect_timeout(), looking).await {
            Ok(failed) => failed,
            Err(_) => Some(std::io::ErrorKind::TimedOut.into()),
        };
        let peers = self.peers();
        if peers.is_empty() {
            return Err(ConnectError::NoAddress(self.name.to_string(), failed));
        }
        tokio::spawn(follow(Arc::downgrade(self)));
        Ok(peers)
    }

    /// Looks at all names. What a name stood for stays when it cannot be resolved now; answers why it could not.
    async fn look_up(&self) -> Option<std::io::Error> {
        let known = self.peers();
        let mut found: Vec<(SocketAddr, &Target)> = Vec::new();
        let mut failed = None;
        for target in &self.targets {
            let resolved = self.network.names.resolve(&target.host, target.port).await;
            let resolved = resolved.and_then(|addresses| match addresses.is_empty() {
                true => Err(std::io::ErrorKind::NotFound.into()),
                false => Ok(addresses),
            });
            match resolved {
                Ok(addresses) => found.extend(addresses.into_iter().map(|address| (address, target))),
                Err(error) => {
                    tracing::debug!(host = target.host, %error, "{} does not resolve: {error}", target.host);
                    let of_target = known.iter().filter(|peer| peer.target.authority == target.authority);
                    found.extend(of_target.map(|peer| (peer.address, target)));
                    failed = Some(error);
                }
            }
        }
        found.sort_by_key(|(address, _)| *address);
        found.dedup_by_key(|(address, _)| *address);
        self.lead_to(&known, &found);
        failed
    }

    /// Keeps the connections to addresses that are still wanted, and begins those that are missing. The others end with
    /// the calls they carry.
    fn lead_to(&self, known: &[Arc<Peer>], wanted: &[(SocketAddr, &Target)]) {
        let is_same = known.len() == wanted.len()
            && known.iter().zip(wanted).all(|(peer, (address, _))| peer.address == *address);
        if is_same {
            return;
        }
        let peers: Arc<[Arc<Peer>]> = wanted
            .iter()
            .map(|(address, target)| match known.iter().find(|peer| peer.address == *address) {
                Some(peer) => Arc::clone(peer),
                None => Peer::begin(*address, target, &self.network, self.windows, &self.look),
            })
            .collect();
        let addresses: Vec<String> = peers.iter().map(|peer| peer.address.to_string()).collect();
        let addresses = addresses.join(", ");
        tracing::info!(upstream = &*self.name, addresses, "{} is now at {addresses}", self.name);
        *self.peers.write().unwrap_or_else(PoisonError::into_inner) = peers;
    }
}

/// Looks at the names every few seconds, and at once when a connection is lost, for as long as the pool is in use.
async fn follow(shared: Weak<Shared>) {
    loop {
        let (look, every) = {
            let Some(shared) = shared.upgrade() else { return };
            (Arc::clone(&shared.look), shared.network.settings.resolve())
        };
        tokio::time::sleep(SHORTEST.min(every)).await;
        // Ends early when a connection was lost.
        let _ = timeout(every.saturating_sub(SHORTEST), look.notified()).await;
        let Some(shared) = shared.upgrade() else { return };
        shared.look_up().await;
    }
}
