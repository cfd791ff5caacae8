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
    tenant::Tenant,
    values::{text, whole},
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
        let subjects = written_about(stack.tenant().await, 100).await;
        let tenant = subjects.tenant.id.to_string();
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

/// CRD-03: a log that `trato` sends again changes nothing; a type narrows what is sent.
#[test]
fn a_log_that_the_operator_sends_again_changes_nothing() {
    on_a_breakable_stack(async |stack| {
        let subjects = written_about(stack.tenant().await, 100).await;
        let tenant = subjects.tenant.id.to_string();
        let before = read_models(&subjects).await;
        let facts = stack.facts().await;

        let replay = ["events", "replay", "--from", "sales", "--to", "customers", "--tenant", &tenant];
        let all = operator::trato(&facts, &[&replay[..], &["--json"]].concat()).await;
        let won = ["--type", "trato.sales.v1.opportunity.won", "--json"];
        let won = operator::trato(&facts, &[&replay[..], &won].concat()).await.json();
        let words = operator::trato(&facts, &replay).await;

        let sent = whole(&all.json()["sales"]["answer"]["sent"]);
        assert!(sent > 0, "{all:?}");
        assert!(whole(&won["sales"]["answer"]["sent"]) < sent, "{won} of {sent}");
        assert_eq!(words.output, format!("sales:\n  sent {sent} events to customers\n"));
        for said in [&all, &words] {
            assert!(
                said.errors.contains("sending the log of sales to customers"),
                "it says nothing: {said:?}"
            );
        }
        let nowhere = operator::trato(&facts, &["events", "replay", "--from", "sales", "--to", "moon"]).await;
        assert_eq!(nowhere.code, Some(1), "{nowhere:?}");
        drained(&subjects, "customers").await;
        quiesce(&subjects).await;
        let after = read_models(&subjects).await;
        assert!(after == before, "what came again had an effect");
        nothing_is_held(&subjects).await;
    });
}

/// CRD-03: `trato` makes read models anew in every service that keeps them, from every log, and they are those they replace.
#[test]
fn a_read_model_that_the_operator_makes_anew_is_the_one_it_replaces() {
    on_a_breakable_stack(async |stack| {
        let subjects = written_about(stack.tenant().await, 100).await;
        let before = read_models(&subjects).await;
        let facts = stack.facts().await;

        let rebuild = ["projection", "rebuild", "project-accounts", "--json"];
        let accounts = operator::trato(&facts, &rebuild).await;
        let rebuild = ["projection", "rebuild", "extend-timeline", "--lose-history", "--json"];
        let timeline = operator::trato(&facts, &rebuild).await;

        for (said, services) in [(&accounts, vec!["billing", "sales"]), (&timeline, vec!["customers"])] {
            assert_eq!(said.code, Some(0), "{said:?}");
            let rebuilt: Vec<Value> =
                said.output.lines().map(|line| serde_json::from_str(line).expect("a line")).collect();
            let mut of: Vec<&str> = rebuilt.iter().map(|one| text(one, "service")).collect();
            of.sort_unstable();
            assert_eq!(of, services);
            for one in &rebuilt {
                assert!(whole(&one["sent"]) > 0 && whole(&one["tenants"]) > 0, "{one}");
            }
            assert!(said.errors.contains("sending the log of customers to"), "it says nothing: {said:?}");
        }
        for service in SERVICES {
            drained(&subjects, service).await;
        }
        quiesce(&subjects).await;
        let after = read_models(&subjects).await;
        for (table, rows) in &before {
            assert!(after[table] == *rows, "{table} is another one");
        }
    });
}

/// A tenant that was written to so often, when all of it has had its effects.
async fn written_about(tenant: Tenant, writes: usize) -> Subjects {
    let subjects = Subjects::make(tenant).await;
    let writers = Writers::start(&subjects, rate());
    let look = || async { writers.ledger.acknowledged() };
    eventually(Duration::from_secs(60), "enough writes", look, |count| *count >= writes).await;
    writers.stop().await;
    quiesce(&subjects).await;
    subjects
}
