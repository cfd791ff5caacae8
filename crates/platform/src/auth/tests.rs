//! Tokens that must be refused, and one that must not, against an issuer of the test's own.

use serde_json::json;
use trato_types::Kind;

use super::{
    testing::{ACME, TestIssuer, TestKey, unsigned},
    *,
};

fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

async fn assert_refused(verifier: &Verifier, why: &str, token: &str) {
    let error = verifier.verify(token).await.expect_err(why);

    assert_eq!(error.kind(), Kind::Unauthenticated, "{why}");
    let expected = unauthenticated();
    assert_eq!((error.reason(), error.message()), (expected.reason(), expected.message()), "{why}");
    assert!(error.metadata().is_empty() && std::error::Error::source(&error).is_none(), "{why}");
}

/// PLT-12: a good token tells tenant, subject and roles, and is verified once.
#[tokio::test]
async fn a_good_token_is_verified_once_and_remembered() {
    let issuer = TestIssuer::start().await;
    let verifier = issuer.verifier();
    let token = issuer.token(json!({ "roles": ["sales", "everyone"] }));

    let first = verifier.verify_remembering(&token).await.expect("verified");
    let again = verifier.verify_remembering(&token).await.expect("verified");
    let identity = &first.identity;

    assert_eq!((identity.tenant, &*identity.subject), (ACME, "ana"));
    assert_eq!(*identity.roles, ["sales", "everyone"]);
    assert!(Arc::ptr_eq(identity, &again.identity));
    assert!(again.is_news() && !first.is_news() && !again.is_news(), "the first who asks is told");
    assert_eq!(issuer.fetches(), 1);
}

