//! `trato`, the operator's program: runs the services' own subcommands for one or all of them and puts the answers
//! together. It links no service and knows no business word; what a service can say of itself, its program says.

mod access_records;
mod backup;
mod bundle;
mod cli;
mod dead_letters;
mod doctor;
mod each;
mod events;
mod installation;
mod output;
mod projection;
mod reconcile;
mod service;
mod stage;
mod tenants;
mod tokens;
mod wait;

use std::process::ExitCode;

use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    match cli::Cli::parse().run().await {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            output::complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
