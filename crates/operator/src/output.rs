//! What the operator sees: the answer on standard output, progress and complaints on standard error.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use anyhow::Result;
use serde::Serialize;

use crate::stage::Stage;

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

    /// Says on standard error what is being done, in JSON too: scripts read standard output.
    pub fn stage(&self, text: impl Into<String>) -> Stage {
        Stage::begin(text.into(), None)
    }

    /// The same of what can be counted, and what that is: events, bytes.
    pub fn counting(&self, text: impl Into<String>, unit: &'static str) -> Stage {
        Stage::begin(text.into(), Some(unit))
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
