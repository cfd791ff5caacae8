//! Backups made while the suite serves, and databases that go back to an earlier moment: all of them, or one alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use trato_devstack::Facts;
use uuid::Uuid;

use super::{
    audit::{effects_agree, quiesce},
    killed_programs::rate,
};
use crate::{
    flows::orders::{trade, until_invoiced},
    harness::{
        breakable::{Breakable, on_a_breakable_stack},
        caller::Caller,
        eventually::{SOON, eventually},
        ledger::Ledger,
        operator,
        programs::SERVICES,
        report::say,
        tenant::Tenant,
        values::{dollars, list, name, text, whole},
        writers::{Subjects, Writers},
    },
};

/// A backup: its folder, and the moment it is of.
struct Backup {
    folder: String,
    from: Instant,
    to: Instant,
}

/// Makes a backup where the arguments say.
async fn back_up(facts: &Facts, place: &[&str]) -> Backup {
    let begun = Instant::now();
    let arguments = [&["backup", "--json"], place].concat();
    let made = operator::trato(facts, &arguments).await.json();
    say(format!("a backup took {:.1?}: {}", begun.elapsed(), made["manifest"]["services"]));
    let (now, today) = (Instant::now(), Utc::now());
    let instant = |field: &str| {
        let time: DateTime<Utc> = text(&made["manifest"], field).parse().expect("a time");
        now - (today - time).to_std().expect("the moment has passed")
    };
    Backup { from: instant("from"), to: instant("to"), folder: text(&made, "folder").to_owned() }
}

async fn restore(facts: &Facts, backup: &Backup, further: &[&str]) -> Value {
    let mut arguments = vec!["restore", "--from", &backup.folder, "--replace", "--json"];
    arguments.extend(further);
    let begun = Instant::now();
    let said = operator::trato(facts, &arguments).await;
    say(format!("a restore took {:.1?}", begun.elapsed()));
    // Other tests have left made-up events in the inboxes, of which no log knows.
    assert!(matches!(said.code, Some(0 | 3)), "{said:?}");
    serde_json::from_str(&said.output).expect("it answers in JSON")
}

async fn acknowledged(writers: &Writers, further: usize) {
    let wanted = writers.ledger.acknowledged() + further;
    let count = || async { writers.ledger.acknowledged() };
    eventually(SOON, "further writes", count, |count| *count >= wanted).await;
}

/// What is lost of the tenant: subject, revision and the revision that is left.
fn lost(restored: &Value, subjects: &Subjects) -> BTreeMap<(String, i64), Value> {
    let tenant = subjects.tenant.id.to_string();
    let lost = list(&restored["reconciliation"], "lost").iter();
    lost.filter(|one| text(one, "tenant") == tenant)
        .map(|one| ((text(one, "subject").to_owned(), whole(&one["revision"])), one.clone()))
        .collect()
}

async fn every_read_model_agrees(facts: &Facts, subjects: &Subjects) {
    let tenant = subjects.tenant.id.to_string();
    for consumer in ["extend-timeline", "project-accounts", "project-members"] {
        let arguments = ["projection", "compare", consumer, "--tenant", &tenant, "--json"];
        let compared = operator::trato(facts, &arguments).await;
        assert_eq!(compared.code, Some(0), "{consumer} differs: {compared:?}");
    }
}

async fn revive(stack: &Breakable, programs: &[&str]) {
    for program in programs {
        stack.revive(program).await;
    }
}

/// F17: a backup made under load is of one moment. Restored, everything that was acknowledged before it is there, nothing
/// that was sent after it is, and the services agree without a loss.
#[test]
fn restoring_everything_brings_back_one_moment() {
    on_a_breakable_stack(async |stack| {
        let facts = stack.facts().await;
        let subjects = Subjects::make(stack.tenant().await).await;
        let writers = Writers::start(&subjects, rate());
        acknowledged(&writers, 150).await;
        let folder = facts.home.join("backup-of-all").display().to_string();
        let backup = back_up(&facts, &["--to", &folder]).await;
        acknowledged(&writers, 150).await;
        let (ledger, rate) = writers.stop().await;
        say(format!("{rate:.0} writes a second"));
        let shut_out = ShutOut::since(&facts, &subjects.tenant, stack.tenant().await).await;
        let refused = operator::trato(&facts, &["restore", "--from", &backup.folder]).await;
        assert_eq!(refused.code, Some(1), "what runs and holds something is not replaced: {refused:?}");
        for program in SERVICES {
            stack.kill(program).await;
        }

        let restored = restore(&facts, &backup, &[]).await;

        assert_eq!(lost(&restored, &subjects), BTreeMap::new(), "the backup is not of one moment");
        assert_eq!(restored["barred"]["unreadable"], json!({}), "{restored:#}");
        revive(&stack, &SERVICES).await;
        shut_out.still().await;
        quiesce(&subjects).await;
        the_ledger_ends_at(&backup, &ledger, &subjects).await;
        effects_agree(&subjects).await;
        every_read_model_agrees(&facts, &subjects).await;
        goes_on(&subjects).await;
        stack.nobody_panicked().await;
    });
}

