//! `trato wait`: does nothing, so that a pod is there to run the other commands in.

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};

use crate::output::Outcome;

/// Ends at SIGTERM or SIGINT.
pub async fn run() -> Result<Outcome> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    Ok(Outcome::Fine)
}
