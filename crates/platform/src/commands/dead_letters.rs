//! `dead-letters …`: events whose handler failed, what waits behind them, and the messages of the dead queue.

use std::{fmt::Write as _, io::Write};

use clap::{Args, Subcommand};
use prost_reflect::{DescriptorPool, DynamicMessage};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use trato_types::{Error, Kind, Result};
use uuid::Uuid;

use super::Output;
use crate::{
    config,
    events::{
        Processor, broker_missing,
        parked::{self, Held, Replayed, Selection},
        queues, replay,
    },
};

/// `dead-letters …`: what could not take effect here.
#[derive(Clone, Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// List parked events, oldest first, and count the messages of the dead queue.
    List {
        #[command(flatten)]
        only: Only,
        /// Most events to list.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
        #[command(flatten)]
        output: Output,
    },
    /// Show one held event with its failure and its payload, which may hold personal data.
    Show {
        /// The event.
        event: Uuid,
        #[command(flatten)]
        only: Only,
        #[command(flatten)]
        output: Output,
    },
    /// Try parked events again, each followed by those that wait behind it.
    Replay {
        /// The event; without it, all parked events of the selection.
        #[arg(required_unless_present_any = ["all", "queue"])]
        event: Option<Uuid>,
        /// All parked events of the selection.
        #[arg(long, conflicts_with_all = ["event", "queue"])]
        all: bool,
        /// The messages of the dead queue, which go back into the service's queue.
        #[arg(long, conflicts_with = "event")]
        queue: bool,
        #[command(flatten)]
        only: Only,
        #[command(flatten)]
        output: Output,
    },
    /// Give a held event up: it never takes effect here. Those behind it are then tried.
    Drop {
        /// The event.
        #[arg(required_unless_present = "queue")]
        event: Option<Uuid>,
        /// All messages of the dead queue.
        #[arg(long, conflicts_with = "event")]
        queue: bool,
        #[command(flatten)]
        only: Only,
        #[command(flatten)]
        output: Output,
    },
}

/// Narrows a selection.
#[derive(Args, Clone, Debug)]
pub struct Only {
    /// Only of this consumer.
    #[arg(long)]
    consumer: Option<String>,
    /// Only of this tenant.
    #[arg(long)]
    tenant: Option<Uuid>,
}

impl Only {
    fn selection(self, event: Option<Uuid>) -> Selection {
        Selection { event, consumer: self.consumer, tenant: self.tenant }
    }
}

/// Runs `dead-letters …`. `broker` is the service and where its queues are; `descriptors` lets payloads be shown,
/// without them only their sizes are.
pub async fn run_dead_letters(
    command: DeadLettersCommand,
    processor: &Processor,
    broker: Option<(&str, &config::Broker)>,
    descriptors: Option<&DescriptorPool>,
    to: &mut (dyn Write + Send),
) -> Result<()> {
    match command {
        DeadLettersCommand::List { only, limit, output } => {
            let parked = parked::list(processor, &only.selection(None), limit).await?;
            let listing = Listing { messages: messages(broker).await?, parked };
            output.write(to, &listing, &listed(&listing))
        }
        DeadLettersCommand::Show { event, only, output } => {
            let held = parked::show(processor, &only.selection(Some(event))).await?;
            let shown = Shown { payload: descriptors.and_then(|pool| decode(pool, &held.payload)), held };
            let text = described(&shown)?;
            output.write(to, &shown, &text)
        }
        DeadLettersCommand::Replay { queue: true, output, .. } => {
            let (service, broker) = required(broker)?;
            let moved = replay::replay_dead(service, broker, u64::MAX).await?;
            output.write(to, &serde_json::json!({ "moved": moved }), &format!("put {moved} messages back\n"))
        }
        DeadLettersCommand::Replay { event, only, output, .. } => {
            let mut outcomes = Vec::new();
            for held in parked::list(processor, &only.selection(event), i64::MAX).await? {
                outcomes.push(parked::replay(processor, &held).await?);
            }
            output.write(to, &outcomes, &replayed(&outcomes))
        }
        DeadLettersCommand::Drop { event: Some(event), only, output, .. } => {
            let held = parked::show(processor, &only.selection(Some(event))).await?;
            let outcome = parked::drop_event(processor, &held).await?;
            let text = format!("dropped {event}\n{}", replayed(std::slice::from_ref(&outcome)));
            output.write(to, &outcome, &text)
        }
        DeadLettersCommand::Drop { event: None, output, .. } => {
            let (service, broker) = required(broker)?;
            let dropped = queues::purge_dead(service, broker).await?;
            let text = format!("dropped {dropped} messages\n");
            output.write(to, &serde_json::json!({ "dropped": dropped }), &text)
        }
    }
}

