//! `cargo dev test`: every test of the workspace, against a fresh stack of real processes.

use std::{
    ffi::OsString,
    io::{BufRead as _, BufReader, PipeReader},
    path::Path,
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use trato_devstack::{
    Checkout, Profile, Servers, Stack, StackOptions, cargo,
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
    /// Run the long forms of resilience and load tests, against programs of the release profile
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
        programs = build(&checkout, args.long) => programs?,
        code = signals.next() => return Ok(ExitCode::from(code)),
    };
    let recorder = Recorder::new(&checkout.root, programs);
    let mut run = Run { checkout, args, signals, progress };
    let ended =
        if run.args.compose { run.on_product(recorder).await? } else { run.on_stack(recorder).await? };
    if let (_, Some(results)) = &ended {
        results.write(&Home::test(&run.checkout).dir.join("results.txt"))?;
        summarise(results);
    }
    Ok(ExitCode::from(ended.0))
}

/// Builds the tests, and the programs of both profiles where both are run.
async fn build(checkout: &Checkout, long: bool) -> Result<cargo::TestPrograms> {
    if long {
        cargo::build_programs(checkout, Profile::Release).await?;
    }
    cargo::build_tests(checkout).await
}

/// An exit code, and what became of the tests when they ran.
type Ended = (u8, Option<Results>);

/// One run of the tests.
struct Run {
    checkout: Checkout,
    args: Args,
    signals: Signals,
    progress: Progress,
}

impl Run {
    /// Against processes of this machine, which are supervised meanwhile.
    async fn on_stack(&mut self, recorder: Recorder) -> Result<Ended> {
        let mut options = StackOptions { progress: self.progress.clone(), ..StackOptions::test() };
        if self.args.long {
            options.profile = Profile::Release;
        }
        if self.args.containers {
            options.servers = Servers::Containers;
        }
        let stack = tokio::select! {
            stack = Stack::start(options) => stack?,
            code = self.signals.next() => return Ok((code, None)),
        };
        let facts = stack.home().facts();
        let ended = stack.attend(self.run_tests(&facts, recorder)).await;
        up::stop(stack, &mut self.signals, &self.progress).await;
        ended?
    }

    /// Against the product in containers.
    async fn on_product(&mut self, recorder: Recorder) -> Result<Ended> {
        let product = Product::claim(self.progress.clone()).await?;
        let up = tokio::select! {
            up = product.up() => up.map(|()| None),
            code = self.signals.next() => Ok(Some(code)),
        };
        let ended = match up {
            Ok(None) => self.run_tests(&product.facts_file(), recorder).await,
            Ok(Some(code)) => Ok((code, None)),
            Err(error) => Err(error),
        };
        let down = product.down().await;
        let ended = ended?;
        down?;
        Ok(ended)
    }

    /// Runs cargo to its end, or until a signal; answers its exit code and what it said of each test.
    async fn run_tests(&mut self, facts: &Path, recorder: Recorder) -> Result<Ended> {
        let (reader, writer) = std::io::pipe()?;
        let mut command = cargo::test(&self.checkout, &self.args.arguments);
        command.env(TEST_STACK, facts).stdout(writer.try_clone()?).stderr(writer);
        if self.args.long {
            command.env(TEST_LONG, "1");
        }
        if self.args.containers {
            command.env(CONTAINERS, "1");
        }
        self.progress.say("tests", "running");
        let mut child = command.spawn().context("cargo cannot be started")?;
        // It holds the writing end; the reader would never see the end of the output.
        drop(command);
        let output = tokio::task::spawn_blocking(move || follow(reader, recorder));
        let code = tokio::select! {
            status = child.wait() => status?.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1),
            code = self.signals.next() => {
                if let Some(pid) = child.id() {
                    proc::kill_tree(pid)?;
                }
                code
            }
        };
        Ok((code, Some(output.await??)))
    }
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
