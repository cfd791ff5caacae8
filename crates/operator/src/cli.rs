//! The command line: one subcommand a module.

use std::{env, path::PathBuf};

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{
    access_records, backup, bundle, dead_letters, doctor, each, events,
    installation::Installation,
    output::{Outcome, Output},
    projection, reconcile, tenants, tokens, wait,
};

/// Where an installation is, unless the command line or TRATO_INSTALLATION says otherwise.
const DEFAULT: &str = "/etc/trato/installation";

/// Looks after an installation of Trato.
///
/// Exit codes: 0 all is well; 1 something failed; 2 the command line is wrong; 3 it worked, and what it found is not as it
/// should be; 64 the configuration of a service cannot be used.
#[derive(Debug, Parser)]
#[command(name = "trato", version)]
pub struct Cli {
    /// Folder with one folder a service, in which each file is a variable [default: the variable TRATO_INSTALLATION, or
    /// /etc/trato/installation]
    #[arg(long, global = true)]
    installation: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring the databases to the programs' schemas and declare the queues
    Migrate {
        /// Only these services
        services: Vec<String>,
    },
    /// Say what is wrong with the configuration of each service, if anything
    CheckConfig {
        /// Only these services
        services: Vec<String>,
    },
    /// Print the effective configuration of each service; secrets are redacted
    PrintConfig {
        /// Only these services
        services: Vec<String>,
    },
    /// Say what is wrong with this installation, in words
    Doctor,
    /// What could not take effect: events whose handler failed, and messages that nobody could read
    DeadLetters(dead_letters::Args),
    /// The event logs
    #[command(subcommand)]
    Events(events::Command),
    /// Read models that are made from events
    #[command(subcommand)]
    Projection(projection::Command),
    /// Tenants: a name for people, and whether their calls are refused
    #[command(subcommand)]
    Tenant(tenants::Command),
    /// Tokens that are refused although they are good: one that leaked, or all of a subject
    #[command(subcommand)]
    Token(tokens::Command),
    /// Who read whose data
    #[command(subcommand)]
    AccessRecords(access_records::Command),
    /// Write all databases to a folder, as they are at one moment
    Backup(backup::take::Args),
    /// List the backups in a folder, and remove the oldest
    Backups(backup::list::Args),
    /// Bring databases back to the moment of a backup, then let the services agree again
    Restore(backup::restore::Args),
    /// Compare what the services have heard with what the logs say, close the gaps, and name what is lost
    Reconcile(reconcile::Args),
    /// Write a file for those who are asked for help: configuration, versions, findings, counts; no secrets, no data
    SupportBundle(bundle::Args),
    /// Do nothing until told to stop
    Wait,
}

impl Cli {
    /// Runs the chosen command.
    pub async fn run(self) -> Result<Outcome> {
        if let Command::Wait = self.command {
            return wait::run().await;
        }
        let folder = self.installation.or_else(|| env::var_os("TRATO_INSTALLATION").map(PathBuf::from));
        let installation = Installation::read(folder.unwrap_or_else(|| DEFAULT.into()))?;
        let output = Output::new(self.json);
        match self.command {
            Command::Migrate { services } => each::run(&installation, &services, &["migrate"], &output).await,
            Command::CheckConfig { services } => {
                each::run(&installation, &services, &["check-config"], &output).await
            }
            Command::PrintConfig { services } => each::print_config(&installation, &services, &output).await,
            Command::Doctor => doctor::run(&installation, &output).await,
            Command::DeadLetters(args) => dead_letters::run(args, &installation, &output).await,
            Command::Events(command) => events::run(command, &installation, &output).await,
            Command::Projection(command) => projection::run(command, &installation, &output).await,
            Command::Tenant(command) => tenants::run(command, &installation, &output).await,
            Command::Token(command) => tokens::run(command, &installation, &output).await,
            Command::AccessRecords(command) => access_records::run(command, &installation, &output).await,
            Command::Backup(args) => backup::take::run(args, &installation, &output).await,
            Command::Backups(args) => backup::list::run(&args, &output),
            Command::Restore(args) => backup::restore::run(args, &installation, &output).await,
            Command::Reconcile(args) => reconcile::run(args, &installation, &output).await,
            Command::SupportBundle(args) => bundle::run(args, &installation, &output).await,
            Command::Wait => wait::run().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
