//! Holds the suite to a ledger: what was acknowledged is there once, what was unknown is there once after it is repeated,
//! and every event took effect once and in order.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use sqlx::Row as _;

use crate::harness::{
    caller::Caller,
    database,
    dynamic::method,
    eventually::eventually,
    ledger::{Entry, Ledger, Outcome},
    programs::SERVICES,
    report::say,
    values::{list, name, text, whole},
    writers::{Subjects, send},
};

/// Longest time until everything that was written has had its effects. The goal is thirty seconds after the last
/// outage; a slow machine gets more.
const QUIESCENCE: Duration = Duration::from_secs(60);

/// Checks everything. Panics with the first thing that does not hold.
pub async fn audit(subjects: &Subjects, ledger: &Ledger) {
    let director = subjects.tenant.director();
    let written = settle_the_open(subjects, ledger, &director).await;
    quiesce(subjects).await;
    rows_are_there_once(subjects, &written, &director).await;
    let events = logs_have_no_gaps(subjects, &written).await;
    effects_were_had_once(subjects, &events, &director).await;
}

/// Repeats every write whose outcome is not known, and answers all writes with the resource each led to.
async fn settle_the_open(subjects: &Subjects, ledger: &Ledger, director: &Caller) -> Vec<(Entry, Value)> {
    let names = by_display_name(director).await;
    let mut written = Vec::new();
    let mut open = 0;
    for entry in ledger.entries() {
        let resource = match entry.answer() {
            Some(resource) => resource.clone(),
            None if entry.outcome.is_open() => {
                open += 1;
                let before = names.get(text(&entry.body, "displayName")).cloned().unwrap_or_default();
                assert!(before.len() <= 1, "an unknown write took effect {} times: {entry:?}", before.len());
                let again = repeat(subjects, &entry).await;
                if let Some(before) = before.first() {
                    assert_eq!(name(&again), *before, "the repetition made another one: {entry:?}");
                }
                again
            }
            None => panic!("a write was refused for good: {entry:?}"),
        };
        written.push((entry, resource));
    }
    say(format!("{} writes, {open} of them were unknown and repeated", written.len()));
    written
}

async fn repeat(subjects: &Subjects, entry: &Entry) -> Value {
    let caller = subjects.tenant.caller(&entry.subject, &["commercial-director"]);
    match send(&caller, &entry.path, &entry.body, entry.request_id).await {
        Outcome::Acknowledged(resource) => resource,
        other => panic!("the repetition of {entry:?} was not answered: {other:?}"),
    }
}

/// Panics unless every effect of the events that are in the log of sales was had once.
pub async fn effects_agree(subjects: &Subjects) {
    let director = subjects.tenant.director();
    let replay = method("trato.sales.v1.EventService.ReplayEvents");
    let mut events = director.collect(&replay, &json!({})).await.expect("the log can be replayed");
    events.retain(|event| text(event, "subject").starts_with("opportunities/"));
    effects_were_had_once(subjects, &events, &director).await;
}

/// Names by display name, of accounts and opportunities.
async fn by_display_name(director: &Caller) -> BTreeMap<String, Vec<String>> {
    let mut names = BTreeMap::<String, Vec<String>>::new();
    for collection in ["accounts", "opportunities"] {
        for resource in all(director, collection).await {
            names.entry(text(&resource, "displayName").to_owned()).or_default().push(name(&resource));
        }
    }
    names
}

async fn all(director: &Caller, collection: &str) -> Vec<Value> {
    director.list_all(&format!("/v1/{collection}"), collection, &[("pageSize", "1000")]).await
}

/// Waits until every event is numbered and published, every one of an opportunity was taken by customers, and every one of
/// an account by those who keep accounts.
pub async fn quiesce(subjects: &Subjects) {
    let begun = Instant::now();
    let (facts, tenant) = (subjects.tenant.facts(), subjects.tenant.id);
    let left = || async {
        let mut left = Vec::new();
        let (mut accounts, mut opportunities) = (0, 0);
        for service in SERVICES {
            let mut connection = database::superuser(facts, service).await;
            let sql = "select count(*) filter (where position is null) as unnumbered,
                         count(*) filter (where position > (select max(published) from platform.lease)) as unpublished,
                         count(*) filter (where type like 'trato.customers.v1.account.%') as accounts,
                         count(*) filter (where type like 'trato.sales.v1.opportunity.%') as opportunities
                       from platform.event where tenant_id = $1";
            let row =
                sqlx::query(sql).bind(tenant).fetch_one(&mut connection).await.expect("the log can be read");
            left.extend([row.get::<i64, _>("unnumbered"), row.get("unpublished")]);
            accounts += row.get::<i64, _>("accounts");
            opportunities += row.get::<i64, _>("opportunities");
        }
        for (service, consumer, sent) in [
            ("customers", "extend-timeline", opportunities),
            ("sales", "project-accounts", accounts),
            ("billing", "project-accounts", accounts),
        ] {
            // A log that went back to an earlier moment has fewer than were taken.
            left.push((sent - taken(subjects, service, consumer).await).max(0));
        }
        left
    };
    eventually(QUIESCENCE, "everything to have its effect", left, |left| left.iter().all(|left| *left == 0))
        .await;
    say(format!("quiet after {:.1?}", begun.elapsed()));
}

