//! `cargo dev`: one subcommand a module.

mod commands;

use std::process::ExitCode;

use clap::Parser as _;
use trato_devstack::progress::print_error;

#[tokio::main]
async fn main() -> ExitCode {
    match commands::Cli::parse().run().await {
        Ok(code) => code,
        Err(error) => {
            print_error(&error);
            ExitCode::FAILURE
        }
    }
}
