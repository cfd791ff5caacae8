//! Figures of the funnel: what the database counted, put together per group and for the whole. Pure and exact: sums are
//! whole minor units and microseconds, means are rounded once, at the end.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;
use uuid::Uuid;

use crate::{
    opportunity::State,
    pipeline::{StageKey, Stages},
};

/// What the figures are split by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dimension {
    /// Not split.
    Whole,
    /// By owner.
    Owner,
    /// By team.
    Team,
    /// By the region of the team.
    Region,
    /// By product.
    Product,
    /// By the calendar month of the close date.
    CloseMonth,
    /// By the calendar quarter of the close date.
    CloseQuarter,
}

/// What was counted, in the finest parts.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Counted {
    /// Opportunities by group, place and currency.
    pub figures: Vec<Slice>,
    /// Opportunities that ever were at a stage, by group.
    pub entries: Vec<Entry>,
    /// Stays in a stage that ended, by group.
    pub stays: Vec<Stay>,
    /// Names of groups, where the group's key is not its name.
    pub labels: Vec<Label>,
    /// The pipelines walked, and the one asked for.
    pub routes: Vec<Route>,
}

/// Opportunities of one group, place and currency.
#[derive(Clone, Debug, Deserialize)]
pub struct Slice {
    /// Key of the group.
    pub key: String,
    /// The pipeline.
    pub pipeline: Uuid,
    /// Where they are, or were when they were closed.
    pub stage: StageKey,
    /// Open, won or lost.
    pub state: State,
    /// Currency of their amounts; none for those without an amount.
    pub currency: Option<String>,
    /// How many.
    pub count: i64,
    /// How many have an amount.
    pub known: i64,
    /// The sum of the amounts, in minor units.
    #[serde(deserialize_with = "whole")]
    pub amount: i128,
    /// How many have a cycle whose length is known.
    pub cycles: i64,
    /// The sum of the lengths.
    #[serde(deserialize_with = "whole")]
    pub cycle_micros: i128,
}

/// Opportunities of one group that ever were at a stage.
#[derive(Clone, Debug, Deserialize)]
pub struct Entry {
    /// Key of the group.
    pub key: String,
    /// The pipeline.
    pub pipeline: Uuid,
    /// The stage.
    pub stage: StageKey,
    /// How many.
    pub entered: i64,
    /// How many of them went on to a later stage afterwards, or are won.
    pub advanced: i64,
}

/// Stays of one group's opportunities in a stage, ended and with both dates known.
#[derive(Clone, Debug, Deserialize)]
pub struct Stay {
    /// Key of the group.
    pub key: String,
    /// The pipeline.
    pub pipeline: Uuid,
    /// The stage.
    pub stage: StageKey,
    /// How many.
    pub stays: i64,
    /// The sum of their lengths.
    #[serde(deserialize_with = "whole")]
    pub stay_micros: i128,
}

/// The name of a group.
#[derive(Clone, Debug, Deserialize)]
pub struct Label {
    /// Key of the group.
    pub key: String,
    /// Name people use.
    pub display_name: String,
}

/// A pipeline and its stages as they are now.
#[derive(Clone, Debug, Deserialize)]
pub struct Route {
    /// The pipeline.
    pub pipeline: Uuid,
    /// Its stages.
    pub stages: Stages,
}

/// A number of opportunities and what they are worth.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// How many.
    pub count: i64,
    /// By currency: the sum in minor units, and how many have an amount.
    pub worth: BTreeMap<String, (i128, i64)>,
}

/// Lengths of time, to be averaged.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Lengths {
    /// How many.
    pub count: i64,
    /// Their sum.
    pub micros: i128,
}

/// The figures of one stage.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StageTally {
    /// Open ones that are there now.
    pub open: Tally,
    /// Those that ever were there.
    pub entered: i64,
    /// Of those, the ones that went on.
    pub advanced: i64,
    /// Stays that ended.
    pub stays: Lengths,
}

/// The figures of one group, or of the whole.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct GroupTally {
    /// All of them.
    pub total: Tally,
    /// Open ones.
    pub open: Tally,
    /// Won ones.
    pub won: Tally,
    /// Lost ones.
    pub lost: Tally,
    /// From the first known step to the close.
    pub cycles: Lengths,
    /// Stage by stage.
    pub stages: HashMap<(Uuid, StageKey), StageTally>,
    /// Pipelines that its opportunities walk.
    pub pipelines: BTreeSet<Uuid>,
}

