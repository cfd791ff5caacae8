//! Pages while others write: what is there throughout is seen once, by every order.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use futures::future::{join, join_all};
use serde_json::{Value, json};

use crate::harness::{
    caller::Caller,
    report::say,
    stack::is_long_run,
    tenant::Tenant,
    values::{list, name, texts},
};

const WRITERS: usize = 4;

fn rows() -> usize {
    if is_long_run() { 100_000 } else { 3_000 }
}

/// Accounts in batches of a thousand, some alike in what they are sorted by.
async fn fill(director: &Caller) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for batch in 0..rows() / 1000 {
        let account = |number: usize| {
            let number = batch * 1000 + number;
            json!({ "account": { "displayName": format!("Account {:05}", number * 7919 % 1009), "sector": format!("{}", number % 7) } })
        };
        let requests: Vec<Value> = (0..1000).map(account).collect();
        let answer = director.post("/v1/accounts:batchCreate", json!({ "requests": requests })).await.ok();
        names.extend(list(&answer, "results").iter().map(|result| name(&result["account"])));
    }
    names
}

/// Makes and deletes accounts of its own until it is told to stop.
async fn disturb(writer: &Caller, stop: &AtomicBool, writes: &AtomicU64) {
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        let body = json!({ "displayName": format!("Account {:05}", number * 31 % 1009) });
        let made = writer.post("/v1/accounts", body).await.ok();
        if number % 3 != 0 {
            writer.delete(&format!("/v1/{}", name(&made))).await.ok();
        }
        number += 1;
        writes.fetch_add(1, Ordering::Relaxed);
    }
}

/// MDM-10: a list read page by page while others insert and delete misses nothing and shows nothing twice.
#[tokio::test]
async fn pages_neither_skip_nor_repeat_what_is_there_throughout() {
    let tenant = Tenant::fresh();
    let director = tenant.director();
    let throughout = fill(&director).await;
    assert_eq!(throughout.len(), rows());
    let (stop, writes) = (AtomicBool::new(false), AtomicU64::new(0));
    let callers: Vec<Caller> =
        (0..WRITERS).map(|n| tenant.caller(&format!("writer-{n}"), &["commercial-director"])).collect();
    let disturbing = join_all(callers.iter().map(|writer| disturb(writer, &stop, &writes)));
    let reading = async {
        for order in
            ["", "display_name", "display_name desc", "create_time desc", "update_time, display_name desc"]
        {
            let parameters = [("pageSize", "217"), ("orderBy", order)];
            let seen = texts(&director.list_all("/v1/accounts", "accounts", &parameters).await, "name");
            let unique: BTreeSet<String> = seen.iter().cloned().collect();
            assert_eq!(unique.len(), seen.len(), "{order:?} shows something twice");
            let missed = throughout.difference(&unique).count();
            assert_eq!(missed, 0, "{order:?} misses {missed} accounts");
        }
        stop.store(true, Ordering::Relaxed);
    };
    join(disturbing, reading).await;
    say(format!("{} accounts, {} writes meanwhile", rows(), writes.load(Ordering::Relaxed)));

    let page = director.get("/v1/accounts?pageSize=1000000").await.ok();
    assert_eq!(list(&page, "accounts").len(), 1000, "a page is clamped to a thousand");
    assert_eq!(list(&director.get("/v1/accounts").await.ok(), "accounts").len(), 50);
}

/// MDM-10: the token of a page belongs to its question; another question refuses it by name.
#[tokio::test]
async fn a_page_token_is_good_for_its_own_question_only() {
    let tenant = Tenant::fresh();
    let director = tenant.director();
    for number in 0..3 {
        super::make::account(&director, &format!("Account {number}")).await;
    }
    let page = director.get("/v1/accounts?pageSize=1&orderBy=display_name").await.ok();
    let token = page["nextPageToken"].as_str().expect("there are more").to_owned();
    let with = |changes: &[(&'static str, &'static str)]| {
        let mut parameters = vec![("pageToken", token.clone()), ("orderBy", "display_name".to_owned())];
        for (key, value) in changes {
            parameters.retain(|(known, _)| known != key);
            parameters.push((key, value.to_string()));
        }
        format!("/v1/accounts?{}", crate::harness::client::encode(&parameters))
    };

    director.get(&with(&[])).await.ok();
    director.get(&with(&[("pageSize", "2")])).await.ok();
    for changes in [("orderBy", "display_name desc"), ("filter", "sector = \"x\""), ("showDeleted", "true")] {
        director.get(&with(&[changes])).await.refused_as("INVALID_PAGE_TOKEN");
    }
    let flipped = token.replacen(|letter: char| letter.is_ascii_lowercase(), "Z", 3);
    let parameters = [("pageToken", flipped.as_str()), ("orderBy", "display_name")];
    director.query("/v1/accounts", &parameters).await.refused_as("INVALID_PAGE_TOKEN");
}
