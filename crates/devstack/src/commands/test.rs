//! `cargo dev test`: every test of the workspace, against a fresh stack of real processes.

use std::{
    ffi::OsString,
    io::{BufRead as _, BufReader, PipeReader},
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use trato_devstack::{
    Checkout, Servers, Stack, StackOptions, cargo,
    home::Home,
    proc,
    progress::{Progress, print, print_raw},
    requirements::{Recorder, Results},
    variables::{CONTAINERS, TEST_LONG, TEST_STACK},
};

use super::{signals::Signals, up};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run the long forms of resilience and load tests
    #[arg(long)]
    long: bool,
    /// Run PostgreSQL and RabbitMQ in containers
    #[arg(long)]
    containers: bool,
    /// Passed on to `cargo test --workspace`: a filter, `-- --nocapture`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

pub async fn run(args: Args) -> Result<ExitCode> {
    let mut signals = Signals::catch()?;
    let checkout = Checkout::find()?;
    let mut options = StackOptions::test();
    if args.containers {
        options.servers = Servers::Containers;
    }
    let progress = options.progress.clone();
    let started = async {
        progress.say("programs", "building programs and tests (cargo shows its own progress)");
        let programs = cargo::build_tests(&checkout).await?;
        anyhow::Ok((programs, Stack::start(options).await?))
    };
    let (programs, stack) = tokio::select! {
        started = started => started?,
        code = signals.next() => return Ok(ExitCode::from(code)),
    };

    let recorder = Recorder::new(&checkout.root, programs);
    let ended = stack.attend(run_tests(&checkout, &args, &stack, recorder, &mut signals, &progress)).await;
    up::stop(stack, &mut signals, &progress).await;
    let (code, results) = ended??;
    let path = Home::test(&checkout).dir.join("results.txt");
    results.write(&path)?;
    summarise(&results);
    Ok(ExitCode::from(code))
}

/// Runs cargo to its end, or until a signal; answers its exit code and what it said of each test.
async fn run_tests(
    checkout: &Checkout,
    args: &Args,
    stack: &Stack,
    recorder: Recorder,
    signals: &mut Signals,
    progress: &Progress,
) -> Result<(u8, Results)> {
    let (reader, writer) = std::io::pipe()?;
    let mut command = cargo::test(checkout, &args.arguments);
    command.env(TEST_STACK, stack.home().facts()).stdout(writer.try_clone()?).stderr(writer);
    if args.long {
        command.env(TEST_LONG, "1");
    }
    if args.containers {
        command.env(CONTAINERS, "1");
    }
    progress.say("tests", "running");
    let mut child = command.spawn().context("cargo cannot be started")?;
    // It holds the writing end; the reader would never see the end of the output.
    drop(command);
    let output = tokio::task::spawn_blocking(move || follow(reader, recorder));
    let code = tokio::select! {
        status = child.wait() => status?.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1),
        code = signals.next() => {
            if let Some(pid) = child.id() {
                proc::kill_tree(pid)?;
            }
            code
        }
    };
    Ok((code, output.await??))
}

/// Passes every line on as it comes and takes note of results.
fn follow(reader: PipeReader, mut recorder: Recorder) -> Result<Results> {
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        print_raw(&line);
        recorder.line(&String::from_utf8_lossy(&line));
        line.clear();
    }
    Ok(recorder.into_results())
}

fn summarise(results: &Results) {
    let failed: Vec<&str> = results.failed().collect();
    print(format!("{} tests ran, {} failed", results.len(), failed.len()));
    for name in failed {
        print(format!("  FAILED {name}"));
    }
}
