//! Every process and both servers killed in the midst of chains from an opportunity to cash.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use trato_devstack::trade::{self, Cashed, GROSS, Ground};

use super::outages::Outages;
use crate::harness::{
    breakable::on_a_breakable_stack,
    caller::Caller,
    eventually::{SOON, eventually, lasts},
    report::say,
    stack::is_long_run,
    values::{cents, text},
    writers::Insistent,
};

/// Chains that go on at once.
const CLIENTS: usize = 8;
/// What is killed, in turn.
const VICTIMS: [&str; 6] = ["sales", "billing", "customers", "gateway", "postgres", "rabbitmq"];

/// Goes through chains one after the other until it is told to stop; each call is asked for until it is answered.
async fn trade_until(stop: Arc<AtomicBool>, mut by: Insistent, ground: Ground) -> Vec<Cashed> {
    let mut told = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        told.push(trade::to_cash(&mut by, &ground).await.expect("a chain ends"));
    }
    told
}

/// All there is of a collection; panics unless there are so many, each as it should be.
async fn assert_all(by: &Caller, collection: &str, count: usize, is_done: impl Fn(&Value) -> bool) {
    let path = format!("/v1/{collection}");
    let look = || async { by.list_all(&path, collection, &[("pageSize", "1000")]).await };
    let found = eventually(SOON, collection, look, |all| all.iter().all(&is_done)).await;
    assert_eq!(found.len(), count, "{collection} were lost or made twice");
}

/// DOC-04, DOC-05, DOC-07, DOC-08, DOC-18: whatever is killed in the midst of chains from an opportunity to cash, each one is
/// finished, and exactly once: as many documents of every kind as there are chains, invoices 1 to n, everything paid.
#[test]
fn chains_are_finished_once_whatever_is_killed() {
    on_a_breakable_stack(async |stack| {
        let rounds = if is_long_run() { 10 } else { 1 };
        let mut clerk = stack.tenant().await.administrator();
        let ground = Ground::make(&mut clerk).await.expect("what documents name");
        let stop = Arc::<AtomicBool>::default();
        let client = || trade_until(stop.clone(), Insistent(clerk.clone()), ground.clone());
        let clients: Vec<_> = (0..CLIENTS).map(|_| tokio::spawn(client())).collect();
        let mut outages = Outages::default();
        for _ in 0..rounds {
            for victim in VICTIMS {
                lasts(Duration::from_millis(700)).await;
                outages.kill(&stack, victim, Duration::ZERO).await;
            }
        }
        lasts(Duration::from_secs(1)).await;
        stop.store(true, Ordering::Relaxed);
        let mut told = Vec::new();
        for client in clients {
            told.extend(client.await.expect("a client does not panic"));
        }

        let count = told.len();
        say(format!("{count} chains from opportunity to cash in {} outages", outages.len()));
        let is = |field: &'static str, value: &'static str| move |one: &Value| text(one, field) == value;
        assert_all(&clerk, "opportunities", count, is("state", "WON")).await;
        assert_all(&clerk, "quotes", count, is("state", "ACCEPTED")).await;
        assert_all(&clerk, "deliveryNotes", count, is("state", "DELIVERED")).await;
        assert_all(&clerk, "invoices", count, is("paymentState", "PAID")).await;
        assert_all(&clerk, "payments", count, is("state", "SUCCEEDED")).await;
        assert_all(&clerk, "orders", count, |order| {
            let states = ["state", "deliveryStatus", "invoiceStatus"].map(|field| text(order, field));
            states == ["FULFILLED", "FULL", "INVOICED"]
        })
        .await;
        let numbers: BTreeSet<&str> = told.iter().map(|cashed| cashed.number.as_str()).collect();
        let expected: BTreeSet<String> = (1..=count).map(|place| format!("F{place}")).collect();
        assert_eq!(
            numbers,
            expected.iter().map(String::as_str).collect(),
            "the numbers have a gap or a repeat"
        );
        let parameters = [("account", ground.account.as_str()), ("currencyCode", "USD")];
        let statement = clerk.query("/v1/receivables:queryStatement", &parameters).await.ok();
        assert_eq!(cents(&statement["closingBalance"]), 0, "what was invoiced is paid");
        let moved: i64 = statement["lines"]
            .as_array()
            .map_or(0, |lines| lines.iter().map(|line| cents(&line["amount"]).max(0)).sum());
        assert_eq!(moved, i64::try_from(count).expect("a count") * GROSS);
        stack.nobody_panicked().await;
    });
}
