//! `cargo dev test`: every test of the workspace, against a fresh stack of real processes.

use std::{
    ffi::OsString,
    io::{BufRead as _, BufReader, PipeReader},
    path::Path,
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use trato_devstack::{
    Checkout, Servers, Stack, StackOptions, cargo,
    compose::Product,
    home::Home,
    proc,
    progress::{Progress, print, print_raw},
    requirements::{Recorder, Results},
    signals::Signals,
    variables::{CONTAINERS, TEST_LONG, TEST_STACK},
};

use super::up;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run the long forms of resilience and load tests
    #[arg(long)]
    long: bool,
    /// Run PostgreSQL and RabbitMQ in containers
    #[arg(long)]
    containers: bool,
    /// Run against the product of deploy/compose.yaml, whose images are built already; for flow tests: --compose flows::
    #[arg(long, conflicts_with = "containers")]
    compose: bool,
    /// Passed on to every test program: parts of names of tests, `-- --nocapture`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

pub async fn run(args: Args) -> Result<ExitCode> {
    let mut signals = Signals::catch()?;
    let checkout = Checkout::find()?;
    let progress = Progress::terminal();
    progress.say("programs", "building programs and tests (cargo shows its own progress)");
    let programs = tokio::select! {
        programs = cargo::build_tests(&checkout) => programs?,
        code = signals.next() => return Ok(ExitCode::from(code)),
    };
    let recorder = Recorder::new(&checkout.root, programs);
    let ended = if args.compose {
        on_product(&checkout, &args, recorder, &mut signals, progress).await?
    } else {
        on_stack(&checkout, &args, recorder, &mut signals, progress).await?
    };
    if let (_, Some(results)) = &ended {
        results.write(&Home::test(&checkout).dir.join("results.txt"))?;
        summarise(results);
    }
    Ok(ExitCode::from(ended.0))
}

/// An exit code, and what became of the tests when they ran.
type Ended = (u8, Option<Results>);

/// Against processes of this machine, which are supervised meanwhile.
async fn on_stack(
    checkout: &Checkout,
    args: &Args,
    recorder: Recorder,
    signals: &mut Signals,
    progress: Progress,
) -> Result<Ended> {
    let mut options = StackOptions { progress: progress.clone(), ..StackOptions::test() };
    if args.containers {
        options.servers = Servers::Containers;
    }
    let stack = tokio::select! {
        stack = Stack::start(options) => stack?,
        code = signals.next() => return Ok((code, None)),
    };
    let facts = stack.home().facts();
    let ended = stack.attend(run_tests(checkout, args, &facts, recorder, signals, &progress)).await;
    up::stop(stack, signals, &progress).await;
    ended?
}

/// Against the product in containers.
async fn on_product(
    checkout: &Checkout,
    args: &Args,
    recorder: Recorder,
    signals: &mut Signals,
    progress: Progress,
) -> Result<Ended> {
    let product = Product::claim(progress.clone()).await?;
    let up = tokio::select! {
        up = product.up() => up.map(|()| None),
        code = signals.next() => Ok(Some(code)),
    };
    let ended = match up {
        Ok(None) => run_tests(checkout, args, &product.facts_file(), recorder, signals, &progress).await,
        Ok(Some(code)) => Ok((code, None)),
        Err(error) => Err(error),
    };
    let down = product.down().await;
    let ended = ended?;
    down?;
    Ok(ended)
}

/// Runs cargo to its end, or until a signal; answers its exit code and what it said of each test.
async fn run_tests(
    checkout: &Checkout,
    args: &Args,
    facts: &Path,
    recorder: Recorder,
    signals: &mut Signals,
    progress: &Progress,
) -> Result<Ended> {
    let (reader, writer) = std::io::pipe()?;
    let mut command = cargo::test(checkout, &args.arguments);
    command.env(TEST_STACK, facts).stdout(writer.try_clone()?).stderr(writer);
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
    Ok((code, Some(output.await??)))
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
