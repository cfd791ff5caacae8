//! Somebody who calls at a steady pace and notes how each call went, while others misbehave.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

use super::caller::Caller;

/// A caller that calls until it is told to stop.
#[derive(Debug)]
pub struct Onlooker {
    stop: Arc<AtomicBool>,
    calls: JoinHandle<Vec<(u16, Duration)>>,
}

/// How its calls went.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Statuses that were not 200.
    pub failed: Vec<u16>,
    /// Durations, the shortest first.
    took: Vec<Duration>,
}

impl Onlooker {
    /// Reads a list every `pause`.
    pub fn start(caller: &Caller, pause: Duration) -> Self {
        let (caller, stop) = (caller.clone(), Arc::<AtomicBool>::default());
        let stopped = stop.clone();
        let calls = tokio::spawn(async move {
            let mut clock = interval(pause);
            clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
            let mut calls = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                clock.tick().await;
                let begun = Instant::now();
                let status = caller.once("/v1/accounts?pageSize=1").await.map_or(0, |answer| answer.status);
                calls.push((status, begun.elapsed()));
            }
            calls
        });
        Self { stop, calls }
    }

    /// Ends, and answers how it went.
    pub async fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        let calls = self.calls.await.expect("it does not panic");
        let failed = calls.iter().map(|(status, _)| *status).filter(|status| *status != 200).collect();
        let mut took: Vec<_> = calls.into_iter().map(|(_, took)| took).collect();
        took.sort();
        Seen { failed, took }
    }
}

impl Seen {
    /// And how others went.
    pub fn add(&mut self, more: Self) {
        self.failed.extend(more.failed);
        self.took.extend(more.took);
        self.took.sort();
    }

    /// How many calls it made.
    pub fn count(&self) -> usize {
        self.took.len()
    }

    /// The time within which so many percent of its calls were answered.
    pub fn percentile(&self, percent: usize) -> Duration {
        let last = self.took.len().saturating_sub(1);
        self.took.get(last * percent / 100).copied().unwrap_or_default()
    }
}
