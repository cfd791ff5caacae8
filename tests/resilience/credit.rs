//! Billing and what is around it killed while orders are confirmed.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::json;

use super::outages::Outages;
use crate::{
    flows::orders::trade,
    harness::{
        breakable::on_a_breakable_stack,
        caller::Caller,
        eventually::{SOON, eventually, lasts},
        report::say,
        stack::is_long_run,
        values::{cents, dollars, name, text},
        writers::insist,
    },
};

/// Clients that confirm at once.
const SELLERS: usize = 8;
/// One in so many is cancelled after it is confirmed.
const CANCELLED: usize = 4;

/// Who orders what.
#[derive(Clone, Debug)]
struct Seller {
    caller: Caller,
    account: String,
    product: String,
}

/// An order as the answers told it.
#[derive(Debug)]
struct Told {
    name: String,
    number: String,
    is_cancelled: bool,
}

impl Seller {
    /// An order's life: drafted, confirmed, and some of them cancelled, each step asked for until it is answered.
    async fn order(&self, cancels: bool) -> Told {
        let document =
            json!({ "currencyCode": "USD", "lines": [{ "product": self.product, "quantity": "1" }] });
        let draft =
            insist(&self.caller, "/v1/orders", json!({ "account": self.account, "document": document }))
                .await;
        let path = format!("/v1/{}", name(&draft));
        let confirmed = insist(&self.caller, &format!("{path}:confirm"), json!({})).await;
        if cancels {
            insist(&self.caller, &format!("{path}:cancel"), json!({ "reason": "not wanted" })).await;
        }
        Told { name: name(&draft), number: text(&confirmed, "number").to_owned(), is_cancelled: cancels }
    }

    /// Cents that are reserved for the account.
    async fn reserved(&self) -> i64 {
        let path = format!("/v1/creditProfiles:assess?account={}", self.account);
        cents(&self.caller.get(&path).await.ok()["reserved"])
    }
}

/// DOC-04, XTR-05, CRD-03: while billing, sales and the gateway are killed at any moment, every order is confirmed once, under one
/// number, with one reservation; and what is reserved is what the confirmed orders come to.
#[test]
fn orders_confirmed_while_billing_is_killed_take_credit_once() {
    on_a_breakable_stack(async |stack| {
        let rounds = if is_long_run() { 30 } else { 3 };
        let (trade, product) = trade(&stack.tenant().await).await;
        trade.numbers("ORDER", "O").await;
        let limit = json!({ "account": trade.account, "creditLimit": dollars(100_000_000) });
        trade.made("creditProfiles", limit).await;
        let seller = Seller { caller: trade.seller, account: trade.account, product };
        let stop = Arc::<AtomicBool>::default();
        let sellers = (0..SELLERS).map(|number| {
            let (seller, stop) = (seller.clone(), stop.clone());
            tokio::spawn(async move {
                let mut told = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let cancels = (number + told.len()).is_multiple_of(CANCELLED);
                    told.push(seller.order(cancels).await);
                }
                told
            })
        });
        let sellers: Vec<_> = sellers.collect();
        let mut outages = Outages::default();
        for _ in 0..rounds {
            for program in ["billing", "sales", "billing", "gateway"] {
                lasts(Duration::from_millis(700)).await;
                outages.kill(&stack, program, Duration::ZERO).await;
            }
        }
        lasts(Duration::from_secs(1)).await;
        stop.store(true, Ordering::Relaxed);
        let mut told = Vec::new();
        for seller in sellers {
            told.extend(seller.await.expect("a seller does not panic"));
        }

        say(format!("{} orders confirmed in {} outages", told.len(), outages.len()));
        let pages = &[("pageSize", "1000")];
        let stored = seller.caller.list_all("/v1/orders", "orders", pages).await;
        assert_eq!(stored.len(), told.len(), "an order was made twice or lost");
        let mut going = 0;
        for told in &told {
            let order = stored.iter().find(|order| name(order) == told.name).expect("it is there");
            assert_eq!(text(order, "number"), told.number, "{} has another number", told.name);
            let state = if told.is_cancelled { "CANCELLED" } else { "CONFIRMED" };
            assert_eq!(text(order, "state"), state, "{}", told.name);
            if !told.is_cancelled {
                going += cents(&order["document"]["totals"]["gross"]);
            }
        }
        let numbers: BTreeSet<String> = told.iter().map(|told| told.number.clone()).collect();
        assert_eq!(numbers.len(), told.len(), "a number was given twice");
        let look = || seller.reserved();
        eventually(SOON, "the exposure to be that of the confirmed orders", look, |reserved| {
            *reserved == going
        })
        .await;
        let look = || async {
            let found = seller.caller.list_all("/v1/creditReservations", "creditReservations", pages).await;
            let lapsing =
                found.iter().filter(|one| text(one, "state") == "OPEN" && !one["expireTime"].is_null());
            (found.len(), lapsing.count())
        };
        let expected = (told.len(), 0);
        eventually(SOON, "one lasting reservation for each order", look, |seen| *seen == expected).await;
        stack.nobody_panicked().await;
    });
}
