//! A figure: what was measured, the limit it is held against, the goal, and whether it is met.

use serde::Serialize;

/// Median and range over the rounds of one run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The middle round.
    pub median: f64,
    /// The lowest.
    pub min: f64,
    /// The highest.
    pub max: f64,
}

/// Which side of a bound is good, where there is a bound.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Good from here on upwards.
    AtLeast(f64),
    /// Good up to here.
    AtMost(f64),
    /// Nobody has said what is good.
    Unset,
}

/// How a figure stands against its goal.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every round meets it.
    Met,
    /// The median does, a round does not.
    MedianOnly,
    /// Missed.
    Missed,
    /// It could not be measured.
    NotMeasured,
    /// There is no goal to meet.
    NoGoal,
}

/// One line of the result.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// `P1`.
    pub id: &'static str,
    /// What was done.
    pub what: String,
    /// Unit of `ours` and `limit`.
    pub unit: &'static str,
    /// What this suite reached.
    pub ours: Option<Spread>,
    /// What the limit is.
    pub limit_name: String,
    /// What the limit reached.
    pub limit: Option<Spread>,
    /// Ours over the limit, round by round; the limit over ours in a figure of what is spared.
    pub ratio: Option<Spread>,
    /// What the goal is about: the ratio where there is one, else ours.
    pub goal: Goal,
    /// What we are after.
    pub stretch: Option<f64>,
    /// Whether the goal is met.
    pub verdict: Verdict,
    /// Processor time, errors and whatever helps to understand.
    pub notes: Vec<String>,
}

impl Spread {
    /// Of at least one value.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len().is_multiple_of(2) {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        } else {
            sorted[middle]
        };
        Some(Self { median, min, max })
    }
}

impl Figure {
    /// A figure that is a ratio: each round's own value over the same round's limit.
    pub fn ratio(
        id: &'static str,
        what: impl Into<String>,
        unit: &'static str,
        limit_name: impl Into<String>,
        rounds: &[(f64, f64)],
        goal: Goal,
    ) -> Self {
        let ours: Vec<f64> = rounds.iter().map(|(ours, _)| *ours).collect();
        let limits: Vec<f64> = rounds.iter().map(|(_, limit)| *limit).collect();
        let ratios: Vec<f64> = rounds.iter().map(|(ours, limit)| ours / limit).collect();
        let ratio = Spread::of(&ratios);
        Self {
            limit_name: limit_name.into(),
            limit: Spread::of(&limits),
            ratio,
            verdict: judge(ratio, goal),
            ..Self::absolute(id, what, unit, &ours, goal)
        }
    }

    /// A figure that says how many times less we spend: each round's limit over its own value.
    pub fn times_less(
        id: &'static str,
        what: impl Into<String>,
        unit: &'static str,
        limit_name: impl Into<String>,
        rounds: &[(f64, f64)],
        goal: Goal,
    ) -> Self {
        let ratios: Vec<f64> = rounds.iter().map(|(ours, limit)| limit / ours).collect();
        let ratio = Spread::of(&ratios);
        Self { ratio, verdict: judge(ratio, goal), ..Self::ratio(id, what, unit, limit_name, rounds, goal) }
    }

    /// A figure that is held against a number.
    pub fn absolute(
        id: &'static str,
        what: impl Into<String>,
        unit: &'static str,
        rounds: &[f64],
        goal: Goal,
    ) -> Self {
        let ours = Spread::of(rounds);
        Self {
            id,
            what: what.into(),
            unit,
            ours,
            limit_name: String::new(),
            limit: None,
            ratio: None,
            goal,
            stretch: None,
            verdict: judge(ours, goal),
            notes: Vec::new(),
        }
    }

    /// A figure that could not be measured, and why.
    pub fn missing(id: &'static str, what: impl Into<String>, goal: Goal, why: impl Into<String>) -> Self {
        Self {
            notes: vec![format!("not measured: {}", why.into())],
            ..Self::absolute(id, what, "", &[], goal)
        }
    }

    /// What we are after.
    #[must_use]
    pub fn stretch(mut self, stretch: f64) -> Self {
        self.stretch = Some(stretch);
        self
    }

    /// Adds a remark.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

fn judge(value: Option<Spread>, goal: Goal) -> Verdict {
    let Some(value) = value else { return Verdict::NotMeasured };
    let (worst, median) = match goal {
        Goal::AtLeast(bound) => (value.min >= bound, value.median >= bound),
        Goal::AtMost(bound) => (value.max <= bound, value.median <= bound),
        Goal::Unset => return Verdict::NoGoal,
    };
    match (worst, median) {
        (true, _) => Verdict::Met,
        (false, true) => Verdict::MedianOnly,
        (false, false) => Verdict::Missed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_when_the_worst_round_meets_it() {
        let rounds = [(50.0, 100.0), (70.0, 100.0), (61.0, 100.0)];
        let figure = |bound| Figure::ratio("P1", "", "", "", &rounds, Goal::AtLeast(bound));

        assert_eq!(figure(0.5).verdict, Verdict::Met);
        assert_eq!(figure(0.6).verdict, Verdict::MedianOnly);
        assert_eq!(figure(0.62).verdict, Verdict::Missed);
        assert_eq!(figure(0.6).ratio, Some(Spread { median: 0.61, min: 0.5, max: 0.7 }));
    }

    #[test]
    fn what_is_spared_is_how_often_ours_goes_into_the_limit() {
        let figure =
            Figure::times_less("P12", "", "", "", &[(100.0, 1600.0), (125.0, 1500.0)], Goal::AtLeast(13.0));

        assert_eq!(figure.ratio, Some(Spread { median: 14.0, min: 12.0, max: 16.0 }));
        assert_eq!(figure.verdict, Verdict::MedianOnly);
        assert_eq!(figure.ours.map(|ours| ours.max), Some(125.0));
    }

    #[test]
    fn a_figure_without_a_goal_is_neither_met_nor_missed() {
        assert_eq!(Figure::absolute("TLS", "", "", &[1.0], Goal::Unset).verdict, Verdict::NoGoal);
        assert_eq!(Figure::absolute("TLS", "", "", &[], Goal::Unset).verdict, Verdict::NotMeasured);
    }

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert_eq!(Spread::of(&[4.0, 1.0]).map(|spread| spread.median), Some(2.5));
        assert_eq!(Spread::of(&[]), None);
    }
}