/// The figures of every group, by its key, and of the whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tallies {
    /// By key.
    pub groups: BTreeMap<String, GroupTally>,
    /// Everything.
    pub total: GroupTally,
}

impl Counted {
    /// Adds the parts up. Every opportunity is in exactly one group, so the whole is the sum of the groups.
    pub fn tallies(&self) -> Tallies {
        let mut tallies = Tallies::default();
        for slice in &self.figures {
            tallies.each(&slice.key, |group| group.add(slice));
        }
        for entry in &self.entries {
            tallies.each(&entry.key, |group| {
                let stage = group.stage(entry.pipeline, &entry.stage);
                stage.entered += entry.entered;
                stage.advanced += entry.advanced;
            });
        }
        for stay in &self.stays {
            tallies.each(&stay.key, |group| {
                group.stage(stay.pipeline, &stay.stage).stays.add(stay.stays, stay.stay_micros)
            });
        }
        tallies
    }
}

impl Tallies {
    fn each(&mut self, key: &str, add: impl Fn(&mut GroupTally)) {
        add(self.groups.entry(key.to_owned()).or_default());
        add(&mut self.total);
    }

    /// The groups, largest first; of two equal ones the lesser key.
    pub fn ranked(&self) -> Vec<(&str, &GroupTally)> {
        let mut groups: Vec<_> = self.groups.iter().map(|(key, group)| (key.as_str(), group)).collect();
        groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.total.count));
        groups
    }
}

impl GroupTally {
    fn add(&mut self, slice: &Slice) {
        self.total.add(slice);
        match slice.state {
            State::Open => {
                self.open.add(slice);
                self.stage(slice.pipeline, &slice.stage).open.add(slice);
            }
            State::Won => self.won.add(slice),
            State::Lost => self.lost.add(slice),
        }
        self.cycles.add(slice.cycles, slice.cycle_micros);
        self.pipelines.insert(slice.pipeline);
    }

    fn stage(&mut self, pipeline: Uuid, stage: &StageKey) -> &mut StageTally {
        self.stages.entry((pipeline, stage.clone())).or_default()
    }

    /// Won in won and lost, 0 to 1; 0 when none is closed.
    pub fn win_rate(&self) -> f64 {
        rate(self.won.count, self.won.count + self.lost.count)
    }
}

impl StageTally {
    /// Advanced in entered, 0 to 1; 0 when none entered.
    pub fn conversion_rate(&self) -> f64 {
        rate(self.advanced, self.entered)
    }
}

impl Tally {
    fn add(&mut self, slice: &Slice) {
        self.count += slice.count;
        if let Some(currency) = &slice.currency {
            let (amount, known) = self.worth.entry(currency.clone()).or_default();
            *amount += slice.amount;
            *known += slice.known;
        }
    }
}

impl Lengths {
    fn add(&mut self, count: i64, micros: i128) {
        self.count += count;
        self.micros += micros;
    }

    /// The mean in days; 0 when there is none.
    pub fn mean_days(self) -> f64 {
        const MICROS_PER_DAY: f64 = 86_400e6;
        if self.count == 0 { 0.0 } else { self.micros as f64 / self.count as f64 / MICROS_PER_DAY }
    }
}

/// The mean of `count` amounts that add up to `sum`, rounded half away from zero; none of none.
pub fn mean(sum: i128, count: i64) -> Option<i128> {
    let count = i128::from(count);
    (count > 0).then(|| (2 * sum.abs() + count) / (2 * count) * sum.signum())
}

/// A part in a whole, 0 to 1; 0 of nothing.
pub fn rate(part: i64, whole: i64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Reads a whole number that was written as text, because it may be larger than a number of JSON.
fn whole<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i128, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_mean_is_rounded_half_away_from_zero() {
        for (sum, count, rounded) in [(5, 2, 3), (-5, 2, -3), (4, 3, 1), (-4, 3, -1), (0, 7, 0), (7, 1, 7)] {
            assert_eq!(mean(sum, count), Some(rounded), "{sum} / {count}");
        }
        assert_eq!(mean(0, 0), None);
    }

    proptest! {
        #[test]
        fn a_mean_is_never_further_away_than_half_a_unit(sum in -1_000_000_000_000_000_i128..1_000_000_000_000_000, count in 1_i64..100_000) {
            let rounded = mean(sum, count).expect("there are some");
            let count = i128::from(count);

            prop_assert!((2 * (rounded * count - sum)).abs() <= count);
            prop_assert_eq!(mean(-sum, i64::try_from(count).expect("it was one")), Some(-rounded));
        }
    }
}
