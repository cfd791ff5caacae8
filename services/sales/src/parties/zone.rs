//! Days where documents are made out. Pure.

use chrono::{NaiveTime, TimeDelta, TimeZone as _};
use chrono_tz::Tz;
use trato_types::{Date, Timestamp};

/// Most hours that a clock was ever put on at once: a whole day, where a day was left out.
const LEFT_OUT: i64 = 24;

/// The day that it is in a zone at an instant.
pub fn day_in(zone: Tz, time: Timestamp) -> Date {
    time.with_timezone(&zone).date_naive()
}

/// The first instant in a zone after a day. Where clocks skip midnight, it is the one at which they go on.
pub fn end_of(zone: Tz, day: Date) -> Option<Timestamp> {
    let midnight = day.succ_opt()?.and_time(NaiveTime::MIN);
    let mut begins =
        (0..=LEFT_OUT).map(|hours| zone.from_local_datetime(&(midnight + TimeDelta::hours(hours))));
    begins.find_map(|begin| begin.earliest()).map(|begin| begin.to_utc())
}

#[cfg(test)]
mod tests {
    use trato_pricing::Period;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn day(text: &str) -> Date {
        text.parse().expect("a day")
    }

    /// At one instant it is three days on Earth, and each of them ends at another one.
    #[test]
    fn a_day_is_one_of_a_zone() {
        let (first, last) = (Tz::Pacific__Kiritimati, Tz::Etc__GMTPlus12);
        let days = [first, Tz::UTC, last].map(|zone| day_in(zone, at("2026-03-10T10:30:00Z")));
        assert_eq!(days, [day("2026-03-11"), day("2026-03-10"), day("2026-03-09")]);
        let ends = [first, Tz::UTC, last].map(|zone| end_of(zone, day("2026-03-10")).expect("it ends"));
        assert_eq!(
            ends,
            [at("2026-03-10T10:00:00Z"), at("2026-03-11T00:00:00Z"), at("2026-03-11T12:00:00Z")]
        );
    }

    /// DOC-11: what ends on the last day of the year holds in Mexico until midnight there, six hours after that of UTC, and in Auckland
    /// no longer than until midnight there, thirteen hours before.
    #[test]
    fn what_ends_on_a_day_ends_with_it_in_a_zone() {
        let year = Period { from: None, until: Some(day("2026-12-31")) };
        let holds = |zone, time| year.holds(day_in(zone, at(time)));

        assert!(holds(Tz::America__Mexico_City, "2027-01-01T05:59:59Z"));
        assert!(!holds(Tz::America__Mexico_City, "2027-01-01T06:00:00Z"));
        assert!(holds(Tz::Pacific__Auckland, "2026-12-31T10:59:59Z"));
        assert!(!holds(Tz::Pacific__Auckland, "2026-12-31T11:00:00Z"));
    }

    /// In Beirut clocks are put on at midnight in spring; on Samoa a whole day was left out.
    #[test]
    fn a_day_ends_also_where_clocks_skip_midnight() {
        assert_eq!(end_of(Tz::Asia__Beirut, day("2022-03-26")), Some(at("2022-03-26T22:00:00Z")));
        assert_eq!(end_of(Tz::Pacific__Apia, day("2011-12-29")), Some(at("2011-12-30T10:00:00Z")));
    }
}
