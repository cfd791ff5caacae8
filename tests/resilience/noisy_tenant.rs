//! A tenant far beyond its quota, and what another one sees of it.

use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Method;
use tokio::time::{MissedTickBehavior, interval};

use crate::harness::{
    breakable::on_a_breakable_stack, caller::Caller, dynamic::method, eventually::lasts, onlooker::Onlooker,
    report::say, stack::is_long_run,
};

const TENANTS: &str = "TRATO_RATE__TENANTS";
/// Requests a second the noisy tenant may make, and at once after a quiet time.
const QUOTA: u32 = 5;
/// See `QUOTA`.
const BURST: u32 = 10;
/// Callers it makes them by.
const CALLERS: u32 = 10;
/// How much longer 99 % of another tenant's calls may take meanwhile.
const FELT: f64 = 1.2;

/// How long it is noisy.
fn span() -> Duration {
    Duration::from_secs(if is_long_run() { 30 } else { 5 })
}

/// Calls at a hundred times the quota, all callers together; answers how many were accepted and refused.
async fn noise(caller: &Caller) -> (u32, u32) {
    let mut clock = interval(Duration::from_secs(1) / (100 * QUOTA / CALLERS));
    clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (begun, mut accepted, mut refused) = (Instant::now(), 0, 0);
    while begun.elapsed() < span() {
        clock.tick().await;
        let request = caller.request(Method::GET, "/v1/accounts?pageSize=1");
        let answer = request.send().await.expect("the gateway answers");
        let header = |name: &str| {
            let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_else(|| panic!("an answer lacks {name}")).to_owned()
        };
        assert!(header("ratelimit-policy").contains(&format!("\"tenant\";q={BURST};w=2")));
        if answer.status() == 200 {
            accepted += 1;
            continue;
        }
        assert_eq!(answer.status(), 429);
        assert!(header("ratelimit").contains("\"tenant\";r=0;t=1"), "{}", header("ratelimit"));
        assert_eq!(header("retry-after"), "1");
        refused += 1;
    }
    (accepted, refused)
}

/// CRD-09, I20: a tenant at a hundred times its quota gets its quota, and 429 for the rest; another tenant's calls all
/// succeed.
#[test]
fn a_tenant_at_a_hundred_times_its_quota_gets_its_quota_and_costs_another_nothing() {
    on_a_breakable_stack(async |stack| {
        let (noisy, other) = (stack.tenant().await, stack.tenant().await);
        let quota =
            format!("{{ \"{}\" = {{ per_tenant = {QUOTA}, burst_per_tenant = {BURST} }} }}", noisy.id);
        stack.restart_with("gateway", &[(TENANTS, &quota)]).await;
        let other = other.director();
        other.get("/v1/accounts").await.ok();

        let onlooker = Onlooker::start(&other, Duration::from_millis(10));
        lasts(span()).await;
        let before = onlooker.stop().await;

        let callers: Vec<Caller> = (0..CALLERS)
            .map(|number| noisy.caller(&format!("noisy-{number}"), &["commercial-director"]))
            .collect();
        let begun = Instant::now();
        let onlooker = Onlooker::start(&other, Duration::from_millis(10));
        let counts = join_all(callers.iter().map(noise)).await;
        let elapsed = begun.elapsed();
        let during = onlooker.stop().await;

        let (accepted, refused) = counts.iter().fold((0, 0), |(a, r), (more, no)| (a + more, r + no));
        say(format!(
            "{} offered in {elapsed:.1?}, {accepted} accepted; of the other tenant {} calls, p50 {:.1?} and p99 {:.1?}, \
             before {:.1?} and {:.1?}",
            accepted + refused,
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
        let allowed = BURST + (elapsed.as_secs_f64() * f64::from(QUOTA)).ceil() as u32;
        assert!(accepted <= allowed, "{accepted} accepted, {allowed} allowed");
        assert!(accepted * 10 >= allowed * 8, "{accepted} accepted, {allowed} allowed");
        assert!(refused > 10 * accepted, "{refused} refused: that was no noise");

        // The same by gRPC: a status that says which limit, and when to come back.
        let list = method("trato.customers.v1.AccountService.ListAccounts");
        let mut told = None;
        for _ in 0..2 * BURST {
            if let Err(status) = callers[0].unary(&list, &serde_json::json!({})).await {
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
