//! `trato access-records …`: who read whose data, by all services in one stream. Records name what was read and who did,
//! so that each service is asked for its own, page by page, and nothing of it is kept here.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, Utc};
use clap::Subcommand;
use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use serde_json::{Value, json};

use crate::{
    installation::Installation,
    output::{Outcome, Output, say},
    service::without_end,
};

/// `trato access-records …`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a tenant's records of all services to standard output, oldest first, as CSV or as lines of JSON. The export is
    /// itself recorded, in each service
    Export(Export),
}

/// What to export.
#[derive(Debug, clap::Args)]
pub struct Export {
    /// The tenant's identifier
    #[arg(long)]
    tenant: String,
    /// First moment (RFC 3339)
    #[arg(long)]
    from: String,
    /// The moment behind the last; now unless said
    #[arg(long)]
    to: Option<String>,
    /// Only records that name this resource
    #[arg(long)]
    resource: Option<String>,
    /// What the export is for; it is recorded
    #[arg(long)]
    purpose: Option<String>,
}

/// The records of one service as they come.
struct Source {
    service: String,
    json: bool,
    /// Lines with what ends them, which is part of a text that they are in the midst of.
    pieces: BoxStream<'static, Result<String>>,
    /// The oldest that is not written yet; none behind the last.
    next: Option<Record>,
}

/// A record as its service wrote it.
struct Record {
    time: DateTime<Utc>,
    text: String,
}

/// Runs the services' own `access-records …`.
pub async fn run(command: Command, installation: &Installation, output: &Output) -> Result<Outcome> {
    let Command::Export(export) = command;
    let arguments = export.arguments(output.json);
    let mut sources = Vec::new();
    for service in installation.with_database() {
        let pieces = service.pieces(&arguments)?.boxed();
        sources.push(Source { service: service.name.clone(), json: output.json, pieces, next: None });
    }
    merge(&mut sources, say).await?;
    Ok(Outcome::Fine)
}

impl Export {
    fn arguments(&self, json: bool) -> Vec<&str> {
        let mut arguments =
            vec!["access-records", "export", "--tenant", self.tenant.as_str(), "--from", self.from.as_str()];
        for (name, value) in
            [("--to", &self.to), ("--resource", &self.resource), ("--purpose", &self.purpose)]
        {
            arguments.extend(value.iter().flat_map(|value| [name, value.as_str()]));
        }
        if json {
            arguments.push("--json");
        }
        arguments
    }
}

/// Writes all records, oldest first. Nothing is written before every service has begun to answer.
async fn merge(sources: &mut [Source], mut write: impl FnMut(&str) -> Result<()>) -> Result<()> {
    let mut headings = BTreeSet::new();
    for source in &mut *sources {
        if !source.json {
            headings.insert(source.read().await?.with_context(|| source.says("no headings"))?);
        }
        source.advance().await?;
    }
    if headings.len() > 1 {
        bail!("the services write different columns: see that the programs are of one version");
    }
    for heading in headings {
        write(&format!("\"service\",{heading}\r\n"))?;
    }
    while let Some(source) = oldest(sources) {
        if let Some(record) = source.next.take() {
            write(&source.named(&record.text)?)?;
        }
        source.advance().await?;
    }
    Ok(())
}

fn oldest(sources: &mut [Source]) -> Option<&mut Source> {
    let left = sources.iter_mut().filter(|source| source.next.is_some());
    left.min_by_key(|source| source.next.as_ref().map(|record| record.time))
}

impl Source {
    /// Takes the next record up.
    async fn advance(&mut self) -> Result<()> {
        self.next = match self.read().await? {
            Some(text) => {
                let time = self.time(&text).with_context(|| self.says("a record without a time"))?;
                Some(Record { time, text })
            }
            None => None,
        };
        Ok(())
    }