/// How many events of the tenant a consumer has taken.
async fn taken(subjects: &Subjects, service: &str, consumer: &str) -> i64 {
    let mut connection = database::superuser(subjects.tenant.facts(), service).await;
    let sql = "select count(*) from platform.inbox where tenant_id = $1 and consumer = $2";
    let count = sqlx::query_scalar(sql).bind(subjects.tenant.id).bind(consumer).fetch_one(&mut connection);
    count.await.expect("the inbox can be read")
}

async fn rows_are_there_once(subjects: &Subjects, written: &[(Entry, Value)], director: &Caller) {
    let (accounts, deals) = (all(director, "accounts").await, all(director, "opportunities").await);
    let found: BTreeMap<String, &Value> = accounts.iter().chain(&deals).map(|one| (name(one), one)).collect();
    assert_eq!(found.len(), accounts.len() + deals.len(), "a name stands in a list twice");
    let mut made = BTreeSet::new();
    for (entry, resource) in written {
        let stored = found.get(&name(resource)).unwrap_or_else(|| panic!("{entry:?} is lost"));
        if entry.path.contains(':') {
            let wanted = if entry.path.ends_with(":win") { ("state", "WON") } else { ("stage", "offer") };
            assert_eq!(text(stored, wanted.0), wanted.1, "{entry:?} is lost");
        } else {
            assert_eq!(stored["displayName"], entry.body["displayName"]);
            assert!(made.insert(name(resource)), "two requests made one resource: {entry:?}");
        }
    }
    let expected = made.len() + subjects.accounts.len();
    assert_eq!(found.len(), expected, "something was made twice: {} rows for {expected} writes", found.len());
}

/// Every write is one event, and the revisions of every subject count from 1 without gaps, in the order of the log.
async fn logs_have_no_gaps(subjects: &Subjects, written: &[(Entry, Value)]) -> Vec<Value> {
    // Who reads the logs of all services; a director does not read that of billing.
    let reader = subjects.tenant.administrator();
    let mut of_sales = Vec::new();
    for service in SERVICES {
        let replay = method(&format!("trato.{service}.v1.EventService.ReplayEvents"));
        let events = reader.collect(&replay, &json!({})).await.expect("the log can be replayed");
        let mut last = BTreeMap::new();
        for event in &events {
            let (subject, revision) = (text(event, "subject").to_owned(), whole(&event["revision"]));
            let before = last.insert(subject.clone(), revision).unwrap_or_default();
            assert_eq!(revision, before + 1, "the log of {subject} has a gap or a double");
        }
        let ids: BTreeSet<&str> = events.iter().map(|event| text(event, "eventId")).collect();
        assert_eq!(ids.len(), events.len(), "an event stands in the log twice");
        if service == "sales" {
            of_sales = events;
        }
    }
    of_sales.retain(|event| text(event, "subject").starts_with("opportunities/"));
    let writes = written.iter().filter(|(entry, _)| entry.path.starts_with("/v1/opportunities")).count();
    assert_eq!(of_sales.len(), writes, "{} events for {writes} writes", of_sales.len());
    assert!(!subjects.accounts.is_empty());
    of_sales
}

/// Each event of an account's opportunities stands on its timeline once; the account is a customer once one was won.
async fn effects_were_had_once(subjects: &Subjects, events: &[Value], director: &Caller) {
    for account in &subjects.accounts {
        let own = |event: &&Value| event["change"]["resource"]["account"] == json!(account);
        let expected: BTreeSet<&str> =
            events.iter().filter(own).map(|event| text(event, "eventId")).collect();
        let path = format!("/v1/{account}/timelineEntries");
        let entries = director.list_all(&path, "timelineEntries", &[("pageSize", "1000")]).await;
        let id = |entry: &Value| name(entry).rsplit('/').next().unwrap_or_default().to_owned();
        let told: BTreeSet<String> = entries.iter().map(id).collect();
        assert_eq!(told.len(), entries.len(), "an event stands on the timeline of {account} twice");
        let told: BTreeSet<&str> = told.iter().map(String::as_str).collect();
        assert_eq!(told, expected, "the timeline of {account} is not what happened");
        let won = events.iter().filter(own).any(|event| text(event, "type").ends_with(".won"));
        let stored = director.get(&format!("/v1/{account}")).await.ok();
        assert_eq!(
            list(&stored, "kinds").contains(&json!("CUSTOMER")),
            won,
            "{account} became no customer, or did"
        );
        let revision: i64 = text(&stored, "etag").trim_matches('"').parse().expect("an etag is the revision");
        assert_eq!(revision, 1 + i64::from(won), "{account} was changed more than once by its wins");
    }
    nothing_is_held(subjects).await;
}

/// Panics when an event is parked in any service.
pub async fn nothing_is_held(subjects: &Subjects) {
    for service in SERVICES {
        let mut connection = database::superuser(subjects.tenant.facts(), service).await;
        let sql = "select consumer, subject, reason, message from platform.inbox
                   where tenant_id = $1 and state in ('PARKED', 'WAITING') limit 5";
        let rows = sqlx::query(sql).bind(subjects.tenant.id).fetch_all(&mut connection).await;
        let held: Vec<String> = rows
            .expect("the inbox can be read")
            .iter()
            .map(|row| {
                format!("{:?} {:?}", row.get::<String, _>("subject"), row.get::<Option<String>, _>("message"))
            })
            .collect();
        assert!(held.is_empty(), "{service} holds events: {held:#?}");
    }
}
