//! The table on the terminal and the file of every figure.

use std::{fmt::Write as _, path::Path};

use anyhow::{Context as _, Result};
use serde_json::json;

use super::{
    figure::{Figure, Goal, Spread, Verdict},
    room::Surroundings,
};
use crate::progress;

/// One figure in one line.
pub fn line(figure: &Figure) -> String {
    let ratio = figure.ratio.map_or_else(|| "-".to_owned(), |ratio| range(&ratio));
    format!(
        "{}: {} {} against {}, ratio {ratio}, goal {}: {}",
        figure.what,
        value(figure.ours),
        figure.unit,
        value(figure.limit),
        goal(figure.goal),
        verdict(figure.verdict)
    )
}

/// Prints the table with its remarks.
pub fn print(figures: &[Figure], surroundings: &Surroundings) {
    progress::print(table(figures));
    let (rounds, seconds) = surroundings.rounds;
    progress::print(format!(
        "commit {}, PostgreSQL {}, {} processors, load {}, {} rows, {rounds} rounds of {seconds} s a side; \
         spread is lowest..highest round",
        surroundings.commit,
        surroundings.postgres,
        surroundings.processors,
        surroundings.load,
        surroundings.rows
    ));
}

/// Writes every figure as JSON.
pub fn write(
    path: &Path,
    figures: &[Figure],
    surroundings: &Surroundings,
    failures: &[String],
) -> Result<()> {
    let all = json!({ "surroundings": surroundings, "figures": figures, "failures": failures });
    std::fs::write(path, serde_json::to_string_pretty(&all)? + "\n")
        .with_context(|| format!("cannot write {}", path.display()))
}

fn table(figures: &[Figure]) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{:<10} {:<62} {:>10} {:>10} {:<8} {:>22} {:>8}  met",
        "id", "what", "ours", "limit", "unit", "ratio (spread)", "goal"
    );
    for figure in figures {
        let ratio = figure.ratio.or(figure.ours).map_or_else(|| "-".to_owned(), |found| range(&found));
        let _ = writeln!(
            text,
            "{:<10} {:<62} {:>10} {:>10} {:<8} {:>22} {:>8}  {}",
            figure.id,
            figure.what,
            value(figure.ours),
            value(figure.limit),
            figure.unit,
            ratio,
            goal(figure.goal),
            verdict(figure.verdict)
        );
        if !figure.limit_name.is_empty() {
            let _ = writeln!(text, "           limit: {}", figure.limit_name);
        }
        for note in &figure.notes {
            let _ = writeln!(text, "           {note}");
        }
    }
    text
}

fn value(spread: Option<Spread>) -> String {
    spread.map_or_else(|| "-".to_owned(), |spread| digits(spread.median))
}

fn range(spread: &Spread) -> String {
    format!("{} ({}..{})", digits(spread.median), digits(spread.min), digits(spread.max))
}

fn goal(goal: Goal) -> String {
    match goal {
        Goal::AtLeast(bound) => format!(">= {bound}"),
        Goal::AtMost(bound) => format!("<= {bound}"),
        Goal::Unset => "-".to_owned(),
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "yes",
        Verdict::MedianOnly => "median only",
        Verdict::Missed => "no",
        Verdict::NotMeasured => "not measured",
        Verdict::NoGoal => "no goal",
    }
}

/// Three significant digits, more where they stand before the point.
fn digits(value: f64) -> String {
    let decimals = if value.abs() >= 100.0 {
        0
    } else if value.abs() >= 10.0 {
        1
    } else if value.abs() >= 1.0 {
        2
    } else {
        3
    };
    format!("{value:.decimals$}")
}
