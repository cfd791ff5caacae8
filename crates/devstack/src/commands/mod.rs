//! The subcommands of `cargo dev`.

mod bench;
mod images;
mod load;
mod logs;
mod psql;
mod requirements;
mod reset;
mod seed;
mod status;
mod target;
mod test;
mod token;
mod up;

use std::process::ExitCode;

use anyhow::Result;

/// Starts the whole suite on this machine, tests it and looks into it.
#[derive(Debug, clap::Parser)]
#[command(name = "cargo dev", bin_name = "cargo dev", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Starts everything and runs it until Ctrl-C; data is kept.
    Up(up::Args),
    /// Runs every test against a stack of its own, which is begun afresh.
    Test(test::Args),
    /// Prints each requirement with its tests and how they ended in the last run.
    Requirements,
    /// Shows what runs, and whether it is ready.
    Status,
    /// Prints logs, and follows them with -f.
    Logs(logs::Args),
    /// Opens psql in the database of a service.
    Psql(psql::Args),
    /// Prints a token for a role in a tenant.
    Token(token::Args),
    /// Loads the export of another CRM; may be interrupted and run again.
    Load(load::Args),
    /// Fills a tenant with a small believable company; running it again changes nothing.
    Seed(seed::Args),
    /// Measures the figures of docs/BENCHMARKS.md on a private release stack, each against its limit.
    Bench(bench::Args),
    /// Builds an image of every program; needs Docker.
    Images(images::Args),
    /// Deletes the data of `up`, so that it starts afresh.
    Reset,
}

impl Cli {
    /// Runs the chosen command.
    pub async fn run(self) -> Result<ExitCode> {
        match self.command {
            Command::Up(args) => up::run(args).await,
            Command::Test(args) => test::run(args).await,
            Command::Requirements => requirements::run(),
            Command::Status => status::run().await,
            Command::Logs(args) => logs::run(args).await,
            Command::Psql(args) => psql::run(args),
            Command::Token(args) => token::run(args),
            Command::Load(args) => load::run(args).await,
            Command::Seed(args) => seed::run(args).await,
            Command::Bench(args) => bench::run(args).await,
            Command::Images(args) => images::run(args).await,
            Command::Reset => reset::run().await,
        }
    }
}
