//! `cargo dev bench`: the figures, each as a ratio to its limit in the same run, against a private stack of release
//! programs.
//!
//! Rounds of the limit and of ours alternate, none is dropped, a call that fails fails the run but where more is sent
//! than can be answered, and what was done is counted in the database afterwards.

mod broker;
mod capture;
mod chain;
mod client;
mod contrast;
mod create;
mod drive;
mod envoy;
mod figure;
mod footprint;
mod get;
mod import;
mod issue;
mod list;
mod overload;
mod pdf;
mod pgbench;
mod properties;
mod python;
mod records;
mod relay;
mod report;
mod room;
mod telemetry;
mod tls;
mod transcode;
mod tryton;
mod usage;
mod versus;
mod visible;

use std::path::PathBuf;

use anyhow::{Result, bail};
use futures::future::BoxFuture;

pub use figure::{Figure, Goal, Spread, Verdict};

use self::room::Room;
use crate::progress::Progress;

/// What to measure.
#[derive(Clone, Debug, Default)]
pub struct BenchOptions {
    /// Fewer and shorter rounds, less data.
    pub short: bool,
    /// File for every figure as JSON.
    pub json: Option<PathBuf>,
    /// Figures to measure, `P1` or `TLS`; all when empty.
    pub figures: Vec<String>,
}

type Measure = for<'a> fn(&'a mut Room) -> BoxFuture<'a, Result<Vec<Figure>>>;

/// Every figure, in the order in which one does not disturb the next: what needs no service first, the footprint before any
/// other load, the import before what reads its rows, what restarts processes last, and the overload behind all.
const FIGURES: [(&str, Measure); 16] = [
    ("PROPERTIES", |room| Box::pin(properties::measure(room))),
    ("P13", |room| Box::pin(footprint::measure(room))),
    ("P16", |room| Box::pin(import::measure(room))),
    ("P3", |room| Box::pin(get::measure(room))),
    ("P4", |room| Box::pin(list::measure(room))),
    ("P1", |room| Box::pin(create::measure(room))),
    ("P11", |room| Box::pin(issue::measure(room))),
    ("P12", |room| Box::pin(chain::measure(room))),
    ("P6", |room| Box::pin(visible::measure(room))),
    ("P5", |room| Box::pin(transcode::measure(room))),
    ("P7", |room| Box::pin(relay::measure(room))),
    ("PDF", |room| Box::pin(pdf::measure(room))),
    ("P14", |room| Box::pin(telemetry::measure(room))),
    ("RECORDS", |room| Box::pin(records::measure(room))),
    ("TLS", |room| Box::pin(tls::measure(room))),
    ("P15", |room| Box::pin(overload::measure(room))),
];

/// Names of all figures.
pub fn names() -> Vec<&'static str> {
    FIGURES.iter().map(|(name, _)| *name).collect()
}

/// Starts a stack, measures, prints the table and writes the file. A figure that fails is reported as not measured and
/// the others go on; the failures are answered.
pub async fn run(options: BenchOptions, progress: Progress) -> Result<Vec<String>> {
    if let Some(unknown) = options.figures.iter().find(|name| !names().contains(&name.as_str())) {
        bail!("there is no figure {unknown}; there are {}", names().join(", "));
    }
    let mut room = Room::open(&options, progress.clone()).await?;
    let (mut figures, mut failures) = (Vec::new(), Vec::new());
    for (name, measure) in FIGURES {
        if !options.figures.is_empty() && !options.figures.iter().any(|wanted| wanted == name) {
            continue;
        }
        progress.say(name, "measuring");
        match measure(&mut room).await {
            Ok(measured) => {
                measured.iter().for_each(|figure| progress.say(name, report::line(figure)));
                figures.extend(measured);
            }
            Err(error) => {
                progress.say(name, format!("failed: {error:#}"));
                failures.push(format!("{name}: {error:#}"));
            }
        }
    }
    let surroundings = room.surroundings().await?;
    room.close().await;
    report::print(&figures, &surroundings);
    if let Some(path) = &options.json {
        report::write(path, &figures, &surroundings, &failures)?;
    }
    Ok(failures)
}
