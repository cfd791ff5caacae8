//! Every process and both servers killed in the midst of chains from an opportunity to cash, and of the way back.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use trato_devstack::trade::{self, Billed, Cashed, GROSS, Ground, Returned};

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

/// Goes through chains one after the other until it is told to stop, and all the way back after every second one; each call is
/// asked for until it is answered. Every second chain is invoiced by its quote, the others by their delivery notes; the client's
/// place says by which the first one is, so that of both some go back.
async fn trade_until(
    stop: Arc<AtomicBool>,
    mut by: Insistent,
    ground: Ground,
    place: usize,
) -> Vec<(Cashed, Option<Returned>)> {
    let mut told: Vec<(Cashed, Option<Returned>)> = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let is_by_quote = (place + told.len()).is_multiple_of(2);
        let billed = if is_by_quote { Billed::Quote } else { Billed::DeliveryNote };
        let cashed = trade::to_cash(&mut by, &ground, billed).await.expect("a chain ends");
        let returned = if told.last().is_none_or(|(_, returned)| returned.is_none()) {
            Some(trade::and_back(&mut by, &ground, &cashed).await.expect("all of it comes back"))
        } else {
            None
        };
        told.push((cashed, returned));
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

/// Names of one document of each chain that went all the way back.
fn names<'a>(back: &[(&'a Cashed, &'a Returned)], name: fn(&Cashed) -> &str) -> BTreeSet<&'a str> {
    back.iter().map(|&(cashed, _)| name(cashed)).collect()
}

/// Panics unless these are the numbers 1 to n of a series.
fn assert_no_gap<'a>(prefix: &str, numbers: impl IntoIterator<Item = &'a str>, count: usize) {
    let numbers: BTreeSet<&str> = numbers.into_iter().collect();
    let expected: BTreeSet<String> = (1..=count).map(|place| format!("{prefix}{place}")).collect();
    let expected: BTreeSet<&str> = expected.iter().map(String::as_str).collect();
    assert_eq!(numbers, expected, "the numbers have a gap or a repeat");
}

/// DOC-04, DOC-05, DOC-07, DOC-08, DOC-09, DOC-18: whatever is killed in the midst of chains from an opportunity to cash and of
/// the way back, each one is finished, and exactly once: as many documents of every kind as there are chains, invoices and credit
/// notes 1 to n, everything paid, and what came back refunded.
#[test]
fn chains_are_finished_once_whatever_is_killed() {
    on_a_breakable_stack(async |stack| {
        let rounds = if is_long_run() { 10 } else { 1 };
        let mut clerk = stack.tenant().await.administrator();
        let ground = Ground::make(&mut clerk).await.expect("what documents name");
        let stop = Arc::<AtomicBool>::default();
        let client = |place| trade_until(stop.clone(), Insistent(clerk.clone()), ground.clone(), place);
        let clients: Vec<_> = (0..CLIENTS).map(|place| tokio::spawn(client(place))).collect();
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
        let back: Vec<_> = told.iter().filter_map(|(cashed, back)| Some((cashed, back.as_ref()?))).collect();
        say(format!("{count} chains to cash, {} of them and back, in {} outages", back.len(), outages.len()));
        let is = |field: &'static str, value: &'static str| move |one: &Value| text(one, field) == value;
        assert_all(&clerk, "opportunities", count, is("state", "WON")).await;
        assert_all(&clerk, "quotes", count, is("state", "ACCEPTED")).await;
        assert_all(&clerk, "deliveryNotes", count, is("state", "DELIVERED")).await;
        assert_all(&clerk, "salesReturns", back.len(), is("state", "SETTLED")).await;
        assert_all(&clerk, "creditNotes", back.len(), is("state", "ISSUED")).await;
        let refunded = names(&back, |cashed| &cashed.invoice);
        assert_all(&clerk, "invoices", count, |invoice| {
            let state = if refunded.contains(text(invoice, "name")) { "REFUNDED" } else { "PAID" };
            text(invoice, "paymentState") == state
        })
        .await;
        let refunded = names(&back, |cashed| &cashed.payment);
        assert_all(&clerk, "payments", count, |payment| {
            let state = if refunded.contains(text(payment, "name")) { "REFUNDED" } else { "SUCCEEDED" };
            text(payment, "state") == state
        })
        .await;
        let returned = names(&back, |cashed| &cashed.order);
        assert_all(&clerk, "orders", count, |order| {
            let states = ["state", "deliveryStatus", "invoiceStatus"].map(|field| text(order, field));
            let is_back = returned.contains(text(order, "name"));
            let [delivery, invoice] = if is_back { ["RETURNED", "CREDITED"] } else { ["FULL", "INVOICED"] };
            states == ["FULFILLED", delivery, invoice]
        })
        .await;
        assert_no_gap("F", told.iter().map(|(cashed, _)| cashed.number.as_str()), count);
        assert_no_gap("C", back.iter().map(|(_, returned)| returned.number.as_str()), back.len());
        let parameters = [("account", ground.account.as_str()), ("currencyCode", "USD")];
        let statement = clerk.query("/v1/receivables:queryStatement", &parameters).await.ok();
        assert_eq!(
            cents(&statement["closingBalance"]),
            0,
            "what was invoiced is paid, and what was credited given back"
        );
        let moved: i64 = statement["lines"]
            .as_array()
            .map_or(0, |lines| lines.iter().map(|line| cents(&line["amount"]).max(0)).sum());
        let count = i64::try_from(count + back.len()).expect("a count");
        assert_eq!(moved, count * GROSS, "invoices, and what was given back");
        stack.nobody_panicked().await;
    });
}
