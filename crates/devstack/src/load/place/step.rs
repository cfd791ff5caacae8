//! One step of a load: rows of one kind become resources of one collection.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use serde_json::{Value, json};

use crate::client::{Endpoint, Feed, Placed, Stopped};

use super::super::{
    mapping::Mapping,
    report::{LoadReport, Tally, Unplaced},
};

/// A row that is ready to be sent.
#[derive(Debug)]
pub struct Item {
    /// File of the row.
    pub file: &'static str,
    /// Its line.
    pub line: u64,
    /// What others call it by.
    pub key: String,
    /// The item as the method takes it.
    pub body: Value,
}

/// Resources by the key of their row; a row that found no place is not among them.
pub type Found = HashMap<String, Value>;

/// Sends rows and keeps the books.
#[derive(Debug)]
pub struct Loader {
    /// The calls.
    pub feed: Feed,
    /// What is done with dirt.
    pub mapping: Mapping,
    /// What became of everything so far.
    pub report: LoadReport,
    batch: usize,
    bar: ProgressBar,
    started: Instant,
}

impl Loader {
    /// Sends `batch` rows in a call.
    pub fn new(feed: Feed, mapping: Mapping, batch: usize, bar: ProgressBar) -> Self {
        Self { feed, mapping, report: LoadReport::default(), batch, bar, started: Instant::now() }
    }

    /// Places rows of one kind and answers what is there afterwards.
    pub async fn place(
        &mut self,
        collection: &'static str,
        endpoint: Endpoint,
        items: Vec<Item>,
    ) -> Result<Found, Stopped> {
        self.bar.set_prefix(collection);
        let (rows, bodies): (Vec<_>, Vec<_>) =
            items.into_iter().map(|item| ((item.file, item.line, item.key), item.body)).unzip();
        let mut tally = Tally::default();
        let (mut found, mut refused) = (Found::new(), Vec::new());
        let settle = |index: usize, placed: Placed| {
            let (file, line, key) = &rows[index];
            match placed {
                Placed::Created(resource) => {
                    tally.created += 1;
                    found.insert(key.clone(), resource);
                }
                Placed::Existing(resource) => {
                    tally.existing += 1;
                    found.insert(key.clone(), resource);
                }
                Placed::Refused(failure) => {
                    refused.push(Unplaced::new(file, *line, key, format!("refused: {failure}")));
                }
            }
        };
        let ended = self.feed.place(endpoint, bodies, self.batch, settle).await;
        // Answers come in any order; a report is read in the order of the file.
        refused.sort_by_key(|row| row.line);
        tally.refused = refused.len();
        self.count(collection, tally);
        self.report.unplaced.extend(refused);
        ended.map(|()| found)
    }

    /// Notes a row that cannot even be sent.
    pub fn set_aside(&mut self, collection: &'static str, row: Unplaced) {
        self.bar.inc(1);
        self.count(collection, Tally { refused: 1, ..Tally::default() });
        self.report.unplaced.push(row);
    }

    /// Notes that every row had its answer.
    pub fn all_placed(&mut self) {
        self.report.elapsed = self.started.elapsed();
        self.bar.set_prefix("funnel");
    }

    /// The report, with how the calls went.
    pub fn finish(mut self) -> LoadReport {
        if self.report.elapsed.is_zero() {
            self.report.elapsed = self.started.elapsed();
        }
        self.bar.finish_and_clear();
        self.report.calls = self.feed.calls();
        self.report.refusals = self.feed.pace().refusals();
        self.report.peak = self.feed.peak();
        self.report
    }

    fn count(&mut self, collection: &'static str, more: Tally) {
        let tallies = &mut self.report.tallies;
        let known = tallies.iter().position(|(name, _)| *name == collection);
        let place = known.unwrap_or_else(|| {
            tallies.push((collection, Tally::default()));
            tallies.len() - 1
        });
        let tally = &mut tallies[place].1;
        tally.created += more.created;
        tally.existing += more.existing;
        tally.refused += more.refused;
    }
}

/// The batch method of a collection.
pub const fn batch_create(path: &'static str, noun: &'static str) -> Endpoint {
    Endpoint { path, list: "requests", noun }
}

/// Puts fields that have a value into a resource; an empty text or null is none.
pub fn resource(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let mut resource = json!({});
    for (name, value) in fields {
        if !value.is_null() && value != "" {
            resource[name] = value;
        }
    }
    resource
}

/// Name of a resource that was found.
pub fn name_of(found: &Found, key: &str) -> Option<Value> {
    found.get(key).map(|resource| resource["name"].clone())
}

/// A bar over `rows`; hidden where nobody looks at a terminal.
pub fn bar(rows: usize, visible: bool) -> ProgressBar {
    let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(rows as u64), target);
    let template = "{prefix:<14} {wide_bar} {pos}/{len} rows  {rate}  {elapsed}  {msg}";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.with_key("rate", |state: &ProgressState, text: &mut dyn std::fmt::Write| {
        // Nothing can be done about a line that cannot be written.
        let _ = write!(text, "{:.0}/s", state.per_sec());
    }));
    if visible {
        bar.enable_steady_tick(Duration::from_millis(500));
    }
    bar
}
