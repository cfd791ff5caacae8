//! What the operator sees: the answer on standard output, progress and complaints on standard error.

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
    time::Duration,
};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// How a command ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// All is well.
    Fine,
    /// Something could not be done.
    Failed,
    /// All was done, and what was found is not as it should be.
    Found,
    /// The configuration of a service cannot be used.
    BadConfiguration,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        let code: u8 = match outcome {
            Outcome::Fine => 0,
            Outcome::Failed => 1,
            Outcome::Found => 3,
            Outcome::BadConfiguration => 64,
        };
        Self::from(code)
    }
}

/// How to answer.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// In JSON.
    pub json: bool,
}

impl Output {
    /// For people, or in JSON.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Writes the answer.
    pub fn answer(&self, value: &impl Serialize, text: &str) -> Result<()> {
        if self.json { say(&(serde_json::to_string(value)? + "\n")) } else { say(text) }
    }

    /// Says on standard error what is being done, unless scripts listen.
    pub fn stage(&self, text: impl Into<String>) -> Stage {
        let text = text.into();
        if self.json {
            return Stage(ProgressBar::hidden());
        }
        if !io::stderr().is_terminal() {
            complain(&text);
            return Stage(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner().with_message(text);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed:>4} {msg} {human_pos}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Stage(bar)
    }
}

/// Something that is being done, for as long as it lives.
#[derive(Debug)]
pub struct Stage(ProgressBar);

impl Stage {
    /// So much more of it is done: lines, or bytes.
    pub fn advance(&self, count: u64) {
        self.0.inc(count);
    }

    /// So much of it is done.
    pub fn reach(&self, count: u64) {
        self.0.set_position(count);
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Writes to standard output; a reader that has gone away is no error.
pub fn say(text: &str) -> Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Writes a line to standard error.
pub fn complain(text: &str) {
    // There is nobody left to tell that it failed.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