/// Whom the operator shut out after the backup, and somebody who was not.
struct ShutOut {
    leaked: Caller,
    neighbour: Caller,
    suspended: Tenant,
}

impl ShutOut {
    async fn since(facts: &Facts, tenant: &Tenant, suspended: Tenant) -> Self {
        let [leaked, neighbour] =
            ["leaky", "other"].map(|subject| tenant.caller(subject, &["commercial-director"]));
        let revoke = ["token", "revoke", "--stdin", "--json"];
        operator::trato_given(facts, &revoke, leaked.token()).await.json();
        let id = suspended.id.to_string();
        operator::trato(facts, &["tenant", "suspend", &id, "--json"]).await.json();
        Self { leaked, neighbour, suspended }
    }

    /// I4: a restore lets nobody in again, not for its first calls either.
    async fn still(&self) {
        let director = self.suspended.director();
        for path in ["/v1/accounts", "/v1/opportunities", "/v1/invoices"] {
            // Until then the gateway may find nobody there.
            let let_in = || async { self.neighbour.get(path).await.status };
            eventually(SOON, "a service that answers", let_in, |status| *status == 200).await;
            assert_eq!(self.leaked.get(path).await.status, 401, "{path}");
            assert_eq!(director.get(path).await.status, 403, "{path}");
        }
    }
}

/// Every resource has at least the writes that were acknowledged before the moment, and none that was sent after it.
async fn the_ledger_ends_at(backup: &Backup, ledger: &Ledger, subjects: &Subjects) {
    let director = subjects.tenant.director();
    let mut revisions = BTreeMap::new();
    for collection in ["accounts", "opportunities"] {
        let path = format!("/v1/{collection}");
        for one in director.list_all(&path, collection, &[("pageSize", "1000")]).await {
            revisions.insert(name(&one), revision(&one));
        }
    }
    // Each write is one revision of what it was answered with.
    let (mut least, mut most) = (BTreeMap::<String, i64>::new(), BTreeMap::<String, i64>::new());
    for entry in ledger.entries() {
        let Some(answer) = entry.answer() else { continue };
        *least.entry(name(answer)).or_default() += i64::from(entry.sent + entry.took < backup.from);
        *most.entry(name(answer)).or_default() += i64::from(entry.sent <= backup.to);
    }
    let mut kept = 0;
    for (resource, least) in &least {
        let (found, most) = (revisions.get(resource).copied().unwrap_or_default(), most[resource]);
        assert!((*least..=most).contains(&found), "{resource}: {found} of {least} to {most} writes");
        kept += i64::from(found > 0);
    }
    let gone = i64::try_from(least.len()).expect("a count") - kept;
    say(format!("{kept} resources are back, {gone} came after the moment"));
    assert!(kept > 0 && gone > 0, "the moment lies before or after all writes");
}

/// The revision of a resource.
fn revision(resource: &Value) -> i64 {
    text(resource, "etag").trim_matches('"').parse().expect("an etag is the revision")
}

/// What was restored takes writes, and their effects are had.
async fn goes_on(subjects: &Subjects) {
    let director = subjects.tenant.director();
    let account = &subjects.accounts[1];
    let body = json!({ "displayName": "Later", "account": account, "pipeline": subjects.pipeline, "amount": dollars(1) });
    let deal = name(&director.post("/v1/opportunities", body).await.ok());
    let told = || async {
        let filter = format!("subject = \"{deal}\"");
        let path = format!("/v1/{account}/timelineEntries");
        list(&director.query(&path, &[("filter", &filter)]).await.ok(), "timelineEntries").len()
    };
    eventually(SOON, "the restored suite to go on", told, |count| *count == 1).await;
}