/// PLT-12: every malformed, forged, foreign or untimely token of fault row I4 gets the same UNAUTHENTICATED answer.
#[tokio::test]
async fn every_bad_token_gets_the_same_answer() {
    let issuer = TestIssuer::start().await;
    let verifier = issuer.verifier();
    let other = TestKey::generate();
    let header = |changes: serde_json::Value| {
        let mut header = json!({ "alg": "ES256", "typ": "JWT", "kid": "one" });
        for (name, value) in changes.as_object().expect("an object") {
            header[name] = value.clone();
        }
        header
    };
    let good = issuer.claims(json!({}));
    let signed = |changes| issuer.key.sign(&header(changes), &good);

    let public = serde_json::to_string(&issuer.key.public("one")).expect("JSON");
    let text = unsigned(&header(json!({ "alg": "HS256" })).to_string(), &good.to_string());
    let secret = jsonwebtoken::EncodingKey::from_secret(public.as_bytes());
    let hmac =
        jsonwebtoken::crypto::sign(text.as_bytes(), &secret, jsonwebtoken::Algorithm::HS256).expect("signed");
    let none = unsigned(&header(json!({ "alg": "none" })).to_string(), &good.to_string());
    let twice = good.to_string().replacen('{', r#"{"tenant":"globex","#, 1);
    let token = issuer.token(json!({}));
    let (rest, signature) = token.rsplit_once('.').expect("three parts");

    for (why, token) in [
        ("empty", String::new()),
        ("no token", "abc".to_owned()),
        ("five parts", format!("{token}.a.b")),
        ("signature missing", format!("{rest}.")),
        ("signature of another token", format!("{}.{signature}", unsigned("{}", "{}"))),
        ("too long", format!("{rest}.{}", "A".repeat(MAX_TOKEN_BYTES))),
        ("alg none", format!("{none}.")),
        ("alg none with a signature", format!("{none}.{signature}")),
        ("HS256 with the public key as secret", format!("{text}.{hmac}")),
        ("algorithm not allowed for the issuer", signed(json!({ "alg": "ES384" }))),
        ("algorithm of another key type", signed(json!({ "alg": "RS256" }))),
        ("kid is a path", signed(json!({ "kid": "../../dev/null" }))),
        ("kid is SQL", signed(json!({ "kid": "' or 1=1" }))),
        ("kid is a number", signed(json!({ "kid": 1 }))),
        ("critical header", signed(json!({ "crit": ["exp"] }))),
        ("another type of token", signed(json!({ "typ": "logout+jwt" }))),
        ("signed by another key", other.sign(&header(json!({})), &good)),
        ("key offered in the header", other.sign(&header(json!({ "jwk": other.public("one") })), &good)),
        (
            "key offered at an address",
            other.sign(&header(json!({ "jku": "http://127.0.0.1:1/keys" })), &good),
        ),
        (
            "certificate offered at an address",
            other.sign(&header(json!({ "x5u": "http://127.0.0.1:1/" })), &good),
        ),
        ("wrong audience", issuer.token(json!({ "aud": "other" }))),
        ("no audience", issuer.token(json!({ "aud": null }))),
        ("wrong issuer", issuer.token(json!({ "iss": "https://evil.example.com" }))),
        ("no issuer", issuer.token(json!({ "iss": null }))),
        ("expired 61 s ago", issuer.token(json!({ "exp": now() - 61 }))),
        ("never expires", issuer.token(json!({ "exp": null }))),
        ("expiry is a text", issuer.token(json!({ "exp": "2999-01-01" }))),
        ("valid in 61 s", issuer.token(json!({ "nbf": now() + 63 }))),
        ("another tenant", issuer.token(json!({ "tenant": "globex" }))),
        ("tenant that is neither known nor an id", issuer.token(json!({ "tenant": "0ace" }))),
        ("no tenant", issuer.token(json!({ "tenant": null }))),
        ("two tenants", issuer.key.sign_text(&header(json!({})).to_string(), &twice)),
        ("no subject", issuer.token(json!({ "sub": null }))),
        ("subject that is no member", issuer.token(json!({ "sub": "ana\n" }))),
        ("roles of the wrong kind", issuer.token(json!({ "roles": [1] }))),
    ] {
        assert_refused(&verifier, why, &token).await;
    }
    assert!(verifier.verify(&token).await.is_ok(), "the good one still works");
}

/// PLT-12: clocks may differ by the leeway, audiences may be several, roles may be words or lie deeper.
#[tokio::test]
async fn what_issuers_do_differently_is_understood() {
    let issuer = TestIssuer::start().await;
    let verifier = issuer.verifier();

    for changes in [
        json!({ "exp": now() - 50 }),
        json!({ "nbf": now() + 50 }),
        json!({ "exp": now() as f64 + 10.5 }),
        json!({ "exp": 1e300 }),
        json!({ "aud": ["other", "trato"] }),
        json!({ "roles": null }),
    ] {
        assert!(verifier.verify(&issuer.token(changes.clone())).await.is_ok(), "{changes}");
    }
    let words = verifier.verify(&issuer.token(json!({ "roles": "sales  admin" }))).await.expect("verified");
    assert_eq!(*words.roles, ["sales", "admin"]);

    let mut settings = issuer.settings();
    settings.claims.roles = "/realm_access/roles".to_owned();
    let deeper = Verifier::new(&settings).expect("a verifier");
    let identity = deeper.verify(&issuer.token(json!({ "realm_access": { "roles": ["a"] } }))).await;
    assert_eq!(*identity.expect("verified").roles, ["a"]);
}

/// A trial without an issuer of its own takes the tokens that a Kubernetes cluster signs for service accounts.
#[tokio::test]
async fn a_service_account_of_a_cluster_has_its_namespace_as_tenant_and_its_name_as_role() {
    let issuer = TestIssuer::start().await;
    let mut settings = issuer.settings();
    settings.claims.tenant = "/kubernetes.io/namespace".to_owned();
    settings.claims.roles = "/kubernetes.io/serviceaccount/name".to_owned();
    let verifier = Verifier::new(&settings).expect("a verifier");
    let token = issuer.token(json!({
        "aud": ["trato"], "sub": "system:serviceaccount:acme:administrator", "tenant": null, "roles": null,
        "kubernetes.io": { "namespace": "acme", "serviceaccount": { "name": "administrator" } },
    }));

    let identity = verifier.verify(&token).await.expect("verified");

    assert_eq!((identity.tenant, &*identity.subject), (ACME, "system:serviceaccount:acme:administrator"));
    assert_eq!(*identity.roles, ["administrator"]);
}

/// PLT-12: only an issuer that was said to serve all tenants may name any by id.
#[tokio::test]
async fn a_tenant_id_is_taken_only_from_an_issuer_of_all_tenants() {
    let issuer = TestIssuer::start().await;
    let mut settings = issuer.settings();
    let token = issuer.token(json!({ "tenant": Uuid::from_u128(5) }));

    settings.issuers[0].any_tenant = false;
    assert_refused(&Verifier::new(&settings).expect("a verifier"), "not its tenant", &token).await;
    settings.issuers[0].any_tenant = true;
    let identity = Verifier::new(&settings).expect("a verifier").verify(&token).await;
    assert_eq!(identity.expect("verified").tenant, Uuid::from_u128(5));
}

/// PLT-12: a new key is found by its id, a withdrawn key is trusted no longer, made-up ids cause no storm.
#[tokio::test]
async fn keys_rotate_and_are_withdrawn() {
    let issuer = TestIssuer::start().await;
    let verifier = Verifier::new(&issuer.settings()).expect("a verifier");
    let old = issuer.token(json!({}));
    assert!(verifier.verify(&old).await.is_ok());

    let second = TestKey::generate();
    issuer.publish(vec![second.public("two")]);
    let new = second.sign(&json!({ "alg": "ES256", "kid": "two" }), &issuer.claims(json!({})));
    assert!(verifier.verify(&new).await.is_ok(), "the new key is fetched when first named");
    assert_refused(&verifier, "remembered, but its key was withdrawn", &old).await;

    let fetches = issuer.fetches();
    for id in 0..20 {
        let unknown =
            second.sign(&json!({ "alg": "ES256", "kid": id.to_string() }), &issuer.claims(json!({})));
        assert_refused(&verifier, "unknown key", &unknown).await;
    }
    assert_eq!(issuer.fetches(), fetches, "unknown keys do not reach the issuer time and again");
}

/// PLT-12: known keys serve while the issuer is down; without any key the answer is UNAVAILABLE, not a guess.
#[tokio::test]
async fn an_issuer_may_be_down() {
    let issuer = TestIssuer::start().await;
    let warm = issuer.verifier();
    warm.warm().await;
    issuer.set_down(true);

    assert!(warm.verify(&issuer.token(json!({}))).await.is_ok());
    let cold = issuer.verifier();
    let error = cold.verify(&issuer.token(json!({}))).await.expect_err("no key was ever fetched");
    assert_eq!((error.kind(), error.reason()), (Kind::Unavailable, "ISSUER_UNAVAILABLE"));
    assert_refused(&cold, "an issuer nobody trusts", &issuer.token(json!({ "iss": "http://127.0.0.1:9" })))
        .await;

    issuer.set_down(false);
    assert!(cold.verify(&issuer.token(json!({}))).await.is_ok(), "it recovers by itself");
}

/// PLT-12: a hundred first calls ask the issuer once.
#[tokio::test]
async fn concurrent_first_calls_share_one_fetch() {
    let issuer = TestIssuer::start().await;
    let verifier = issuer.verifier();
    let tokens: Vec<String> = (0..20).map(|n| issuer.token(json!({ "sub": format!("m{n}") }))).collect();

    let answers = futures::future::join_all(tokens.iter().map(|token| verifier.verify(token))).await;

    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(issuer.fetches(), 1);
}

/// PLT-12: discovery cannot lead to another issuer or to keys over an insecure way.
#[tokio::test]
async fn discovery_is_not_believed_blindly() {
    let issuer = TestIssuer::start().await;
    let mut settings = issuer.settings();
    settings.issuers[0].url = format!("{}/", issuer.url);

    let verifier = Verifier::new(&settings).expect("a verifier");
    let token = issuer.token(json!({ "iss": format!("{}/", issuer.url) }));
    let error = verifier.verify(&token).await.expect_err("the document names another issuer");

    assert_eq!(error.reason(), "ISSUER_UNAVAILABLE");
    assert!(trato_types::error::chain(&error).contains("speaks for another issuer"));
    assert!(
        !settings.is_trustworthy("http://id.example.com/keys") && settings.is_trustworthy("http://[::1]:1/")
    );
    assert!(!settings.is_trustworthy("http://127.0.0.1@evil.example.com/"));
}
