//! Events that come again, and late: the read models do not notice.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use super::{
    audit::{audit, nothing_is_held, quiesce},
    killed_programs::rate,
};
use crate::harness::{
    breakable::on_a_breakable_stack,
    database,
    eventually::eventually,
    operator,
    programs::SERVICES,
    report::say,
    values::whole,
    writers::{Subjects, Writers},
};

/// Every row of the tenant in every table of the services' own, byte for byte.
async fn read_models(subjects: &Subjects) -> BTreeMap<String, Vec<Value>> {
    let mut models = BTreeMap::new();
    for service in SERVICES {
        let mut connection = database::superuser(subjects.tenant.facts(), service).await;
        for table in database::tenant_tables(&mut connection).await {
            // The inbox and the log are what replays pass through; the projected directory is a read model.
            if !table.starts_with("platform.") || table.starts_with("platform.directory") {
                let rows = database::rows(&mut connection, &table, subjects.tenant.id).await;
                models.insert(format!("{service}.{table}"), rows);
            }
        }
    }
    models
}

/// Empties the queue of a service, by waiting for a message that was sent after all others to have come through.
async fn drained(subjects: &Subjects, service: &str) {
    let facts = subjects.tenant.facts();
    let waiting = || super::poisoner::waiting(facts, service);
    eventually(Duration::from_secs(60), "the queue to be empty", waiting, |messages| *messages == 0).await;
}

/// CRD-03: the whole log of each service sent again three times, old events after new ones, changes not a byte.
#[test]
fn events_that_come_again_and_late_change_nothing() {
    on_a_breakable_stack(async |stack| {
        let subjects = Subjects::make(stack.tenant().await).await;
        let tenant = subjects.tenant.id.to_string();
        subjects.tenant.team("West", "West").await;
        let writers = Writers::start(&subjects, rate());
        let look = || async { writers.ledger.acknowledged() };
        eventually(Duration::from_secs(60), "three hundred writes", look, |count| *count >= 300).await;
        let (ledger, _) = writers.stop().await;
        quiesce(&subjects).await;
        let before = read_models(&subjects).await;
        let facts = stack.facts().await;

        let mut sent = 0;
        for _ in 0..3 {
            for (from, to) in SERVICES.into_iter().flat_map(|from| SERVICES.map(|to| (from, to))) {
                let arguments = ["events", "replay", "--to", to, "--tenant", &tenant, "--json"];
                sent += whole(&operator::run(&facts, from, &arguments).await.json()["sent"]);
            }
        }
        for service in SERVICES {
            drained(&subjects, service).await;
        }

        say(format!("{sent} events came again"));
        assert!(sent > 900, "only {sent} events came again");
        let after = read_models(&subjects).await;
        for (table, rows) in &before {
            assert!(after[table] == *rows, "{table} changed");
        }
        nothing_is_held(&subjects).await;
        audit(&subjects, &ledger).await;
    });
}

/// CRD-03: a read model that is emptied and made again from the log is the one it replaces.
#[test]
fn a_read_model_made_again_from_the_log_is_the_one_it_replaces() {
    on_a_breakable_stack(async |stack| {
        let subjects = Subjects::make(stack.tenant().await).await;
        let tenant = subjects.tenant.id.to_string();
        let writers = Writers::start(&subjects, rate());
        let look = || async { writers.ledger.acknowledged() };
        eventually(Duration::from_secs(60), "a hundred writes", look, |count| *count >= 100).await;
        writers.stop().await;
        quiesce(&subjects).await;
        let before = read_models(&subjects).await;
        let facts = stack.facts().await;

        let forgotten =
            operator::run(&facts, "customers", &["projection", "forget", "extend-timeline", "--json"]).await;
        assert!(whole(&forgotten.json()["tenants"]) >= 1);
        let emptied = read_models(&subjects).await;
        assert_eq!(emptied["customers.public.timeline_entry"], Vec::<Value>::new());
        let arguments = ["events", "replay", "--to", "customers", "--tenant", &tenant, "--json"];
        operator::run(&facts, "sales", &arguments).await.json();
        quiesce(&subjects).await;

        let after = read_models(&subjects).await;
        assert!(after == before, "the timeline is another one");
        let shown = subjects
            .tenant
            .director()
            .get(&format!("/v1/{}/timelineEntries", subjects.accounts[0]))
            .await
            .ok();
        assert_ne!(shown["timelineEntries"], json!([]));
    });
}
