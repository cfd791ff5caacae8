//! `events …`: the log, the inbox and the queue. What prints lines of JSON is made to be read by another service's
//! command: one says what its log holds, the other what it has not heard of.

use std::{collections::HashSet, io::Write};

use clap::Subcommand;
use serde_json::json;
use tokio::io::BufReader;
use trato_types::Result;
use uuid::Uuid;

use super::output::{Input, Output, line};
use crate::{
    config::Settings,
    db::Kept,
    events::{
        Filter, Processor,
        listing::{self, Line, Part},
        queues, reconcile,
        reconcile::Heard,
        replay::{self, Replay},
    },
};

/// Lines worked on at once.
const BATCH: usize = 500;

/// `events …`.
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
        #[command(flatten)]
        filter: Filter,
        /// Only the events whose lines come in on standard input, as `tail` or `lacking` print them.
        #[arg(long)]
        listed: bool,
        /// Say in lines of JSON how many were sent so far. The last line is the answer.
        #[arg(long)]
        progress: bool,
        #[command(flatten)]
        output: Output,
    },
    /// Print what is in the log, in the order of its positions.
    Tail {
        /// First position.
        #[arg(long, default_value_t = 1, conflicts_with = "last")]
        from_position: i64,
        /// Only the last so many, or of the tenant's; `--type` chooses among these.
        #[arg(long)]
        last: Option<i64>,
        #[command(flatten)]
        filter: Filter,
        /// Go on with each new event.
        #[arg(long)]
        follow: bool,
        /// With the payload, which may hold personal data.
        #[arg(long, requires = "json")]
        payload: bool,
        #[command(flatten)]
        output: Output,
    },
    /// Say how many messages wait in the service's queue and in its dead queue.
    Queue {
        #[command(flatten)]
        output: Output,
    },
    /// Empty the service's queue: the logs have what was in it, and `lacking` says what must be sent again.
    Purge {
        #[command(flatten)]
        output: Output,
    },
    /// Of the events whose lines come in on standard input, print those that a consumer here has not heard of.
    Lacking {
        /// Leave out what was recorded within so many seconds: it may be on its way.
        #[arg(long, default_value_t = 0)]
        older_than_seconds: u32,
    },
    /// Print what the consumers of this service have heard of, as far back as events are kept.
    Heard,
    /// Of the lines of `heard` that come in on standard input, print those that this service's log should have and has
    /// not.
    Lost,
    /// Bring each resource named by a line of `lost` to a revision above all that were heard of, with its present
    /// content, so that whoever saw what was lost takes this as newer.
    Lift,
    /// Print the events of this log that were caused by the events whose lines come in on standard input.
    Effects,
    /// Go on far above every position that was ever given out: after the log was restored to an earlier moment.
    Leap {
        #[command(flatten)]
        output: Output,
    },
}

impl EventsCommand {
    /// True when it speaks with the broker.
    pub fn needs_broker(&self) -> bool {
        matches!(self, Self::Replay { .. } | Self::Queue { .. } | Self::Purge { .. })
    }

    /// Runs it for a service.
    pub async fn run(
        self,
        service: &str,
        processor: &Processor,
        kept: &[Kept],
        settings: &Settings,
        to: &mut (dyn Write + Send),
    ) -> Result<()> {
        let (database, broker) = (processor.database(), &settings.broker);
        let horizon = reconcile::horizon(settings.events.retention_days);
        let mut input = Input::new(BufReader::new(tokio::io::stdin()));
        match self {
            Self::Replay { to: target, from_position, filter, listed, progress, output } => {
                let only = if listed { Some(listed_events(&mut input).await?) } else { None };
                let from_position = only.as_ref().map_or(from_position, |(first, _)| *first);
                let only = only.map(|(_, ids)| ids);
                let wanted = Replay { to: target, from_position, filter, only };
                let told = |sent: u64| if progress { line(to, &json!({ "sent": sent })) } else { Ok(()) };
                let sent = replay::replay(service, database, broker, &wanted, told).await?;
                let text = format!("sent {sent} events to {}\n", wanted.to);
                output.write(to, &json!({ "sent": sent }), &text)
            }
            Self::Tail { from_position, last, filter, follow, payload, output } => {
                let part = Part { from_position, last, filter, follow, payload };
                listing::read(database, &part, |event| output.write(to, &event, &event.text())).await
            }
            Self::Queue { output } => {
                let depth = queues::depth(service, broker).await?;
                let text = depth.map_or_else(|| "there is no queue\n".to_owned(), |depth| depth.text());
                output.write(to, &depth, &text)
            }
            Self::Purge { output } => {
                let purged = queues::purge(service, broker).await?;
                output.write(to, &json!({ "purged": purged }), &format!("took {purged} messages away\n"))
            }
            Self::Lacking { older_than_seconds } => {
                let until = reconcile::seconds_ago(older_than_seconds);
                while let Some(lines) = some(input.next::<Line>(BATCH).await?) {
                    for lacking in reconcile::lacking(processor, lines, horizon, until).await? {
                        line(to, &lacking)?;
                    }
                }
                Ok(())
            }
            Self::Heard => reconcile::heard(processor, horizon, |heard| line(to, &heard)).await,
            Self::Lost => {
                while let Some(lines) = some(input.next::<Heard>(BATCH).await?) {
                    for lost in reconcile::lost(database, kept, lines, horizon).await? {
                        line(to, &lost)?;
                    }
                }
                Ok(())
            }
            Self::Lift => {
                while let Some(lines) = some(input.next::<reconcile::Lost>(BATCH).await?) {
                    for lifted in reconcile::lift(database, kept, &lines).await? {
                        line(to, &lifted)?;
                    }
                }
                Ok(())
            }
            Self::Effects => {
                while let Some(lines) = some(input.next::<Heard>(BATCH).await?) {
                    for effect in reconcile::effects(database, &lines).await? {
                        line(to, &effect)?;
                    }
                }
                Ok(())
            }
            Self::Leap { output } => {
                let numbered = reconcile::leap(database).await?;
                let text = format!("goes on above position {}\n", numbered.unwrap_or_default());
                output.write(to, &json!({ "numbered": numbered }), &text)
            }
        }
    }
}

/// The first position and the identifiers of the lines that come in.
async fn listed_events<R>(input: &mut Input<R>) -> Result<(i64, HashSet<Uuid>)>
where
    R: tokio::io::AsyncBufRead + Unpin,
{
    let (mut first, mut ids) = (i64::MAX, HashSet::new());
    while let Some(lines) = some(input.next::<Line>(BATCH).await?) {
        for line in lines {
            first = first.min(line.event.position);
            ids.insert(line.event.id);
        }
    }
    Ok((first, ids))
}

fn some<T>(lines: Vec<T>) -> Option<Vec<T>> {
    Some(lines).filter(|lines| !lines.is_empty())
}
