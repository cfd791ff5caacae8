//! How a command answers, and how it reads what another one said.

use std::io::Write;

use clap::Args;
use serde::{Serialize, de::DeserializeOwned};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, Lines};
use trato_types::{Error, Kind, Result};

/// How to answer.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Output {
    /// Answer in JSON, one line.
    #[arg(long)]
    pub json: bool,
}

impl Output {
    /// Writes the value in JSON, or the text for people.
    pub fn write(self, to: &mut dyn Write, value: &impl Serialize, text: &str) -> Result<()> {
        if self.json { line(to, value) } else { to.write_all(text.as_bytes()).map_err(Error::internal) }
    }
}

/// Writes one line of JSON.
pub fn line(to: &mut dyn Write, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string(value).map_err(Error::internal)?;
    writeln!(to, "{text}").map_err(Error::internal)
}

/// Lines of JSON that come in.
pub struct Input<R>(Lines<R>);

impl<R: AsyncBufRead + Unpin> Input<R> {
    /// Reads from `from`.
    pub fn new(from: R) -> Self {
        Self(from.lines())
    }

    /// The next lines, at most `most`; none at the end.
    pub async fn next<T: DeserializeOwned>(&mut self, most: usize) -> Result<Vec<T>> {
        let mut read = Vec::new();
        while read.len() < most {
            let Some(line) = self.0.next_line().await.map_err(Error::internal)? else { break };
            let value = serde_json::from_str(&line).map_err(|error| {
                let message = "a line on standard input is not what this command reads";
                Error::new(Kind::Invalid, "INVALID_INPUT", message).caused_by(error)
            })?;
            read.push(value);
        }
        Ok(read)
    }
}