/// F17: one database that goes back further than the others gets what they know, and what only it knew is named exactly.
#[test]
fn restoring_one_service_closes_its_gap_and_names_what_is_lost() {
    on_a_breakable_stack(async |stack| {
        let facts = stack.facts().await;
        let subjects = Subjects::make(stack.tenant().await).await;
        let director = subjects.tenant.director();
        quiesce(&subjects).await;
        let within = facts.home.join("backups").display().to_string();
        let backup = back_up(&facts, &["--in", &within, "--keep", "1"]).await;
        let known = operator::trato(&facts, &["backups", "--in", &within, "--json"]).await.json();
        assert_eq!(known["backups"][0]["folder"], backup.folder.as_str());

        // Known to sales too: an account that is new, one that changed, and one that became a customer by a win.
        let new = name(&director.post("/v1/accounts", json!({ "displayName": "New" })).await.ok());
        let changed = subjects.accounts[2].as_str();
        let path = format!("/v1/{changed}?updateMask=displayName");
        director.patch(&path, json!({ "displayName": "Renamed" })).await.ok();
        let winner = subjects.accounts[3].as_str();
        let body = json!({ "displayName": "Won", "account": winner, "pipeline": subjects.pipeline, "amount": dollars(5) });
        let deal = name(&director.post("/v1/opportunities", body).await.ok());
        director.post(&format!("/v1/{deal}:win"), json!({})).await.ok();
        let is_customer = || async {
            list(&director.get(&format!("/v1/{winner}")).await.ok(), "kinds").contains(&json!("CUSTOMER"))
        };
        eventually(SOON, "the win to arrive", is_customer, |customer| *customer).await;
        quiesce(&subjects).await;
        heard_by_sales(&facts, &[(new.as_str(), 1), (changed, 2), (winner, 2)]).await;
        stack.kill("customers").await;

        let restored = restore(&facts, &backup, &["--service", "customers"]).await;

        let lost = lost(&restored, &subjects);
        let named: BTreeSet<(&str, i64, Option<i64>)> = lost
            .iter()
            .map(|((subject, revision), one)| (subject.as_str(), *revision, one["kept_revision"].as_i64()))
            .collect();
        let expected = [(new.as_str(), 1, None), (changed, 2, Some(1)), (winner, 2, Some(1))];
        assert_eq!(named, BTreeSet::from(expected), "{restored:#}");
        for one in lost.values() {
            let witness = &one["heard_by"][0];
            assert_eq!((text(one, "service"), text(witness, "consumer")), ("customers", "project-accounts"));
            assert_eq!(witness["tables"], json!(["account"]), "it is said where it still shows");
        }
        revive(&stack, &["customers"]).await;
        quiesce(&subjects).await;
        eventually(SOON, "the win to take effect again", is_customer, |customer| *customer).await;
        assert_eq!(director.get(&format!("/v1/{new}")).await.status, 404);
        let back = director.get(&format!("/v1/{changed}")).await.ok();
        assert_eq!((text(&back, "displayName"), revision(&back)), ("Subject 2", 3));
        let won = director.get(&format!("/v1/{winner}")).await.ok();
        assert_eq!(revision(&won), 4, "lifted above what was lost, then won again");
        only_the_new_account_differs(&facts, &subjects, &new).await;
        goes_on(&subjects).await;
        stack.nobody_panicked().await;
    });
}

