//! Drives calls: as fast as the answers come for throughput, at a constant rate for latency.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use super::client::{Call, Link, Target};

/// Makes the call of that number.
pub type Maker = Arc<dyn Fn(u64) -> Call + Send + Sync>;

/// What came of a round.
#[derive(Debug)]
pub struct Load {
    /// Calls answered with success.
    pub done: u64,
    /// From the first call to the last answer.
    pub seconds: f64,
    /// Latencies, in microseconds.
    pub micros: Histogram<u64>,
}

/// When the calls of a round are made.
#[derive(Clone, Copy, Debug)]
pub enum Model {
    /// Each caller makes its next call when the last one was answered, for so long.
    Closed(Duration),
    /// So many calls a second, so many in all, whether answers come or not; latency counts from when a call was due.
    Open(f64, u64),
}

impl Load {
    /// Calls a second.
    pub fn rate(&self) -> f64 {
        self.done as f64 / self.seconds
    }

    /// A latency in milliseconds.
    pub fn quantile(&self, quantile: f64) -> f64 {
        self.micros.value_at_quantile(quantile) as f64 / 1000.0
    }
}

/// Runs one round. Any call that fails makes the round fail.
pub async fn run(links: Vec<Link>, target: &Target, model: Model, make: Maker) -> Result<Load> {
    let next = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let mut callers = JoinSet::new();
    for link in links {
        callers.spawn(caller(link, target.clone(), model, make.clone(), next.clone(), start));
    }
    let mut load = Load { done: 0, seconds: 0.0, micros: empty()? };
    while let Some(caller) = callers.join_next().await {
        let (done, micros) = caller??;
        load.done += done;
        load.micros.add(micros)?;
    }
    load.seconds = start.elapsed().as_secs_f64();
    if load.done == 0 {
        bail!("no call was made");
    }
    Ok(load)
}

async fn caller(
    mut link: Link,
    target: Target,
    model: Model,
    make: Maker,
    next: Arc<AtomicU64>,
    start: Instant,
) -> Result<(u64, Histogram<u64>)> {
    let mut micros = empty()?;
    let mut done = 0;
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let since = match model {
            Model::Closed(span) if start.elapsed() >= span => return Ok((done, micros)),
            Model::Closed(_) => Instant::now(),
            Model::Open(_, count) if number >= count => return Ok((done, micros)),
            Model::Open(rate, _) => {
                let due = start + Duration::from_secs_f64(number as f64 / rate);
                tokio::time::sleep_until(due.into()).await;
                due
            }
        };
        link.call(&target, make(number)).await?;
        micros.saturating_record(since.elapsed().as_micros() as u64);
        done += 1;
    }
}

/// A histogram of microseconds up to a minute, to three digits.
pub fn empty() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_max(60_000_000, 3)?)
}
