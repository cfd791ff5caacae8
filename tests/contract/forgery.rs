//! Tokens that look like good ones: refused everywhere, with one answer for all, and written down nowhere.

use std::{collections::BTreeSet, time::Duration};

use chrono::Utc;
use serde_json::{Value, json};
use trato_devstack::{
    keys::SigningKey,
    tokens::{Signature, compose},
};
use uuid::Uuid;

use crate::harness::{
    answer::Refusal,
    client::{Http, channel},
    dynamic::{self, method},
    eventually::{SOON, eventually},
    operator::trato_given,
    stack,
    tenant::Tenant,
};

/// What is wrong with each, and the token.
fn forgeries(tenant: &Tenant, subject: &str) -> Vec<(&'static str, String)> {
    let minter = tenant.minter();
    let grant = tenant.grant(subject, &["administrator"]);
    let (header, claims) = (minter.header(), minter.claims(&grant));
    let own = SigningKey::generate().expect("a key can be made");
    let key = minter.key();
    let now = Utc::now().timestamp();
    let signed = |header: &Value, claims: &Value| {
        compose(&header.to_string(), &claims.to_string(), Signature::Es256(key)).expect("it can be signed")
    };
    let with = |value: &Value, changes: Value| {
        let mut changed = value.clone();
        for (name, value) in changes.as_object().expect("changes are fields") {
            changed[name] = value.clone();
        }
        changed
    };
    let without = |name: &str| {
        let mut changed = claims.clone();
        changed.as_object_mut().expect("claims are fields").remove(name);
        changed
    };
    let headed = |changes: Value| signed(&with(&header, changes), &claims);
    let claiming = |changes: Value| signed(&header, &with(&claims, changes));
    let text = |header: &Value, signature| {
        compose(&header.to_string(), &claims.to_string(), signature).expect("text")
    };

    let good = minter.sign(&claims).expect("it can be signed");
    let weaker = minter.sign(&minter.claims(&tenant.grant(subject, &["auditor"]))).expect("it can be signed");
    let signature = |token: &str| token.rsplit('.').next().expect("three parts").to_owned();
    let pem = key.public_pem().expect("a key has a public half");
    let jwk = serde_json::to_value(own.public()).expect("a key set is JSON");
    let twice = claims.to_string().replacen('{', r#"{"sub":"somebody-else","#, 1);
    let mut cut = good.clone();
    cut.truncate(good.len() - 4);

    vec![
        ("unsigned", text(&json!({ "alg": "none", "typ": "JWT" }), Signature::Text(""))),
        ("unsigned, spelt otherwise", text(&json!({ "alg": "NoNe" }), Signature::Text(""))),
        (
            "the public key as a shared secret",
            text(&with(&header, json!({ "alg": "HS256" })), Signature::Hs256(pem.as_bytes())),
        ),
        (
            "a shared secret of nothing",
            text(&with(&header, json!({ "alg": "HS256" })), Signature::Hs256(b"")),
        ),
        ("another algorithm", headed(json!({ "alg": "RS256" }))),
        ("an unknown algorithm", headed(json!({ "alg": "ES999" }))),
        ("another audience", claiming(json!({ "aud": "billing" }))),
        ("no audience", signed(&header, &without("aud"))),
        ("another issuer", claiming(json!({ "iss": "https://issuer.example.com" }))),
        (
            "our issuer with a slash",
            claiming(json!({ "iss": format!("{}/", claims["iss"].as_str().unwrap_or_default()) })),
        ),
        ("expired", claiming(json!({ "exp": now - 61 }))),
        ("never expiring", signed(&header, &without("exp"))),
        ("expiring at a text", claiming(json!({ "exp": "tomorrow" }))),
        ("not valid yet", claiming(json!({ "nbf": now + 120 }))),
        ("no subject", signed(&header, &without("sub"))),
        ("a subject that cannot be", claiming(json!({ "sub": "a b\u{0}" }))),
        ("no tenant", signed(&header, &without("tenant"))),
        ("a tenant that is not its issuer's", claiming(json!({ "tenant": "umbrella" }))),
        ("a tenant that is a list", claiming(json!({ "tenant": [tenant.claim] }))),
        ("roles that are a number", claiming(json!({ "roles": 7 }))),
        ("a key by path", headed(json!({ "kid": "../../../../dev/null" }))),
        ("a key by injection", headed(json!({ "kid": "' or 1=1 --" }))),
        ("no such key", headed(json!({ "kid": own.id() }))),
        (
            "somebody else's key",
            compose(&header.to_string(), &claims.to_string(), Signature::Es256(&own)).expect("text"),
        ),
        (
            "a key it brings",
            compose(
                &with(&header, json!({ "kid": own.id(), "jwk": jwk })).to_string(),
                &claims.to_string(),
                Signature::Es256(&own),
            )
            .expect("text"),
        ),
        (
            "a key it points to",
            compose(
                &with(&header, json!({ "kid": own.id(), "jku": "http://127.0.0.1:9/jwks.json" })).to_string(),
                &claims.to_string(),
                Signature::Es256(&own),
            )
            .expect("text"),
        ),
        ("critical extensions", headed(json!({ "crit": ["exp"], "b64": false }))),
        ("made for another purpose", headed(json!({ "typ": "logout+jwt" }))),
        ("a claim twice", compose(&header.to_string(), &twice, Signature::Es256(key)).expect("text")),
        (
            "another's signature",
            format!("{}.{}", good.rsplit_once('.').expect("three parts").0, signature(&weaker)),
        ),
        ("a cut signature", cut),
        ("no signature at all", good.rsplit_once('.').expect("three parts").0.to_owned()),
        ("a part too many", format!("{good}.x")),
        ("too long", claiming(json!({ "padding": "x".repeat(9000) }))),
        ("no token", "x".to_owned()),
        ("empty", String::new()),
    ]
}

/// I4, PLT-12: forged, foreign and stale tokens get one and the same answer, at the gateway and at a service's own port, and
/// are written down nowhere.
#[tokio::test]
async fn every_forged_token_is_refused_with_one_answer_for_all() {
    let tenant = Tenant::fresh();
    let subject = format!("forger-{}", Uuid::new_v4().simple());
    let list = method("trato.customers.v1.AccountService.ListAccounts");
    let (gateway, service) =
        (tenant.channel().clone(), channel(&tenant.facts().service("customers").expect("it runs").grpc));
    let good = tenant.caller(&subject, &["administrator"]);
    good.get("/v1/accounts").await.ok();

    let (mut bodies, mut statuses) = (BTreeSet::new(), BTreeSet::new());
    let forgeries = forgeries(&tenant, &subject);
    for (what, token) in &forgeries {
        let http = good.with_token(Some(token));
        let request = http.request(reqwest::Method::GET, "/v1/accounts").header("x-request-id", "forgery");
        let answer = http.send(request).await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.text());
        bodies.insert(answer.text());
        for (door, channel) in [("gateway", &gateway), ("service", &service)] {
            let refused = dynamic::bytes(channel, Some(token), &list, bytes::Bytes::new()).await;
            let refusal = Refusal::of(&refused.expect_err(what));
            assert_eq!(refusal.code, "UNAUTHENTICATED", "{what} at the {door}");
            assert_eq!(refusal.reason, "INVALID_TOKEN", "{what} at the {door}");
            statuses.insert(format!("{door}: {refusal:?}"));
        }
    }
    assert_eq!(statuses.len(), 2, "a status tells what is wrong: {statuses:#?}");
    assert_eq!(bodies.len(), 1, "the answers tell what is wrong: {bodies:#?}");
    let logs = stack::logs(tenant.facts());
    for (what, token) in &forgeries {
        for part in token.split('.').filter(|part| part.len() > 20) {
            let told: Vec<_> =
                logs.iter().filter(|(_, log)| log.contains(part)).map(|(name, _)| name).collect();
            assert!(told.is_empty(), "{what} is in the logs {told:?}");
        }
    }
}

