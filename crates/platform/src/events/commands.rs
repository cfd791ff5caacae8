//! The operator's subcommands, `parked …` and `events …`, for people and (`--json`) for scripts.

use std::{fmt::Write as _, io::Write};

use clap::{Args, Subcommand};
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde::Serialize;
use trato_types::{Error, Result, Timestamp};
use uuid::Uuid;

use super::{
    parked::{self, Held, Replayed, Selection},
    processor::Processor,
    replay::{self, Replay},
};
use crate::config;

/// `parked …`: events whose handler failed, and what waits behind them.
#[derive(Clone, Debug, Subcommand)]
pub enum ParkedCommand {
    /// List parked events, oldest first.
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
        #[arg(required_unless_present = "all")]
        event: Option<Uuid>,
        /// All parked events of the selection.
        #[arg(long, conflicts_with = "event")]
        all: bool,
        #[command(flatten)]
        only: Only,
        #[command(flatten)]
        output: Output,
    },
    /// Give a held event up: it never takes effect here. Those behind it are then tried.
    Drop {
        /// The event.
        event: Uuid,
        #[command(flatten)]
        only: Only,
        #[command(flatten)]
        output: Output,
    },
}

/// `events …`: the log and the queues.
#[derive(Clone, Debug, Subcommand)]
pub enum EventsCommand {
    /// Send part of this service's log to another service's queue again; what it had already is recognised.
    Replay {
        /// The service whose queue gets the events.
        #[arg(long)]
        to: String,
        /// First position.
        #[arg(long, default_value_t = 1)]
        from_position: i64,
        /// Only what was recorded at this time or later (RFC 3339).
        #[arg(long)]
        since: Option<Timestamp>,
        /// Only these types; `*` stands for a word, `#` for any number of words. May be repeated.
        #[arg(long = "type")]
        types: Vec<String>,
        /// Only of this tenant.
        #[arg(long)]
        tenant: Option<Uuid>,
        #[command(flatten)]
        output: Output,
    },
    /// Empty a consumer's read model and its inbox; then replay to this service from those it listens to.
    Forget {
        /// The consumer.
        consumer: String,
        #[command(flatten)]
        output: Output,
    },
    /// Put the messages of this service's dead queue back into its queue.
    Redrive {
        /// Most messages to move.
        #[arg(long, default_value_t = 1_000)]
        limit: u64,
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

/// How to answer.
#[derive(Args, Clone, Copy, Debug)]
pub struct Output {
    /// Answer in JSON, one line.
    #[arg(long)]
    json: bool,
}

impl Only {
    fn selection(self, event: Option<Uuid>) -> Selection {
        Selection { event, consumer: self.consumer, tenant: self.tenant }
    }
}

impl Output {
    fn write(self, to: &mut dyn Write, value: &impl Serialize, text: &str) -> Result<()> {
        if !self.json {
            return to.write_all(text.as_bytes()).map_err(Error::internal);
        }
        let line = serde_json::to_string(value).map_err(Error::internal)?;
        writeln!(to, "{line}").map_err(Error::internal)
    }
}

/// Runs `parked …`. `descriptors` lets payloads be shown; without them only their sizes are.
pub async fn run_parked(
    command: ParkedCommand,
    processor: &Processor,
    descriptors: Option<&DescriptorPool>,
    to: &mut (dyn Write + Send),
) -> Result<()> {
    match command {
        ParkedCommand::List { only, limit, output } => {
            let found = parked::list(processor, &only.selection(None), limit).await?;
            output.write(to, &found, &listed(&found))
        }
        ParkedCommand::Show { event, only, output } => {
            let held = parked::show(processor, &only.selection(Some(event))).await?;
            let shown = Shown { payload: descriptors.and_then(|pool| decode(pool, &held.payload)), held };
            let text = described(&shown)?;
            output.write(to, &shown, &text)
        }
        ParkedCommand::Replay { event, all: _, only, output } => {
            let mut outcomes = Vec::new();
            for held in parked::list(processor, &only.selection(event), i64::MAX).await? {
                outcomes.push(parked::replay(processor, &held).await?);
            }
            output.write(to, &outcomes, &replayed(&outcomes))
        }
        ParkedCommand::Drop { event, only, output } => {
            let held = parked::show(processor, &only.selection(Some(event))).await?;
            let outcome = parked::drop_event(processor, &held).await?;
            let text = format!("dropped {event}\n{}", replayed(std::slice::from_ref(&outcome)));
            output.write(to, &outcome, &text)
        }
    }
}

/// Runs `events …` of a service.
pub async fn run_events(
    command: EventsCommand,
    service: &str,
    processor: &Processor,
    broker: &config::Broker,
    to: &mut (dyn Write + Send),
) -> Result<()> {
    match command {
        EventsCommand::Replay { to: target, from_position, since, types, tenant, output } => {
            let wanted = Replay { to: target, from_position, since, types, tenant };
            let sent = replay::replay(service, processor.database(), broker, &wanted).await?;
            output.write(
                to,
                &serde_json::json!({ "sent": sent }),
                &format!("sent {sent} events to {}\n", wanted.to),
            )
        }
        EventsCommand::Forget { consumer, output } => {
            let tenants = replay::forget(processor, &consumer).await?;
            let text = format!("{consumer} begins anew for {tenants} tenants: now replay to {service}\n");
            output.write(to, &serde_json::json!({ "tenants": tenants }), &text)
        }
        EventsCommand::Redrive { limit, output } => {
            let moved = replay::redrive(service, broker, limit).await?;
            output.write(to, &serde_json::json!({ "moved": moved }), &format!("put {moved} messages back\n"))
        }
    }
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

fn listed(found: &[Held]) -> String {
    let mut text = String::new();
    for held in found {
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
    let _ = writeln!(text, "{} parked", found.len());
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
