//! `trato reconcile`: lets the services agree again. What a consumer lacks and a log has is sent again; what was heard of
//! and is in no log is named, and where it still can be seen.
//!
//! The services compare themselves; here their answers are led from one to the other, pair by pair.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context as _, Result};
use futures::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    installation::Installation,
    output::{Outcome, Output},
    projection,
    service::{Service, given},
};

/// `trato reconcile`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only say what would be sent, what is lost, and what would be lifted
    #[arg(long)]
    dry_run: bool,
}

/// What was found and done.
#[derive(Debug, Default, Serialize)]
pub struct Reconciliation {
    /// Events sent again (or, in a dry run, to be sent), by source and consumer.
    pub sent: Vec<Sent>,
    /// Events that a consumer has heard of and that are in no log.
    pub lost: Vec<Lost>,
    /// Resources that were brought above what was heard of them.
    pub lifted: Vec<Value>,
}

/// Events of one log that one service lacked.
#[derive(Debug, Serialize)]
pub struct Sent {
    from: String,
    to: String,
    events: usize,
}

/// A fact that is missing where it came from.
#[derive(Debug, Serialize)]
pub struct Lost {
    /// The service whose log has lost it.
    pub service: String,
    /// The tenant.
    pub tenant: String,
    /// The resource.
    pub subject: String,
    /// The revision that is lost.
    pub revision: i64,
    /// The event.
    pub event: String,
    /// The resource's revision in its service; none when nothing of it is left there.
    pub kept_revision: Option<i64>,
    /// Who has heard of it, and what still shows it.
    pub heard_by: Vec<Witness>,
    /// What other services did because of it: service, resource, revision.
    pub effects: Vec<Effect>,
}

/// A consumer that has heard of a lost event.
#[derive(Debug, Serialize)]
pub struct Witness {
    service: String,
    consumer: String,
    /// DONE; a PARKED or WAITING one still has the payload, which `dead-letters show` shows.
    state: String,
    /// The tables that hold what it made of it.
    tables: Vec<String>,
}

/// Something that was done because of a lost event.
#[derive(Clone, Debug, Serialize)]
pub struct Effect {
    service: String,
    subject: String,
    revision: i64,
}

/// A line of `events lost`.
#[derive(Debug, Deserialize)]
struct Line {
    id: String,
    tenant: String,
    subject: String,
    revision: i64,
    consumer: String,
    state: String,
    kept_revision: Option<i64>,
}

impl Lost {
    /// False once the resource has gone on above the lost revision: nobody who saw it believes it any longer.
    fn is_open(&self) -> bool {
        self.kept_revision.is_none_or(|kept| kept <= self.revision)
    }
}

/// Runs the command.
pub async fn run(args: Args, installation: &Installation, output: &Output) -> Result<Outcome> {
    let reconciliation = reconcile(installation, args.dry_run, output).await?;
    output.answer(&reconciliation, &reconciliation.text(args.dry_run))?;
    Ok(reconciliation.outcome())
}

/// Compares every service with every log, closes the gaps unless it is a dry run, and answers what is lost.
pub async fn reconcile(
    installation: &Installation,
    dry_run: bool,
    output: &Output,
) -> Result<Reconciliation> {
    let services: Vec<&Service> = installation.with_database().collect();
    let mut done = Reconciliation::default();
    for consumer in &services {
        for source in &services {
            done.sent.extend(send_again(source, consumer, dry_run, output).await?);
        }
    }
    for source in &services {
        let mut lines: Vec<String> = Vec::new();
        for consumer in &services {
            let text = format!("what {} has heard, against the log of {}", consumer.name, source.name);
            let stage = output.counting(text, "events");
            let heard = consumer.lines(&["events", "heard"])?.inspect_ok(|_| stage.advance(1));
            let found = source.feed(&["events", "lost"], heard).await?;
            done.note(source, consumer, &found).await?;
            lines.extend(found);
        }
        if lines.is_empty() {
            continue;
        }
        for service in &services {
            done.note_effects(service, service.feed(&["events", "effects"], given(&lines)).await?)?;
        }
        if !dry_run {
            for line in source.feed(&["events", "lift"], given(&lines)).await? {
                done.lifted.push(serde_json::from_str(&line)?);
            }
        }
    }
    Ok(done)
}

