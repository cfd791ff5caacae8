//! `cargo dev load`: the export of another CRM, through the gateway.

use std::{
    io::{self, IsTerminal as _},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Result, bail};
use tokio_util::sync::CancellationToken;
use trato_devstack::{
    load::{self, Export, LoadOptions, LoadReport, Mapping},
    progress::{Progress, print},
    signals::Signals,
};

use super::target::Target;

/// Where rows without a place are named when no file is.
const REPORT: &str = "trato-load-report.csv";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder with accounts.csv, products.csv, sales_teams.csv and sales_pipeline.csv
    path: PathBuf,
    /// What misspelled values mean; written with suggestions when it is not there
    #[arg(long, default_value = "trato-load-mapping.toml")]
    mapping: PathBuf,
    /// Accept the suggestions without asking
    #[arg(long)]
    yes: bool,
    /// Where to name every row that found no place (CSV)
    #[arg(long)]
    report: Option<PathBuf>,
    /// Rows in one call
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=500))]
    batch: u16,
    #[command(flatten)]
    target: Target,
}

pub async fn run(args: Args) -> Result<ExitCode> {
    let mapping = decide(&args)?;
    let (gateway, token) = args.target.resolve()?;
    let stop = CancellationToken::new();
    let options = LoadOptions {
        mapping: Some(mapping),
        batch: args.batch.into(),
        stop: stop.clone(),
        visible: true,
        ..LoadOptions::new(&args.path, gateway, token)
    };
    let mut signals = Signals::catch()?;
    let loading = load::run(options);
    tokio::pin!(loading);
    let report = loop {
        tokio::select! {
            report = &mut loading => break report?,
            code = signals.next() => {
                if stop.is_cancelled() {
                    return Ok(ExitCode::from(code));
                }
                stop.cancel();
                Progress::terminal().say("load", "stopping after the calls in flight; Ctrl-C again stops at once");
            }
        }
    };
    tell(&report, args.report)
}

fn tell(report: &LoadReport, file: Option<PathBuf>) -> Result<ExitCode> {
    print(report);
    let file = file.or_else(|| (!report.unplaced.is_empty()).then(|| REPORT.into()));
    if let Some(file) = file {
        report.write(&file)?;
        print(format!("rows that found no place: {}", file.display()));
    }
    if report.interrupted {
        print("run the same command again to go on; what is there is left as it is");
        return Ok(ExitCode::from(130));
    }
    Ok(if report.agrees() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The mapping to use: the file's as it is, or the suggestions once somebody has seen them.
fn decide(args: &Args) -> Result<Mapping> {
    let export = Export::read(&args.path)?;
    let questions = load::questions(&export);
    if let Some(mapping) = Mapping::read(&args.mapping)? {
        return Ok(mapping);
    }
    if questions.is_empty() {
        return Ok(Mapping::default());
    }
    let file = args.mapping.display();
    Mapping::write(&args.mapping, &questions)?;
    print(format!(
        "These values cannot be taken as they are; {file} says what they become:\n\n{}",
        load::table(&questions)
    ));
    let mapping = Mapping::suggested(&questions);
    let open = mapping.open(&questions).len();
    if open > 0 {
        bail!("{open} of them have no suggestion: decide in {file} and run the load again");
    }
    if args.yes {
        return Ok(mapping);
    }
    if !io::stdin().is_terminal() {
        bail!("nobody is here to accept that: look at {file} and run the load again, or pass --yes");
    }
    print(format!("Enter loads with these. To change them: Ctrl-C or n, edit {file}, run the load again."));
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer)?;
    if read == 0 || !matches!(answer.trim(), "" | "y" | "yes") {
        bail!("nothing was loaded; {file} waits for your changes");
    }
    Ok(mapping)
}
