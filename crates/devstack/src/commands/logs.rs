//! `cargo dev logs`: the ends of the logs, and what is added to them.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result, bail};
use trato_devstack::{
    Checkout,
    home::Home,
    logs::{Follower, tail},
    progress::{print, print_raw},
    signals::Signals,
};

/// How often followed logs are looked at.
const INTERVAL: Duration = Duration::from_millis(200);

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Whose log: a service, gateway, postgres, rabbitmq; all without it
    service: Option<String>,
    /// Go on with what is added
    #[arg(short, long)]
    follow: bool,
    /// Lines to begin with, of each log
    #[arg(short = 'n', long, default_value_t = 40)]
    lines: usize,
}

pub async fn run(args: Args) -> Result<ExitCode> {
    let home = Home::dev(&Checkout::find()?);
    let mut followers = Vec::new();
    let logs = select(&home, args.service.as_deref())?;
    let several = logs.len() > 1;
    for (name, path) in logs {
        let prefix = if several { format!("{name:<11} | ") } else { String::new() };
        let follower = Follower::at_end(path.clone());
        for line in tail(&path, args.lines).lines() {
            print(format!("{prefix}{line}"));
        }
        followers.push((prefix, follower));
    }
    if !args.follow {
        return Ok(ExitCode::SUCCESS);
    }
    let mut signals = Signals::catch()?;
    loop {
        for (prefix, follower) in &mut followers {
            for line in follower.added().lines() {
                print_raw(format!("{prefix}{line}\n").as_bytes());
            }
        }
        tokio::select! {
            _ = signals.next() => return Ok(ExitCode::SUCCESS),
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

/// Logs by name; for a service those of all its replicas.
fn select(home: &Home, service: Option<&str>) -> Result<Vec<(String, PathBuf)>> {
    let folder = std::fs::read_dir(home.logs()).context("there are no logs; start it with `cargo dev up`")?;
    let mut logs = Vec::new();
    for entry in folder {
        let path = entry?.path();
        let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { continue };
        let base = name.trim_end_matches(|letter: char| letter.is_ascii_digit()).trim_end_matches('-');
        if service.is_none_or(|service| service == name || service == base) {
            logs.push((name.to_owned(), path));
        }
    }
    logs.sort();
    if logs.is_empty() {
        bail!("there is no log of {}", service.unwrap_or("anything"));
    }
    Ok(logs)
}
