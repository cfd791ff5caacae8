//! What a client knows of its own writes: acknowledged, refused or unknown. Afterwards the suite is held to it.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::Value;
use uuid::Uuid;

/// One write a client has sent.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Identifies the request; a repetition carries it again.
    pub request_id: Uuid,
    /// Subject of its caller, to whom the request id belongs.
    pub subject: String,
    /// Path of the call.
    pub path: String,
    /// Body of the call, without the request id.
    pub body: Value,
    /// When it was sent.
    pub sent: Instant,
    /// How long its answer took.
    pub took: Duration,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a write, as far as its client knows.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It was answered with this resource.
    Acknowledged(Value),
    /// It was answered with this code and reason.
    Refused(String, String),
    /// There was no answer.
    Unknown,
}

impl Outcome {
    /// True when the write may have been done or not, or was turned away for the moment: its client asks again.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Acknowledged(_) => false,
            Self::Unknown => true,
            Self::Refused(code, _) => {
                let passing = ["UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "RESOURCE_EXHAUSTED"];
                passing.contains(&code.as_str())
            }
        }
    }
}

impl Entry {
    /// The resource it was answered with.
    pub fn answer(&self) -> Option<&Value> {
        match &self.outcome {
            Outcome::Acknowledged(resource) => Some(resource),
            _ => None,
        }
    }
}

/// All writes of one run, by request id.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: Mutex<BTreeMap<Uuid, Entry>>,
    /// Counted as they come: who waits for more asks again and again, and a long run has a million.
    acknowledged: AtomicUsize,
}

impl Ledger {
    /// Notes a write.
    pub fn note(&self, entry: Entry) {
        let is_acknowledged = entry.answer().is_some();
        let before = self.all().insert(entry.request_id, entry);
        if is_acknowledged && before.is_none_or(|before| before.answer().is_none()) {
            self.acknowledged.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// All of them.
    pub fn entries(&self) -> Vec<Entry> {
        self.those(|_| true)
    }

    /// How many were acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Those that were sent between two moments.
    pub fn between(&self, from: Instant, to: Instant) -> Vec<Entry> {
        self.those(|entry| from <= entry.sent && entry.sent < to)
    }

    /// Writers wait meanwhile: only what is wanted is copied.
    fn those(&self, wanted: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        self.all().values().filter(|entry| wanted(entry)).cloned().collect()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Uuid, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
