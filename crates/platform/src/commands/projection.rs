//! `projection …`: the read models of a service, and whether they say what the logs say.

use std::{fmt::Write as _, io::Write};

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;
use tokio::io::BufReader;
use trato_types::Result;
use uuid::Uuid;

use super::output::{Input, Output};
use crate::events::{Processor, compare, replay};

/// Events that are read before they are handled.
const CHUNK: usize = 500;

/// `projection …`.
#[derive(Clone, Debug, Subcommand)]
pub enum ProjectionCommand {
    /// List the consumers of this service: what they listen to, and the tables they make.
    List {
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
    /// Make a tenant's part of a read model anew from the events that come in on standard input, as `events tail
    /// --payload --json` prints them, compare it with what is stored, and leave what is stored as it is.
    Compare {
        /// The consumer.
        consumer: String,
        /// The tenant.
        #[arg(long)]
        tenant: Uuid,
        #[command(flatten)]
        output: Output,
    },
}

/// A consumer as it is listed.
#[derive(Serialize)]
struct Listed {
    consumer: &'static str,
    types: &'static [&'static str],
    /// Empty for one whose effect cannot be made again.
    tables: &'static [&'static str],
    keeps_history: bool,
}

impl ProjectionCommand {
    /// Runs it for a service.
    pub async fn run(self, processor: &Processor, to: &mut (dyn Write + Send)) -> Result<()> {
        match self {
            Self::List { output } => {
                let known = processor.subscriptions().iter();
                let listed: Vec<Listed> = known
                    .map(|one| Listed {
                        consumer: one.consumer,
                        types: one.types,
                        tables: one.tables,
                        keeps_history: one.keeps_history,
                    })
                    .collect();
                output.write(to, &listed, &text(&listed))
            }
            Self::Forget { consumer, output } => {
                let tenants = replay::forget(processor, &consumer).await?;
                let text =
                    format!("{consumer} begins anew for {tenants} tenants: now replay to its service\n");
                output.write(to, &json!({ "tenants": tenants }), &text)
            }
            Self::Compare { consumer, tenant, output } => {
                let mut input = Input::new(BufReader::new(tokio::io::stdin()));
                let next = async || input.next(CHUNK).await;
                let comparison = compare::compare(processor, &consumer, tenant, next).await?;
                output.write(to, &comparison, &comparison.text())
            }
        }
    }
}

fn text(listed: &[Listed]) -> String {
    let mut text = String::new();
    for one in listed {
        let tables = if one.tables.is_empty() { "no read model".to_owned() } else { one.tables.join(", ") };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}  {}  ({tables})", one.consumer, one.types.join(", "));
    }
    text
}
