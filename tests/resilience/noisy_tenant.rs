//! A tenant far beyond its quota, and what another one sees of it.

use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::harness::{
    breakable::{on_a_breakable_stack, on_a_stack_of_twins},
    caller::Caller,
    dynamic::method,
    eventually::lasts,
    flood::{Flood, Post, kinds},
    onlooker::{Onlooker, Seen},
    report::say,
    stack::is_long_run,
    tenant::Tenant,
};

const TENANTS: &str = "TRATO_RATE__TENANTS";
const GATEWAYS: &str = "TRATO_RATE__GATEWAYS";
/// Requests a second the noisy tenant may make, and at once after a quiet time.
const QUOTA: u32 = 5;
/// See `QUOTA`.
const BURST: u32 = 10;
/// Connections it makes them by, each of another caller.
const CALLERS: usize = 10;
/// How much longer 99 % of another tenant's calls may take meanwhile.
const FELT: f64 = 1.2;

/// How long it is quiet, and then noisy: in turns, so that whatever else happens to the machine happens to both.
const SPAN: Duration = Duration::from_secs(5);

/// Between two calls of the other tenant.
const PAUSE: Duration = Duration::from_millis(10);

/// How often.
fn rounds() -> u32 {
    if is_long_run() { 12 } else { 1 }
}

/// The setting of what this tenant may have.
fn quota_of(tenant: &Tenant) -> String {
    format!("{{ \"{}\" = {{ per_tenant = {QUOTA}, burst_per_tenant = {BURST} }} }}", tenant.id)
}

/// A write that is only tried.
#[derive(Debug)]
struct Trial;

impl Post for Trial {
    fn path(&self) -> &str {
        "/v1/accounts:upsert?validateOnly=true"
    }
    fn body(&self) -> String {
        json!({ "displayName": "Noise", "externalId": "1", "source": "noise" }).to_string()
    }
    fn key(&self) -> String {
        Uuid::new_v4().to_string()
    }
}

/// Panics unless a caller of the noisy tenant is told which limit it met, and when to come back.
async fn assert_told(caller: &Caller) {
    // Together, or the rate would give back what a slow one takes.
    let asked = (0..2 * BURST).map(|_| caller.request(Method::GET, "/v1/accounts?pageSize=1").send());
    let answers = join_all(asked).await.into_iter().map(|answer| answer.expect("the gateway answers"));
    let answer = answers.into_iter().find(|answer| answer.status() == 429).expect("the burst is used up");
    let header = |name: &str| {
        let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_else(|| panic!("an answer lacks {name}")).to_owned()
    };
    assert!(header("ratelimit-policy").contains(&format!("\"tenant\";q={BURST};w=2")));
    assert!(header("ratelimit").contains("\"tenant\";r=0;t=1"), "{}", header("ratelimit"));
    assert_eq!(header("retry-after"), "1");
}

/// How many calls `QUOTA` and `BURST` let through in this time.
fn allowed(elapsed: Duration) -> usize {
    BURST as usize + (elapsed.as_secs_f64() * f64::from(QUOTA)).ceil() as usize
}

/// CRD-09: two gateways give a tenant together what one would.
#[test]
fn a_tenants_quota_is_one_whatever_gateways_it_comes_by() {
    on_a_stack_of_twins(async |stack| {
        let noisy = stack.tenant().await;
        let quota = quota_of(&noisy);
        for gateway in ["gateway", "gateway-2"] {
            stack
                .restart_with(gateway, &[(TENANTS, &quota), (GATEWAYS, "[\"127.0.0.1\", \"127.0.0.2\"]")])
                .await;
        }
        let gateways = stack.facts().await.gateway.expect("it has one").replicas;
        let flood = Flood::of(&noisy);

        let begun = Instant::now();
        let floods = gateways.iter().map(|gateway| {
            let flood = flood.through(&gateway.url);
            async move { flood.open(f64::from(10 * QUOTA), CALLERS, SPAN, |_| Trial).await }
        });
        let sent: Vec<_> = join_all(floods).await.into_iter().flatten().collect();

        let (kinds, most, least) = (kinds(&sent), allowed(begun.elapsed()), allowed(SPAN));
        let accepted = kinds.get("200").copied().unwrap_or_default();
        say(format!("{kinds:?} through {} gateways, {most} allowed", gateways.len()));
        assert!(accepted <= most, "{accepted} accepted, {most} allowed");
        assert!(accepted * 10 >= least * 7, "{accepted} accepted, {least} allowed");
    });
}

