//! Where the log ends: what the leader numbered last, as far as this process knows. Wakes streams and the publisher.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use super::log::Logged;

/// The highest numbered position known here; 0 when none is. Shared by all parts of a process.
#[derive(Clone, Debug)]
pub struct Tail(Arc<watch::Sender<i64>>);

impl Tail {
    /// A tail of which nothing is known yet.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }

    /// The position.
    pub fn position(&self) -> i64 {
        *self.0.borrow()
    }

    /// Watches the position; it never goes back.
    pub fn watch(&self) -> watch::Receiver<i64> {
        self.0.subscribe()
    }

    /// Tells of a position; a lower one than known is ignored.
    pub(super) fn advance(&self, position: i64) {
        self.0.send_if_modified(|known| {
            let further = position > *known;
            if further {
                *known = position;
            }
            further
        });
    }
}

impl Default for Tail {
    fn default() -> Self {
        Self::new()
    }
}

/// Rows just numbered, handed to the publisher so that it need not read them again. Bounded: what does not fit, as when
/// the broker is away, is read from the log later.
#[derive(Debug, Default)]
pub(super) struct Feed(Mutex<VecDeque<Logged>>);

impl Feed {
    const MOST: usize = 4_000;

    /// Takes rows in position order if they go on where the feed ends and there is room.
    pub fn push(&self, rows: Vec<Logged>) {
        let mut feed = self.lock();
        let follows = match (feed.back(), rows.first()) {
            (Some(last), Some(first)) => last.position + 1 == first.position,
            _ => true,
        };
        if follows && feed.len() + rows.len() <= Self::MOST {
            feed.extend(rows);
        }
    }

    /// The rows that directly follow a position, at most `limit`; none when they must be read from the log.
    pub fn take(&self, position: i64, limit: usize) -> Vec<Logged> {
        let mut feed = self.lock();
        while feed.front().is_some_and(|row| row.position <= position) {
            feed.pop_front();
        }
        if feed.front().is_none_or(|row| row.position != position + 1) {
            return Vec::new();
        }
        let count = limit.min(feed.len());
        feed.drain(..count).collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Logged>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
