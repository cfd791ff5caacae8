//! Filters and orders that try to be more than that: refused by name or taken literally, never understood as SQL.

use prost_reflect::MethodDescriptor;
use serde_json::{Value, json};

use super::samples::World;
use crate::harness::{
    answer::Refusal, dynamic::methods, report::say, stack::Vigil, tenant::Tenant, values::list,
};

/// Reasons a filter or an order may be refused with.
const REASONS: [&str; 6] = [
    "INVALID_FILTER",
    "UNKNOWN_FIELD",
    "WRONG_TYPE",
    "FILTER_TOO_COMPLEX",
    "FILTER_TOO_LONG",
    "INVALID_ORDER_BY",
];

/// What attackers put where a name or a value is expected.
const CORES: [&str; 25] = [
    "' or '1'='1",
    "' or 1=1 --",
    "\" or \"\"=\"",
    "'; drop table account; --",
    "'; select pg_sleep(5); --",
    "1; update account set tenant_id = null",
    "') union select null, null, version() --",
    "' union all select table_name from information_schema.tables --",
    "' and (select count(*) from platform.event) > 0 --",
    "$$; drop schema platform cascade; $$",
    "$1",
    "$1::uuid) or true --",
    "\\'; drop table account; --",
    "/**/or/**/1=1",
    "or 1=1#",
    "'||(select current_user)||'",
    "\u{2019} or 1=1 --",
    "\u{ff07} or 1=1 --",
    "%27%20or%201=1",
    "' or true; set role customers_owner; --",
    "set_config('trato.tenant_id', '', true)",
    "current_setting('trato.tenant_id')",
    "a\\",
    "\u{202e}eurt ro '",
    "x'; copy account to program 'id'; --",
];

/// Where they put it.
const FRAMES: [&str; 20] = [
    "{}",
    "display_name = {}",
    "display_name = \"{}\"",
    "display_name = '{}'",
    "display_name:{}",
    "{} = \"a\"",
    "\"{}\" = \"a\"",
    "create_time > {}",
    "create_time > \"{}\"",
    "NOT {}",
    "({})",
    "name = \"a\" AND {}",
    "name = \"a\" OR {}",
    "source = \"{}\" OR source = \"b\"",
    "external_id = {} AND create_time < \"2026-01-01T00:00:00Z\"",
    "-{}",
    "{} desc",
    "display_name, {}",
    "create_time {}",
    "{}.{}",
];

/// The request of a list without its narrowing; what a filter cannot be given to is left out.
fn unnarrowed(world: &World, method: &MethodDescriptor) -> Value {
    match method.name() {
        "ListTimelineEntries" => json!({ "parent": world.account }),
        _ => json!({}),
    }
}

/// True when it was refused as it should be, false when it was answered; anything else panics.
async fn judge(world: &World, method: &MethodDescriptor, request: &Value, text: &str) -> bool {
    let Err(status) = world.keeper.attempt(method, request).await else { return false };
    let refusal = Refusal::of(&status);
    assert_eq!(refusal.code, "INVALID_ARGUMENT", "{} {text:?}: {refusal:?}", method.full_name());
    let named = refusal.violations.iter().all(|(field, reason)| {
        ["filter", "order_by"].contains(&field.as_str()) && REASONS.contains(&reason.as_str())
    });
    assert!(named && !refusal.violations.is_empty(), "{} {text:?}: {refusal:?}", method.full_name());
    true
}

#[tokio::test]
async fn injected_filters_and_orders_are_refused_by_name_or_taken_literally() {
    let vigil = Vigil::begin();
    let tenant = Tenant::fresh();
    let world = World::make(&tenant).await;
    let methods = methods();
    let has = |method: &MethodDescriptor, field| method.input().get_field_by_name(field).is_some();
    // A subscription takes the filter a replay takes, and never ends.
    let takes = |method: &&MethodDescriptor| has(method, "filter") && method.name() != "SubscribeEvents";
    let filtered: Vec<_> = methods.iter().filter(takes).collect();
    let corpus: Vec<String> =
        CORES.iter().flat_map(|core| FRAMES.iter().map(|frame| frame.replace("{}", core))).collect();
    assert_eq!(corpus.len(), 500);
    let (mut asked, mut refused) = (0, 0);
    for (number, text) in corpus.iter().enumerate() {
        let method = filtered[number % filtered.len()];
        for field in
            ["filter", "orderBy"].into_iter().filter(|field| *field == "filter" || has(method, "order_by"))
        {
            let mut request = unnarrowed(&world, method);
            request[field] = json!(text);
            asked += 1;
            refused += usize::from(judge(&world, method, &request, text).await);
        }
    }
    say(format!("{asked} injections: {refused} refused, the others taken literally"));
    assert!(refused > 500, "only {refused} were refused");
    vigil.all_live().await;
}

#[tokio::test]
async fn deep_and_long_filters_are_refused_at_once() {
    let tenant = Tenant::fresh();
    let world = World::make(&tenant).await;
    let list = crate::harness::dynamic::method("trato.customers.v1.AccountService.ListAccounts");
    let deep = format!("{}display_name = \"a\"{}", "(".repeat(10_000), ")".repeat(10_000));
    let negated = format!("{}display_name = \"a\"", "NOT ".repeat(10_000));
    let wide = vec!["display_name = \"a\""; 10_000].join(" OR ");
    let long = format!("display_name = \"{}\"", "a".repeat(1_000_000));
    for text in [deep, negated, wide, long] {
        assert!(judge(&world, &list, &json!({ "filter": text }), "a huge filter").await, "it was answered");
    }
}

/// MDM-10: what looks like an attack is a name like any other, found by it and by nothing else.
#[tokio::test]
async fn an_injection_as_a_value_is_stored_and_found_literally() {
    let tenant = Tenant::fresh();
    let director = tenant.director();
    for core in CORES {
        director.post("/v1/accounts", json!({ "displayName": core })).await;
    }
    let stored = director.list_all("/v1/accounts", "accounts", &[]).await;
    assert!(stored.len() >= CORES.len() - 3, "only {} were stored", stored.len());
    for account in &stored {
        let shown = account["displayName"].as_str().expect("an account has a name");
        let quoted = shown.replace('\\', "\\\\").replace('"', "\\\"").replace('*', "\\*");
        let filter = format!("display_name = \"{quoted}\"");
        let found = director.query("/v1/accounts", &[("filter", &filter)]).await.ok();
        assert_eq!(list(&found, "accounts"), std::slice::from_ref(account), "{filter}");
    }
}
