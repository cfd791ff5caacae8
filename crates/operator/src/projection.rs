//! `trato projection …`: read models, made anew from the logs or compared with them.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    events,
    installation::Installation,
    output::{Outcome, Output},
    service::Service,
    stage::Stage,
};

/// `trato projection …`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Empty a consumer's read model and make it again from every log it listens to
    Rebuild {
        #[command(flatten)]
        args: Args,
        /// Lose the history that is older than the logs, of a read model that keeps it
        #[arg(long)]
        lose_history: bool,
    },
    /// Make a consumer's read model anew beside the stored one, and name the rows that differ
    Compare {
        #[command(flatten)]
        args: Args,
        /// Only of this tenant
        #[arg(long)]
        tenant: Option<String>,
    },
}

/// Which read model.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The consumer: project-accounts
    consumer: String,
    /// Its service, where several have a consumer of this name
    #[arg(long)]
    service: Option<String>,
}

/// A consumer, as its service lists it.
#[derive(Clone, Debug, Deserialize)]
pub struct Consumer {
    /// Its name.
    pub consumer: String,
    /// What it listens to.
    pub types: Vec<String>,
    /// The tables of its read model.
    pub tables: Vec<String>,
    /// It tells of every event, and the logs forget.
    keeps_history: bool,
}

/// The consumers of a service.
pub async fn consumers(service: &Service) -> Result<Vec<Consumer>> {
    service.ask(&["projection", "list", "--json"]).await
}

/// Runs the command.
pub async fn run(command: Command, installation: &Installation, output: &Output) -> Result<Outcome> {
    match command {
        Command::Rebuild { args, lose_history } => {
            let found = find(installation, &args).await?;
            if !lose_history
                && let Some((service, consumer)) = found.iter().find(|(_, one)| one.keeps_history)
            {
                bail!(
                    "{} of {} keeps history, of which the logs have no more than events.retention_days: \
                     --lose-history says that the rest may go",
                    consumer.consumer,
                    service.name
                );
            }
            for (service, consumer) in found {
                rebuild(installation, service, &consumer, output).await?;
            }
            Ok(Outcome::Fine)
        }
        Command::Compare { args, tenant } => {
            let mut comparisons: Vec<Value> = Vec::new();
            for (service, consumer) in find(installation, &args).await? {
                let tenants = match &tenant {
                    Some(tenant) => BTreeSet::from([tenant.clone()]),
                    None => tenants(installation).await?,
                };
                for tenant in tenants {
                    let text = format!("comparing {} of tenant {tenant}", consumer.consumer);
                    let stage = output.counting(text, "events");
                    comparisons.push(compare(installation, service, &consumer, &tenant, &stage).await?);
                }
            }
            let differing: i64 = comparisons.iter().filter_map(|one| one["differing"].as_i64()).sum();
            output.answer(&comparisons, &text(&comparisons))?;
            Ok(if differing == 0 { Outcome::Fine } else { Outcome::Found })
        }
    }
}

/// The service with a consumer of this name, or all of them: each keeps a directory of its own.
async fn find<'a>(installation: &'a Installation, args: &Args) -> Result<Vec<(&'a Service, Consumer)>> {
    let mut found = Vec::new();
    for service in installation.with_database() {
        if args.service.as_ref().is_some_and(|name| *name != service.name) {
            continue;
        }
        let known = consumers(service).await?;
        found.extend(known.into_iter().filter(|one| one.consumer == args.consumer).map(|one| (service, one)));
    }
    if found.is_empty() {
        bail!("no service has a consumer {}", args.consumer);
    }
    Ok(found)
}

async fn rebuild(
    installation: &Installation,
    service: &Service,
    consumer: &Consumer,
    output: &Output,
) -> Result<()> {
    let forgotten: Value = service.ask(&["projection", "forget", &consumer.consumer, "--json"]).await?;
    let mut sent = 0;
    for source in installation.with_database() {
        let mut arguments = vec!["events", "replay", "--json", "--to", service.name.as_str()];
        arguments.extend(consumer.types.iter().flat_map(|kind| ["--type", kind.as_str()]));
        let said = events::replay(source, &service.name, &arguments, output).await?.ok();
        let said = said.with_context(|| format!("{} events replay", source.name))?;
        let answer: Value = serde_json::from_str(&said)?;
        sent += answer["sent"].as_i64().context("a replay says how many events it sent")?;
    }
    let answer = json!({
        "service": service.name, "consumer": consumer.consumer, "tenants": forgotten["tenants"], "sent": sent,
    });
    let text = format!(
        "{} of {} begins anew for {} tenants; {sent} events are on their way to it\n",
        consumer.consumer, service.name, forgotten["tenants"]
    );
    output.answer(&answer, &text)
}

async fn compare(
    installation: &Installation,
    service: &Service,
    consumer: &Consumer,
    tenant: &str,
    stage: &Stage,
) -> Result<Value> {
    let mut tail = vec!["events", "tail", "--payload", "--json", "--tenant", tenant];
    tail.extend(consumer.types.iter().flat_map(|kind| ["--type", kind.as_str()]));
    // One log after the other, and no more of it in memory than is on its way.
    let lines = stream::iter(installation.with_database()).map(|source| source.lines(&tail)).try_flatten();
    let lines = lines.inspect_ok(|_| stage.advance(1));
    let arguments = ["projection", "compare", &consumer.consumer, "--tenant", tenant, "--json"];
    let answer = service.feed(&arguments, lines).await?;
    let mut comparison: Value = serde_json::from_str(&answer.concat())?;
    comparison["service"] = json!(service.name);
    Ok(comparison)
}

/// Every tenant that any service knows.
async fn tenants(installation: &Installation) -> Result<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for service in installation.with_database() {
        let known: Vec<Value> = service.ask(&["tenant", "list", "--json"]).await?;
        all.extend(known.iter().filter_map(|tenant| tenant["tenant"].as_str().map(str::to_owned)));
    }
    Ok(all)
}

fn text(comparisons: &[Value]) -> String {
    let mut text = String::new();
    for one in comparisons {
        text += &format!(
            "{} of {}, tenant {}: {} rows stored, {} by {} events, {} differ\n",
            plain(&one["consumer"]),
            plain(&one["service"]),
            plain(&one["tenant"]),
            one["stored_rows"],
            one["expected_rows"],
            one["events"],
            one["differing"]
        );
        for row in one["differences"].as_array().into_iter().flatten() {
            text += &format!(
                "  {} {}: {} (revision stored {}, by the logs {})\n",
                plain(&row["table"]),
                plain(&row["key"]),
                plain(&row["fault"]),
                row["stored_revision"],
                row["expected_revision"]
            );
        }
    }
    text
}

/// A text without its quotation marks.
pub fn plain(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}