/// F17, DOC-06: billing that goes back alone names the invoices it issued since, with the orders that were told of them. Their
/// drafts stand above what was heard of them, the chain of numbers is whole, and orders hear of what is done anew.
#[test]
fn restoring_billing_alone_names_the_lost_invoices_and_leaves_its_chain_whole() {
    on_a_breakable_stack(async |stack| {
        let facts = stack.facts().await;
        let subjects = Subjects::make(stack.tenant().await).await;
        let (trade, product) = trade(&subjects.tenant).await;
        trade.numbers("ORDER", "O").await;
        let series = trade.billing_numbers("INVOICE", "F").await;
        let next_series = trade.billing_numbers("INVOICE", "G").await;
        let order = async || {
            let document =
                json!({ "currencyCode": "USD", "lines": [{ "product": product, "quantity": "2" }] });
            let order = trade.made("orders", json!({ "account": trade.account, "document": document })).await;
            let confirm = json!({ "requestId": Uuid::new_v4() });
            trade.seller.post(&format!("/v1/{order}:confirm"), confirm).await.ok();
            order
        };
        let issue = async |invoice: &str, series: &str| {
            let request = json!({ "numberSeries": series, "requestId": Uuid::new_v4() });
            trade.biller.post(&format!("/v1/{invoice}:issue"), request).await.ok()
        };
        let (invoiced, drafted, missed) = (order().await, order().await, order().await);
        trade.invoice(trade.invoicing(&invoiced, &series)).await.ok();
        let request = json!({
            "sourceDocument": drafted, "legalEntity": trade.legal_entity, "requestId": Uuid::new_v4(),
        });
        let draft = trade.invoice(request).await.ok();
        until_invoiced(&trade.seller, &invoiced, "INVOICED").await;
        quiesce(&subjects).await;
        let folder = facts.home.join("backup-of-billing").display().to_string();
        let backup = back_up(&facts, &["--to", &folder]).await;

        let issued = issue(&name(&draft), &series).await;
        let gone = trade.invoice(trade.invoicing(&missed, &series)).await.ok();
        assert_eq!((text(&issued, "number"), text(&gone, "number")), ("F2", "F3"));
        for order in [&drafted, &missed] {
            until_invoiced(&trade.seller, order, "INVOICED").await;
        }
        stack.kill("billing").await;

        let restored = restore(&facts, &backup, &["--service", "billing"]).await;

        let lost = lost(&restored, &subjects);
        assert_eq!(lost.len(), 2, "{restored:#}");
        for (invoice, kept, order) in [(&issued, Some(revision(&draft)), &drafted), (&gone, None, &missed)] {
            let one = &lost[&(name(invoice), revision(invoice))];
            assert_eq!((text(one, "service"), one["kept_revision"].as_i64()), ("billing", kept), "{one:#}");
            let witness = &one["heard_by"][0];
            assert_eq!((text(witness, "service"), text(witness, "consumer")), ("sales", "record-invoices"));
            let effect = &one["effects"][0];
            assert_eq!((text(effect, "service"), text(effect, "subject")), ("sales", order.as_str()));
        }
        let sent = list(&restored["reconciliation"], "sent");
        assert!(
            sent.iter().any(|sent| (text(sent, "from"), text(sent, "to")) == ("sales", "billing")),
            "billing heard nothing of what orders did since: {sent:?}"
        );
        revive(&stack, &["billing"]).await;
        quiesce(&subjects).await;
        let back = trade.biller.get(&format!("/v1/{}", name(&draft))).await.ok();
        assert_eq!((text(&back, "state"), revision(&back)), ("DRAFT", revision(&issued) + 1));
        assert_eq!(trade.biller.get(&format!("/v1/{}", name(&gone))).await.status, 404);
        let path = format!("/v1/invoices:verifyChain?numberSeries={series}");
        let chain = trade.biller.get(&path).await.ok();
        let found = (text(&chain, "fault"), whole(&chain["verified"]), whole(&chain["nextOrdinal"]));
        assert_eq!(found, ("FAULT_UNSPECIFIED", 1, 0));

        // F2 is with a customer already, so that another series goes on.
        let again = issue(&name(&draft), &next_series).await;
        assert_eq!(text(&again, "number"), "G1");
        let reason = json!({ "reason": "Invoiced as F2", "requestId": Uuid::new_v4() });
        trade.biller.post(&format!("/v1/{}:void", name(&draft)), reason).await.ok();
        until_invoiced(&trade.seller, &drafted, "TO_INVOICE").await;
        stack.nobody_panicked().await;
    });
}

/// Waits until the projection of sales has these revisions.
async fn heard_by_sales(facts: &Facts, accounts: &[(&str, i64)]) {
    for (account, revision) in accounts {
        let heard = || async {
            let said = operator::run(facts, "sales", &["events", "heard"]).await;
            let lines = said.output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            lines.filter(|line| text(line, "subject") == *account).map(|line| whole(&line["revision"])).max()
        };
        eventually(SOON, "sales to hear of it", heard, |heard| *heard == Some(*revision)).await;
    }
}

/// The read model of sales agrees with customers in all but the account that only it still knows.
async fn only_the_new_account_differs(facts: &Facts, subjects: &Subjects, new: &str) {
    let tenant = subjects.tenant.id.to_string();
    let arguments = ["projection", "compare", "project-accounts", "--tenant", &tenant, "--json"];
    let differences = || async {
        let compared: Value = serde_json::from_str(&operator::trato(facts, &arguments).await.output)
            .expect("it answers in JSON");
        list(&compared[0], "differences").to_vec()
    };
    let only_new = |found: &Vec<Value>| {
        let id = new.trim_start_matches("accounts/");
        found.len() == 1 && text(&found[0], "key") == id && text(&found[0], "fault") == "unexpected"
    };
    eventually(Duration::from_secs(60), "the read model to agree", differences, only_new).await;
}
