//! How much of what it is sent a service turns away, so that most of that is turned away here, where it costs less.
//!
//! The rule is the one of client-side throttling: of the calls that came lately, as many are passed on as were accepted,
//! and half as many more, so that room is found again as soon as there is some. A service that has nothing to do for us
//! is always asked: what it turned away a moment ago says nothing about an idle one.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use prost::Message as _;
use tonic::Code;
use tonic_types::pb;
use trato_platform::rpc::too_many_calls;
use trato_types::Error;

use crate::status::Status;

/// Calls passed on for each that is accepted.
const SURPLUS: f64 = 1.5;
/// Calls that are passed on whatever became of others, so that a few refusals decide nothing.
const RESERVE: f64 = 10.0;
/// Time in which what was counted loses half its weight, in seconds.
const HALF_LIFE: f64 = 0.5;

/// When a caller that was turned away may come back.
const COME_BACK: Duration = Duration::from_secs(1);

/// The pressure on one service.
#[derive(Debug)]
pub struct Pressure(Mutex<Counts>);

#[derive(Debug)]
struct Counts {
    /// When they were last faded.
    at: Instant,
    /// Calls that were accepted, refused there or refused here.
    asked: f64,
    accepted: f64,
    /// What is to be refused and was not yet, as a share of one call.
    owed: f64,
    /// Calls that were passed on and are not over.
    in_hand: usize,
}

/// A call that is passed on, until it is over.
#[derive(Debug)]
pub struct Passed<'a>(&'a Pressure);

impl Default for Pressure {
    fn default() -> Self {
        Self(Mutex::new(Counts { at: Instant::now(), asked: 0.0, accepted: 0.0, owed: 0.0, in_hand: 0 }))
    }
}

impl Pressure {
    /// RESOURCE_EXHAUSTED `TOO_MANY_CALLS` for a call that would most likely be turned away.
    pub fn admit(&self) -> Result<Passed<'_>, Error> {
        let mut counts = self.lock();
        if !counts.admit() {
            return Err(too_many_calls().retry_after(COME_BACK));
        }
        counts.in_hand += 1;
        Ok(Passed(self))
    }

    fn note(&self, is_accepted: bool) {
        let mut counts = self.lock();
        counts.fade(Instant::now());
        counts.asked += 1.0;
        if is_accepted {
            counts.accepted += 1.0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Passed<'_> {
    /// Notes how it was answered.
    pub fn answered(self, status: &Status) {
        self.0.note(!is_turned_away(status));
    }
}

impl Drop for Passed<'_> {
    fn drop(&mut self) {
        self.0.lock().in_hand -= 1;
    }
}

/// True when the service says that it did nothing for want of time; other limits are the caller's own affair.
fn is_turned_away(status: &Status) -> bool {
    if status.code != Code::ResourceExhausted {
        return false;
    }
    let details = pb::Status::decode(status.details.clone()).unwrap_or_default().details;
    let reasons = details.iter().filter(|detail| detail.type_url.ends_with("/google.rpc.ErrorInfo"));
    let mut reasons = reasons.filter_map(|detail| pb::ErrorInfo::decode(detail.value.as_slice()).ok());
    reasons.any(|info| info.reason == too_many_calls().reason())
}

impl Counts {
    fn admit(&mut self) -> bool {
        self.fade(Instant::now());
        let excess = self.asked - SURPLUS * self.accepted - RESERVE;
        if excess <= 0.0 {
            self.owed = 0.0;
            return true;
        }
        if self.in_hand == 0 {
            return true;
        }
        self.owed += excess / self.asked;
        if self.owed < 1.0 {
            return true;
        }
        self.owed -= 1.0;
        self.asked += 1.0;
        false
    }

    fn fade(&mut self, now: Instant) {
        let rest = 0.5_f64.powf(now.saturating_duration_since(self.at).as_secs_f64() / HALF_LIFE);
        self.asked *= rest;
        self.accepted *= rest;
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Pressure {
        /// Lets time pass.
        fn age(&self, by: Duration) {
            let mut counts = self.lock();
            counts.at = counts.at.checked_sub(by).expect("the machine runs for longer");
        }
    }

    /// In each of so many ticks of 20 ms sends calls to an upstream that has room for some of them; answers how many
    /// were passed on and how many accepted.
    fn send(pressure: &Pressure, ticks: usize, calls: usize, room: usize) -> (usize, usize) {
        let (mut passed, mut accepted) = (0, 0);
        for _ in 0..ticks {
            pressure.age(Duration::from_millis(20));
            let sent: Vec<_> = (0..calls).filter_map(|_| pressure.admit().ok()).collect();
            (0..sent.len()).for_each(|number| pressure.note(number < room));
            passed += sent.len();
            accepted += sent.len().min(room);
        }
        (passed, accepted)
    }

    #[test]
    fn an_upstream_that_accepts_gets_everything() {
        assert_eq!(send(&Pressure::default(), 500, 20, 20), (10_000, 10_000));
    }

    #[test]
    fn a_few_refusals_decide_nothing() {
        let pressure = Pressure::default();

        (0..10).for_each(|_| pressure.note(false));

        let passed: Vec<_> = (0..10).filter_map(|_| pressure.admit().ok()).collect();
        assert_eq!(passed.len(), 10);
    }

    #[test]
    fn a_service_that_has_nothing_to_do_is_asked_whatever_was_before() {
        let pressure = Pressure::default();
        (0..10_000).for_each(|_| pressure.note(false));

        for _ in 0..3 {
            let first = pressure.admit();
            assert!(first.is_ok());
            let others = (0..100).filter(|_| pressure.admit().is_ok()).count();
            assert!(others <= 1, "it may have its hands full, and {others} of 100 were passed on");
        }
    }

    #[test]
    fn of_ten_times_too_much_most_is_refused_here_and_all_that_can_be_done_gets_there() {
        let pressure = Pressure::default();
        send(&pressure, 50, 40, 4);

        let (passed, accepted) = send(&pressure, 500, 40, 4);

        assert!(accepted > 1_900, "{accepted} of 2000 that could be done were");
        assert!(passed < 4_000, "{passed} of 20000 were passed on");
    }

    #[test]
    fn room_is_found_again_within_five_seconds() {
        let pressure = Pressure::default();
        send(&pressure, 500, 40, 4);

        send(&pressure, 250, 20, 20);

        assert_eq!(send(&pressure, 50, 20, 20), (1_000, 1_000));
    }
}
