//! Clients that send as much as they are told to, whatever comes back, and cost next to nothing themselves.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    sync::mpsc,
    time::{interval, timeout},
};
use trato_devstack::lane::{Lane, Request};

use super::tenant::Tenant;

/// Callers that share the connections.
const CALLERS: usize = 16;
/// Longest time an answer may take before its connection is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came of one request.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status; none when the connection broke.
    pub status: Option<u16>,
    /// Time from the moment it was due to its answer.
    pub took: Duration,
    /// When that came.
    pub answered: Instant,
    /// The body.
    pub body: String,
    /// Subject of the caller.
    pub subject: Arc<str>,
}

/// A request that was sent, with what became of it.
pub type Sent<R> = (R, Reply);

/// What is sent: path and body of a POST.
pub trait Post: Send + Sync + 'static {
    /// Path.
    fn path(&self) -> &str;
    /// Body.
    fn body(&self) -> String;
    /// Value of `idempotency-key`.
    fn key(&self) -> String;
}

/// Whom requests go to, and as whom.
#[derive(Clone, Debug)]
pub struct Flood {
    url: String,
    /// Subject and token; connections take them in turn, so that no single caller meets its own limit.
    callers: Vec<(Arc<str>, String)>,
}

impl Flood {
    /// Requests to the first gateway of a tenant's stack.
    pub fn of(tenant: &Tenant) -> Self {
        let url = tenant.facts().gateway_url().expect("the stack has a gateway").to_owned();
        let callers = (0..CALLERS).map(|number| {
            let caller = tenant.caller(&format!("flood-{number}"), &["commercial-director"]);
            (caller.subject().into(), caller.token().to_owned())
        });
        Self { url, callers: callers.collect() }
    }

    /// The same to another gateway.
    pub fn through(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    /// So many clients that each send the next request as soon as they have the answer to the last.
    pub async fn closed<R: Post>(
        &self,
        clients: usize,
        time: Duration,
        make: impl Fn(u64) -> R + Clone + Send + 'static,
    ) -> Vec<Sent<R>> {
        let (counter, end) = (Arc::new(AtomicU64::new(0)), Instant::now() + time);
        let tasks: Vec<_> = (0..clients)
            .map(|client| {
                let (flood, counter, make) = (self.clone(), counter.clone(), make.clone());
                tokio::spawn(async move {
                    let (mut sent, mut lane) = (Vec::new(), Lane::new(&flood.url));
                    while Instant::now() < end {
                        let request = make(counter.fetch_add(1, Ordering::Relaxed));
                        let reply = flood.send(client, &mut lane, &request, Instant::now()).await;
                        sent.push((request, reply));
                    }
                    sent
                })
            })
            .collect();
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.expect("a client does not panic"));
        }
        all
    }

    /// Requests at a constant rate, each due at its time however long others take, over at most so many connections.
    pub async fn open<R: Post>(
        &self,
        rate: f64,
        connections: usize,
        time: Duration,
        make: impl Fn(u64) -> R,
    ) -> Vec<Sent<R>> {
        let (sender, receiver) = mpsc::unbounded_channel::<(R, Instant)>();
        let receiver = Arc::new(tokio::sync::Mutex::new(receiver));
        let tasks: Vec<_> = (0..connections)
            .map(|client| {
                let (flood, receiver) = (self.clone(), receiver.clone());
                tokio::spawn(async move {
                    let (mut sent, mut lane) = (Vec::new(), Lane::new(&flood.url));
                    loop {
                        let next = receiver.lock().await.recv().await;
                        let Some((request, due)) = next else { return sent };
                        let reply = flood.send(client, &mut lane, &request, due).await;
                        sent.push((request, reply));
                    }
                })
            })
            .collect();
        // A tick that comes late does not make the next ones late.
        let mut ticks = interval(Duration::from_secs_f64(1.0 / rate));
        for number in 0..(time.as_secs_f64() * rate) as u64 {
            let due = ticks.tick().await.into_std();
            assert!(sender.send((make(number), due)).is_ok(), "the clients take requests until the end");
        }
        drop(sender);
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.expect("a client does not panic"));
        }
        all
    }

    /// Sends one request.
    async fn send<R: Post>(&self, client: usize, lane: &mut Lane, request: &R, due: Instant) -> Reply {
        let (subject, token) = &self.callers[client % self.callers.len()];
        let (key, body) = (request.key(), request.body());
        let text = Request { token, path: request.path(), key: &key, body: &body };
        let (status, body) = match timeout(PATIENCE, lane.post(text)).await {
            Ok(Ok(answer)) => (Some(answer.status), String::from_utf8_lossy(&answer.body).into_owned()),
            Ok(Err(error)) => (None, error.to_string()),
            Err(_) => (None, format!("no answer within {PATIENCE:?}")),
        };
        Reply { status, took: due.elapsed(), answered: Instant::now(), body, subject: subject.clone() }
    }
}

/// How many answers there were of each kind: status, and reason of a refusal.
pub fn kinds<R>(sent: &[Sent<R>]) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for (_, reply) in sent {
        let kind = match reply.status {
            Some(200) => "200".to_owned(),
            Some(status) => format!("{status} {}", reply.reason()),
            None => reply.body.clone(),
        };
        *kinds.entry(kind).or_default() += 1;
    }
    kinds
}

/// How many were answered 200 in each second of this time.
pub fn accepted<R>(sent: &[Sent<R>], from: Instant, time: Duration) -> f64 {
    let in_time = |reply: &Reply| reply.status == Some(200) && reply.answered <= from + time;
    sent.iter().filter(|(_, reply)| in_time(reply)).count() as f64 / time.as_secs_f64()
}

/// A percentile of the times of those answered 200.
pub fn percentile<R>(sent: &[Sent<R>], percent: usize) -> Duration {
    let mut times: Vec<Duration> =
        sent.iter().filter(|(_, reply)| reply.status == Some(200)).map(|(_, reply)| reply.took).collect();
    times.sort_unstable();
    let last = times.len().saturating_sub(1);
    times.get(last * percent / 100).copied().unwrap_or_default()
}

impl Reply {
    /// The reason of a refusal; empty when there is none.
    pub fn reason(&self) -> String {
        let json: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        let details = json["error"]["details"].as_array().cloned().unwrap_or_default();
        let reason = details.iter().find_map(|detail| detail["reason"].as_str());
        reason.unwrap_or_default().to_owned()
    }
}
