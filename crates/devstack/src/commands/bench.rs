//! `cargo dev bench`: the figures of the release programs, each against its limit in the same run.

use std::{os::unix::process::CommandExt as _, path::PathBuf, process::Command, process::ExitCode};

use anyhow::{Context as _, Result};
use trato_devstack::{
    Checkout, Profile,
    bench::{self, BenchOptions},
    cargo,
    progress::{Progress, print},
    signals::Signals,
};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Three rounds of three seconds, and a fifth of the data
    #[arg(long)]
    short: bool,
    /// Write every figure with unit, limit, ratio, spread and goal
    #[arg(long)]
    json: Option<PathBuf>,
    /// Figures to measure: P1 P3 P4 P5 P6 P7 P11 P12 P13 P14 P15 P16 PDF PROPERTIES RECORDS TLS; all without
    figures: Vec<String>,
}

pub async fn run(args: Args) -> Result<ExitCode> {
    let progress = Progress::terminal();
    if cfg!(debug_assertions) {
        // The load client must be as lean as the limit's, so the release build of this program goes on.
        let checkout = Checkout::find()?;
        progress.say("programs", "building in release (cargo shows its own progress)");
        cargo::build_programs(&checkout, Profile::Release).await?;
        let program = checkout.programs(Profile::Release).join("trato-devstack");
        let error = Command::new(&program).args(std::env::args_os().skip(1)).exec();
        return Err(error).with_context(|| format!("{} cannot be started", program.display()));
    }
    let mut signals = Signals::catch()?;
    let options = BenchOptions { short: args.short, json: args.json, figures: args.figures };
    let failures = tokio::select! {
        failures = bench::run(options, progress) => failures?,
        code = signals.next() => return Ok(ExitCode::from(code)),
    };
    for failure in &failures {
        print(format!("FAILED {failure}"));
    }
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