/// CRD-09, I20: a tenant at a hundred times its quota gets its quota, and 429 for the rest; another tenant's calls all
/// succeed.
#[test]
fn a_tenant_at_a_hundred_times_its_quota_gets_its_quota_and_costs_another_nothing() {
    on_a_breakable_stack(async |stack| {
        let (noisy, other) = (stack.tenant().await, stack.tenant().await);
        let quota = quota_of(&noisy);
        stack.restart_with("gateway", &[(TENANTS, &quota)]).await;
        let other = other.director();
        other.get("/v1/accounts").await.ok();

        let flood = Flood::of(&noisy);
        let (mut before, mut during, mut sent) = (Seen::default(), Seen::default(), Vec::new());
        let (mut least, mut most) = (0, 0);
        for _ in 0..rounds() {
            let onlooker = Onlooker::start(&other, PAUSE);
            lasts(SPAN).await;
            before.add(onlooker.stop().await);
            let (onlooker, begun) = (Onlooker::start(&other, PAUSE), Instant::now());
            sent.extend(flood.open(f64::from(100 * QUOTA), CALLERS, SPAN, |_| Trial).await);
            most += allowed(begun.elapsed());
            least += allowed(SPAN);
            during.add(onlooker.stop().await);
        }

        let kinds = kinds(&sent);
        let count = |kind: &str| kinds.get(kind).copied().unwrap_or_default();
        let (accepted, refused) = (count("200"), count("429 RATE_EXCEEDED"));
        say(format!(
            "{} offered, {accepted} accepted; of the other tenant {} calls, p50 {:.1?} and p99 {:.1?}, \
             before {:.1?} and {:.1?}",
            sent.len(),
            during.count(),
            during.percentile(50),
            during.percentile(99),
            before.percentile(50),
            before.percentile(99)
        ));
        assert!(
            during.failed.is_empty() && before.failed.is_empty(),
            "{:?} {:?}",
            before.failed,
            during.failed
        );
        if is_long_run() {
            let (felt, usual) = (during.percentile(99), before.percentile(99));
            assert!(
                felt <= usual.mul_f64(FELT),
                "p99 of the other tenant was {felt:.1?}, and {usual:.1?} before"
            );
        }
        assert_eq!(accepted + refused, sent.len(), "{kinds:?}");
        assert!(accepted <= most, "{accepted} accepted, {most} allowed");
        assert!(accepted * 10 >= least * 8, "{accepted} accepted, {least} allowed");
        assert!(refused > 10 * accepted, "{refused} refused: that was no noise");

        // Told in full, and the same by gRPC.
        let caller = noisy.caller("noisy", &["commercial-director"]);
        assert_told(&caller).await;
        let list = method("trato.customers.v1.AccountService.ListAccounts");
        let mut told = None;
        for _ in 0..2 * BURST {
            if let Err(status) = caller.unary(&list, &serde_json::json!({})).await {
                told = Some(status);
                break;
            }
        }
        let refusal = crate::harness::answer::Refusal::of(&told.expect("the burst is used up"));
        assert_eq!((refusal.code.as_str(), refusal.reason.as_str()), ("RESOURCE_EXHAUSTED", "RATE_EXCEEDED"));
        assert!(refusal.says_when_to_retry);
        assert_eq!(refusal.metadata.get("limit").map(String::as_str), Some("tenant"));
    });
}
