//! What a program can say and do about itself for its operator, beside serving: for people, and in JSON for scripts.
//!
//! `trato`, the operator's program, runs these for one or all services and puts the answers together.

mod barred;
mod dead_letters;
mod events;
mod output;
mod projection;
mod tenant;
mod token;

use clap::Subcommand;
use prost_reflect::DescriptorPool;
use trato_types::{Error, Result};

pub use self::{
    barred::BarredCommand,
    dead_letters::{DeadLettersCommand, run_dead_letters},
    events::EventsCommand,
    output::Output,
    projection::ProjectionCommand,
    tenant::TenantCommand,
    token::TokenCommand,
};
use crate::{
    ServiceSpec,
    config::{self, Loaded, Loader},
    db::Database,
    doctor,
    events::Processor,
};

/// How long an operator's command waits for a connection of a database that is busy, unless the service waits longer: no caller's
/// deadline depends on it.
const PATIENCE_MS: u64 = 30_000;

/// Work on a service that need not run.
#[derive(Clone, Debug, Subcommand)]
pub enum Operation {
    /// Say what is wrong with this service and what it needs.
    Doctor {
        #[command(flatten)]
        output: Output,
    },
    /// Events whose handler failed, what waits behind them, and messages that nobody could read.
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand),
    /// The event log, the inbox and the queue.
    #[command(subcommand)]
    Events(EventsCommand),
    /// Read models that are made from events.
    #[command(subcommand)]
    Projection(ProjectionCommand),
    /// Tenants as this service knows them.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Tokens that are refused although they are good.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Both of these in one, for a restore: whoever is refused although the token is good.
    #[command(subcommand)]
    Barred(BarredCommand),
}

impl Operation {
    /// Each needs other addresses; what it does not need may be missing.
    pub fn required(&self, loader: Loader) -> Loader {
        let loader = match self {
            // It says itself what is missing.
            Self::Doctor { .. } => return loader,
            Self::DeadLetters(_)
            | Self::Projection(_)
            | Self::Tenant(_)
            | Self::Token(_)
            | Self::Barred(_) => loader,
            Self::Events(command) if command.needs_broker() => loader.require("broker.url"),
            Self::Events(_) => loader,
        };
        loader.require("database.url").require("database.system_url")
    }

    /// Does the work and writes the answer to standard output.
    pub async fn run(self, spec: ServiceSpec, loaded: &Loaded) -> Result<()> {
        let mut to = std::io::stdout();
        if let Self::Doctor { output } = self {
            let report = doctor::examine(&spec, loaded).await;
            return output.write(&mut to, &report, &report.text());
        }
        let settings = &loaded.settings;
        let waits = settings.database.acquire_timeout_ms.max(PATIENCE_MS);
        let patient = config::Database { acquire_timeout_ms: waits, ..settings.database.clone() };
        let database = Database::new(&patient, spec.name)?;
        let (service, kept) = (spec.name, spec.kept);
        let processor = Processor::new(database, spec.subscriptions);
        match self {
            Self::Doctor { .. } => Ok(()),
            Self::DeadLetters(command) => {
                let broker = Some((service, &settings.broker));
                let pool = DescriptorPool::decode(spec.descriptors).map_err(Error::internal)?;
                run_dead_letters(command, &processor, broker, Some(&pool), &mut to).await
            }
            Self::Events(command) => command.run(service, &processor, &kept, settings, &mut to).await,
            Self::Projection(command) => command.run(&processor, &mut to).await,
            Self::Tenant(command) => command.run(processor.database(), &mut to).await,
            Self::Token(command) => {
                command.run(processor.database(), &settings.auth, tokio::io::stdin(), &mut to).await
            }
            Self::Barred(command) => command.run(processor.database(), tokio::io::stdin(), &mut to).await,
        }
    }
}
