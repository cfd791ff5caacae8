//! `trato events …`: the logs of the services, read and sent again.

use anyhow::Result;
use clap::Subcommand;
use futures::{StreamExt as _, TryStreamExt as _, stream::SelectAll};
use serde_json::{Value, json};

use crate::{
    each,
    installation::Installation,
    output::{Outcome, Output, say},
};

/// `trato events …`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Send part of one service's log to another service's queue again; what it had already is recognised
    Replay {
        /// The service whose log is read
        #[arg(long)]
        from: String,
        /// The service whose queue gets the events
        #[arg(long)]
        to: String,
        /// First position
        #[arg(long)]
        from_position: Option<String>,
        /// Only what was recorded at this time or later (RFC 3339)
        #[arg(long)]
        since: Option<String>,
        /// Only these types; `*` stands for a word, `#` for any number of words. May be repeated
        #[arg(long = "type")]
        types: Vec<String>,
        /// Only of this tenant
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Print the last events of the logs, without their payloads
    Tail {
        /// Only of these services
        services: Vec<String>,
        /// How many of each log, or of the tenant's part of it; `--type` chooses among these
        #[arg(long, default_value = "10")]
        last: String,
        /// Only these types; `*` stands for a word, `#` for any number of words. May be repeated
        #[arg(long = "type")]
        types: Vec<String>,
        /// Only of this tenant
        #[arg(long)]
        tenant: Option<String>,
        /// Go on with each new event
        #[arg(long)]
        follow: bool,
    },
}

/// Runs the services' own `events …`.
pub async fn run(command: Command, installation: &Installation, output: &Output) -> Result<Outcome> {
    match command {
        Command::Replay { from, to, from_position, since, types, tenant } => {
            let source = installation.service(&from)?;
            installation.service(&to)?;
            let mut arguments = vec!["events", "replay", "--to", to.as_str()];
            for (name, value) in
                [("--from-position", &from_position), ("--since", &since), ("--tenant", &tenant)]
            {
                arguments.extend(value.iter().flat_map(|value| [name, value.as_str()]));
            }
            arguments.extend(types.iter().flat_map(|kind| ["--type", kind.as_str()]));
            let _stage = output.stage(format!("sending the log of {from} to {to}"));
            each::run_structured(&[source], &arguments, output).await
        }
        Command::Tail { services, last, types, tenant, follow } => {
            let mut arguments = vec!["events", "tail", "--last", last.as_str()];
            arguments.extend(tenant.iter().flat_map(|tenant| ["--tenant", tenant.as_str()]));
            arguments.extend(types.iter().flat_map(|kind| ["--type", kind.as_str()]));
            if follow {
                arguments.push("--follow");
            }
            if output.json {
                arguments.push("--json");
            }
            tail(installation, &services, &arguments, output).await
        }
    }
}

/// Lines of all logs as they come, each with the service it is of.
async fn tail(
    installation: &Installation,
    names: &[String],
    arguments: &[&str],
    output: &Output,
) -> Result<Outcome> {
    let mut all = SelectAll::new();
    for service in installation.select(names)?.into_iter().filter(|service| service.has_database()) {
        let name = service.name.clone();
        all.push(service.lines(arguments)?.map_ok(move |line| (name.clone(), line)).boxed());
    }
    while let Some((service, line)) = all.try_next().await? {
        if output.json {
            let mut event: Value = serde_json::from_str(&line)?;
            event["service"] = json!(service);
            say(&format!("{event}\n"))?;
        } else {
            say(&format!("{service:<11} {line}\n"))?;
        }
    }
    Ok(Outcome::Fine)
}
