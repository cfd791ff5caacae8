//! Ten times more than the suite can do: what it can do, it goes on doing, and the rest is turned away at once.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use trato_devstack::{
    Facts,
    processors::{self, Parted},
};
use uuid::Uuid;

use super::audit::audit;
use crate::harness::{
    breakable::{Breakable, on_a_breakable_stack},
    eventually::lasts,
    flood::{Flood, Post, Sent, accepted, kinds, percentile},
    ledger::{Entry, Ledger, Outcome},
    programs::PROGRAMS,
    report::say,
    stack::is_long_run,
    usage::Usage,
    values::dollars,
    writers::Subjects,
};

/// Clients that together reach what the suite can do.
const BEST: usize = 16;
/// How many times more is sent.
const TIMES: f64 = 10.0;
/// Most connections of the clients.
const CONNECTIONS: usize = 1024;
/// How many times longer 99 % of what is accepted may take under overload.
const LATER: u32 = 3;
/// Time after which nothing of an overload is to be felt.
const RECOVERY: Duration = Duration::from_secs(5);
/// Memory a program may take more than before, in megabytes.
const GROWTH: f64 = 150.0;

/// A create of an opportunity.
#[derive(Clone, Debug)]
pub struct Create {
    request_id: Uuid,
    body: Value,
}

impl Create {
    /// The one of this number, for the subjects' accounts in turn.
    pub fn of(subjects: &Subjects, number: u64) -> Self {
        let account = &subjects.accounts[number as usize % subjects.accounts.len()];
        let name = format!("Deal {}", Uuid::new_v4().simple());
        let body = json!({
            "displayName": name, "account": account, "pipeline": subjects.pipeline, "amount": dollars(1),
        });
        Self { request_id: Uuid::new_v4(), body }
    }
}

impl Post for Create {
    fn path(&self) -> &str {
        "/v1/opportunities"
    }
    fn body(&self) -> String {
        self.body.to_string()
    }
    fn key(&self) -> String {
        self.request_id.to_string()
    }
}

/// Notes what was accepted, and what has no known outcome. What was shed must have left nothing, which the audit sees.
pub fn note(ledger: &Ledger, sent: Vec<Sent<Create>>) {
    for (create, reply) in sent {
        let outcome = match reply.status {
            Some(200) => Outcome::Acknowledged(serde_json::from_str(&reply.body).expect("an answer is JSON")),
            Some(429) => continue,
            Some(503) => Outcome::Refused("UNAVAILABLE".into(), reply.reason()),
            Some(504) => Outcome::Refused("DEADLINE_EXCEEDED".into(), reply.reason()),
            None => Outcome::Unknown,
            Some(status) => panic!("{status}: {}", reply.body),
        };
        ledger.note(Entry {
            request_id: create.request_id,
            subject: reply.subject.to_string(),
            path: "/v1/opportunities".to_owned(),
            body: create.body,
            sent: Instant::now(),
            took: reply.took,
            outcome,
        });
    }
}

/// A phase of a run, told and noted.
struct Run<'a> {
    stack: &'a Breakable,
    flood: Flood,
    subjects: Arc<Subjects>,
    ledger: Ledger,
}

