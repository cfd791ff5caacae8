//! What could not take effect, as an operator sees to it with `trato`: in all services at once, by the event alone.

use serde_json::{Value, json};
use trato_devstack::Facts;
use uuid::Uuid;

use super::poisoner::{Poison, Poisoner, dead, won};
use crate::harness::{
    breakable::on_a_breakable_stack,
    eventually::{SOON, eventually},
    operator,
    values::{list, name, text, whole},
};

const WON: &str = "trato.sales.v1.opportunity.won";

/// `trato dead-letters …` in JSON.
async fn dead_letters(facts: &Facts, arguments: &[&str]) -> Value {
    operator::trato(facts, &[&["dead-letters"][..], arguments, &["--json"]].concat()).await.json()
}

/// What customers has parked of a tenant.
async fn parked(facts: &Facts, tenant: &str) -> Vec<Value> {
    let listed = dead_letters(facts, &["list", "--tenant", tenant]).await;
    list(&listed["customers"]["answer"], "parked").to_vec()
}

/// Sends two events of one deal: the first is won for an account that nobody knows, and parked; the second waits behind it.
async fn send(facts: &Facts, tenant: Uuid, account: &str) {
    let poisoner = Poisoner::connect(facts).await;
    let subject = format!("opportunities/{}", Uuid::now_v7());
    let nobody = format!("accounts/{}", Uuid::now_v7());
    for (revision, account) in [(1, nobody.as_str()), (2, account)] {
        let payload = won(&subject, account);
        let (id, kind) = (Uuid::now_v7(), WON.to_owned());
        poisoner.send(&Poison { id, tenant, kind, subject: subject.clone(), revision, payload }).await;
    }
}

/// CRD-03: `trato` finds the service that holds an event, shows it, tries it again and gives it up; then what waited behind it
/// takes effect.
#[test]
fn the_operator_shows_tries_again_and_gives_up_what_any_service_holds() {
    on_a_breakable_stack(async |stack| {
        let (facts, tenant) = (stack.facts().await, stack.tenant().await);
        let director = tenant.director();
        let account = name(&director.post("/v1/accounts", json!({ "displayName": "Late" })).await.ok());
        let id = tenant.id.to_string();

        send(&facts, tenant.id, &account).await;

        let look = || parked(&facts, &id);
        let held = eventually(SOON, "the first to be set aside", look, |held| {
            held.len() == 1 && whole(&held[0]["waiting"]) == 1
        })
        .await;
        let event = text(&held[0], "event");
        let shown = dead_letters(&facts, &["show", event]).await;
        let shown = &shown["customers"]["answer"];
        assert_eq!((text(shown, "state"), text(shown, "kind")), ("PARKED", WON), "{shown}");
        assert_eq!(text(&shown["payload"]["resource"], "displayName"), "Poison");
        let words = operator::trato(&facts, &["dead-letters", "show", event]).await.output;
        assert!(words.starts_with("customers:\n") && words.contains("reason"), "{words}");

        let again = dead_letters(&facts, &["replay", event]).await;
        let again = &again["customers"]["answer"][0];
        assert_eq!((whole(&again["handled"]), again["parked"].is_null()), (0, false), "{again}");
        let dropped = dead_letters(&facts, &["drop", event]).await;
        let dropped = &dropped["customers"]["answer"];
        assert_eq!((whole(&dropped["handled"]), dropped["parked"].is_null()), (1, true), "{dropped}");

        let kinds = || async { list(&director.get(&format!("/v1/{account}")).await.ok(), "kinds").to_vec() };
        eventually(SOON, "the second to take effect", kinds, |kinds| kinds.contains(&json!("CUSTOMER")))
            .await;
        assert_eq!(parked(&facts, &id).await, Vec::<Value>::new());
        for verb in ["show", "replay", "drop"] {
            let gone = operator::trato(&facts, &["dead-letters", verb, event]).await;
            assert_eq!(gone.code, Some(1), "{verb}: {gone:?}");
            assert!(gone.errors.contains("no service holds"), "{verb}: {gone:?}");
        }
        stack.nobody_panicked().await;
    });
}

/// CRD-03: `trato` puts the messages of a dead queue back and takes them away, of the services that are named.
#[test]
fn the_operator_puts_dead_messages_back_and_takes_them_away() {
    on_a_breakable_stack(async |stack| {
        let facts = stack.facts().await;
        let queue = ["--queue", "--service", "customers"];
        // Other tests may have left some.
        dead_letters(&facts, &[&["drop"][..], &queue[..]].concat()).await;
        let dies = || async {
            let counted = || dead(&facts, "customers");
            eventually(SOON, "the message to be dead", counted, |count| *count == 1).await;
        };
        Poisoner::connect(&facts).await.send_without_headers(WON, b"?").await;
        dies().await;

        let unnamed = operator::trato(&facts, &["dead-letters", "drop", "--queue"]).await;
        assert_eq!(unnamed.code, Some(1), "whose queue is emptied must be said: {unnamed:?}");
        let moved = dead_letters(&facts, &[&["replay"][..], &queue[..]].concat()).await;
        assert_eq!(moved, json!({ "customers": { "answer": { "moved": 1 } } }));
        dies().await;
        let dropped = dead_letters(&facts, &[&["drop"][..], &queue[..]].concat()).await;

        assert_eq!(dropped, json!({ "customers": { "answer": { "dropped": 1 } } }));
        assert_eq!(dead(&facts, "customers").await, 0);
        stack.nobody_panicked().await;
    });
}
