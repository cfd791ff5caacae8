//! PostgreSQL killed under load: callers are told at once, and nothing acknowledged is lost.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{audit::audit, killed_programs::rate, outages::Outages};
use crate::harness::{
    breakable::{PATIENCE, on_a_breakable_stack},
    eventually::eventually,
    ledger::Outcome,
    report::say,
    stack::is_long_run,
    writers::{Subjects, Writers},
};

/// CRD-03: while the database is away every call is answered UNAVAILABLE, and when it is back all goes on by itself.
#[test]
fn a_killed_database_costs_an_answer_and_never_an_acknowledged_write() {
    on_a_breakable_stack(async |stack| {
        let rounds = if is_long_run() { 20 } else { 3 };
        let subjects = Subjects::make(stack.tenant().await).await;
        let director = subjects.tenant.director();
        let writers = Writers::start(&subjects, rate());
        let mut outages = Outages::default();
        let mut recoveries = Vec::new();
        for _ in 0..rounds {
            outages.kill(&stack, "postgres", Duration::from_secs(2)).await;
            let back = Instant::now();
            let body = json!({ "displayName": "Probe", "externalId": "1", "source": "probe" });
            let probe = || async {
                director.post("/v1/accounts:upsert?validateOnly=true", body.clone()).await.status
            };
            eventually(PATIENCE, "calls to pass again", probe, |status| *status == 200).await;
            recoveries.push(back.elapsed());
        }
        let (ledger, rate) = writers.stop().await;

        say(format!("{rate:.0} writes a second; passed again after {recoveries:.1?}"));
        outages.explain_all_failures(&ledger);
        for entry in ledger.entries() {
            let told = match &entry.outcome {
                Outcome::Acknowledged(_) => true,
                Outcome::Refused(code, reason) => code == "UNAVAILABLE" && !reason.is_empty(),
                Outcome::Unknown => false,
            };
            assert!(told, "{entry:?}");
        }
        let slowest = ledger.entries().iter().map(|entry| entry.took).max().unwrap_or_default();
        say(format!("the slowest answer took {slowest:.1?}"));
        if is_long_run() {
            assert!(
                slowest < Duration::from_secs(3),
                "a caller was left without an answer for {slowest:.1?}"
            );
            assert!(recoveries.iter().all(|took| *took < Duration::from_secs(10)), "{recoveries:?}");
        }
        audit(&subjects, &ledger).await;
        stack.nobody_panicked().await;
    });
}
