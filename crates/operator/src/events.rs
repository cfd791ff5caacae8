//! `trato events …`: the logs of the services, read and sent again.

use anyhow::Result;
use clap::Subcommand;
use futures::{StreamExt as _, TryStreamExt as _, stream::SelectAll};
use serde_json::{Value, json};

use crate::{
    each,
    installation::Installation,
    output::{Outcome, Output, say},
    service::{Said, Service},
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
            if output.json {
                arguments.push("--json");
            }
            each::answer(source, replay(source, &to, &arguments, output).await, output)
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

/// Runs `events replay …` of a service and says how many events it has sent so far.
pub async fn replay(source: &Service, to: &str, arguments: &[&str], output: &Output) -> Result<Said> {
    let stage = output.counting(format!("sending the log of {} to {to}", source.name), "events");
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--progress"]).collect();
    let look = |line: &str| sent(line).into_iter().for_each(|sent| stage.reach(sent));
    source.follow(&arguments, look).await
}

/// How many events a line says were sent; none where it is the answer for people.
fn sent(line: &str) -> Option<u64> {
    serde_json::from_str::<Value>(line).ok()?["sent"].as_u64()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_a_replay_is_stands_in_lines_of_json() {
        assert_eq!(sent("{\"sent\":500}"), Some(500));
        assert_eq!(sent("sent 500 events to sales"), None);
        assert_eq!(sent("{\"purged\":3}"), None);
    }
}
