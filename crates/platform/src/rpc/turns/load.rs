//! Whether there is more to do than can be done: how long a call may wait for its turn.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// What is left of the patience under too much load: a wait then only delays every answer, and takes in no burst.
const SHARE: u32 = 40;
/// Turns that must have come free before the rate at which they do is trusted: over fewer a short pause looks like a low rate.
const KNOWN: u32 = 30;
/// Turns after which the rate is measured anew, if the queue does not end before.
const RECENT: u32 = 1_000;

/// The load on some turns.
#[derive(Debug)]
pub(super) struct Load {
    patience: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    waiting: u32,
    /// How many had a turn after a wait, and since when; nobody found one free meanwhile.
    served: u32,
    from: Instant,
    /// When there was last too much to do.
    excess: Option<Instant>,
}

/// A call that waits for its turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Waiting<'a> {
    load: &'a Load,
    since: Instant,
}

impl Load {
    pub(super) fn new(patience: Duration) -> Self {
        let state = State { waiting: 0, served: 0, from: Instant::now(), excess: None };
        Self { patience, state: Mutex::new(state) }
    }

    /// Longest wait while a burst is taken in.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// Notes that a turn was free.
    pub(super) fn found(&self) {
        self.state().measure_anew();
    }

    /// One more waits; nobody does whose turn could not come in time at the rate at which turns came free since the queue began,
    /// and then there is too much to do.
    pub(super) fn wait(&self) -> Option<Waiting<'_>> {
        let (mut state, since) = (self.state(), Instant::now());
        if state.expected_wait(since) > self.longest_wait(&state, since) {
            state.excess = Some(since);
            return None;
        }
        state.waiting += 1;
        Some(Waiting { load: self, since })
    }

    /// How long a call may wait in all, as things are now.
    fn longest_wait(&self, state: &State, now: Instant) -> Duration {
        let excess = state.excess.is_some_and(|at| now.saturating_duration_since(at) < self.patience);
        if excess { self.patience / SHARE } else { self.patience }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How long one more would wait; no time while that is not known.
    fn expected_wait(&self, now: Instant) -> Duration {
        if self.served < KNOWN {
            return Duration::ZERO;
        }
        now.saturating_duration_since(self.from) * self.waiting / self.served
    }

    fn measure_anew(&mut self) {
        (self.served, self.from) = (0, Instant::now());
    }
}

impl Waiting<'_> {
    /// How long to wait before asking again; none when it was too long already, which is too much to do as well.
    pub(super) fn next(&self) -> Option<Duration> {
        let (mut state, now) = (self.load.state(), Instant::now());
        let waited = now.saturating_duration_since(self.since);
        let left = self.load.longest_wait(&state, now).saturating_sub(waited);
        if left.is_zero() {
            state.excess = Some(now);
            return None;
        }
        // Others may find meanwhile that there is too much to do.
        Some(left.min(self.load.patience / SHARE))
    }

    /// Its turn came.
    pub(super) fn served(self) {
        let mut state = self.load.state();
        if state.served == RECENT {
            state.measure_anew();
        }
        state.served += 1;
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.load.state().waiting -= 1;
    }
}

#[cfg(test)]
mod tests {
    use std::iter;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    /// A load under which so many turns came free within a second, and so many wait.
    fn load(served: u32, waiting: usize) -> (&'static Load, Vec<Waiting<'static>>) {
        let load: &Load = Box::leak(Box::new(Load::new(PATIENCE)));
        let waiting =
            iter::repeat_with(|| load.wait().expect("the rate is not known")).take(waiting).collect();
        {
            let mut state = load.state();
            state.from = ago(Duration::from_secs(1));
            state.served = served;
        }
        (load, waiting)
    }

    fn counts(load: &Load) -> (u32, u32) {
        let state = load.state();
        (state.waiting, state.served)
    }

    fn longest_wait(load: &Load) -> Duration {
        load.longest_wait(&load.state(), Instant::now())
    }

    fn ago(time: Duration) -> Instant {
        Instant::now().checked_sub(time).expect("the machine runs for longer")
    }

    #[test]
    fn a_burst_that_can_be_served_in_time_is_waited_for() {
        let (load, _waiting) = load(100, 5_900);

        let newest = load.wait().expect("a place");

        assert_eq!(longest_wait(load), PATIENCE);
        assert_eq!(newest.next(), Some(PATIENCE / SHARE));
    }

    #[test]
    fn whoever_could_not_be_served_in_time_does_not_wait_and_others_no_longer_for_long() {
        let (load, mut waiting) = load(100, 6_100);
        let (mut oldest, newest) = (waiting.pop().expect("one"), waiting.pop().expect("another"));
        oldest.since = ago(PATIENCE / 2);
        assert!(oldest.next().is_some());

        assert!(load.wait().is_none());

        assert!(oldest.next().is_none() && newest.next().is_some());
    }

    #[test]
    fn under_too_much_load_only_a_short_queue_is_joined() {
        let (load, mut waiting) = load(100, 160);
        load.state().excess = Some(Instant::now());
        assert!(load.wait().is_none());

        waiting.truncate(140);

        assert!(load.wait().is_some());
    }

    #[test]
    fn a_few_turns_say_nothing_about_the_rate() {
        let (load, _waiting) = load(KNOWN - 1, 100_000);
        assert!(load.wait().is_some());
    }

    #[test]
    fn a_wait_that_was_too_long_shortens_those_of_others_for_a_while() {
        let (load, mut waiting) = load(0, 1);
        let other = load.wait().expect("a place");
        let waiting = &mut waiting[0];
        waiting.since = ago(2 * PATIENCE);

        assert!(waiting.next().is_none());
        assert_eq!(longest_wait(load), PATIENCE / SHARE);
        load.found();
        assert_eq!(longest_wait(load), PATIENCE / SHARE, "a turn found free is not yet the end of it");

        load.state().excess = Some(ago(2 * PATIENCE));
        assert_eq!(longest_wait(load), PATIENCE);
        drop(other);
    }

    #[test]
    fn whoever_is_served_or_gives_up_waits_no_more() {
        let (load, waiting) = load(0, 3);
        let mut waiting = waiting.into_iter();
        waiting.next().expect("one").served();
        assert_eq!(counts(load), (2, 1));
        drop(waiting);
        assert_eq!(counts(load), (0, 1));
        load.found();
        assert_eq!(counts(load), (0, 0));
    }

    #[test]
    fn the_rate_of_a_queue_that_does_not_end_is_that_of_late() {
        let (load, mut waiting) = load(RECENT, 1_000_000);

        waiting.pop().expect("one").served();

        assert_eq!(load.state().served, 1);
        assert!(load.wait().is_some(), "too few to say anything");
    }
}
