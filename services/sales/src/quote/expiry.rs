//! Expiry: quotes that are still sent after their last day, found by the clock. When that day ends is
//! told when a quote is sent. Who is being accepted at this moment is left to the next run.

use std::{sync::OnceLock, time::Duration};

use trato_platform::{
    App,
    db::{Database, Facts, NewEvent, statement::Statements},
};
use trato_types::{Result, Timestamp, time::to_microseconds};

use super::model::Quote;
use crate::overdue::Overdue;

/// Name of the job.
pub const NAME: &str = "expire-quotes";
/// Time from one run to the next.
pub const PERIOD: Duration = Duration::from_secs(60);

/// One run of the job.
pub async fn run(app: App) -> Result<()> {
    expire(&app.database, to_microseconds(chrono::Utc::now())).await.map(drop)
}

/// Lets everything expire that is due at a time, and answers how much that was.
pub async fn expire(database: &Database, now: Timestamp) -> Result<usize> {
    static STATEMENTS: OnceLock<Statements> = OnceLock::new();
    let overdue = Overdue {
        job: NAME,
        statements: STATEMENTS.get_or_init(Statements::of::<Quote>),
        find: include_str!("../../sql/find_expired_quotes.sql"),
        lock: include_str!("../../sql/lock_expired_quotes.sql"),
        at: now,
    };
    overdue
        .change_all::<Quote>(database, now, |cx, before| {
            let mut quote = before.value.clone();
            quote.expire(now)?;
            let facts = Facts::of(&quote.expired()).at(quote.decision_time);
            let after = before.next(cx, quote);
            let event = NewEvent::with_facts(cx, "expired", Some(before), &after, facts);
            Some((after, event))
        })
        .await
}
