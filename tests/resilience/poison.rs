//! Messages that cannot be handled: set aside with a reason, while all others flow, until an operator decides.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    audit::quiesce,
    poisoner::{Poison, Poisoner, dead, won},
};
use crate::harness::{
    breakable::on_a_breakable_stack,
    eventually::{SOON, eventually},
    operator,
    report::say,
    values::{dollars, list, name, text, whole},
    writers::Subjects,
};

const WON: &str = "trato.sales.v1.opportunity.won";

async fn parked(facts: &trato_devstack::Facts, tenant: Uuid) -> Vec<Value> {
    let tenant = tenant.to_string();
    let arguments = ["dead-letters", "list", "--tenant", &tenant, "--json"];
    let listed = operator::run(facts, "customers", &arguments).await.json();
    list(&listed, "parked").to_vec()
}

/// A deal won on this account, and how long its timeline took to say so.
async fn win_one(subjects: &Subjects) -> Duration {
    let director = subjects.tenant.director();
    let account = &subjects.accounts[0];
    let body = json!({ "displayName": "Honest", "account": account, "pipeline": subjects.pipeline, "amount": dollars(1) });
    let deal = name(&director.post("/v1/opportunities", body).await.ok());
    director.post(&format!("/v1/{deal}:win"), json!({})).await.ok();
    let begun = Instant::now();
    let told = || async {
        let filter = format!("subject = \"{deal}\" AND type = \"{WON}\"");
        let found =
            director.query(&format!("/v1/{account}/timelineEntries"), &[("filter", &filter)]).await.ok();
        list(&found, "timelineEntries").len()
    };
    eventually(SOON, "an honest event to have its effect", told, |count| *count == 1).await;
    begun.elapsed()
}

/// CRD-03: poison is set aside with its reason, delays nobody, and is shown, tried again and dropped by an operator.
#[test]
fn poison_is_set_aside_with_a_reason_while_all_others_flow() {
    on_a_breakable_stack(async |stack| {
        let subjects = Subjects::make(stack.tenant().await).await;
        let (facts, tenant) = (stack.facts().await, subjects.tenant.id);
        let poisoner = Poisoner::connect(&facts).await;
        let poison = |kind: &str, payload: Vec<u8>| Poison {
            id: Uuid::now_v7(),
            tenant,
            kind: kind.to_owned(),
            subject: format!("opportunities/{}", Uuid::now_v7()),
            revision: 1,
            payload,
        };
        let garbage = poison(WON, vec![0xff; 40]);
        let unknown =
            poison("trato.sales.v1.opportunity.teleported", won("opportunities/1", &subjects.accounts[0]));
        let nobody = format!("accounts/{}", Uuid::now_v7());
        let orphan = poison(WON, won("opportunities/2", &nobody));
        let behind = Poison { id: Uuid::now_v7(), revision: 2, ..orphan.clone() };
        let dead_before = dead(&facts, "customers").await;

        for message in [&garbage, &unknown, &orphan, &behind] {
            poisoner.send(message).await;
        }
        poisoner.send_without_headers(WON, b"?").await;
        let delay = win_one(&subjects).await;

        say(format!("an honest event took {delay:.1?} beside the poison"));
        let set_aside = || parked(&facts, tenant);
        let of = |held: &[Value], poison: &Poison| -> Vec<Value> {
            held.iter().filter(|one| text(one, "event") == poison.id.to_string()).cloned().collect()
        };
        let held = eventually(SOON, "the poison to be set aside", set_aside, |held| {
            let orphaned = of(held, &orphan);
            !of(held, &garbage).is_empty() && orphaned.iter().any(|one| whole(&one["waiting"]) == 1)
        })
        .await;
        let orphaned = of(&held, &orphan);
        assert_eq!(orphaned.len(), 1, "{held:#?}");
        assert_eq!(text(&orphaned[0], "consumer"), "make-customer");
        for one in &held {
            assert!(!text(one, "reason").is_empty() && whole(&one["attempts"]) <= 5, "{one}");
        }
        let counted = || dead(&facts, "customers");
        eventually(SOON, "the message without headers to be dead", counted, |count| {
            *count == dead_before + 1
        })
        .await;

        decide(&facts, tenant, &orphan, &held).await;
        win_one(&subjects).await;
        quiesce_but_for_poison(&subjects).await;
        stack.nobody_panicked().await;
    });
}

