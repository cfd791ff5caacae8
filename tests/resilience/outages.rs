//! When something was down, so that every failed write can be laid to a cause.

use std::time::{Duration, Instant};

use crate::harness::{
    breakable::Breakable,
    eventually::lasts,
    ledger::{Entry, Ledger, Outcome},
    report::say,
};

/// Time around an outage in which a write may fail for its sake: connections are found broken and made again.
const AROUND: Duration = Duration::from_secs(5);

/// From when until when something was down.
#[derive(Clone, Debug, Default)]
pub struct Outages(Vec<(String, Instant, Instant)>);

impl Outages {
    /// Kills a process, leaves it down for `absence`, starts it again and waits until it serves. Answers how long the
    /// start took.
    pub async fn kill(&mut self, on: &Breakable, name: &str, absence: Duration) -> Duration {
        let from = Instant::now();
        on.kill(name).await;
        lasts(absence).await;
        let took = on.revive(name).await;
        self.add(name, from);
        took
    }

    /// Notes that something was down from then until now.
    pub fn add(&mut self, name: &str, from: Instant) {
        self.0.push((name.to_owned(), from, Instant::now()));
    }

    /// How many there were.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Panics when a write failed that was in flight in no outage, or with a code that no outage excuses.
    pub fn explain_all_failures(&self, ledger: &Ledger) {
        let entries = ledger.entries();
        let failed: Vec<&Entry> = entries.iter().filter(|entry| entry.answer().is_none()).collect();
        let unexplained: Vec<&&Entry> = failed.iter().filter(|entry| !self.explains(entry)).collect();
        let slowest = entries.iter().map(|entry| entry.took).max().unwrap_or_default();
        say(format!(
            "{} writes, {} failed in {} outages, the slowest answer took {slowest:.1?}",
            entries.len(),
            failed.len(),
            self.len()
        ));
        assert!(
            unexplained.is_empty(),
            "{} writes failed for no reason: {:#?}",
            unexplained.len(),
            &unexplained[..unexplained.len().min(5)]
        );
    }

    fn explains(&self, entry: &Entry) -> bool {
        let end = entry.sent + entry.took;
        let near =
            |(_, from, to): &(String, Instant, Instant)| entry.sent <= *to + AROUND && end + AROUND >= *from;
        let excusable = match &entry.outcome {
            // A caller that waits for so long and no longer is told that its time is over.
            Outcome::Refused(code, _) => code == "UNAVAILABLE" || code == "DEADLINE_EXCEEDED",
            _ => true,
        };
        excusable && self.0.iter().any(near)
    }
}
