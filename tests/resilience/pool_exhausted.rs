//! All connections to the database in use: calls beyond are turned away in time, and nothing locks up.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use sqlx::Connection as _;
use uuid::Uuid;

use super::{
    audit::audit,
    overload::{Create, note},
};
use crate::harness::{
    breakable::on_a_breakable_stack,
    database,
    eventually::{SOON, eventually},
    flood::{Flood, Post, accepted, kinds, percentile},
    ledger::{Entry, Ledger, Outcome},
    report::say,
    stack::is_long_run,
    values::name,
    writers::Subjects,
};

/// Connections of the pool.
const POOL: &str = "4";
/// Clients that all want one.
const CLIENTS: usize = 500;
/// Longest time until a call is turned away: what it waits for a connection, and the way.
const TURNED_AWAY: Duration = Duration::from_millis(1250);
/// Clients that keep it busy and no more.
const BEST: usize = 8;

/// A change of one and the same opportunity.
#[derive(Clone, Debug)]
struct Change {
    path: String,
    request_id: Uuid,
}

impl Post for Change {
    fn path(&self) -> &str {
        &self.path
    }
    fn body(&self) -> String {
        json!({ "stage": "offer" }).to_string()
    }
    fn key(&self) -> String {
        self.request_id.to_string()
    }
}

/// A write that was answered with this resource.
fn noted(subject: &str, path: &str, body: Value, resource: Value) -> Entry {
    Entry {
        request_id: Uuid::new_v4(),
        subject: subject.to_owned(),
        path: path.to_owned(),
        body,
        sent: Instant::now(),
        took: Duration::ZERO,
        outcome: Outcome::Acknowledged(resource),
    }
}

/// F12: with four connections and five hundred clients what can be done is done, the rest is turned away in time; a row
/// that an idle transaction holds takes the answers that need it and locks nothing up.
#[test]
fn an_exhausted_pool_turns_calls_away_in_time_and_never_locks_up() {
    on_a_breakable_stack(async |stack| {
        let time = Duration::from_secs(if is_long_run() { 30 } else { 5 });
        let limits = [("TRATO_DATABASE__MAX_CONNECTIONS", POOL), ("TRATO_DATABASE__MIN_CONNECTIONS", POOL)];
        stack.restart_with("sales", &limits).await;
        let subjects = Arc::new(Subjects::make(stack.tenant().await).await);
        let director = subjects.tenant.director();
        let facts = stack.facts().await;
        let flood = Flood::of(&subjects.tenant);
        let ledger = Ledger::default();
        let make = {
            let subjects = subjects.clone();
            move |number| Create::of(&subjects, number)
        };

        let begun = Instant::now();
        let best = flood.closed(BEST, time, make.clone()).await;
        let (rate, late) = (accepted(&best, begun, time), percentile(&best, 99));
        note(&ledger, best);
        let begun = Instant::now();
        let crowd = flood.closed(CLIENTS, time, make.clone()).await;
        let slowest = crowd.iter().map(|(_, reply)| reply.took).max().unwrap_or_default();
        let crowded = accepted(&crowd, begun, time);
        say(format!(
            "{BEST} clients: {rate:.0} a second, 99 % within {late:.0?}; {CLIENTS} clients: {crowded:.0} a second, \
             {:.0} %, 99 % of these within {:.0?}, the slowest answer of all {slowest:.1?}; {:?}",
            100.0 * crowded / rate.max(1.0),
            percentile(&crowd, 99),
            kinds(&crowd),
        ));
        assert!(
            crowd.iter().all(|(_, reply)| matches!(reply.status, Some(200 | 429 | 503))),
            "{:?}",
            kinds(&crowd)
        );
        assert!(crowded > 0.0, "nothing was done");
        if is_long_run() {
            assert!(crowded >= 0.8 * rate, "{crowded:.0} of {rate:.0} a second were done");
            let refused = crowd.iter().filter(|(_, reply)| matches!(reply.status, Some(429 | 503)));
            let latest = refused.map(|(_, reply)| reply.took).max().unwrap_or_default();
            assert!(latest <= TURNED_AWAY, "a call was turned away after {latest:.1?}");
        }
        note(&ledger, crowd);

        // Somebody holds a row and does nothing.
        let body =
            json!({ "displayName": "Held", "account": subjects.accounts[0], "pipeline": subjects.pipeline });
        let made = director.post("/v1/opportunities", body.clone()).await.ok();
        let held = name(&made);
        ledger.note(noted(director.subject(), "/v1/opportunities", body, made));
        let mut holder = database::superuser(&facts, "sales").await;
        let mut idle = holder.begin().await.expect("a transaction");
        let id: Uuid = held.rsplit('/').next().unwrap_or_default().parse().expect("a name ends with an id");
        let lock = "select id from opportunity where id = $1 for update";
        sqlx::query(lock).bind(id).execute(&mut *idle).await.expect("the row can be locked");
        let path = format!("/v1/{held}:move");
        let change = move |_| Change { path: path.clone(), request_id: Uuid::new_v4() };
        let blocked = flood.closed(CLIENTS, time, change).await;
        let slowest = blocked.iter().map(|(_, reply)| reply.took).max().unwrap_or_default();
        say(format!("a row held: {:?}, the slowest answer {slowest:.1?}", kinds(&blocked)));
        assert!(
            blocked.iter().all(|(_, reply)| matches!(reply.status, Some(429 | 503))),
            "{:?}",
            kinds(&blocked)
        );
        idle.rollback().await.expect("the holder lets go");

        let (path, body) = (format!("/v1/{held}:move"), json!({ "stage": "offer" }));
        let moved = || async { director.post(&path, body.clone()).await };
        let answer = eventually(SOON, "the row to be free", moved, |answer| answer.status == 200).await;
        ledger.note(noted(director.subject(), &path, body.clone(), answer.ok()));
        let begun = Instant::now();
        let again = flood.closed(BEST, time, make).await;
        let rate = accepted(&again, begun, time);
        say(format!("afterwards {rate:.0} a second"));
        assert!(rate > 0.0, "nothing was done afterwards");
        note(&ledger, again);
        audit(&subjects, &ledger).await;
        stack.nobody_panicked().await;
    });
}