/// Where the dead queue is; an error where no broker is configured.
fn required<'a>(broker: Option<(&'a str, &'a config::Broker)>) -> Result<(&'a str, &'a config::Broker)> {
    broker
        .filter(|(_, broker)| !broker.url.expose_secret().is_empty())
        .ok_or_else(|| Error::new(Kind::Precondition, "BROKER_REQUIRED", "broker.url is not set"))
}

/// How many messages the dead queue holds; none where it cannot be known without a broker.
async fn messages(broker: Option<(&str, &config::Broker)>) -> Result<Option<u32>> {
    let Ok((service, broker)) = required(broker) else { return Ok(None) };
    match queues::depth(service, broker).await {
        Ok(depth) => Ok(depth.map(|depth| depth.dead)),
        // Parked events are in the database, and must be seen while the broker is away.
        Err(error) if broker_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What could not take effect here.
#[derive(Serialize)]
struct Listing {
    parked: Vec<Held>,
    /// Messages of the dead queue; null when the broker cannot be asked.
    messages: Option<u32>,
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    held: Held,
    payload: Option<serde_json::Value>,
}

/// The payload in JSON; none when it is unreadable or of types unknown here.
fn decode(pool: &DescriptorPool, payload: &[u8]) -> Option<serde_json::Value> {
    let change = pool.get_message_by_name("trato.events.v1.Change")?;
    serde_json::to_value(DynamicMessage::decode(change, payload).ok()?).ok()
}

fn listed(listing: &Listing) -> String {
    let mut text = String::new();
    for held in &listing.parked {
        let reason = held.reason.as_deref().unwrap_or("");
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{}  {}  {}  {} r{}  {}  {} tries, {} waiting, since {}",
            held.event,
            held.consumer,
            held.kind,
            held.subject,
            held.revision,
            reason,
            held.attempts,
            held.waiting,
            held.create_time.format("%Y-%m-%d %H:%M:%SZ"),
        );
    }
    let messages = listing.messages.map_or_else(|| "?".to_owned(), |count| count.to_string());
    let _ = writeln!(text, "{} parked, {messages} messages in the dead queue", listing.parked.len());
    text
}

fn described(shown: &Shown) -> Result<String> {
    let held = &shown.held;
    let payload = match &shown.payload {
        Some(payload) => serde_json::to_string_pretty(payload).map_err(Error::internal)?,
        None => format!("{} bytes that cannot be decoded here", held.payload.len()),
    };
    Ok(format!(
        "event     {}\nstate     {}\nconsumer  {}\ntenant    {}\ntype      {}\nsubject   {} r{}\nrecorded  {}\ncame in   {}\n\
         tried     {} times, last {}\nreason    {}\nmessage   {}\nwaiting   {}\npayload   {payload}\n",
        held.event,
        held.state,
        held.consumer,
        held.tenant,
        held.kind,
        held.subject,
        held.revision,
        held.event_create_time,
        held.create_time,
        held.attempts,
        held.update_time,
        held.reason.as_deref().unwrap_or("-"),
        held.message.as_deref().unwrap_or("-"),
        held.waiting,
    ))
}

fn replayed(outcomes: &[Replayed]) -> String {
    let mut text = String::new();
    for outcome in outcomes {
        let rest = match &outcome.parked {
            Some((event, reason)) => format!("then {event} was parked ({reason})"),
            None => "nothing waits".to_owned(),
        };
        let _ =
            writeln!(text, "{} {}: {} handled, {rest}", outcome.consumer, outcome.subject, outcome.handled);
    }
    text
}
