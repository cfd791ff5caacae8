//! Rules of opportunities, without a database: each verb by itself, any sequence of them, and pasts that are told.

mod past;
mod sequences;
mod verbs;

use std::sync::Arc;

use trato_types::{Actor, Context, Currency, Date, Id, Minor, Ref, Scope, Timestamp};
use uuid::Uuid;

use super::{
    history::History,
    model::{Opportunity, State},
};
use crate::pipeline::{Stage, Stages};

/// A day of November 2026.
fn day(day: u32) -> Date {
    Date::from_ymd_opt(2026, 11, day).expect("a day of November")
}

/// Noon of that day.
fn noon(day_of_month: u32) -> Timestamp {
    day(day_of_month).and_hms_opt(12, 0, 0).expect("noon").and_utc()
}

/// A call of Ana's.
fn at(now: Timestamp) -> Context {
    Context {
        tenant: Uuid::nil(),
        actor: Actor::Member("ana".into()),
        scope: Scope::All,
        teams: Arc::new([]),
        method: "test".into(),
        now,
        traceparent: None,
        cause: None,
    }
}

/// Three stages: prospecting (10 %), engaging (40 %) and closing (80 %).
fn stages() -> Stages {
    let stage = |(key, probability_percent): (&str, i32)| Stage {
        key: key.parse().expect("a key"),
        display_name: key.to_owned(),
        probability_percent,
        max_days: 0,
    };
    Stages::new([("prospecting", 10), ("engaging", 40), ("closing", 80)].map(stage).to_vec())
        .expect("valid stages")
}

/// An opportunity worth 1,000.00 USD, begun at noon of the first at the first stage.
fn opportunity() -> Opportunity {
    let mut opportunity = Opportunity {
        owner: None,
        team: None,
        display_name: "Ten presses".parse().expect("a name"),
        account: Some(Ref::from_uuid(Uuid::from_u128(7))),
        contact: None,
        pipeline: Id::from_uuid(Uuid::from_u128(1)),
        stage: "prospecting".parse().expect("a key"),
        stage_time: None,
        state: State::Open,
        product: None,
        amount: Some(Minor(100_000)),
        currency: Some(Currency::USD),
        close_date: None,
        probability_percent: 10,
        next_step: String::new(),
        next_step_date: None,
        lost_reason: None,
        lost_note: String::new(),
        close_time: None,
        description: String::new(),
        history: History::as_stored(),
    };
    opportunity.begin(&at(noon(1)));
    opportunity
}