/// Shows, tries again and drops what is held, until nothing is.
async fn decide(facts: &trato_devstack::Facts, tenant: Uuid, orphan: &Poison, held: &[Value]) {
    let event = orphan.id.to_string();
    let shown = operator::run(facts, "customers", &["dead-letters", "show", &event, "--json"]).await.json();
    assert_eq!((text(&shown, "state"), text(&shown, "kind")), ("PARKED", WON));
    assert!(shown["payload"]["resource"]["displayName"] == json!("Poison"), "{shown}");
    let again = operator::run(facts, "customers", &["dead-letters", "replay", &event, "--json"]).await.json();
    assert_eq!((whole(&again[0]["handled"]), again[0]["parked"].is_null()), (0, false), "{again}");
    let nobody =
        operator::run(facts, "customers", &["dead-letters", "show", &Uuid::now_v7().to_string()]).await;
    assert_ne!(nobody.code, Some(0), "what is not held cannot be shown");

    for one in held {
        let (event, consumer) = (text(one, "event"), text(one, "consumer"));
        operator::run(facts, "customers", &["dead-letters", "drop", event, "--consumer", consumer, "--json"])
            .await
            .json();
    }
    // The one that waited is at the head now, and fails like the one before it.
    for one in parked(facts, tenant).await {
        let (event, consumer) = (text(&one, "event"), text(&one, "consumer"));
        operator::run(facts, "customers", &["dead-letters", "drop", event, "--consumer", consumer, "--json"])
            .await
            .json();
    }
    assert_eq!(parked(facts, tenant).await, Vec::<Value>::new());
}

async fn quiesce_but_for_poison(subjects: &Subjects) {
    let dropped = || async {
        let facts = subjects.tenant.facts();
        super::poisoner::waiting(facts, "customers").await
    };
    eventually(SOON, "the queue to be empty", dropped, |count| *count == 0).await;
}

/// CRD-03: what failed for a reason that has passed takes effect when it is tried again, with all that waited behind it.
#[test]
fn what_was_set_aside_takes_effect_once_its_reason_has_passed() {
    on_a_breakable_stack(async |stack| {
        let subjects = Subjects::make(stack.tenant().await).await;
        let (facts, tenant) = (stack.facts().await, subjects.tenant.id);
        let director = subjects.tenant.director();
        let account = name(&director.post("/v1/accounts", json!({ "displayName": "Late" })).await.ok());
        quiesce(&subjects).await;
        // An account of which customers has lost sight: deleted, it cannot become a customer.
        let hidden = format!("accounts/{}", Uuid::now_v7());
        let poisoner = Poisoner::connect(&facts).await;
        let subject = format!("opportunities/{}", Uuid::now_v7());
        for (revision, payload) in [(1, won(&subject, &hidden)), (2, won(&subject, &account))] {
            let poison = Poison {
                id: Uuid::now_v7(),
                tenant,
                kind: WON.to_owned(),
                subject: subject.clone(),
                revision,
                payload,
            };
            poisoner.send(&poison).await;
        }
        let set_aside = || parked(&facts, tenant);
        let held = eventually(SOON, "the first to be set aside", set_aside, |held| {
            held.len() == 1 && whole(&held[0]["waiting"]) == 1
        })
        .await;
        let kinds = || async { list(&director.get(&format!("/v1/{account}")).await.ok(), "kinds").to_vec() };
        assert!(kinds().await.is_empty(), "the second overtook the first");

        let event = text(&held[0], "event");
        let dropped =
            operator::run(&facts, "customers", &["dead-letters", "drop", event, "--json"]).await.json();

        assert_eq!((whole(&dropped["handled"]), dropped["parked"].is_null()), (1, true), "{dropped}");
        eventually(SOON, "the second to take effect", kinds, |kinds| kinds.contains(&json!("CUSTOMER")))
            .await;
        assert_eq!(parked(&facts, tenant).await, Vec::<Value>::new());
    });
}
