//! Carts that nobody writes any more: found by the clock, abandoned at the step at which they are. Who is writing one at this
//! moment is not disturbed.

use std::{sync::OnceLock, time::Duration};

use chrono::TimeDelta;
use serde::Deserialize;
use trato_platform::{
    App,
    config::{Checker, Section},
    db::{Database, Facts, NewEvent, statement::Statements},
};
use trato_types::{Error, Result, Timestamp, time::to_microseconds};

use super::model::Cart;
use crate::overdue::Overdue;

/// Name of the job.
pub const JOB: &str = "abandon-carts";
/// Time from one run to the next.
pub const PERIOD: Duration = Duration::from_secs(60);

/// `[carts]`: when a cart is abandoned.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Time without activity after which a cart is abandoned, in minutes.
    abandon_after_minutes: u32,
}

impl Settings {
    /// The same as a length of time.
    fn idle(&self) -> TimeDelta {
        TimeDelta::minutes(self.abandon_after_minutes.into())
    }
}

impl Section for Settings {
    const NAME: &'static str = "carts";

    fn check(&self, check: &mut Checker<'_>) {
        check.range("abandon_after_minutes", self.abandon_after_minutes, 1..=43_200);
    }
}

/// One run of the job.
pub async fn run(app: App) -> Result<()> {
    let settings = app.loaded.section::<Settings>();
    let settings = settings.ok_or_else(|| Error::internal("the settings of carts were not loaded"))?;
    abandon(&app.database, settings.idle(), to_microseconds(chrono::Utc::now())).await.map(drop)
}

/// Abandons every open cart that nobody has written for as long as `idle`; answers how many these were.
pub async fn abandon(database: &Database, idle: TimeDelta, now: Timestamp) -> Result<usize> {
    static STATEMENTS: OnceLock<Statements> = OnceLock::new();
    let overdue = Overdue {
        job: JOB,
        statements: STATEMENTS.get_or_init(Statements::of::<Cart>),
        find: include_str!("../../sql/find_idle_carts.sql"),
        lock: include_str!("../../sql/lock_idle_carts.sql"),
        at: now - idle,
    };
    overdue
        .change_all::<Cart>(database, now, |cx, before| {
            let mut cart = before.value.clone();
            cart.abandon(idle)?;
            let facts = Facts::default().at(cart.abandon_time);
            let after = before.next(cx, cart);
            let event = NewEvent::with_facts(cx, "abandoned", Some(before), &after, facts);
            Some((after, event))
        })
        .await
}

#[cfg(test)]
mod tests {
    use trato_platform::config::{Environment, Loader};

    use super::*;

    fn load(value: &str) -> Result<u32, String> {
        let variable = ("TRATO_CARTS__ABANDON_AFTER_MINUTES".to_owned(), value.to_owned());
        let variables = Some(variable).filter(|(_, value)| !value.is_empty());
        let loader = crate::sections(Loader::new(include_str!("../../config.toml")));
        let loaded = loader.load(&Environment::of(variables)).map_err(|faults| faults.to_string())?;
        Ok(loaded.section::<Settings>().expect("it is declared").abandon_after_minutes)
    }

    /// DOC-12: a cart is abandoned after half an hour, unless the installation says otherwise within reason.
    #[test]
    fn a_cart_is_abandoned_after_half_an_hour_unless_set_otherwise() {
        assert_eq!(load(""), Ok(30));
        assert_eq!(load("43200"), Ok(43_200));
        for wrong in ["0", "43201", "soon"] {
            let faults = load(wrong).expect_err("it is refused");
            assert!(faults.contains("carts.abandon_after_minutes"), "{wrong}: {faults}");
        }
    }
}
