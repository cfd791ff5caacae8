//! How many calls are in flight: one more after each success, half as many when the other side asks for less.
//!
//! Additive increase and multiplicative decrease, as TCP does it. No clock inside, so that the rules can be tested.

use std::time::{Duration, Instant};

use rand::RngExt as _;

/// Most calls in flight, whatever the answers allow: sockets are finite.
const MOST: usize = 64;

/// First pause after a refusal for overload; each further one without a success between doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Longest pause of our own, so that work goes on soon after a server is back. An answer may ask for more.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The window of calls in flight.
#[derive(Clone, Debug)]
pub struct Pace {
    window: usize,
    epoch: u64,
    refusals: u64,
    strikes: u32,
    resume: Option<Instant>,
    progress: Instant,
}

/// Remembers in which epoch a call was started.
#[derive(Clone, Copy, Debug)]
pub struct Ticket(u64);

impl Pace {
    /// Begins with one call at a time.
    pub fn new(now: Instant) -> Self {
        Self { window: 1, epoch: 0, refusals: 0, strikes: 0, resume: None, progress: now }
    }

    /// Calls that may be in flight.
    pub fn window(&self) -> usize {
        self.window
    }

    /// Calls so far that were refused for overload or found nobody.
    pub fn refusals(&self) -> u64 {
        self.refusals
    }

    /// When the next call may start; `None` for at once.
    pub fn resume(&self) -> Option<Instant> {
        self.resume
    }

    /// Notes that a call starts.
    pub fn start(&self) -> Ticket {
        Ticket(self.epoch)
    }

    /// Notes a success. A pause that was asked for goes on: the success may belong to a call made before it.
    pub fn succeeded(&mut self, now: Instant) {
        self.window = (self.window + 1).min(MOST);
        self.strikes = 0;
        self.progress = now;
    }

    /// Notes a refusal for overload, with the wait the answer asked for. The calls in flight at the first refusal
    /// halve the window once, not once each.
    pub fn refused(&mut self, ticket: Ticket, asked: Option<Duration>, now: Instant) {
        self.refusals += 1;
        if ticket.0 == self.epoch {
            self.epoch += 1;
            self.window = (self.window / 2).max(1);
            self.strikes += 1;
        }
        let doubled =
            FIRST_PAUSE.saturating_mul(1 << self.strikes.saturating_sub(1).min(16)).min(LONGEST_PAUSE);
        // Spread, so that clients refused together do not come back together.
        let own = doubled.mul_f64(rand::rng().random_range(0.5..=1.0));
        let resume = now + asked.unwrap_or_default().max(own);
        self.resume = Some(self.resume.map_or(resume, |earlier| earlier.max(resume)));
    }

    /// How long there has been no success.
    pub fn idle(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.progress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_success_adds_one_call_up_to_a_limit() {
        let now = Instant::now();
        let mut pace = Pace::new(now);

        for _ in 0..9 {
            pace.succeeded(now);
        }
        assert_eq!(pace.window(), 10);

        for _ in 0..1000 {
            pace.succeeded(now);
        }
        assert_eq!(pace.window(), MOST);
    }

    #[test]
    fn calls_in_flight_together_halve_the_window_once() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        (0..15).for_each(|_| pace.succeeded(now));

        let tickets = [pace.start(), pace.start(), pace.start()];
        tickets.into_iter().for_each(|ticket| pace.refused(ticket, None, now));
        assert_eq!((pace.window(), pace.refusals()), (8, 3));

        pace.refused(pace.start(), None, now);
        assert_eq!(pace.window(), 4);
    }

    #[test]
    fn the_window_never_closes_and_pauses_stay_short() {
        let now = Instant::now();
        let mut pace = Pace::new(now);

        for _ in 0..100 {
            pace.refused(pace.start(), None, now);
        }
        assert_eq!(pace.window(), 1);
        assert!(pace.resume().is_some_and(|resume| resume <= now + LONGEST_PAUSE));

        pace.succeeded(now);
        pace.refused(pace.start(), None, now + LONGEST_PAUSE);
        assert!(pace.resume().is_some_and(|resume| resume <= now + LONGEST_PAUSE + FIRST_PAUSE));
    }

    #[test]
    fn the_wait_an_answer_asks_for_is_kept() {
        let now = Instant::now();
        let mut pace = Pace::new(now);

        pace.refused(pace.start(), Some(Duration::from_secs(30)), now);

        assert_eq!(pace.resume(), Some(now + Duration::from_secs(30)));
    }
}
