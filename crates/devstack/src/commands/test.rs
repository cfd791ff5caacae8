//! `cargo dev test`: every test of the workspace, against a fresh stack of real processes.

use std::{
    ffi::OsString,
    io::{BufRead as _, BufReader, PipeReader},
    path::Path,
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use futures::future::join_all;
use tokio::{
    process::{Child, Command},
    task::JoinHandle,
};
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

/// The test program that runs against a stack: package and target.
const SUITE: (&str, &str) = ("trato-tests", "suite");
/// Its tests that break stacks.
const BREAKING: &str = "resilience::";

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
    let mut run = Run { checkout, args, signals, progress };
    let ended =
        if run.args.compose { run.on_product(programs).await? } else { run.on_stack(programs).await? };
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
    async fn on_stack(&mut self, programs: cargo::TestPrograms) -> Result<Ended> {
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
        let ended = stack.attend(self.run_tests(&facts, programs)).await;
        up::stop(stack, &mut self.signals, &self.progress).await;
        ended?
    }

    /// Against the product in containers.
    async fn on_product(&mut self, programs: cargo::TestPrograms) -> Result<Ended> {
        let product = Product::claim(self.progress.clone()).await?;
        let up = tokio::select! {
            up = product.up() => up.map(|()| None),
            code = self.signals.next() => Ok(Some(code)),
        };
        let ended = match up {
            Ok(None) => self.run_tests(&product.facts_file(), programs).await,
            Ok(Some(code)) => Ok((code, None)),
            Err(error) => Err(error),
        };
        let down = product.down().await;
        let ended = ended?;
        down?;
        Ok(ended)
    }

    /// Runs the tests to their end, or until a signal; answers an exit code and what was said of each test.
    ///
    /// What breaks stacks of its own waits most of the time: without a choice of tests it goes on beside the others, which
    /// need the processors, and its output comes when it is done.
    async fn run_tests(&mut self, facts: &Path, programs: cargo::TestPrograms) -> Result<Ended> {
        let arguments = &self.args.arguments;
        let mut parts = Vec::new();
        match cargo::program_of(&programs, SUITE) {
            Some(suite) if arguments.is_empty() => {
                let mut breaking = cargo::run_test(&self.checkout, suite);
                breaking.arg(BREAKING);
                let mut recorder = Recorder::new(&self.checkout.root, programs.clone());
                recorder.runs(suite);
                parts.push(Part::start(self.with_facts(breaking, facts), recorder, Output::AtTheEnd)?);
                let others = cargo::test(&self.checkout, &["--skip".into(), BREAKING.into()]);
                let recorder = Recorder::new(&self.checkout.root, programs);
                parts.push(Part::start(self.with_facts(others, facts), recorder, Output::AsItComes)?);
            }
            _ => {
                let all = cargo::test(&self.checkout, arguments);
                let recorder = Recorder::new(&self.checkout.root, programs);
                parts.push(Part::start(self.with_facts(all, facts), recorder, Output::AsItComes)?);
            }
        }
        self.progress.say("tests", "running");
        let ends = join_all(parts.iter_mut().map(|part| part.child.wait()));
        let code = tokio::select! {
            ends = ends => {
                let mut codes = Vec::new();
                for status in ends {
                    codes.push(status?.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1));
                }
                codes.into_iter().max().unwrap_or(1)
            }
            code = self.signals.next() => {
                for part in &parts {
                    if let Some(pid) = part.child.id() {
                        proc::kill_tree(pid)?;
                    }
                }
                code
            }
        };
        let mut results = Results::default();
        for part in parts {
            let (output, of_part) = part.output.await??;
            print_raw(&output);
            results.extend(of_part);
        }
        Ok((code, Some(results)))
    }

    /// What every test is told.
    fn with_facts(&self, mut command: Command, facts: &Path) -> Command {
        command.env(TEST_STACK, facts);
        if self.args.long {
            command.env(TEST_LONG, "1");
        }
        if self.args.containers {
            command.env(CONTAINERS, "1");
        }
        command
    }
}

/// When the output of tests is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Output {
    AsItComes,
    AtTheEnd,
}

/// Tests that run, and what they say.
struct Part {
    child: Child,
    /// What is still to be shown, and the results.
    output: JoinHandle<Result<(Vec<u8>, Results)>>,
}

impl Part {
    fn start(mut command: Command, recorder: Recorder, shown: Output) -> Result<Self> {
        let (reader, writer) = std::io::pipe()?;
        command.stdout(writer.try_clone()?).stderr(writer);
        let child = command.spawn().context("the tests cannot be started")?;
        // It holds the writing end; the reader would never see the end of the output.
        drop(command);
        let output = tokio::task::spawn_blocking(move || follow(reader, recorder, shown));
        Ok(Self { child, output })
    }
}

/// Passes every line on as it comes, or keeps it, and takes note of results.
fn follow(reader: PipeReader, mut recorder: Recorder, shown: Output) -> Result<(Vec<u8>, Results)> {
    let mut reader = BufReader::new(reader);
    let (mut line, mut kept) = (Vec::new(), Vec::new());
    while reader.read_until(b'\n', &mut line)? > 0 {
        match shown {
            Output::AsItComes => print_raw(&line),
            Output::AtTheEnd => kept.extend_from_slice(&line),
        }
        recorder.line(&String::from_utf8_lossy(&line));
        line.clear();
    }
    Ok((kept, recorder.into_results()))
}

fn summarise(results: &Results) {
    let failed: Vec<&str> = results.failed().collect();
    print(format!("{} tests ran, {} failed", results.len(), failed.len()));
    for name in failed {
        print(format!("  FAILED {name}"));
    }
}
