//! Bounded waiting: look, pause briefly, look again; at the end fail with what was seen last.

use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

/// How long an effect in another service may take in tests; far more than it does take, since machines differ.
pub const SOON: Duration = Duration::from_secs(60);

/// First and longest pause between two looks.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(200));

/// Looks until `wanted` accepts what `look` sees, and answers it. Panics after `within` with what was seen last.
#[track_caller]
pub fn eventually<T, F>(
    within: Duration,
    what: &str,
    look: impl FnMut() -> F,
    wanted: impl Fn(&T) -> bool,
) -> impl Future<Output = T>
where
    T: Debug,
    F: Future<Output = T>,
{
    let caller = std::panic::Location::caller();
    async move {
        match settle(within, look, wanted).await {
            Ok(seen) => seen,
            Err(last) => panic!("{caller}: waited {within:?} for {what}; seen last: {last:#?}"),
        }
    }
}

/// Lets time pass that is part of what is tested: how long something is away, how far apart two blows are.
pub async fn lasts(time: Duration) {
    tokio::time::sleep(time).await;
}

async fn settle<T, F>(
    within: Duration,
    mut look: impl FnMut() -> F,
    wanted: impl Fn(&T) -> bool,
) -> Result<T, T>
where
    F: Future<Output = T>,
{
    let end = Instant::now() + within;
    let (mut pause, longest) = PAUSES;
    loop {
        let seen = look().await;
        if wanted(&seen) {
            return Ok(seen);
        }
        if Instant::now() >= end {
            return Err(seen);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}
