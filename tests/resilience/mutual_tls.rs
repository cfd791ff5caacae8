//! Programs that speak TLS to each other and to the broker: strangers are refused, and certificates change under way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::json;
use tonic::{
    Code, Status,
    transport::{Certificate, ClientTlsConfig, Endpoint, Identity},
};
use trato_devstack::{
    Stack, StackOptions,
    certificates::{self, ADDRESS, AUTHORITY, Authority, CERTIFICATE, KEY, Signed},
};
use trato_proto::customers::v1::{ListAccountsRequest, account_service_client::AccountServiceClient};

use crate::harness::{
    breakable::PATIENCE,
    caller::Caller,
    eventually::{SOON, eventually, lasts},
    programs::{PROGRAMS, SERVICES},
    report::say,
    tenant::Tenant,
    values::{dollars, name},
    writers::Subjects,
};

/// Age at which services ask connections to go away in these tests, in seconds: each must then prove itself anew.
const AGE: u64 = 10;

async fn stack() -> Stack {
    let mut options = StackOptions::private("tls").tls();
    for service in SERVICES {
        options = options.env(service, "TRATO_SERVER__MAX_CONNECTION_AGE_SECONDS", &AGE.to_string());
    }
    Stack::start(options).await.expect("a private stack can be started")
}

/// Calls customers without a token, and answers how it was refused: UNAUTHENTICATED by who speaks its TLS, something else
/// by who is not spoken to.
async fn knock(stack: &Stack, identity: Option<&Signed>) -> Status {
    let url = stack.facts().service("customers").expect("it runs").grpc.clone();
    let folder = stack.home().tls("gateway");
    let authority = std::fs::read(folder.join(AUTHORITY)).expect("it is written");
    let mut tls =
        ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority)).domain_name(ADDRESS);
    if let Some(Signed { certificate, key }) = identity {
        tls = tls.identity(Identity::from_pem(certificate, key));
    }
    let endpoint = Endpoint::from_shared(url).expect("a URL").tls_config(tls).expect("usable certificates");
    let mut client = AccountServiceClient::new(endpoint.timeout(PATIENCE).connect_lazy());
    client.list_accounts(ListAccountsRequest::default()).await.expect_err("there is no token")
}

fn own(stack: &Stack, program: &str) -> Signed {
    let read = |name: &str| {
        std::fs::read_to_string(stack.home().tls(program).join(name)).expect("a program has certificates")
    };
    Signed { certificate: read(CERTIFICATE), key: read(KEY) }
}

