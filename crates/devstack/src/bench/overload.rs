//! P15: ten times as many creates as can be answered, and the tail of the answers at half of what can be.
//!
//! Capacity is what callers reach that wait for their answers. The rest is sent at a constant rate, and its latency
//! counts from when a call was due, whether a connection was free for it or not. All of it is sent by the same bare
//! client, on the half of the processors that is the gateway's; what is behind the gateway has the other half.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::{task::JoinSet, time::timeout};
use uuid::Uuid;

use super::{
    create,
    drive::{Model, Turns},
    figure::{Figure, Goal},
    room::{CALLERS, Room, cpu_note},
    usage::{self, Cpu},
};
use crate::{
    Grant, Tenant,
    lane::{Answer, Lane, Request},
    processors,
};

/// What is behind the gateway.
const BEHIND: [&str; 5] = ["customers", "sales", "billing", "postgres", "rabbitmq"];

/// How many times what can be answered is sent.
const TIMES: f64 = 10.0;
/// Connections of what is sent then.
const CROWD: usize = 1024;
/// Connections at half the capacity: more than are ever busy, unless the suite stalls.
const PLENTY: usize = 64;
/// Callers that share the connections, since one alone may not have as many calls open.
const SUBJECTS: usize = 16;
/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Time in which an overload is noticed; the tail is told without it as well.
const ONSET: Duration = Duration::from_secs(2);
/// Time after an overload in which calls may still be turned away.
const RECOVERY: Duration = Duration::from_secs(5);

pub async fn measure(room: &mut Room) -> Result<Vec<Figure>> {
    // What is refused costs the client and the gateway, and must not take from those who answer.
    let (front, back) = (room.roots(&["gateway"])?, room.roots(&BEHIND)?);
    let _parted = processors::part(&front, &back)?;
    let crowd = Crowd::gather(room)?;
    let waiting = Model::Closed(room.span);
    crowd.within_capacity(CALLERS, waiting).await?;

    let (mut goodputs, mut tails) = (Vec::new(), Vec::new());
    let (mut spreads, mut farthest) = (Vec::new(), Vec::new());
    let (mut of_overload, mut of_half) = (Vec::new(), Vec::new());
    for _ in 0..room.rounds {
        let best = crowd.within_capacity(CALLERS, waiting).await?;
        let capacity = best.rate();

        let half = crowd.within_capacity(PLENTY, Model::open(capacity / 2.0, room.span * 2)).await?;
        spreads.push((half.quantile(0.99), half.quantile(0.5)));
        farthest.push(half.quantile(0.999));

        let pressed = crowd.send(CROWD, Model::open(capacity * TIMES, room.span * 6)).await?;
        goodputs.push((pressed.rate(), capacity));
        tails.push((pressed.quantile(0.99), best.quantile(0.99)));

        of_half = vec![half.told("at half the capacity")];
        of_overload = vec![best.told("at capacity"), pressed.told("overloaded"), pressed.outcomes()];
        tokio::time::sleep(RECOVERY).await;
    }
    let limit = format!("closed loop, c={CALLERS}, the same client");
    let what = "create account, JSON, ten times the capacity: goodput";
    let mut goodput =
        Figure::ratio("P15", what, "calls/s", limit.clone(), &goodputs, Goal::AtLeast(0.8)).stretch(0.9);
    goodput.notes = of_overload;
    let what = "the same: p99 of the accepted, from when they were due";
    let tail = Figure::ratio("P15", what, "ms", format!("p99, {limit}"), &tails, Goal::AtMost(3.0));
    let what = "create account, JSON, half the capacity: p99 over p50";
    let limit = "p50 of the same calls";
    let mut spread = Figure::ratio("P15", what, "ms", limit, &spreads, Goal::AtMost(10.0));
    spread.notes = of_half;
    let what = "the same: p99.9";
    let farthest = Figure::absolute("P15", what, "ms", &farthest, Goal::AtMost(50.0));
    Ok(vec![goodput, tail, spread, farthest.note("the goal is that of a quiet machine")])
}