    /// The next record, or the headings.
    async fn read(&mut self) -> Result<Option<String>> {
        let Some(mut text) = self.pieces.try_next().await? else { return Ok(None) };
        // Within quotation marks, of which a text has two for one, a line may end without ending the record.
        while !self.json && text.matches('"').count() % 2 == 1 {
            let rest = self.pieces.try_next().await?.with_context(|| self.says("half a record"))?;
            text.push_str(&rest);
        }
        Ok(Some(without_end(text)))
    }

    fn time(&self, text: &str) -> Option<DateTime<Utc>> {
        if self.json {
            serde_json::from_str::<Value>(text).ok()?["create_time"].as_str()?.parse().ok()
        } else {
            text.split('"').nth(1)?.parse().ok()
        }
    }

    /// A record with the service that it is of.
    fn named(&self, text: &str) -> Result<String> {
        if !self.json {
            return Ok(format!("\"{}\",{text}\r\n", self.service));
        }
        let mut record: Value = serde_json::from_str(text)?;
        record["service"] = json!(self.service);
        Ok(format!("{record}\n"))
    }

    fn says(&self, what: &str) -> String {
        format!("{} access-records export: it answers {what}", self.service)
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    /// What is written of these lines of two services.
    async fn merged(json: bool, customers: &[&str], sales: &[&str]) -> Result<String> {
        let source = |service: &str, lines: &[&str]| {
            let ended = |line: &&str| {
                Ok(if line.ends_with('\n') { (*line).to_owned() } else { format!("{line}\r\n") })
            };
            let pieces: Vec<Result<String>> = lines.iter().map(ended).collect();
            Source { service: service.to_owned(), json, pieces: stream::iter(pieces).boxed(), next: None }
        };
        let mut written = String::new();
        let mut sources = [source("customers", customers), source("sales", sales)];
        merge(&mut sources, |text| {
            written.push_str(text);
            Ok(())
        })
        .await?;
        Ok(written)
    }

    const HEADINGS: &str = "\"create_time\",\"purpose\"";

    #[tokio::test]
    async fn records_of_all_services_come_oldest_first_as_they_were_and_each_names_its_service() {
        let customers = [
            HEADINGS,
            "\"2026-01-01T09:00:00.000000Z\",\"a \"\"b\"\"",
            "c\n",
            "d\"",
            "\"2026-01-03T09:00:00.000000Z\",\"\"",
        ];
        let sales = [HEADINGS, "\"2026-01-02T09:00:00.000000Z\",\"audit\""];

        let written = merged(false, &customers, &sales).await.expect("merged");

        let wanted = [
            "\"service\",\"create_time\",\"purpose\"",
            "\"customers\",\"2026-01-01T09:00:00.000000Z\",\"a \"\"b\"\"",
            "c\nd\"",
            "\"sales\",\"2026-01-02T09:00:00.000000Z\",\"audit\"",
            "\"customers\",\"2026-01-03T09:00:00.000000Z\",\"\"",
            "",
        ];
        assert_eq!(written.split("\r\n").collect::<Vec<_>>(), wanted);
    }

    #[tokio::test]
    async fn lines_of_json_are_in_the_order_of_time_and_not_of_their_letters() {
        // As a text the second is before the first.
        let customers = ["{\"create_time\":\"2026-01-01T09:00:00Z\"}"];
        let sales = ["{\"create_time\":\"2026-01-01T09:00:00.500Z\"}"];

        let written = merged(true, &customers, &sales).await.expect("merged");

        let services: Vec<Value> =
            written.lines().map(|line| serde_json::from_str(line).expect("a line")).collect();
        assert_eq!(services[0]["service"], "customers");
        assert_eq!(services[1]["service"], "sales");
    }

    #[tokio::test]
    async fn what_cannot_be_put_together_is_refused_before_anything_is_written() {
        assert!(merged(false, &[HEADINGS], &["\"create_time\",\"actor\""]).await.is_err());
        assert!(merged(false, &[HEADINGS], &[HEADINGS, "\"2026-01-02T09:00:00Z\",\"half"]).await.is_err());
        assert!(merged(true, &["{}"], &[]).await.is_err());
    }
}