/// Mutual TLS: programs know each other and the broker by certificates; who has none, or a foreign one, is not spoken to,
/// and a server that has another name than it is called by is not called.
#[tokio::test(flavor = "multi_thread")]
async fn programs_know_each_other_by_certificates_and_refuse_strangers() {
    let stack = stack().await;
    let subjects = Subjects::make(Tenant::fresh_on(&stack.facts())).await;
    let director = subjects.tenant.director();

    // Gateway to services, service to service (an account that sales does not know), and events over the broker.
    let account = &subjects.accounts[0];
    let deal = json!({ "displayName": "Deal", "account": account, "pipeline": subjects.pipeline, "amount": dollars(5) });
    let deal = name(&director.post("/v1/opportunities", deal).await.ok());
    director.post(&format!("/v1/{deal}:win"), json!({})).await.ok();
    let kinds = || async { director.get(&format!("/v1/{account}")).await.ok()["kinds"].clone() };
    eventually(SOON, "the win to arrive", kinds, |kinds| *kinds == json!(["CUSTOMER"])).await;

    let known = knock(&stack, Some(&own(&stack, "gateway"))).await;
    assert_eq!(known.code(), Code::Unauthenticated, "{known:?}");
    let foreign = Authority::generate("somebody else").expect("an authority").sign(&[ADDRESS]);
    for stranger in [None, Some(foreign.expect("a certificate"))] {
        let refused = knock(&stack, stranger.as_ref()).await;
        assert_ne!(refused.code(), Code::Unauthenticated, "a stranger was heard: {refused:?}");
        assert!(
            std::error::Error::source(&refused).is_some(),
            "the refusal is of the connection: {refused:?}"
        );
    }

    // The certificates name an address, and not this host.
    let customers = stack.facts().service("customers").expect("it runs").grpc.replace(ADDRESS, "localhost");
    let upstreams = format!(r#"{{ "trato.customers" = "{customers}" }}"#);
    stack.set_env("gateway", "TRATO_UPSTREAMS", &upstreams).expect("a process");
    stack.terminate("gateway").await.expect("it stops");
    stack.start_again("gateway").await.expect("it starts");
    stack.wait_ready("gateway", PATIENCE).await.expect("it serves");
    let refused = director.get("/v1/accounts").await.refused_as("UPSTREAM_UNAVAILABLE");
    assert_eq!(refused.code, "UNAVAILABLE");
    director.get("/v1/opportunities").await.ok();
    stack.stop(&trato_devstack::progress::Progress::silent()).await;
}

/// Calls that go on while certificates change.
async fn calls(director: Caller, stop: Arc<AtomicBool>, count: Arc<AtomicUsize>) {
    while !stop.load(Ordering::Relaxed) {
        director.get("/v1/accounts").await.ok();
        director.get("/v1/opportunities").await.ok();
        // Not an idempotent call, and without a request id: it may be sent once only.
        let made = json!({ "displayName": "Under way" });
        director.post("/v1/accounts", made).await.ok();
        count.fetch_add(3, Ordering::Relaxed);
    }
}

/// Mutual TLS: certificates and their authority are changed under calls, without a restart; no call fails.
#[tokio::test(flavor = "multi_thread")]
async fn certificates_and_their_authority_change_without_a_restart_and_cost_no_call() {
    let stack = stack().await;
    let director = Tenant::fresh_on(&stack.facts()).director();
    let pids = || PROGRAMS.map(|program| stack.pid(program).expect("it is of this stack"));
    let before = pids();
    let old = std::fs::read_to_string(stack.home().tls("gateway").join(AUTHORITY)).expect("written");
    let former = own(&stack, "gateway");
    let authority = Authority::generate("the new one").expect("an authority");
    let (stop, count) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
    let calling = tokio::spawn(calls(director, Arc::clone(&stop), Arc::clone(&count)));

    // First everybody trusts both, then everybody shows the new certificate, then nobody trusts the old authority.
    let both = format!("{old}{}", authority.pem());
    let new = PROGRAMS.map(|program| (program, authority.sign(&[ADDRESS]).expect("a certificate")));
    let stages = [("both are trusted", &both, false), ("new certificates", &both, true)];
    let last = ("one is trusted", &authority.pem(), true);
    for (number, (stage, trusted, is_new)) in stages.into_iter().chain([last]).enumerate() {
        for (program, signed) in &new {
            let signed = if is_new { signed.clone() } else { own(&stack, program) };
            certificates::write(&stack.home().tls(program), &signed, trusted).expect("written");
        }
        for program in PROGRAMS {
            let log = || async { stack.log(program, 10_000).matches("were read again").count() };
            eventually(SOON, stage, log, |times| *times > number).await;
        }
        // Every connection is made anew meanwhile.
        lasts(Duration::from_secs(AGE + 3)).await;
    }
    stop.store(true, Ordering::Relaxed);
    calling.await.expect("no call failed");
    say(format!("{} calls while everything changed, none failed", count.load(Ordering::Relaxed)));

    assert_eq!(pids(), before, "nothing was started again");
    let refused = knock(&stack, Some(&former)).await;
    assert_ne!(refused.code(), Code::Unauthenticated, "the former certificate is still trusted: {refused:?}");
    let known = knock(&stack, Some(&own(&stack, "gateway"))).await;
    assert_eq!(known.code(), Code::Unauthenticated, "{known:?}");
    stack.stop(&trato_devstack::progress::Progress::silent()).await;
}
