//! RabbitMQ killed and absent under load: writes do not notice, and their effects are had when it is back.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{
    audit::{audit, quiesce},
    killed_programs::rate,
    outages::Outages,
};
use crate::harness::{
    breakable::on_a_breakable_stack,
    eventually::{SOON, eventually, lasts},
    ledger::Ledger,
    programs::SERVICES,
    report::say,
    stack::is_long_run,
    values::{dollars, name},
    writers::{Subjects, Writers},
};

fn absence() -> Duration {
    Duration::from_secs(if is_long_run() { 600 } else { 15 })
}

fn acknowledged_a_second(ledger: &Ledger, from: Instant, to: Instant) -> f64 {
    let done = ledger.between(from, to).into_iter().filter(|entry| entry.answer().is_some()).count();
    done as f64 / (to - from).as_secs_f64()
}

/// CRD-03: with the broker killed and away, writes go on at their rate; when it is back every effect is had once.
#[test]
fn writes_go_on_without_the_broker_and_have_their_effects_when_it_is_back() {
    on_a_breakable_stack(async |stack| {
        let subjects = Subjects::make(stack.tenant().await).await;
        let writers = Writers::start(&subjects, rate());
        let begun = Instant::now();
        // The comparison is with the same writers on the same machine, a moment before.
        lasts(Duration::from_secs(5)).await;
        let down = Instant::now();
        let mut outages = Outages::default();
        outages.kill(&stack, "rabbitmq", absence()).await;
        let up = Instant::now();
        let gone = down + absence();
        let (ledger, _) = writers.stop().await;

        let (before, during) =
            (acknowledged_a_second(&ledger, begun, down), acknowledged_a_second(&ledger, down, gone));
        say(format!("{before:.0} writes a second before, {during:.0} without the broker"));
        // A machine that runs other tests too gives the two moments unequal shares.
        let share = if is_long_run() { 0.9 } else { 0.5 };
        assert!(
            during >= share * before,
            "{during:.1} writes a second without the broker, {before:.1} with it"
        );
        let failed = ledger.entries().into_iter().filter(|entry| entry.answer().is_none()).count();
        assert_eq!(failed, 0, "writes failed for want of the broker");
        quiesce(&subjects).await;
        let waiting = ledger.between(down, up).len() as f64;
        say(format!("{:.0} events a second afterwards", waiting / up.elapsed().as_secs_f64()));
        audit(&subjects, &ledger).await;
        stack.nobody_panicked().await;
    });
}

/// CRD-03: services that are killed and start again while the broker is away take calls as before; what they wrote has its effects
/// when it is back.
#[test]
fn services_that_start_without_the_broker_serve_and_have_their_effects_when_it_is_back() {
    on_a_breakable_stack(async |stack| {
        let subjects = Subjects::make(stack.tenant().await).await;
        let director = subjects.tenant.director();
        let account = format!("/v1/{}", subjects.accounts[0]);

        stack.kill("rabbitmq").await;
        for service in SERVICES {
            stack.kill(service).await;
            let took = stack.revive(service).await;
            say(format!("{service} was ready after {took:.1?} without the broker"));
        }

        for path in [account.as_str(), "/v1/pipelines", "/v1/invoices"] {
            let look = || async { director.get(path).await.status };
            eventually(SOON, "the gateway to find them again", look, |status| *status == 200).await;
        }
        let deal = json!({
            "displayName": "Deal", "account": subjects.accounts[0], "pipeline": subjects.pipeline, "amount": dollars(5),
        });
        let deal = name(&director.post("/v1/opportunities", deal).await.ok());
        director.post(&format!("/v1/{deal}:win"), json!({})).await.ok();

        stack.revive("rabbitmq").await;
        let kinds = || async { director.get(&account).await.ok()["kinds"].clone() };
        eventually(SOON, "the win to arrive", kinds, |kinds| *kinds == json!(["CUSTOMER"])).await;
        stack.nobody_panicked().await;
    });
}

/// CRD-03: a broker that is killed again and again while events are on their way loses and doubles none of them.
#[test]
fn a_broker_killed_again_and_again_loses_and_doubles_no_event() {
    on_a_breakable_stack(async |stack| {
        let rounds = if is_long_run() { 20 } else { 2 };
        let subjects = Subjects::make(stack.tenant().await).await;
        let writers = Writers::start(&subjects, rate());
        let mut outages = Outages::default();
        for _ in 0..rounds {
            lasts(Duration::from_secs(2)).await;
            outages.kill(&stack, "rabbitmq", Duration::ZERO).await;
        }
        let (ledger, rate) = writers.stop().await;

        say(format!("{rounds} kills, {rate:.0} writes a second"));
        audit(&subjects, &ledger).await;
        stack.nobody_panicked().await;
    });
}
