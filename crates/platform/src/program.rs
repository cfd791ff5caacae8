//! What every program of the suite has with who started it: where it answers and complains, and how it is told to stop.

use std::io::Write as _;

use trato_types::{Error, Result};

/// Exit code of a configuration that cannot be used (`EX_USAGE` of sysexits.h).
pub const BAD_CONFIGURATION: u8 = 64;

/// Writes what a subcommand was asked for to standard output.
pub fn say(text: &str) -> Result<()> {
    std::io::stdout().write_all(text.as_bytes()).map_err(Error::internal)
}

/// Writes to standard error why the program does not go on.
#[expect(clippy::print_stderr, reason = "a program that cannot start says why where its caller looks")]
pub fn complain(text: &str) {
    eprintln!("{text}");
}

/// Waits until the program is told to stop: by SIGTERM, or from the keyboard.
pub async fn stop_signal() -> Result<()> {
    let mut terminate =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).map_err(Error::internal)?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Error::internal),
    }
}
