//! Instants and civil dates. The clock is never read here: `now` comes from the `Context`.

use chrono::{DateTime, NaiveDate, SubsecRound, Utc};

/// An instant in UTC with microseconds, PostgreSQL's precision, so that values survive a round trip.
pub type Timestamp = DateTime<Utc>;

/// A civil date without zone.
pub type Date = NaiveDate;

/// Cuts an instant to the precision the database keeps.
pub fn to_microseconds(time: Timestamp) -> Timestamp {
    time.trunc_subsecs(6)
}
