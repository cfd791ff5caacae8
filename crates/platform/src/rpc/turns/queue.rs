//! Who gets the next permit. A semaphore would always serve whoever waits longest.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

/// A number of permits and those who wait for one. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Queue(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// How long somebody must have been waiting without a break for the newest to be served first.
    patience: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    free: usize,
    /// When somebody last found a permit without waiting.
    idle: Instant,
    /// Those in the midst of their work: what was done for them is not to be lost.
    resuming: VecDeque<Waiter>,
    /// Those for whom nothing was done yet.
    starting: VecDeque<Waiter>,
}

type Waiter = oneshot::Sender<Permit>;

/// One of the permits; whoever waits gets it when it is dropped.
#[derive(Debug)]
pub(super) struct Permit(Option<Queue>);

/// For what a permit is wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wish {
    /// To begin.
    Start,
    /// To go on.
    Resume,
}

impl Queue {
    pub(super) fn new(permits: usize, patience: Duration) -> Self {
        let (resuming, starting) = (VecDeque::new(), VecDeque::new());
        let state = Mutex::new(State { free: permits, idle: Instant::now(), resuming, starting });
        Self(Arc::new(Inner { patience, state }))
    }

    /// A permit at once, or a place among those who wait. A place that is dropped is passed over.
    pub(super) fn ask(&self, wish: Wish) -> Result<Permit, oneshot::Receiver<Permit>> {
        let mut state = self.state();
        if state.free > 0 {
            state.free -= 1;
            state.idle = Instant::now();
            return Ok(Permit(Some(self.clone())));
        }
        let (waiter, place) = oneshot::channel();
        let waiting = match wish {
            Wish::Start => &mut state.starting,
            Wish::Resume => &mut state.resuming,
        };
        // The oldest give up first, and while the newest are served nobody else would come by and see it.
        while waiting.front().is_some_and(oneshot::Sender::is_closed) {
            waiting.pop_front();
        }
        waiting.push_back(waiter);
        Err(place)
    }

    /// How long somebody has been waiting without a break.
    pub(super) fn standing(&self) -> Duration {
        self.state().idle.elapsed()
    }

    /// Makes it look as if nobody had found a permit free for so long.
    #[cfg(test)]
    pub(super) fn stand_for(&self, time: Duration) {
        self.state().idle = Instant::now().checked_sub(time).expect("the machine runs for longer");
    }

    fn hand_on(self) {
        while let Some(waiter) = self.next() {
            match waiter.send(Permit(Some(self.clone()))) {
                Ok(()) => return,
                // Nobody is there any more. The permit must not hand itself on, or a long queue became a deep stack.
                Err(mut permit) => drop(permit.0.take()),
            }
        }
    }

    /// Takes the next one out; the permit is free when there is none.
    fn next(&self) -> Option<Waiter> {
        let mut state = self.state();
        let newest_first = state.idle.elapsed() > self.0.patience;
        let next = state
            .resuming
            .pop_front()
            .or_else(|| if newest_first { state.starting.pop_back() } else { state.starting.pop_front() });
        if next.is_none() {
            state.free += 1;
        }
        next
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(queue) = self.0.take() {
            queue.hand_on();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::iter;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn taken() -> (Queue, Permit) {
        let queue = Queue::new(1, PATIENCE);
        let permit = queue.ask(Wish::Start).expect("free");
        (queue, permit)
    }

    fn wait(queue: &Queue, wish: Wish) -> oneshot::Receiver<Permit> {
        queue.ask(wish).expect_err("none is free")
    }

    /// Whether the permit came.
    fn came(place: &mut oneshot::Receiver<Permit>) -> bool {
        place.try_recv().is_ok()
    }

    #[test]
    fn in_a_burst_whoever_waits_longest_is_served_first() {
        let (queue, held) = taken();
        let (mut first, mut second) = (wait(&queue, Wish::Start), wait(&queue, Wish::Start));

        drop(held);
        let served = first.try_recv();

        assert!(served.is_ok() && !came(&mut second));
        drop(served);
        assert!(came(&mut second));
    }

    #[test]
    fn in_a_queue_that_stands_the_newest_is_served_first() {
        let (queue, held) = taken();
        let (mut first, mut second) = (wait(&queue, Wish::Start), wait(&queue, Wish::Start));
        queue.stand_for(2 * PATIENCE);

        drop(held);
        let served = second.try_recv();

        assert!(served.is_ok() && !came(&mut first));
        drop(served);
        assert!(came(&mut first), "the oldest is served when nobody newer waits");
    }

    #[test]
    fn whoever_goes_on_comes_before_whoever_begins() {
        let (queue, held) = taken();
        let (mut start, mut resume) = (wait(&queue, Wish::Start), wait(&queue, Wish::Resume));

        drop(held);

        assert!(came(&mut resume) && came(&mut start));
    }

    #[test]
    fn a_permit_that_nobody_waits_for_is_free_again() {
        let (queue, held) = taken();
        drop(wait(&queue, Wish::Start));
        queue.stand_for(PATIENCE);

        drop(held);

        let permit = queue.ask(Wish::Start);
        assert!(permit.is_ok() && queue.standing() < PATIENCE);
    }

    #[test]
    fn a_permit_that_came_when_nobody_waited_any_more_is_handed_on() {
        let (queue, held) = taken();
        let (first, mut second) = (wait(&queue, Wish::Start), wait(&queue, Wish::Start));

        drop(held);
        drop(first);

        assert!(came(&mut second));
    }

    #[test]
    fn however_many_gave_up_the_next_one_is_served_and_none_of_them_is_kept() {
        let (queue, held) = taken();
        drop(iter::repeat_with(|| wait(&queue, Wish::Start)).take(100_000).collect::<Vec<_>>());
        let mut last = wait(&queue, Wish::Start);
        assert_eq!(queue.state().starting.len(), 1);
        let given_up: Vec<_> = iter::repeat_with(|| wait(&queue, Wish::Start)).take(100_000).collect();
        drop(given_up);
        queue.stand_for(2 * PATIENCE);

        drop(held);

        assert!(came(&mut last));
    }
}
