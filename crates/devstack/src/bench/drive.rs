//! Drives calls: as fast as the answers come for throughput, at a constant rate for latency.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use hdrhistogram::Histogram;
use tokio::{
    sync::{Mutex, mpsc},
    task::JoinSet,
};

use super::{
    client::{Call, Link, Target, Wire},
    room::CALLERS,
};

/// Calls before a first round, so that connections, prepared statements and caches are there.
const WARM_UP: u64 = 500;
/// Shortest sleep between calls that fall due: at high rates waking up for each would cost more than calling.
const NAP: Duration = Duration::from_micros(500);

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

impl Model {
    /// So many calls a second, for so long.
    pub fn open(rate: f64, span: Duration) -> Self {
        Self::Open(rate, (rate * span.as_secs_f64()) as u64)
    }

    /// The time in which calls are made, or fall due.
    pub fn span(&self) -> Duration {
        match self {
            Self::Closed(span) => *span,
            Self::Open(rate, count) => Duration::from_secs_f64(*count as f64 / rate),
        }
    }
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

/// Number of a call, and the moment from which its latency counts.
type Turn = (u64, Instant);

/// The calls of a round, of which each caller takes the next one.
#[derive(Debug)]
pub enum Turns {
    /// Until then, as they are asked for.
    Closed(Instant, AtomicU64),
    /// As they fall due.
    Open(Mutex<mpsc::UnboundedReceiver<Turn>>),
}

impl Turns {
    /// Begins a round.
    pub fn of(model: Model) -> Arc<Self> {
        Arc::new(match model {
            Model::Closed(span) => Self::Closed(Instant::now() + span, AtomicU64::new(0)),
            Model::Open(rate, count) => {
                let (sender, due) = mpsc::unbounded_channel();
                // The runtime's timers know whole milliseconds, which would be a good part of a latency.
                thread::spawn(move || pace(rate, count, &sender));
                Self::Open(Mutex::new(due))
            }
        })
    }

    /// The next call; none when the round is over.
    pub async fn next(&self) -> Option<Turn> {
        match self {
            Self::Closed(end, next) => {
                let now = Instant::now();
                (now < *end).then(|| (next.fetch_add(1, Ordering::Relaxed), now))
            }
            Self::Open(due) => due.lock().await.recv().await,
        }
    }
}

/// Gives out calls as they fall due. One that is given out late does not make the next ones late.
fn pace(rate: f64, count: u64, turns: &mpsc::UnboundedSender<Turn>) {
    let start = Instant::now();
    for number in 0..count {
        let due = start + Duration::from_secs_f64(number as f64 / rate);
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            thread::park_timeout(left.max(NAP));
        }
        if turns.send((number, due)).is_err() {
            // The round has failed.
            return;
        }
    }
}

/// Runs one round. Any call that fails makes the round fail.
pub async fn run(links: Vec<Link>, target: &Target, model: Model, make: Maker) -> Result<Load> {
    let start = Instant::now();
    let turns = Turns::of(model);
    let mut callers = JoinSet::new();
    for link in links {
        callers.spawn(caller(link, target.clone(), turns.clone(), make.clone()));
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

/// Calls that count for nothing, after a start.
pub async fn warm_up(target: &Target, make: Maker) -> Result<()> {
    let links = target.links(Wire::Json, CALLERS).await?;
    run(links, target, Model::Open(1000.0, WARM_UP), make).await.map(drop)
}

async fn caller(
    mut link: Link,
    target: Target,
    turns: Arc<Turns>,
    make: Maker,
) -> Result<(u64, Histogram<u64>)> {
    let mut micros = empty()?;
    let mut done = 0;
    while let Some((number, since)) = turns.next().await {
        link.call(&target, make(number)).await?;
        micros.saturating_record(since.elapsed().as_micros() as u64);
        done += 1;
    }
    Ok((done, micros))
}

/// A histogram of microseconds up to a minute, to three digits.
pub fn empty() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_max(60_000_000, 3)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn open_calls_fall_due_at_their_rate_and_never_come_early() {
        let begun = Instant::now();
        let turns = Turns::of(Model::Open(1000.0, 20));

        let mut dues = Vec::new();
        while let Some((number, due)) = turns.next().await {
            assert!(Instant::now() >= due, "call {number} came early");
            assert_eq!(number, dues.len() as u64);
            dues.push(due);
        }

        assert_eq!(dues.len(), 20);
        assert_eq!(dues[19] - dues[0], Duration::from_millis(19));
        assert!(begun.elapsed() >= Duration::from_millis(19));
    }
}
