//! Billing, its database and the gateway killed while documents get their numbers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::json;

use super::outages::Outages;
use crate::harness::{
    breakable::on_a_breakable_stack,
    desk::Desk,
    eventually::lasts,
    report::say,
    stack::is_long_run,
    values::{list, name, text, whole},
    writers::insist,
};

/// One in so many is voided after it is issued.
const VOIDED: usize = 5;
/// One in so many is tried before, which takes its number and gives it back.
const ABORTED: usize = 10;

/// Clients that issue at once, and how many invoices each issues at least.
fn issuers() -> (usize, usize) {
    if is_long_run() { (64, 10_000) } else { (16, 0) }
}

/// An invoice as the answers told it.
#[derive(Debug)]
struct Told {
    name: String,
    number: String,
    is_void: bool,
}

/// Issues what the desk invoices.
#[derive(Clone, Debug)]
struct Issuer(Desk);

impl Issuer {
    /// An invoice's life: drafted, some of them tried, issued, and some of them voided, each step asked for until it is answered.
    async fn invoice(&self, place: usize) -> Told {
        let voids = place.is_multiple_of(VOIDED);
        let draft = insist(&self.0.caller, "/v1/invoices", self.0.invoice()).await;
        let path = format!("/v1/{}", name(&draft));
        let issue = format!("{path}:issue");
        if place.is_multiple_of(ABORTED) {
            let tried = json!({ "numberSeries": self.0.number_series, "validateOnly": true });
            insist(&self.0.caller, &issue, tried).await;
        }
        let issued = insist(&self.0.caller, &issue, json!({ "numberSeries": self.0.number_series })).await;
        if voids {
            insist(&self.0.caller, &format!("{path}:void"), json!({ "reason": "a mistake" })).await;
        }
        Told { name: name(&issued), number: text(&issued, "number").to_owned(), is_void: voids }
    }

    /// Number of all invoices there are, and whether each is void, by their names. Page by page, since they may be many.
    async fn stored(&self) -> BTreeMap<String, (String, bool)> {
        let mut stored = BTreeMap::new();
        let mut token = String::new();
        loop {
            let parameters = [("pageSize", "1000"), ("pageToken", token.as_str())];
            let page = self.0.caller.query("/v1/invoices", &parameters).await.ok();
            for invoice in list(&page, "invoices") {
                let is_void = text(invoice, "state") == "VOID";
                stored.insert(name(invoice), (text(invoice, "number").to_owned(), is_void));
            }
            text(&page, "nextPageToken").clone_into(&mut token);
            if token.is_empty() {
                return stored;
            }
        }
    }

    /// Panics unless the whole chain of the series holds, and has so many links.
    async fn verify(&self, count: usize) {
        let mut verified = 0;
        let mut first = 1;
        while first != 0 {
            let path = format!(
                "/v1/invoices:verifyChain?numberSeries={}&firstOrdinal={first}",
                self.0.number_series
            );
            let found = self.0.caller.get(&path).await.ok();
            assert_eq!(text(&found, "fault"), "FAULT_UNSPECIFIED", "the chain is broken: {found}");
            verified += whole(&found["verified"]);
            first = whole(&found["nextOrdinal"]);
        }
        assert_eq!(verified, i64::try_from(count).expect("a count"));
    }
}

/// DOC-06, XTR-05, I12: while billing, the gateway and the database are killed at any moment, every invoice that was asked
/// for gets one number, the numbers are 1 to n, a voided invoice keeps its own, and the chain of the series is whole.
#[test]
fn invoices_issued_while_programs_are_killed_have_every_number_once() {
    on_a_breakable_stack(async |stack| {
        let rounds = if is_long_run() { 30 } else { 3 };
        let desk = Issuer(Desk::make(&stack.tenant().await).await);
        let stop = Arc::<AtomicBool>::default();
        let (clients, at_least) = issuers();
        let issuers = (0..clients).map(|issuer| {
            let (desk, stop) = (desk.clone(), stop.clone());
            tokio::spawn(async move {
                let mut told = Vec::new();
                while told.len() < at_least || !stop.load(Ordering::Relaxed) {
                    told.push(desk.invoice(issuer + told.len()).await);
                }
                told
            })
        });
        let issuers: Vec<_> = issuers.collect();
        let mut outages = Outages::default();
        for _ in 0..rounds {
            for program in ["billing", "postgres", "billing", "gateway"] {
                lasts(Duration::from_millis(700)).await;
                outages.kill(&stack, program, Duration::ZERO).await;
            }
        }
        lasts(Duration::from_secs(1)).await;
        stop.store(true, Ordering::Relaxed);
        let mut told = Vec::new();
        for issuer in issuers {
            told.extend(issuer.await.expect("an issuer does not panic"));
        }

        say(format!("{} invoices issued in {} outages", told.len(), outages.len()));
        let stored = desk.stored().await;
        assert_eq!(stored.len(), told.len(), "an invoice was made twice or lost");
        for told in &told {
            let (number, is_void) = stored.get(&told.name).expect("it is there");
            assert_eq!(number, &told.number, "{} has another number", told.name);
            assert_eq!(*is_void, told.is_void, "{} is void, or not", told.name);
        }
        let numbers: BTreeSet<String> = told.iter().map(|told| told.number.clone()).collect();
        let expected: BTreeSet<String> = (1..=told.len()).map(|place| format!("F{place:06}")).collect();
        assert_eq!(numbers, expected, "the numbers have a gap or a repeat");
        desk.verify(told.len()).await;
        stack.nobody_panicked().await;
    });
}
