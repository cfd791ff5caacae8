//! The funnel after a load, beside what the files say.

use std::fmt;

use rust_decimal::Decimal;
use serde_json::Value;

use super::{
    export::{Export, PIPELINE},
    mapping::{Field, Mapping},
    money,
};

/// Figures of a funnel.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Totals {
    /// All opportunities.
    pub opportunities: u64,
    /// Won ones.
    pub won: u64,
    /// Lost ones.
    pub lost: u64,
    /// Open ones at the stage Engaging.
    pub engaging: u64,
    /// Open ones at the stage Prospecting.
    pub prospecting: u64,
    /// What the won ones are worth, in USD.
    pub won_amount: Decimal,
}

impl Totals {
    /// What the files say. A row that could not be read counts as an opportunity, of no known stage.
    pub fn of_files(export: &Export, mapping: &Mapping) -> Self {
        let unreadable = export.unplaced.iter().filter(|row| row.file == PIPELINE).count();
        let mut totals = Self { opportunities: unreadable as u64, ..Self::default() };
        for row in &export.opportunities {
            totals.opportunities += 1;
            match mapping.apply(Field::Stage, &row.stage) {
                Some("Won") => {
                    totals.won += 1;
                    totals.won_amount += row.close_value.unwrap_or_default();
                }
                Some("Lost") => totals.lost += 1,
                Some("Engaging") => totals.engaging += 1,
                Some("Prospecting") => totals.prospecting += 1,
                _ => {}
            }
        }
        totals
    }

    /// What `QueryFunnel` answered.
    pub fn of_answer(answer: &Value) -> Self {
        let total = &answer["total"];
        let open = |stage: &str| {
            let stages = total["stages"].as_array().into_iter().flatten();
            stages.filter(|figure| figure["stage"] == stage).map(|figure| count(&figure["open"])).sum()
        };
        let amounts = total["won"]["amounts"].as_array().into_iter().flatten();
        let amounts = amounts.filter(|amount| amount["currencyCode"] == money::CURRENCY);
        Self {
            opportunities: count(&total["total"]),
            won: count(&total["won"]),
            lost: count(&total["lost"]),
            engaging: open("engaging"),
            prospecting: open("prospecting"),
            won_amount: amounts.filter_map(money::from_json).sum(),
        }
    }
}

/// `int64` travels as text in JSON; zero may be left out.
fn count(figure: &Value) -> u64 {
    let count = &figure["count"];
    count.as_str().and_then(|count| count.parse().ok()).or(count.as_u64()).unwrap_or_default()
}

/// The files and the funnel, side by side.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Comparison {
    /// What the files say.
    pub files: Totals,
    /// What the funnel shows.
    pub funnel: Totals,
}

impl Comparison {
    /// True when every figure is the same.
    pub fn agrees(&self) -> bool {
        self.files == self.funnel
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<14} {:>14} {:>14}", "", "files", "funnel")?;
        let mut line = |name: &str, files: String, funnel: String| {
            let mark = if files == funnel { "" } else { "   differs" };
            writeln!(f, "{name:<14} {files:>14} {funnel:>14}{mark}")
        };
        line("opportunities", self.files.opportunities.to_string(), self.funnel.opportunities.to_string())?;
        line("won", self.files.won.to_string(), self.funnel.won.to_string())?;
        line("lost", self.files.lost.to_string(), self.funnel.lost.to_string())?;
        line("engaging", self.files.engaging.to_string(), self.funnel.engaging.to_string())?;
        line("prospecting", self.files.prospecting.to_string(), self.funnel.prospecting.to_string())?;
        let [files, funnel] =
            [&self.files, &self.funnel].map(|totals| totals.won_amount.normalize().to_string());
        line("won, USD", files, funnel)?;
        writeln!(
            f,
            "{}",
            if self.agrees() { "files and funnel agree" } else { "files and funnel DO NOT agree" }
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_figures_of_an_answer_are_read_whether_zeros_are_written_or_not() {
        let answer = json!({"total": {
            "total": {"count": "8"}, "open": {"count": "3"}, "lost": {},
            "won": {"count": "5", "amounts": [
                {"currencyCode": "EUR", "units": "9"},
                {"currencyCode": "USD", "units": "1200", "nanos": 500_000_000},
            ]},
            "stages": [
                {"stage": "prospecting", "open": {"count": "1"}, "enteredCount": "1"},
                {"stage": "engaging", "open": {"count": "2"}, "enteredCount": "7"},
            ],
        }});

        let totals = Totals::of_answer(&answer);

        let won_amount = Decimal::new(12_005, 1);
        assert_eq!(
            totals,
            Totals { opportunities: 8, won: 5, lost: 0, engaging: 2, prospecting: 1, won_amount }
        );
        assert_eq!(Totals::of_answer(&json!({})), Totals::default());
    }

    #[test]
    fn a_difference_is_marked() {
        let files = Totals { opportunities: 2, won: 1, ..Totals::default() };
        let comparison = Comparison { funnel: Totals { won: 2, ..files.clone() }, files };

        let text = comparison.to_string();

        assert!(!comparison.agrees());
        assert_eq!(text.lines().filter(|line| line.ends_with("differs")).count(), 1, "{text}");
    }
}
