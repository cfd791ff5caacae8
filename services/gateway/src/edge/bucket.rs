//! One limit: a bucket of so many requests that fills at a steady rate (the generic cell rate algorithm).
//!
//! A bucket is one moment, that at which it is full again; taking from it moves the moment on by the time in which the
//! rate gives one request back.

use std::{
    borrow::Cow,
    time::{Duration, Instant},
};

/// A rate and a burst, as they are told to clients.
#[derive(Debug)]
pub struct Policy {
    name: &'static str,
    /// Time in which the rate gives one request back.
    period: Duration,
    /// Time in which an empty bucket fills.
    whole: Duration,
    written: String,
}

/// A policy of which this process gives out its share.
#[derive(Clone, Copy, Debug)]
pub struct Shared<'a> {
    policy: &'a Policy,
    /// Time in which the share gives one request back.
    period: Duration,
    /// Time in which an empty bucket fills: it has room for one at least.
    whole: Duration,
}

/// What is left of a policy to somebody.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    full_at: Instant,
}

impl Policy {
    /// So many requests a second, and so many at once after a quiet time.
    pub fn new(name: &'static str, per_second: u32, burst: u32) -> Self {
        let (per_second, burst) = (per_second.max(1), burst.max(1));
        let period = Duration::from_secs(1) / per_second;
        let written = format!("\"{name}\";q={burst};w={}", burst.div_ceil(per_second));
        Self { name, period, whole: period * burst, written }
    }

    /// All of it.
    pub fn alone(&self) -> Shared<'_> {
        self.among(1)
    }

    /// The share of one of so many processes.
    pub fn among(&self, processes: u32) -> Shared<'_> {
        let period = self.period * processes.max(1);
        Shared { policy: self, period, whole: self.whole.max(period) }
    }
}

impl<'a> Shared<'a> {
    /// Its name in headers and errors.
    pub fn name(self) -> &'static str {
        self.policy.name
    }

    /// The share as an item of `RateLimit-Policy`: the burst, and the seconds in which it comes back.
    pub fn written(self) -> Cow<'a, str> {
        if self.period == self.policy.period {
            return Cow::Borrowed(&self.policy.written);
        }
        let burst = self.whole.as_nanos() / self.period.as_nanos();
        let seconds = self.whole.as_nanos().div_ceil(1_000_000_000);
        Cow::Owned(format!("\"{}\";q={burst};w={seconds}", self.policy.name))
    }
}

impl Bucket {
    /// Nothing is taken yet.
    pub fn full(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// True when nothing is held against its owner any more.
    pub fn is_full(self, now: Instant) -> bool {
        self.full_at <= now
    }

    /// How long until one more can be taken; zero when it can be now.
    pub fn wait(self, of: Shared<'_>, now: Instant) -> Duration {
        (self.used(now) + of.period).saturating_sub(of.whole)
    }

    /// Takes one, which must be there.
    pub fn take(&mut self, of: Shared<'_>, now: Instant) {
        self.full_at = self.full_at.max(now) + of.period;
    }

    /// What is left as an item of `RateLimit`: how many, and in how many seconds one more comes when there is none.
    pub fn written(self, of: Shared<'_>, now: Instant) -> String {
        let left = of.whole.saturating_sub(self.used(now)).as_nanos() / of.period.as_nanos();
        let seconds = self.wait(of, now).as_nanos().div_ceil(1_000_000_000);
        format!("\"{}\";r={left};t={seconds}", of.policy.name)
    }

    fn used(self, now: Instant) -> Duration {
        self.full_at.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever the pauses between requests, no more is taken than this process's share of burst and rate allows, and
        /// never less when all that can be is asked for.
        #[test]
        fn exactly_what_burst_and_rate_allow_is_taken(
            per_second in 1_u32..5000,
            burst in 1_u32..100,
            processes in 1_u32..5,
            pauses in prop::collection::vec(0_u64..20_000, 1..400),
        ) {
            let policy = Policy::new("test", per_second, burst);
            let share = policy.among(processes);
            let begun = Instant::now();
            let (mut bucket, mut now, mut taken) = (Bucket::full(begun), begun, 0_u32);
            for pause in pauses {
                now += Duration::from_micros(pause);
                if bucket.wait(share, now).is_zero() {
                    bucket.take(share, now);
                    taken += 1;
                } else {
                    let wait = bucket.wait(share, now);
                    prop_assert!(wait <= share.period);
                    prop_assert!(bucket.wait(share, now + wait).is_zero(), "the hint is enough");
                }
                let allowed = (share.whole + (now - begun)).as_nanos() / share.period.as_nanos();
                prop_assert!(u128::from(taken) <= allowed);
                prop_assert!(allowed <= 1 + (policy.whole + (now - begun)).as_nanos() / share.period.as_nanos());
            }
            // Asking without a pause empties it, and the last is refused.
            let mut rest = 0;
            while bucket.wait(share, now).is_zero() {
                bucket.take(share, now);
                rest += 1;
            }
            prop_assert!(rest <= burst && bucket.written(share, now).contains(";r=0;"));
        }
    }
}
