//! Writers that keep a steady pace whatever breaks, and note every write in a ledger.
//!
//! Each write is due at its time: a writer that waits for an answer does not slow the others down, so the rate that is
//! reached says what the suite could take, not how patient its clients were.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};
use trato_devstack::trade;
use uuid::Uuid;

use super::{
    caller::Caller,
    eventually::lasts,
    ledger::{Entry, Ledger, Outcome},
    tenant::Tenant,
    values::{dollars, name},
};

/// Writers that work side by side; one that waits for an answer leaves its turns to nobody.
const WRITERS: u64 = 16;
/// Accounts that opportunities are made for.
const ACCOUNTS: usize = 12;
/// Pause before a client that insists asks again.
const PAUSE: Duration = Duration::from_millis(100);

/// What writers write about.
#[derive(Clone, Debug)]
pub struct Subjects {
    /// The tenant.
    pub tenant: Tenant,
    /// Accounts sales knows.
    pub accounts: Vec<String>,
    /// A pipeline with the stages `lead` and `offer`.
    pub pipeline: String,
}

impl Subjects {
    /// Makes what the writes refer to.
    pub async fn make(tenant: Tenant) -> Self {
        let director = tenant.director();
        let stages =
            json!([{ "key": "lead", "displayName": "Lead" }, { "key": "offer", "displayName": "Offer" }]);
        let body = json!({ "displayName": "Sales", "stages": stages });
        let pipeline = name(&director.post("/v1/pipelines", body).await.ok());
        let mut accounts = Vec::new();
        for number in 0..ACCOUNTS {
            let body = json!({ "displayName": format!("Subject {number}") });
            let account = name(&director.post("/v1/accounts", body).await.ok());
            // Sales knows it from here on, by its own question or by the event.
            let deal = json!({ "displayName": "Probe", "account": account, "pipeline": pipeline });
            director.post("/v1/opportunities?validateOnly=true", deal).await.ok();
            accounts.push(account);
        }
        Self { tenant, accounts, pipeline }
    }
}

/// The processes of the gateway that take calls, as a Service of Kubernetes knows them.
#[derive(Clone, Debug)]
pub struct Ways(Arc<Mutex<BTreeSet<usize>>>);

impl Ways {
    fn all(count: usize) -> Self {
        Self(Arc::new(Mutex::new((0..count).collect())))
    }

    /// Takes a process out: no call begins through it any more.
    pub fn close(&self, number: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }

    /// Puts it back.
    pub fn open(&self, number: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(number);
    }

    /// One that takes calls, in turn.
    fn pick(&self, turn: u64) -> usize {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = usize::try_from(turn).unwrap_or_default() % open.len().max(1);
        open.iter().nth(turn).copied().expect("one process of the gateway takes calls")
    }
}

/// How writers write.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Writes a second.
    pub rate: u64,
    /// What they give each call to be answered; as long as the suite gives itself, unless set.
    pub deadline: Option<Duration>,
    /// URLs of the gateway's processes; the stack's first one unless set.
    pub gateways: Vec<String>,
}

impl Plan {
    /// So many writes a second, through the first process of the gateway.
    pub fn new(rate: u64) -> Self {
        Self { rate, deadline: None, gateways: Vec::new() }
    }
}

/// Running writers.
#[derive(Debug)]
pub struct Writers {
    /// What they wrote.
    pub ledger: Arc<Ledger>,
    /// The processes of the gateway they may use.
    pub ways: Ways,
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
    begun: Instant,
}

impl Writers {
    /// Starts writing `rate` times a second: accounts, opportunities, and what is done with opportunities.
    pub fn start(subjects: &Subjects, rate: u64) -> Self {
        Self::by(subjects, &Plan::new(rate))
    }

