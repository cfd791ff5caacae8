//! Places the rows of an export: people and teams, products, the pipeline, accounts, opportunities.
//!
//! In this order, because each refers to those before; within a step as many calls are in flight as answers allow.

mod accounts;
mod catalogue;
mod directory;
mod opportunities;
mod step;

use anyhow::{Result, bail};
use reqwest::Method;

use crate::client::{Client, Feed, Stopped};

use super::{
    export::Export,
    funnel::{Comparison, Totals},
    mapping::{self, Mapping, questions},
    options::LoadOptions,
    report::LoadReport,
};
use step::Loader;

/// Source of everything that is loaded; with it, external ids are unique.
pub const SOURCE: &str = "crm-export";

/// Loads an export. An error means that nothing was begun; what happened after that stands in the report.
pub async fn run(options: LoadOptions) -> Result<LoadReport> {
    let mut export = Export::read(&options.folder)?;
    let mapping = decided(&export, options.mapping)?;
    let files = Totals::of_files(&export, &mapping);
    let rows =
        export.accounts.len() + export.products.len() + export.opportunities.len() + catalogue::PIPELINES;
    let bar = step::bar(rows + directory::size(&export.agents), options.visible);
    let client = Client::new(&options.gateway, &options.token)?;
    let feed = Feed::new(client, options.patience, options.stop, bar.clone());
    let mut loader = Loader::new(feed, mapping, options.batch, bar);
    loader.report.unplaced = std::mem::take(&mut export.unplaced);

    let ended = everything(&mut loader, &export, files).await;

    let mut report = loader.finish();
    if let Err(stopped) = ended {
        report.interrupted = matches!(stopped, Stopped::Interrupted);
        report.stopped = Some(stopped.to_string());
    }
    Ok(report)
}

/// The mapping that covers every question, or why there is none.
fn decided(export: &Export, mapping: Option<Mapping>) -> Result<Mapping> {
    let questions = questions(export);
    let mapping = mapping.unwrap_or_else(|| Mapping::suggested(&questions));
    let faults = mapping.faults(export);
    if !faults.is_empty() {
        bail!("the mapping cannot be used: {}", faults.join("; "));
    }
    let open = mapping.open(&questions);
    if !open.is_empty() {
        let lines: Vec<_> = open
            .iter()
            .map(|question| format!("  [{}] {}", question.field.name(), mapping::line(question)))
            .collect();
        bail!("the mapping leaves open what these values mean:\n{}", lines.join("\n"));
    }
    Ok(mapping)
}

async fn everything(loader: &mut Loader, export: &Export, files: Totals) -> Result<(), Stopped> {
    let people = directory::place(loader, &export.agents).await?;
    let catalogue = catalogue::place(loader, &export.products).await?;
    let accounts = accounts::place(loader, &export.accounts).await?;
    let known = opportunities::Known { people, catalogue, accounts };
    opportunities::place(loader, &export.opportunities, &known).await?;
    loader.all_placed();
    let filter = format!("source = \"{SOURCE}\"");
    let answer = loader.feed.call(Method::GET, "/v1/funnel:query", &[("filter", &filter)], None).await?;
    let funnel = Totals::of_answer(&answer.map_err(Stopped::hopeless)?);
    loader.report.comparison = Some(Comparison { files, funnel });
    Ok(())
}
