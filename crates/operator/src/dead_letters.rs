//! `trato dead-letters …`: what could not take effect, in all services.

use anyhow::{Result, bail};
use clap::Subcommand;

use crate::{
    each,
    installation::Installation,
    output::{Outcome, Output},
    service::Service,
};

/// `trato dead-letters …`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only of these services; may be repeated
    #[arg(long, global = true)]
    service: Vec<String>,
    /// Only of this consumer
    #[arg(long, global = true)]
    consumer: Option<String>,
    /// Only of this tenant
    #[arg(long, global = true)]
    tenant: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List parked events, oldest first, and count the messages of the dead queues
    List {
        /// Most events to list of each service
        #[arg(long)]
        limit: Option<String>,
    },
    /// Show one held event with its failure and its payload, which may hold personal data
    Show {
        /// The event
        event: String,
    },
    /// Try parked events again, each followed by those that wait behind it
    Replay {
        /// The event
        #[arg(required_unless_present_any = ["all", "queue"])]
        event: Option<String>,
        /// All parked events
        #[arg(long, conflicts_with_all = ["event", "queue"])]
        all: bool,
        /// The messages of the dead queues, which go back into the services' queues
        #[arg(long, conflicts_with = "event")]
        queue: bool,
    },
    /// Give a held event up: it never takes effect. Those behind it are then tried
    Drop {
        /// The event
        #[arg(required_unless_present = "queue")]
        event: Option<String>,
        /// All messages of the dead queue of the services named by --service
        #[arg(long, conflicts_with = "event")]
        queue: bool,
    },
}

/// Runs the services' own `dead-letters …`.
pub async fn run(args: Args, installation: &Installation, output: &Output) -> Result<Outcome> {
    let Args { service, consumer, tenant, command } = args;
    let services = installation.select(&service)?;
    let services: Vec<&Service> = services.into_iter().filter(|service| service.has_database()).collect();
    let mut only: Vec<&str> = Vec::new();
    for (name, value) in [("--consumer", &consumer), ("--tenant", &tenant)] {
        only.extend(value.iter().flat_map(|value| [name, value.as_str()]));
    }
    let (mut arguments, event) = match &command {
        Command::List { limit } => {
            let limit = limit.iter().flat_map(|limit| ["--limit", limit.as_str()]);
            (["dead-letters", "list"].into_iter().chain(limit).collect(), None)
        }
        Command::Show { event } => (vec!["dead-letters", "show", event.as_str()], Some(event)),
        Command::Replay { event: Some(event), .. } => {
            (vec!["dead-letters", "replay", event.as_str()], Some(event))
        }
        Command::Replay { all, .. } => {
            (vec!["dead-letters", "replay", if *all { "--all" } else { "--queue" }], None)
        }
        Command::Drop { event: Some(event), .. } => {
            (vec!["dead-letters", "drop", event.as_str()], Some(event))
        }
        Command::Drop { event: None, .. } if service.is_empty() => {
            bail!("--service says whose dead queue is emptied")
        }
        Command::Drop { event: None, .. } => (vec!["dead-letters", "drop", "--queue"], None),
    };
    arguments.extend(only.iter().copied());
    let Some(event) = event else { return each::run_structured(&services, &arguments, output).await };
    let holder = holder(&services, event, &only).await?;
    each::run_structured(&[holder], &arguments, output).await
}

/// The one service that holds an event.
async fn holder<'a>(services: &[&'a Service], event: &str, only: &[&str]) -> Result<&'a Service> {
    let mut holders = Vec::new();
    let mut complaints = Vec::new();
    let arguments: Vec<&str> =
        ["dead-letters", "show", event].into_iter().chain(only.iter().copied()).collect();
    for service in services {
        let said = service.run(&arguments).await?;
        // Held for several consumers of one service is held all the same.
        if said.status.success() || said.errors.contains("several consumers") {
            holders.push(*service);
        } else {
            complaints.push(format!("{}: {}", service.name, said.errors.trim()));
        }
    }
    match holders.as_slice() {
        [holder] => Ok(*holder),
        [] => bail!("no service holds {event}\n{}", complaints.join("\n")),
        _ => {
            let names: Vec<&str> = holders.iter().map(|service| service.name.as_str()).collect();
            bail!("{event} is held by {}; name one with --service", names.join(" and "))
        }
    }
}
