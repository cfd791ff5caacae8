//! When all that a tenant did has had its effects in every service: what changes afterwards has another cause.

use std::collections::HashSet;

use sqlx::Row as _;
use uuid::Uuid;

use super::{
    database,
    eventually::{SOON, eventually},
    operator,
    programs::SERVICES,
    tenant::Tenant,
    values::{list, text},
};

/// A consumer of a service.
#[derive(Debug)]
struct Listener {
    service: &'static str,
    consumer: String,
    types: Vec<String>,
}

impl Listener {
    fn listens_to(&self, kind: &str) -> bool {
        let fits = |pattern: &String| match pattern.strip_suffix('*') {
            Some(beginning) => kind.starts_with(beginning),
            None => kind == pattern,
        };
        self.types.iter().any(fits)
    }
}

/// Waits until every consumer has heard of every event of the tenant that it listens to.
pub async fn settled(tenant: &Tenant) {
    let listeners = listeners(tenant).await;
    assert!(listeners.len() >= SERVICES.len(), "only {listeners:?} listen");
    let unheard = || async {
        // The inboxes first: an event that is written in between is then one that nobody has heard of.
        let heard = heard(tenant).await;
        let mut unheard = Vec::new();
        for (event, kind) in events(tenant).await {
            for Listener { service, consumer, .. } in listeners.iter().filter(|one| one.listens_to(&kind)) {
                if !heard.contains(&(*service, consumer.clone(), event)) {
                    unheard.push(format!("{consumer} of {service} has not heard of a {kind}"));
                }
            }
        }
        unheard
    };
    eventually(SOON, "every event to have its effects", unheard, |left| left.is_empty()).await;
}

async fn listeners(tenant: &Tenant) -> Vec<Listener> {
    let mut listeners = Vec::new();
    for service in SERVICES {
        let listed = operator::run(tenant.facts(), service, &["projection", "list", "--json"]).await.json();
        for one in listed.as_array().expect("a list of consumers") {
            let types = list(one, "types").iter().filter_map(|kind| kind.as_str().map(str::to_owned));
            let consumer = text(one, "consumer").to_owned();
            listeners.push(Listener { service, consumer, types: types.collect() });
        }
    }
    listeners
}

/// Service, consumer and event of everything of the tenant that was heard of.
async fn heard(tenant: &Tenant) -> HashSet<(&'static str, String, Uuid)> {
    let mut heard = HashSet::new();
    for service in SERVICES {
        let mut connection = database::superuser(tenant.facts(), service).await;
        let sql = "select consumer, event_id from platform.inbox where tenant_id = $1";
        let rows = sqlx::query(sql).bind(tenant.id).fetch_all(&mut connection).await;
        let rows = rows.expect("the inbox can be read");
        heard.extend(rows.iter().map(|row| (service, row.get("consumer"), row.get("event_id"))));
    }
    heard
}

/// Every event of the tenant, with its type.
async fn events(tenant: &Tenant) -> Vec<(Uuid, String)> {
    let mut events = Vec::new();
    for service in SERVICES {
        let mut connection = database::superuser(tenant.facts(), service).await;
        let sql = "select id, type from platform.event where tenant_id = $1";
        let rows = sqlx::query(sql).bind(tenant.id).fetch_all(&mut connection).await;
        let rows = rows.expect("the log can be read");
        events.extend(rows.iter().map(|row| (row.get("id"), row.get("type"))));
    }
    events
}
