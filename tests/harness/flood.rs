//! Clients that send as much as they are told to, whatever comes back, and cost next to nothing themselves.
//!
//! They speak HTTP/1.1 by hand: what a full client spends on a request would be missing to the suite on the same machine,
//! and an overload would then measure the client.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
    time::{interval, timeout},
};

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
    authority: String,
    /// Subject and token; connections take them in turn, so that no single caller meets its own limit.
    callers: Vec<(Arc<str>, String)>,
}

impl Flood {
    /// Requests to the first gateway of a tenant's stack.
    pub fn of(tenant: &Tenant) -> Self {
        let url = tenant.facts().gateway_url().expect("the stack has a gateway");
        let authority = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let callers = (0..CALLERS).map(|number| {
            let caller = tenant.caller(&format!("flood-{number}"), &["commercial-director"]);
            (caller.subject().into(), caller.token().to_owned())
        });
        Self { authority, callers: callers.collect() }
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
                    let (mut sent, mut link) = (Vec::new(), None);
                    while Instant::now() < end {
                        let request = make(counter.fetch_add(1, Ordering::Relaxed));
                        let reply = flood.send(client, &mut link, &request, Instant::now()).await;
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
                    let (mut sent, mut link) = (Vec::new(), None);
                    loop {
                        let next = receiver.lock().await.recv().await;
                        let Some((request, due)) = next else { return sent };
                        let reply = flood.send(client, &mut link, &request, due).await;
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

    /// Sends one request, over the link when there is one, else over a new one.
    async fn send<R: Post>(
        &self,
        client: usize,
        link: &mut Option<TcpStream>,
        request: &R,
        due: Instant,
    ) -> Reply {
        let (subject, token) = &self.callers[client % self.callers.len()];
        let answer = timeout(PATIENCE, self.exchange(token, link, request)).await;
        let (status, body) = match answer {
            Ok(Ok((status, body))) => (Some(status), body),
            Ok(Err(error)) => (None, error.to_string()),
            Err(_) => (None, format!("no answer within {PATIENCE:?}")),
        };
        if status.is_none() {
            *link = None;
        }
        Reply { status, took: due.elapsed(), answered: Instant::now(), body, subject: subject.clone() }
    }

    async fn exchange<R: Post>(
        &self,
        token: &str,
        link: &mut Option<TcpStream>,
        request: &R,
    ) -> std::io::Result<(u16, String)> {
        if link.is_none() {
            let stream = TcpStream::connect(&self.authority).await?;
            stream.set_nodelay(true)?;
            *link = Some(stream);
        }
        let stream = link.as_mut().ok_or(std::io::ErrorKind::NotConnected)?;
        let (path, body, key) = (request.path(), request.body(), request.key());
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
             idempotency-key: {key}\r\ncontent-length: {}\r\n\r\n{body}",
            self.authority,
            body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        read_answer(stream).await
    }
}

/// Reads a status and a body whose length the head announces.
async fn read_answer(stream: &mut TcpStream) -> std::io::Result<(u16, String)> {
    let broken = |what: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, what.to_owned());
    let mut bytes = Vec::with_capacity(1024);
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let status = head.get(9..12).and_then(|code| code.parse().ok());
            let status = status.ok_or_else(|| broken("no status"))?;
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize =
                length.and_then(|length| length.trim().parse().ok()).ok_or_else(|| broken("no length"))?;
            let mut body = bytes.split_off(end + 4);
            let missing = length.saturating_sub(body.len());
            let had = body.len();
            body.resize(had + missing, 0);
            stream.read_exact(&mut body[had..]).await?;
            return Ok((status, String::from_utf8_lossy(&body).into_owned()));
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
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
