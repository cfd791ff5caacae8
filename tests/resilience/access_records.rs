//! Records of who read what, while the program that writes them is stopped, killed, or without its database.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use serde_json::json;
use sqlx::Row as _;
use tokio::sync::Mutex;

use crate::harness::{
    breakable::on_a_breakable_stack, caller::Caller, database, eventually::lasts, report::say,
    tenant::Tenant, values::name,
};

const MODE: &str = "TRATO_ACCESS__RECORD";
const INTERVAL: &str = "TRATO_ACCESS__FLUSH_INTERVAL_MS";

/// Request ids of the tenant's recorded reads of one account.
async fn recorded(tenant: &Tenant, account: &str) -> BTreeSet<String> {
    let mut connection = database::superuser(tenant.facts(), "customers").await;
    let sql = "select request_id from platform.access_record
               where tenant_id = $1 and resources = array[$2] and operation = 'READ'";
    let rows = sqlx::query(sql).bind(tenant.id).bind(account).fetch_all(&mut connection).await;
    rows.expect("the records can be read").iter().map(|row| row.get("request_id")).collect()
}

/// Reads the account once; the request's id when it was answered.
async fn read(by: &Caller, account: &str) -> Option<String> {
    let id = uuid::Uuid::new_v4().to_string();
    let request = by.request(reqwest::Method::GET, &format!("/v1/{account}")).header("x-request-id", &id);
    let answer = by.try_send(request).await.ok()?;
    (answer.status == 200).then_some(id)
}

async fn account(by: &Caller) -> String {
    name(&by.post("/v1/accounts", json!({ "displayName": "Acme" })).await.ok())
}

/// PLT-12: a program told to stop stores every record of what it answered, however long it would have waited.
#[test]
fn a_stopping_program_leaves_no_record_behind() {
    on_a_breakable_stack(async |stack| {
        let tenant = stack.tenant().await;
        let director = tenant.director();
        let acme = account(&director).await;
        stack.restart_with("customers", &[(INTERVAL, "10000")]).await;

        let mut answered = BTreeSet::new();
        for _ in 0..50 {
            answered.extend(read(&director, &acme).await);
        }
        assert_eq!(answered.len(), 50);
        stack.restart_as_made("customers").await;

        assert_eq!(recorded(&tenant, &acme).await, answered);
        stack.nobody_panicked().await;
    });
}

/// PLT-12: where answers wait for their records, a killed program has answered nothing that is not recorded; nor has one
/// whose database is killed.
#[test]
fn what_was_answered_before_a_kill_is_recorded() {
    on_a_breakable_stack(async |stack| {
        let tenant = stack.tenant().await;
        let director = tenant.director();
        let acme = account(&director).await;
        stack.restart_with("customers", &[(MODE, "before_answer")]).await;

        let answered = Arc::new(Mutex::new(BTreeSet::new()));
        let readers: Vec<_> = (0..8)
            .map(|_| {
                let (director, acme, answered) = (director.clone(), acme.clone(), answered.clone());
                tokio::spawn(async move {
                    loop {
                        if let Some(id) = read(&director, &acme).await {
                            answered.lock().await.insert(id);
                        }
                    }
                })
            })
            .collect();
        for victim in ["customers", "postgres", "customers"] {
            lasts(Duration::from_millis(500)).await;
            stack.kill(victim).await;
            stack.revive(victim).await;
        }
        lasts(Duration::from_millis(500)).await;
        stack.kill("customers").await;
        for reader in readers {
            reader.abort();
        }
        stack.revive("customers").await;
        stack.restart_as_made("customers").await;

        let answered = answered.lock().await.clone();
        let recorded = recorded(&tenant, &acme).await;
        let missing: Vec<&String> = answered.difference(&recorded).collect();
        say(format!("{} reads were answered, {} recorded", answered.len(), recorded.len()));
        assert!(answered.len() > 50, "only {} reads were answered", answered.len());
        assert!(missing.is_empty(), "{} answers are not recorded", missing.len());
        stack.nobody_panicked().await;
    });
}