/// Sends what `consumer` lacks of the log of `source`.
async fn send_again(
    source: &Service,
    consumer: &Service,
    dry_run: bool,
    output: &Output,
) -> Result<Option<Sent>> {
    let text = format!("the log of {}, against what {} has heard", source.name, consumer.name);
    let stage = output.counting(text, "events");
    let log = source.lines(&["events", "tail", "--json"])?.inspect_ok(|_| stage.advance(1));
    let lacking = consumer.feed(&["events", "lacking"], log).await?;
    drop(stage);
    if lacking.is_empty() {
        return Ok(None);
    }
    if !dry_run {
        let _stage =
            output.stage(format!("sending {} events of {} to {}", lacking.len(), source.name, consumer.name));
        let arguments = ["events", "replay", "--to", &consumer.name, "--listed", "--json"];
        source.feed(&arguments, given(&lacking)).await?;
    }
    Ok(Some(Sent { from: source.name.clone(), to: consumer.name.clone(), events: lacking.len() }))
}

impl Reconciliation {
    /// Notes the lost events of a source that a service has heard of.
    async fn note(&mut self, source: &Service, witness: &Service, lines: &[String]) -> Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let consumers = projection::consumers(witness).await?;
        let tables: HashMap<String, Vec<String>> =
            consumers.into_iter().map(|known| (known.consumer, known.tables)).collect();
        for line in lines {
            let line: Line = serde_json::from_str(line).context("a line of `events lost`")?;
            let witness = Witness {
                service: witness.name.clone(),
                tables: tables.get(&line.consumer).cloned().unwrap_or_default(),
                consumer: line.consumer,
                state: line.state,
            };
            match self.lost.iter_mut().find(|lost| lost.event == line.id) {
                Some(lost) => lost.heard_by.push(witness),
                None => self.lost.push(Lost {
                    service: source.name.clone(),
                    tenant: line.tenant,
                    subject: line.subject,
                    revision: line.revision,
                    event: line.id,
                    kept_revision: line.kept_revision,
                    heard_by: vec![witness],
                    effects: Vec::new(),
                }),
            }
        }
        Ok(())
    }

    fn note_effects(&mut self, service: &Service, lines: Vec<String>) -> Result<()> {
        let mut by_cause: BTreeMap<String, Vec<Effect>> = BTreeMap::new();
        for line in lines {
            let line: Value = serde_json::from_str(&line)?;
            let text = |name: &str| projection::plain(&line[name]).to_owned();
            let revision = line["revision"].as_i64().unwrap_or_default();
            let effect = Effect { service: service.name.clone(), subject: text("subject"), revision };
            by_cause.entry(text("cause")).or_default().push(effect);
        }
        for lost in &mut self.lost {
            lost.effects.extend(by_cause.get(&lost.event).cloned().unwrap_or_default());
        }
        Ok(())
    }

    /// How it ended.
    pub fn outcome(&self) -> Outcome {
        if self.lost.iter().any(Lost::is_open) { Outcome::Found } else { Outcome::Fine }
    }

    /// What was found and done, for people.
    pub fn text(&self, dry_run: bool) -> String {
        let mut text = String::new();
        let verb = if dry_run { "lacks" } else { "was sent again" };
        for sent in &self.sent {
            text += &format!("{} {verb} {} events of {}\n", sent.to, sent.events, sent.from);
        }
        for lost in &self.lost {
            let rest = match lost.kept_revision {
                Some(kept) => format!("{} has revision {kept}", lost.service),
                None => format!("nothing of it is left in {}", lost.service),
            };
            text += &format!(
                "LOST  {} revision {}, tenant {}: {rest}\n",
                lost.subject, lost.revision, lost.tenant
            );
            for witness in &lost.heard_by {
                let tables = if witness.tables.is_empty() {
                    String::new()
                } else {
                    format!("; its read model {} shows it", witness.tables.join(", "))
                };
                let Witness { service, consumer, state, .. } = witness;
                text += &format!("      heard of by {consumer} of {service} ({state}){tables}\n");
            }
            for effect in &lost.effects {
                let Effect { service, subject, revision } = effect;
                text += &format!("      made {service} change {subject} (revision {revision})\n");
            }
        }
        for lifted in &self.lifted {
            let (subject, revision) = (projection::plain(&lifted["subject"]), &lifted["revision"]);
            text +=
                &format!("{subject} goes on at revision {revision}, so that its present state is believed\n");
        }
        let sent: usize = self.sent.iter().map(|sent| sent.events).sum();
        text + &format!(
            "{sent} events lacked, {} lost, {} resources lifted\n",
            self.lost.len(),
            self.lifted.len()
        )
    }
}
