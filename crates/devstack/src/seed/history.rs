//! The way an opportunity went, from a line such as `demo 2026-01-28 > lost PRICE 2026-02-06 > open demo 2026-05-04`.

use anyhow::{Context as _, Result, bail};
use chrono::{Datelike as _, NaiveDate};
use serde_json::{Value, json};

/// Steps of an opportunity and where they end.
#[derive(Debug, PartialEq)]
pub struct History {
    /// The steps as an import takes them.
    pub steps: Vec<Value>,
    /// Key of the last stage.
    pub stage: String,
    /// `OPEN`, `WON` or `LOST`.
    pub state: &'static str,
    /// Why it was lost; empty when it is not.
    pub lost_reason: String,
    /// Day it was closed; none while it is open.
    pub closed: Option<NaiveDate>,
}

/// Reads the line. A closed opportunity stays at the stage it was at.
pub fn read(line: &str) -> Result<History> {
    let mut history = History {
        steps: Vec::new(),
        stage: String::new(),
        state: "OPEN",
        lost_reason: String::new(),
        closed: None,
    };
    for step in line.split(" > ") {
        let words: Vec<&str> = step.split_whitespace().collect();
        let (state, reason, stage, day) = match words[..] {
            ["won", day] => ("WON", "", None, day),
            ["lost", reason, day] => ("LOST", reason, None, day),
            ["open", stage, day] | [stage, day] => ("OPEN", "", Some(stage), day),
            _ => bail!("`{step}` is no step"),
        };
        let day: NaiveDate = day.parse().with_context(|| format!("`{step}` has no day"))?;
        history.stage = stage.map_or(history.stage, str::to_owned);
        history.lost_reason = reason.to_owned();
        history.state = state;
        history.closed = (state != "OPEN").then_some(day);
        let time = format!("{day}T09:00:00Z");
        history.steps.push(json!({ "stage": history.stage, "state": state, "eventTime": time }));
    }
    Ok(history)
}

/// A day as `google.type.Date`.
pub fn civil(day: NaiveDate) -> Value {
    json!({ "year": day.year(), "month": day.month(), "day": day.day() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_every_step_and_where_it_ends() {
        let history = read("demo 2026-01-28 > lost PRICE 2026-02-06 > open demo 2026-05-04 > won 2026-05-20");

        let history = history.expect("a history");
        assert_eq!(
            (history.stage.as_str(), history.state, history.lost_reason.as_str()),
            ("demo", "WON", "")
        );
        assert_eq!(history.closed, NaiveDate::from_ymd_opt(2026, 5, 20));
        let states: Vec<_> =
            history.steps.iter().map(|step| step["state"].as_str().unwrap_or_default()).collect();
        assert_eq!(states, ["OPEN", "LOST", "OPEN", "WON"]);
        assert_eq!(
            history.steps[1],
            json!({ "stage": "demo", "state": "LOST", "eventTime": "2026-02-06T09:00:00Z" })
        );
    }

    #[test]
    fn what_is_no_step_is_refused() {
        for wrong in ["", "demo", "demo yesterday", "lost 2026-01-01 because of price"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