/// I4: a token that was good until it was revoked is refused as one that never was, at the gateway and at each service's own
/// port, and is written down nowhere.
#[tokio::test]
async fn a_revoked_token_is_refused_like_a_forged_one() {
    let tenant = Tenant::fresh();
    let leaked = tenant.caller("leaky", &["administrator"]);
    let forged = leaked.with_token(Some("x"));
    leaked.get("/v1/accounts").await.ok();

    let said = trato_given(tenant.facts(), &["token", "revoke", "--stdin"], leaked.token()).await;

    assert_eq!(said.code, Some(0), "{said:?}");
    for (service, path, full_name) in [
        ("customers", "/v1/accounts", "trato.customers.v1.AccountService.ListAccounts"),
        ("sales", "/v1/opportunities", "trato.sales.v1.OpportunityService.ListOpportunities"),
        ("billing", "/v1/invoices", "trato.billing.v1.InvoiceService.ListInvoices"),
    ] {
        let answer = async |http: &Http| {
            let request = http.request(reqwest::Method::GET, path).header("x-request-id", "forgery");
            let answer = request.send().await.expect("an answer");
            let (status, mut headers) = (answer.status(), answer.headers().clone());
            // Of the rest of a limit only when, and how often, was asked before.
            for changing in ["date", "ratelimit"] {
                headers.remove(changing);
            }
            (status, headers, answer.text().await.expect("a body"))
        };
        let ask = || async { answer(&forged).await };
        let expected = eventually(SOON, "a forged one's answer", ask, |(status, ..)| *status == 401).await;
        let ask = || async { answer(&leaked).await };
        eventually(SOON, "the token to be refused", ask, |seen| *seen == expected).await;

        let list = method(full_name);
        let own = channel(&tenant.facts().service(service).expect("it runs").grpc);
        for (door, channel) in [("gateway", tenant.channel()), (service, &own)] {
            let refused = async |token: &str| {
                let answer = dynamic::bytes(channel, Some(token), &list, bytes::Bytes::new()).await;
                answer.err().map(|status| Refusal::of(&status))
            };
            let expected = refused("x").await;
            assert_eq!(expected.as_ref().map(|refusal| refusal.reason.as_str()), Some("INVALID_TOKEN"));
            let ask = || async { refused(leaked.token()).await };
            eventually(SOON, &format!("{door} to refuse it"), ask, |seen| *seen == expected).await;
        }
    }
    let logs = stack::logs(tenant.facts());
    let said = [("what it said", &said.output), ("what it complained of", &said.errors)];
    let logs = logs.iter().map(|(name, log)| (name.as_str(), log)).chain(said);
    for (name, log) in logs {
        for part in leaked.token().split('.').skip(1) {
            assert!(!log.contains(part), "{name} holds a part of the token");
        }
    }
}

