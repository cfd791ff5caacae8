//! A wire that can be cut: a proxy of the tests between a program and a server, with weather of its own.
//!
//! What is held back is not lost: TCP repeats what a network drops, so that a cut that ends is a delay. A connection that
//! was forgotten stays silent for ever, like one whose firewall or whose server's machine went away without a word.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rand::RngExt as _;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{Instant, sleep_until},
};

/// What the wire does to what passes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Weather {
    /// Nothing.
    #[default]
    Fair,
    /// Nothing passes in either direction.
    Cut,
    /// What the program says arrives; no answer does.
    Deaf,
    /// Each piece takes 200 ms, a hundred more or less.
    Slow,
    /// One piece in twenty is lost, and comes when TCP has repeated it.
    Lossy,
}

/// Pieces under way on a slow wire, at most.
const UNDER_WAY: usize = 256;
/// Time TCP takes at least until it repeats a piece.
const REPEATED: Duration = Duration::from_millis(200);

/// A wire from one port to wherever it is pointed.
#[derive(Debug)]
pub struct Proxy {
    /// Where programs connect.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    target: Mutex<SocketAddr>,
    weather: watch::Sender<Weather>,
    /// Connections of an older generation are forgotten; see `forget` and `reset`.
    epoch: watch::Sender<Epoch>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Epoch {
    /// Connections made before this one was counted are silent for ever.
    forgotten: u64,
    /// Those made before this one are reset.
    reset: u64,
    next: u64,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug)]
enum End {
    Closed,
    Reset,
    Forgotten,
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Up,
    Down,
}

impl Proxy {
    /// A wire to this server.
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            target: Mutex::new(target),
            weather: watch::Sender::default(),
            epoch: watch::Sender::default(),
        });
        let accepting = tokio::spawn(accept(listener, shared.clone()));
        Self { address, shared, accepting }
    }

    /// Changes the weather.
    pub fn set(&self, weather: Weather) {
        self.shared.weather.send_replace(weather);
    }

    /// Leads new connections elsewhere.
    pub fn point_at(&self, target: SocketAddr) {
        *self.shared.target() = target;
    }

    /// Ends every open connection with a reset.
    pub fn reset(&self) {
        self.shared.epoch.send_modify(|epoch| epoch.reset = epoch.next);
    }

    /// Lets every open connection stay open and silent, whatever the weather will be. The server's side is closed, as if
    /// its machine were gone.
    pub fn forget(&self) {
        self.shared.epoch.send_modify(|epoch| epoch.forgotten = epoch.next);
    }

    /// Connections that were made so far.
    pub fn made(&self) -> u64 {
        self.shared.epoch.borrow().next
    }

    /// The address of a server behind this wire instead of in its URL.
    pub fn behind(&self, url: &str, target: SocketAddr) -> String {
        let changed = url.replace(&target.to_string(), &self.address.to_string());
        assert_ne!(changed, url, "the URL does not lead to {target}");
        changed
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.reset();
    }
}

impl Shared {
    fn target(&self) -> MutexGuard<'_, SocketAddr> {
        self.target.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        let mut number = 0;
        shared.epoch.send_modify(|epoch| {
            epoch.next += 1;
            number = epoch.next;
        });
        tokio::spawn(carry(client, number, shared.clone()));
    }
}

/// Carries one connection to its end.
async fn carry(mut client: TcpStream, number: u64, shared: Arc<Shared>) {
    let mut epochs = shared.epoch.subscribe();
    let target = *shared.target();
    let Ok(mut server) = TcpStream::connect(target).await else {
        // Nobody is there: the client learns it as it would without the wire.
        let _ = client.set_zero_linger();
        return;
    };
    let nodelay = client.set_nodelay(true).and_then(|()| server.set_nodelay(true));
    if nodelay.is_err() {
        return;
    }
    let end = {
        let (client_read, client_write) = client.split();
        let (server_read, server_write) = server.split();
        tokio::select! {
            () = pump(client_read, server_write, Way::Up, shared.weather.subscribe()) => End::Closed,
            () = pump(server_read, client_write, Way::Down, shared.weather.subscribe()) => End::Closed,
            end = ended(&mut epochs, number) => end,
        }
    };
    if matches!(end, End::Forgotten) {
        drop(server);
        tokio::select! {
            () = discard(&mut client) => return,
            _ = epochs.wait_for(|epoch| number <= epoch.reset) => {}
        }
    }
    if !matches!(end, End::Closed) {
        let _ = client.set_zero_linger();
    }
}

/// Waits until a connection is reset or forgotten.
async fn ended(epochs: &mut watch::Receiver<Epoch>, number: u64) -> End {
    let over = |epoch: &Epoch| number <= epoch.reset || number <= epoch.forgotten;
    match epochs.wait_for(over).await.map(|epoch| *epoch) {
        Ok(epoch) if number > epoch.reset => End::Forgotten,
        _ => End::Reset,
    }
}

/// Moves what comes from one side to the other, as the weather lets it.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    way: Way,
    mut weather: watch::Receiver<Weather>,
) {
    let (sender, mut under_way) = mpsc::channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    let sky = weather.clone();
    let take = async move {
        let mut due = Instant::now();
        loop {
            let mut piece = vec![0; 16 << 10];
            let Ok(length @ 1..) = from.read(&mut piece).await else { return };
            piece.truncate(length);
            // Pieces do not overtake one another.
            due = due.max(Instant::now() + sky.borrow().delay());
            if sender.send((due, piece)).await.is_err() {
                return;
            }
        }
    };
    let give = async move {
        while let Some((due, piece)) = under_way.recv().await {
            // The timer counts in whole milliseconds, and would hold back for one what is due at once.
            if due > Instant::now() {
                sleep_until(due).await;
            }
            let clear = weather.wait_for(|weather| weather.lets_through(way)).await.is_ok();
            if !clear || to.write_all(&piece).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = give => {}
        () = async { take.await; std::future::pending().await } => {}
    }
}

async fn discard(client: &mut TcpStream) {
    let mut piece = vec![0; 4 << 10];
    while matches!(client.read(&mut piece).await, Ok(1..)) {}
}

impl Weather {
    fn delay(self) -> Duration {
        let mut random = rand::rng();
        match self {
            Self::Slow => Duration::from_millis(random.random_range(100..300)),
            Self::Lossy if random.random_bool(0.05) => REPEATED.mul_f64(random.random_range(1.0..3.0)),
            _ => Duration::ZERO,
        }
    }

    fn lets_through(self, way: Way) -> bool {
        !matches!((self, way), (Self::Cut, _) | (Self::Deaf, Way::Down))
    }
}