    /// Starts writing by a plan.
    pub fn by(subjects: &Subjects, plan: &Plan) -> Self {
        let mut tenants: Vec<Tenant> =
            plan.gateways.iter().map(|gateway| subjects.tenant.through(gateway)).collect();
        if tenants.is_empty() {
            tenants.push(subjects.tenant.clone());
        }
        let ways = Ways::all(tenants.len());
        let (ledger, stop, due) =
            (Arc::<Ledger>::default(), Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let tasks = (0..WRITERS).map(|number| {
            let caller =
                |tenant: &Tenant| tenant.caller(&format!("writer-{number}"), &["commercial-director"]);
            let writer = Writer {
                callers: tenants.iter().map(caller).collect(),
                ways: ways.clone(),
                deadline: plan.deadline,
                subjects: subjects.clone(),
                ledger: ledger.clone(),
                due: due.clone(),
                number,
            };
            tokio::spawn(writer.run(stop.clone(), Duration::from_secs_f64(WRITERS as f64 / plan.rate as f64)))
        });
        let tasks = tasks.collect();
        Self { ledger, ways, stop, tasks, begun: Instant::now() }
    }

    /// Stops writing and waits for the answers in flight. Answers the ledger and writes a second that were answered.
    pub async fn stop(self) -> (Arc<Ledger>, f64) {
        self.stop.store(true, Ordering::Relaxed);
        let elapsed = self.begun.elapsed();
        for task in self.tasks {
            task.await.expect("a writer does not panic");
        }
        let rate = self.ledger.acknowledged() as f64 / elapsed.as_secs_f64();
        (self.ledger, rate)
    }
}

struct Writer {
    /// One and the same subject, by process of the gateway.
    callers: Vec<Caller>,
    ways: Ways,
    deadline: Option<Duration>,
    subjects: Subjects,
    ledger: Arc<Ledger>,
    due: Arc<AtomicU64>,
    number: u64,
}

impl Writer {
    async fn run(self, stop: Arc<AtomicBool>, pause: Duration) {
        let mut clock = interval(pause);
        clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut turn = self.number as usize;
        while !stop.load(Ordering::Relaxed) {
            // A life of one opportunity: made, moved, won. Every third turn an account instead.
            let account = &self.subjects.accounts[turn % self.subjects.accounts.len()];
            turn += 1;
            if turn.is_multiple_of(3) {
                clock.tick().await;
                self.write("/v1/accounts", json!({ "displayName": self.unique("Account") })).await;
                continue;
            }
            let body = json!({
                "displayName": self.unique("Deal"), "account": account, "pipeline": self.subjects.pipeline,
                "amount": dollars(1),
            });
            clock.tick().await;
            let Some(deal) = self.write("/v1/opportunities", body).await else { continue };
            for (verb, body) in [("move", json!({ "stage": "offer" })), ("win", json!({}))] {
                clock.tick().await;
                if self.write(&format!("/v1/{}:{verb}", name(&deal)), body).await.is_none() {
                    break;
                }
            }
        }
    }

    fn unique(&self, noun: &str) -> String {
        format!("{noun} {}", Uuid::new_v4().simple())
    }

    /// Sends a write once; answers the resource when it was acknowledged.
    async fn write(&self, path: &str, body: Value) -> Option<Value> {
        let turn = self.due.fetch_add(1, Ordering::Relaxed);
        let caller = &self.callers[self.ways.pick(turn)];
        let (request_id, sent) = (Uuid::new_v4(), Instant::now());
        let outcome = send_within(caller, path, &body, request_id, self.deadline).await;
        let (subject, path) = (caller.subject().to_owned(), path.to_owned());
        let entry = Entry { request_id, subject, path, body, sent, took: sent.elapsed(), outcome };
        let answer = entry.answer().cloned();
        self.ledger.note(entry);
        answer
    }
}

/// Sends a write under its request id.
pub async fn send(by: &Caller, path: &str, body: &Value, request_id: Uuid) -> Outcome {
    send_within(by, path, body, request_id, None).await
}

/// Sends a write under one request id until it is acknowledged; panics when it is refused for good.
pub async fn insist(by: &Caller, path: &str, body: Value) -> Value {
    let request_id = Uuid::new_v4();
    loop {
        match send(by, path, &body, request_id).await {
            Outcome::Acknowledged(resource) => return resource,
            outcome if outcome.is_open() => lasts(PAUSE).await,
            outcome => panic!("{path} was refused for good: {outcome:?}"),
        }
    }
}

/// A caller that insists on every call of a chain.
#[derive(Clone, Debug)]
pub struct Insistent(pub Caller);

impl trade::Client for Insistent {
    async fn ask(&mut self, path: String, body: Value) -> anyhow::Result<Value> {
        Ok(insist(&self.0, &path, body).await)
    }
}

async fn send_within(
    by: &Caller,
    path: &str,
    body: &Value,
    request_id: Uuid,
    deadline: Option<Duration>,
) -> Outcome {
    let request = by.request(reqwest::Method::POST, path).header("idempotency-key", request_id.to_string());
    let mut request = request.json(body).timeout(Duration::from_secs(15));
    if let Some(deadline) = deadline {
        request = request.header("x-trato-timeout-ms", deadline.as_millis().to_string());
    }
    match by.try_send(request).await {
        Ok(answer) if answer.status == 200 => Outcome::Acknowledged(answer.json()),
        Ok(answer) => {
            let refusal = answer.refused();
            Outcome::Refused(refusal.code, refusal.reason)
        }
        Err(_) => Outcome::Unknown,
    }
}