/// PLT-12: whoever sends more than one token, or another sort of credential, is nobody.
#[tokio::test]
async fn ambiguous_credentials_are_no_credentials() {
    let tenant = Tenant::fresh();
    let director = tenant.director();
    let token = format!("Bearer {}", director.token());
    let anonymous = tenant.anonymous();
    let path = "/v1/accounts";
    let ask = || anonymous.request(reqwest::Method::GET, path);

    let twice = ask().header("authorization", token.as_str()).header("authorization", "Bearer x");
    let basic = ask().header("authorization", "Basic ZGlyZWN0b3I6c2VjcmV0");
    let in_query =
        anonymous.request(reqwest::Method::GET, &format!("{path}?access_token={}", director.token()));
    let in_cookie = ask().header("cookie", format!("token={}", director.token()));
    let by_header = ask().header("x-tenant", tenant.claim.as_str()).header("x-user", "director");
    for (what, request) in
        [("two", twice), ("basic", basic), ("query", in_query), ("cookie", in_cookie), ("headers", by_header)]
    {
        let answer = anonymous.send(request).await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.text());
    }
}

/// PLT-12: a token ends when it says so, on a connection that is open too.
#[tokio::test]
async fn a_token_ends_when_it_says_so() {
    let tenant = Tenant::fresh();
    let mut grant = tenant.grant("brief", &["auditor"]);
    // It is accepted for as long after its end as clocks may differ, which a test need not wait for.
    grant.ttl = Duration::from_secs(1);
    let mut claims = tenant.minter().claims(&grant);
    claims["exp"] = json!(Utc::now().timestamp() - 24);
    let token = tenant.minter().sign(&claims).expect("it can be signed");
    let http = tenant.anonymous().with_token(Some(&token));
    http.get("/v1/accounts").await.ok();

    let ask = || async { http.get("/v1/accounts").await.status };
    eventually(SOON, "the end of the token", ask, |status| *status == 401).await;
}

/// PLT-12: no log holds a token, good or bad.
#[tokio::test]
async fn no_token_is_written_into_a_log() {
    let tenant = Tenant::fresh();
    let subject = format!("secretive-{}", Uuid::new_v4().simple());
    let good = tenant.caller(&subject, &["auditor"]);
    let (_, bad) = forgeries(&tenant, &subject).swap_remove(11);
    good.get("/v1/accounts").await.ok();
    assert_eq!(good.with_token(Some(&bad)).get("/v1/accounts").await.status, 401);
    for token in [good.token(), &bad] {
        let payload = token.split('.').nth(1).expect("three parts");
        for (name, log) in stack::logs(tenant.facts()) {
            assert!(!log.contains(payload), "the log of {name} holds a token");
        }
    }
}
