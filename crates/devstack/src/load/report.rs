//! What became of a load: what was made, what was there, which rows found no place and why.

use std::{fmt, path::Path, time::Duration};

use anyhow::{Context as _, Result};

use super::funnel::Comparison;

/// A row that found no place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unplaced {
    /// File it stands in.
    pub file: String,
    /// Line of the file; the header is line 1.
    pub line: u64,
    /// What the row calls itself: a name or an identifier.
    pub key: String,
    /// Why it found no place.
    pub reason: String,
}

impl Unplaced {
    /// A row and why it found no place.
    pub fn new(file: &str, line: u64, key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, key: key.into(), reason: reason.into() }
    }
}

/// Counts of one collection.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Made now.
    pub created: usize,
    /// There already, by their source and external id.
    pub existing: usize,
    /// Refused.
    pub refused: usize,
}

/// How a load went.
#[derive(Debug, Default)]
pub struct LoadReport {
    /// Counts by collection, in the order they were loaded.
    pub tallies: Vec<(&'static str, Tally)>,
    /// Every row that found no place.
    pub unplaced: Vec<Unplaced>,
    /// Why it ended before everything was tried.
    pub stopped: Option<String>,
    /// True when it was stopped by whoever started it.
    pub interrupted: bool,
    /// The funnel beside the files; none when the load ended early.
    pub comparison: Option<Comparison>,
    /// How long it took to place the rows.
    pub elapsed: Duration,
    /// Calls made, repeated ones included.
    pub calls: u64,
    /// Calls that were refused for overload or found nobody, and were repeated.
    pub refusals: u64,
    /// Most calls in flight.
    pub peak: usize,
}

impl LoadReport {
    /// True when everything was tried and the funnel shows what the files say.
    pub fn agrees(&self) -> bool {
        self.stopped.is_none() && self.comparison.as_ref().is_some_and(Comparison::agrees)
    }

    /// Counts of one collection, `opportunities`.
    pub fn tally(&self, collection: &str) -> Tally {
        self.tallies
            .iter()
            .find(|(name, _)| *name == collection)
            .map_or_else(Tally::default, |(_, tally)| *tally)
    }

    /// Rows that were placed, now or before.
    pub fn placed(&self) -> usize {
        self.tallies.iter().map(|(_, tally)| tally.created + tally.existing).sum()
    }

    /// Writes every row that found no place as CSV.
    pub fn write(&self, path: &Path) -> Result<()> {
        let context = || format!("cannot write {}", path.display());
        let mut writer = csv::Writer::from_path(path).with_context(context)?;
        writer.write_record(["file", "line", "key", "reason"]).with_context(context)?;
        for row in &self.unplaced {
            let line = row.line.to_string();
            writer.write_record([&row.file, &line, &row.key, &row.reason]).with_context(context)?;
        }
        writer.flush().with_context(context)
    }
}

/// Rows without a place that a terminal shows; the file has all of them.
const SHOWN: usize = 20;

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<14} {:>9} {:>14} {:>9}", "", "created", "already there", "refused")?;
        for (collection, tally) in &self.tallies {
            writeln!(f, "{collection:<14} {:>9} {:>14} {:>9}", tally.created, tally.existing, tally.refused)?;
        }
        let seconds = self.elapsed.as_secs_f64();
        let rate = self.placed() as f64 / seconds.max(0.001);
        writeln!(
            f,
            "\n{} rows in {seconds:.1} s, {rate:.0} a second; {} calls, at most {} in flight, {} repeated",
            self.placed(),
            self.calls,
            self.peak,
            self.refusals
        )?;
        if !self.unplaced.is_empty() {
            writeln!(f, "\n{} rows found no place:", self.unplaced.len())?;
            for row in self.unplaced.iter().take(SHOWN) {
                writeln!(f, "  {} line {} ({}): {}", row.file, row.line, row.key, row.reason)?;
            }
            if self.unplaced.len() > SHOWN {
                writeln!(f, "  and {} more", self.unplaced.len() - SHOWN)?;
            }
        }
        if let Some(comparison) = &self.comparison {
            write!(f, "\n{comparison}")?;
        }
        if let Some(reason) = &self.stopped {
            writeln!(f, "\nended early: {reason}")?;
        }
        Ok(())
    }
}