/// Callers of one tenant, and what they send.
struct Crowd<'a> {
    room: &'a Room,
    tenant: Tenant,
    url: String,
    tokens: Vec<Arc<str>>,
    body: Arc<str>,
}

/// What came of sending for a time.
struct Outcome {
    tally: Tally,
    start: Instant,
    span: Duration,
    cpu: Cpu,
    /// Processor time of this process, the load client's, in milliseconds.
    client: f64,
}

/// What became of calls.
#[derive(Default)]
struct Tally {
    accepted: Vec<Accepted>,
    /// Turned away before anything was done.
    refused: u64,
    /// Given up by the suite, which may have been in the middle of it.
    given_up: u64,
    /// Connections that broke, and answers that never came.
    unanswered: u64,
}

/// An accepted call's moments.
struct Accepted {
    due: Instant,
    sent: Instant,
    answered: Instant,
}

impl<'a> Crowd<'a> {
    /// Members of a tenant nobody has used yet.
    fn gather(room: &'a Room) -> Result<Self> {
        let tenant = Tenant::fresh();
        let facts = room.stack.facts();
        let minter = facts.minter()?;
        let token = |number: usize| -> Result<Arc<str>> {
            let grant = Grant::new(&tenant.claim, "administrator").subject(&format!("caller-{number}"));
            Ok(minter.mint(&grant)?.into())
        };
        let tokens = (0..SUBJECTS).map(token).collect::<Result<Vec<_>>>()?;
        let url = facts.gateway_url()?.to_owned();
        let body = create::account().to_string().into();
        Ok(Self { room, tenant, url, tokens, body })
    }

    /// Sends what can be carried: none of it may be turned away.
    async fn within_capacity(&self, connections: usize, model: Model) -> Result<Outcome> {
        let outcome = self.send(connections, model).await?;
        let Tally { accepted, refused, given_up, unanswered } = &outcome.tally;
        ensure!(
            refused + given_up + unanswered == 0 && !accepted.is_empty(),
            "of a load that can be carried {refused} calls were refused, {given_up} given up, {unanswered} not \
             answered"
        );
        Ok(outcome)
    }

    /// Sends for a time, and counts the rows that it made.
    async fn send(&self, connections: usize, model: Model) -> Result<Outcome> {
        self.room.quiet().await?;
        let before = self.room.accounts(&self.tenant).await?;
        let mut lanes = Vec::with_capacity(connections);
        for _ in 0..connections {
            let mut lane = Lane::new(&self.url);
            lane.connect().await.context("the gateway takes no connection")?;
            lanes.push(lane);
        }
        let own = std::process::id();
        let (meter, client) = (self.room.meter()?, usage::millis(own));
        let (turns, start) = (Turns::of(model), Instant::now());
        let mut callers = JoinSet::new();
        for (lane, token) in lanes.into_iter().zip(self.tokens.iter().cycle()) {
            callers.spawn(caller(lane, token.clone(), self.body.clone(), turns.clone()));
        }
        let mut tally = Tally::default();
        while let Some(caller) = callers.join_next().await {
            tally.add(caller??);
        }
        let (cpu, client) = (meter.stop(), usage::millis(own) - client);
        let outcome = Outcome { tally, start, span: model.span(), cpu, client };

        self.room.quiet().await?;
        let stored = self.room.accounts(&self.tenant).await? - before;
        let least = outcome.tally.accepted.len() as u64;
        let most = least + outcome.tally.given_up + outcome.tally.unanswered;
        ensure!(
            (least..=most).contains(&stored),
            "{least} calls were accepted, {} have no known outcome, {stored} rows are there",
            most - least
        );
        Ok(outcome)
    }
}

