//! How well an account has paid: a score with what made it. Pure.

use crate::receivables::Figures;

/// What is known of how an account pays.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Record {
    /// What it paid, and when.
    pub figures: Figures,
    /// Invoices that are overdue.
    pub overdue: i64,
    /// Invoices that were given up.
    pub written_off: i64,
    /// Payments that the bank took back.
    pub charged_back: i64,
}

/// Something that raised or lowered a score.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Factor {
    /// Stable name.
    pub code: &'static str,
    /// What it did.
    pub points: i32,
    /// The fact.
    pub description: String,
}

/// What an account is given of which nothing is known.
const UNKNOWN: i32 = 50;

impl Record {
    /// The score, 0 to 100, and what made it, the weightiest first. Whoever pays better never has less.
    pub fn score(&self) -> (i32, Vec<Factor>) {
        let Figures { count, late, days_late, .. } = self.figures;
        let nothing_is_known = count == 0 && (self.overdue, self.written_off, self.charged_back) == (0, 0, 0);
        if nothing_is_known {
            let description = "nothing was paid yet".to_owned();
            return (UNKNOWN, vec![Factor { code: "NO_HISTORY", points: 0, description }]);
        }
        let mut factors = Vec::new();
        let mut lower = |code, points: i64, description: String| {
            // Each is bounded below, so that it fits.
            let points = -i32::try_from(points).unwrap_or(i32::MAX);
            if points < 0 {
                factors.push(Factor { code, points, description });
            }
        };
        let share = if count == 0 { 0 } else { 40 * late / count };
        lower(
            "PAID_LATE",
            share.min(40),
            format!("{late} of {count} invoices were paid after they were due"),
        );
        let days = (days_late / 100).clamp(0, 30);
        lower("DAYS_LATE", days, format!("paid {} days after they were due, by amounts", days_late / 100));
        let overdue = self.overdue.clamp(0, 10);
        lower("OVERDUE", 3 * overdue, format!("{} invoices are overdue", self.overdue));
        let written_off = self.written_off.clamp(0, 3);
        lower("WRITTEN_OFF", 20 * written_off, format!("{} invoices were given up", self.written_off));
        let charged_back = self.charged_back.clamp(0, 3);
        lower("CHARGED_BACK", 10 * charged_back, format!("{} payments were charged back", self.charged_back));
        factors.sort_by_key(|factor| factor.points);
        let score = 100 + factors.iter().map(|factor| factor.points).sum::<i32>();
        if factors.is_empty() {
            let description = format!("{count} invoices were paid in time");
            factors.push(Factor { code: "PAID_IN_TIME", points: 0, description });
        }
        (score.clamp(0, 100), factors)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(count: i64, late: i64, days_late: i64) -> Record {
        let figures = Figures { count, late, days_to_pay: 0, days_late };
        Record { figures, ..Record::default() }
    }

    /// DOC-15: a score has its reasons: nothing known, all in time, or what was not.
    #[test]
    fn a_score_says_what_made_it() {
        let codes = |record: Record| {
            let (score, factors) = record.score();
            (score, factors.iter().map(|factor| (factor.code, factor.points)).collect::<Vec<_>>())
        };
        assert_eq!(codes(Record::default()), (50, vec![("NO_HISTORY", 0)]));
        assert_eq!(codes(record(4, 0, -250)), (100, vec![("PAID_IN_TIME", 0)]));
        assert_eq!(codes(record(4, 1, 550)), (85, vec![("PAID_LATE", -10), ("DAYS_LATE", -5)]));
        let bad = Record { overdue: 1, written_off: 1, charged_back: 1, ..record(2, 0, 0) };
        assert_eq!(codes(bad), (67, vec![("WRITTEN_OFF", -20), ("CHARGED_BACK", -10), ("OVERDUE", -3)]));
    }

    proptest! {
        /// DOC-15: whoever pays later, owes more that is overdue, or fails more often never has a better score.
        #[test]
        fn paying_worse_is_never_scored_better(
            count in 1_i64..1000, late in 0_i64..1000, days in -10_000_i64..100_000,
            failures in (0_i64..20, 0_i64..20, 0_i64..20), worse in 1_i64..100,
        ) {
            let late = late.min(count);
            let (overdue, written_off, charged_back) = failures;
            let one = Record { overdue, written_off, charged_back, ..record(count, late, days) };
            let score = one.score().0;
            prop_assert!((0..=100).contains(&score));
            for other in [
                Record { figures: Figures { late: (late + worse).min(count), ..one.figures }, ..one },
                Record { figures: Figures { days_late: days + worse * 100, ..one.figures }, ..one },
                Record { overdue: overdue + worse, ..one },
                Record { written_off: written_off + worse, ..one },
                Record { charged_back: charged_back + worse, ..one },
            ] {
                prop_assert!(other.score().0 <= score, "{other:?} against {one:?}");
            }
        }
    }
}
