//! What is being done, and how far it is: on a terminal a line that moves; elsewhere a line every so often, so that whoever
//! started a backup of hours sees that it goes on.

use std::{
    io::{self, IsTerminal as _},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::{Stream, StreamExt as _, stream};
use indicatif::{FormattedDuration, HumanCount, ProgressBar, ProgressStyle};
use tokio::{
    task::JoinHandle,
    time::{self, Instant},
};

use crate::output::complain;

/// Time between two lines where there is no terminal.
const EVERY: Duration = Duration::from_secs(15);
/// Time between two pictures of the line that moves.
const TICK: Duration = Duration::from_millis(120);

/// Something that is being done, for as long as it lives.
#[derive(Debug)]
pub struct Stage(Shown);

#[derive(Debug)]
enum Shown {
    Moving(ProgressBar),
    Lines { done: Arc<AtomicU64>, teller: JoinHandle<()> },
}

/// What is done, and what of it is counted, if anything.
#[derive(Debug)]
struct Work {
    text: String,
    unit: Option<&'static str>,
    done: Arc<AtomicU64>,
}

impl Stage {
    /// Begins it and says so on standard error, where it also says how far it is.
    pub fn begin(text: String, unit: Option<&'static str>) -> Self {
        if io::stderr().is_terminal() {
            return Self(Shown::Moving(moving(text, unit)));
        }
        complain(&text);
        let done = Arc::new(AtomicU64::new(0));
        let work = Work { text, unit, done: done.clone() };
        Self(Shown::Lines { done, teller: tokio::spawn(tell(work, ticks(), complain)) })
    }

    /// So much more of it is done.
    pub fn advance(&self, count: u64) {
        match &self.0 {
            Shown::Moving(bar) => bar.inc(count),
            Shown::Lines { done, .. } => {
                done.fetch_add(count, Ordering::Relaxed);
            }
        }
    }

    /// So much of it is done.
    pub fn reach(&self, count: u64) {
        match &self.0 {
            Shown::Moving(bar) => bar.set_position(count),
            Shown::Lines { done, .. } => done.store(count, Ordering::Relaxed),
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        match &self.0 {
            Shown::Moving(bar) => bar.finish_and_clear(),
            Shown::Lines { teller, .. } => teller.abort(),
        }
    }
}

fn moving(text: String, unit: Option<&'static str>) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(text);
    let count = unit.map(|unit| format!(": {{human_pos}} {unit}")).unwrap_or_default();
    if let Ok(style) = ProgressStyle::with_template(&format!("{{spinner}} {{elapsed:>4}} {{msg}}{count}")) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(TICK);
    bar
}

/// How long it has lasted, each time that a line is due.
fn ticks() -> impl Stream<Item = Duration> {
    let begun = Instant::now();
    stream::unfold(time::interval_at(begun + EVERY, EVERY), move |mut interval| async move {
        let now = interval.tick().await;
        Some((now - begun, interval))
    })
}

/// Says at each tick how far it is.
async fn tell(work: Work, ticks: impl Stream<Item = Duration>, write: impl Fn(&str)) {
    let mut ticks = std::pin::pin!(ticks);
    while let Some(elapsed) = ticks.next().await {
        write(&work.line(elapsed));
    }
}

impl Work {
    fn line(&self, elapsed: Duration) -> String {
        let (text, elapsed) = (&self.text, FormattedDuration(elapsed));
        match self.unit {
            Some(unit) => {
                format!("{text}: {} {unit}, {elapsed}", HumanCount(self.done.load(Ordering::Relaxed)))
            }
            None => format!("{text}: {elapsed}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// What is said of a work that gets on by this much before each tick of fifteen seconds.
    async fn said(unit: Option<&'static str>, steps: &[u64]) -> Vec<String> {
        let (done, lines) = (Arc::new(AtomicU64::new(0)), Mutex::new(Vec::new()));
        let work = Work { text: "writing sales".to_owned(), unit, done: done.clone() };
        let mut elapsed = Duration::ZERO;
        let ticks = stream::iter(steps.to_vec()).map(|step| {
            done.fetch_add(step, Ordering::Relaxed);
            elapsed += EVERY;
            elapsed
        });
        tell(work, ticks, |line| lines.lock().expect("one task writes").push(line.to_owned())).await;
        lines.into_inner().expect("one task wrote")
    }

    #[tokio::test]
    async fn without_a_terminal_a_line_says_what_is_done_how_much_of_it_and_for_how_long() {
        let lines = said(Some("bytes"), &[1_200_000, 0, 34_567]).await;

        let wanted = [
            "writing sales: 1,200,000 bytes, 00:00:15",
            "writing sales: 1,200,000 bytes, 00:00:30",
            "writing sales: 1,234,567 bytes, 00:00:45",
        ];
        assert_eq!(lines, wanted);
    }

    #[tokio::test]
    async fn what_cannot_be_counted_says_for_how_long_it_has_lasted() {
        let lines = said(None, &[0; 240]).await;

        assert_eq!(lines.len(), 240);
        assert_eq!(lines[239], "writing sales: 01:00:00");
    }

    #[tokio::test]
    async fn a_stage_counts_what_it_is_told() {
        let done = Arc::new(AtomicU64::new(0));
        let stage = Stage(Shown::Lines { done: done.clone(), teller: tokio::spawn(async {}) });

        stage.advance(2);
        stage.advance(3);
        assert_eq!(done.load(Ordering::Relaxed), 5);
        stage.reach(4);
        assert_eq!(done.load(Ordering::Relaxed), 4);
    }
}