impl Run<'_> {
    async fn tell(
        &self,
        name: &str,
        (from, time): (Instant, Duration),
        before: &Usage,
        sent: Vec<Sent<Create>>,
    ) -> (f64, Duration) {
        let after = Usage::now(&self.stack.facts().await);
        let (rate, late) = (accepted(&sent, from, time), percentile(&sent, 99));
        say(format!(
            "{name}: {rate:.0} of {:.0} a second accepted, half within {:.0?}, 99 % within {late:.0?}; {:?}; \
             processor ms {:?}; MB {:.0?}",
            sent.len() as f64 / time.as_secs_f64(),
            percentile(&sent, 50),
            kinds(&sent),
            after.since(before),
            after.memory,
        ));
        note(&self.ledger, sent);
        (rate, late)
    }

    /// What clients reach that wait for their answers.
    async fn best(&self, name: &str, time: Duration) -> (f64, Duration) {
        let (before, from) = (Usage::now(&self.stack.facts().await), Instant::now());
        let subjects = self.subjects.clone();
        let sent = self.flood.closed(BEST, time, move |number| Create::of(&subjects, number)).await;
        self.tell(name, (from, time), &before, sent).await
    }

    /// What is reached when so much is sent.
    async fn pressed(&self, name: &str, rate: f64, time: Duration) -> (f64, Duration) {
        let (before, from) = (Usage::now(&self.stack.facts().await), Instant::now());
        let sent =
            self.flood.open(rate, CONNECTIONS, time, |number| Create::of(&self.subjects, number)).await;
        self.tell(name, (from, time), &before, sent).await
    }
}

/// Client and gateway on one half of the processors, what is behind the gateway on the other.
fn parted(facts: &Facts) -> Parted {
    let gateway: Vec<u32> = facts.gateway.iter().filter_map(|gateway| gateway.pid).collect();
    let replicas = facts.services.values().flat_map(|service| &service.replicas);
    let mut behind: Vec<u32> = replicas.filter_map(|replica| replica.pid).collect();
    behind.extend(facts.postgres.pid.into_iter().chain(facts.broker.pid));
    processors::part(&gateway, &behind).expect("the machine has two processors")
}

/// F13: at ten times the load that can be carried, goodput holds, memory is bounded, nothing that was turned away has
/// had an effect, and when the load is gone so is every trace of it.
#[test]
fn ten_times_the_load_leaves_the_goodput_and_is_forgotten_afterwards() {
    on_a_breakable_stack(async |stack| {
        let (short, long) = if is_long_run() { (10, 60) } else { (4, 10) };
        let (short, long) = (Duration::from_secs(short), Duration::from_secs(long));
        let subjects = Arc::new(Subjects::make(stack.tenant().await).await);
        let (facts, flood) = (stack.facts().await, Flood::of(&subjects.tenant));
        // The full figures are those of a gateway whose refusals take nothing from those who answer.
        let _parted = is_long_run().then(|| parted(&facts));
        let run = Run { stack: &stack, flood, subjects: subjects.clone(), ledger: Ledger::default() };

        run.best("warming up", short).await;
        let (best, late) = run.best("at best", short).await;
        let memory = Usage::now(&facts).memory;
        let (goodput, late_overloaded) = run.pressed("ten times as much", best * TIMES, long).await;
        let grown = Usage::now(&facts).memory;
        lasts(RECOVERY).await;
        let (recovered, _) = run.pressed("half as much, five seconds afterwards", best / 2.0, short).await;
        let (best_after, late_after) = run.best("at best afterwards", short).await;
        // What the machine can do is what it could before and after, whichever was less.
        let (capacity, late) = (best.min(best_after), late.max(late_after));

        say(format!(
            "goodput {:.0} % of {best:.0} a second before and {best_after:.0} after; 99 % took {:.1} times as long",
            100.0 * goodput / best.max(1.0),
            late_overloaded.as_secs_f64() / late.as_secs_f64().max(0.001),
        ));
        for program in PROGRAMS {
            let more = grown[program] - memory[program];
            assert!(more < GROWTH, "{program} took {more:.0} MB more under overload");
        }
        assert!(recovered > 0.0 && goodput > 0.0, "nothing was accepted");
        if is_long_run() {
            assert!(goodput >= 0.8 * capacity, "goodput fell to {goodput:.0} of {capacity:.0} a second");
            assert!(
                late_overloaded <= late * LATER,
                "99 % took {late_overloaded:.0?}, and {late:.0?} at capacity"
            );
            assert!(
                recovered >= 0.9 * best / 2.0,
                "half of {best:.0} a second came to {recovered:.0} afterwards"
            );
        }
        audit(&subjects, &run.ledger).await;
        stack.nobody_panicked().await;
    });
}