/// Makes one call after the other over a connection.
async fn caller(mut lane: Lane, token: Arc<str>, body: Arc<str>, turns: Arc<Turns>) -> Result<Tally> {
    let mut tally = Tally::default();
    while let Some((_, due)) = turns.next().await {
        let sent = Instant::now();
        let key = Uuid::new_v4().to_string();
        let request = Request { token: &token, path: "/v1/accounts", key: &key, body: &body };
        match timeout(PATIENCE, lane.post(request)).await {
            Ok(Ok(Answer { status: 200, .. })) => {
                tally.accepted.push(Accepted { due, sent, answered: Instant::now() });
            }
            Ok(Ok(Answer { status: 429, .. })) => tally.refused += 1,
            Ok(Ok(Answer { status: 503 | 504, .. })) => tally.given_up += 1,
            Ok(Ok(Answer { status, body })) => bail!("{status}: {}", String::from_utf8_lossy(&body)),
            Ok(Err(_)) | Err(_) => tally.unanswered += 1,
        }
    }
    Ok(tally)
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.accepted.extend(other.accepted);
        self.refused += other.refused;
        self.given_up += other.given_up;
        self.unanswered += other.unanswered;
    }

    fn sent(&self) -> u64 {
        self.accepted.len() as u64 + self.refused + self.given_up + self.unanswered
    }
}

impl Outcome {
    /// Accepted calls a second. What was answered after the time does not count, though it was due within.
    fn rate(&self) -> f64 {
        let end = self.start + self.span;
        let in_time = self.tally.accepted.iter().filter(|call| call.answered <= end).count();
        in_time as f64 / self.span.as_secs_f64()
    }

    /// A latency of the accepted calls, in milliseconds.
    fn quantile(&self, quantile: f64) -> f64 {
        millis(self.tally.accepted.iter().map(|call| call.answered - call.due), quantile)
    }

    /// Latency and processor time, as a remark.
    fn told(&self, name: &str) -> String {
        let accepted = self.tally.accepted.len() as u64;
        let share = self.client / self.tally.sent().max(1) as f64;
        format!(
            "{name}, last round: {accepted} accepted, p50 {:.1} ms, p99 {:.1} ms; {}; the client's own {share:.3} for \
             each it sent",
            self.quantile(0.5),
            self.quantile(0.99),
            cpu_note("an accepted one", &self.cpu, accepted)
        )
    }

    /// How the calls ended, and where the accepted ones waited, as a remark.
    fn outcomes(&self) -> String {
        let Tally { accepted, refused, given_up, unanswered } = &self.tally;
        let settled = accepted.iter().filter(|call| call.due >= self.start + ONSET);
        format!(
            "overloaded, last round: {refused} refused, {given_up} given up, {unanswered} without an answer; p99 of the \
             accepted {:.1} ms from when they were sent, {:.1} ms without the first {ONSET:?}",
            millis(accepted.iter().map(|call| call.answered - call.sent), 0.99),
            millis(settled.map(|call| call.answered - call.due), 0.99)
        )
    }
}

/// A quantile in milliseconds: the least of the times that so large a share of them does not exceed.
fn millis(times: impl Iterator<Item = Duration>, quantile: f64) -> f64 {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    let rank = (times.len() as f64 * quantile).ceil() as usize;
    times.get(rank.saturating_sub(1)).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_answered_in_time_is_goodput_and_latency_begins_when_a_call_is_due() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let accepted = |due: u32, answered: u32| Accepted {
            due: start + second * due,
            sent: start + second * answered,
            answered: start + second * answered,
        };
        let accepted = vec![accepted(0, 1), accepted(1, 3), accepted(1, 9)];
        let tally = Tally { accepted, refused: 7, ..Tally::default() };
        let outcome = Outcome { tally, start, span: second * 3, cpu: Cpu::new(), client: 0.0 };

        assert_eq!(outcome.tally.sent(), 10);
        assert!((outcome.rate() - 2.0 / 3.0).abs() < 1e-9);
        assert!((outcome.quantile(0.5) - 2000.0).abs() < 1e-9);
        assert!((outcome.quantile(0.99) - 8000.0).abs() < 1e-9);
    }
}
