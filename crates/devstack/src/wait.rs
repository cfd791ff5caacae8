//! Bounded waiting: try, pause briefly, try again, give up with what was awaited.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Longest pause between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// Tries until `attempt` gives a value; after `within` fails and names `what` was awaited.
pub async fn eventually<T, F>(within: Duration, what: &str, mut attempt: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Option<T>>,
{
    let end = Instant::now() + within;
    let mut pause = Duration::from_millis(5);
    loop {
        // One try may hang, on a process that is stopped for one; it gets the time that is left and no more.
        let left = end.saturating_duration_since(Instant::now());
        if let Ok(Some(value)) = tokio::time::timeout(left, attempt()).await {
            return Ok(value);
        }
        if Instant::now() >= end {
            bail!("waited {:.1} s for {what} in vain", within.as_secs_f64());
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE);
    }
}
