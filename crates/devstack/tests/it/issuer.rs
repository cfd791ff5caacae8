//! The dev issuer, as a service looks at it.

use std::net::{Ipv4Addr, TcpListener};

use serde_json::Value;
use trato_devstack::{Grant, http, issuer::Issuer, keys::SigningKey};

async fn fetch(url: &str) -> Value {
    let client = http::client().expect("a client");
    let answer = client.get(url).send().await.expect("the issuer answers");
    serde_json::from_slice(&answer.bytes().await.expect("it answers whole")).expect("it answers JSON")
}

async fn key_ids(issuer: &Issuer) -> Vec<String> {
    let configuration = fetch(&format!("{}/.well-known/openid-configuration", issuer.url())).await;
    assert_eq!(configuration["issuer"], issuer.url());
    let set = fetch(configuration["jwks_uri"].as_str().expect("the key set has an address")).await;
    let keys = set["keys"].as_array().expect("a key set lists keys").clone();
    keys.iter().map(|key| key["kid"].as_str().expect("a key has an identifier").to_owned()).collect()
}

#[tokio::test]
async fn a_rotated_issuer_signs_with_its_new_key_and_publishes_the_old_one_as_long_as_told() {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|free| free.local_addr())
        .expect("a free port")
        .port();
    let first = SigningKey::generate().expect("a key");
    let first_id = first.id().to_owned();
    let issuer = Issuer::start(port, first).await.expect("the port is free");
    assert_eq!(key_ids(&issuer).await, [first_id.as_str()]);

    let second = issuer.rotate(true).expect("a new key");
    assert_eq!(key_ids(&issuer).await, [second.id(), &first_id]);
    assert_eq!(issuer.minter().key().id(), second.id());

    let third = issuer.rotate(false).expect("a new key");
    assert_eq!(key_ids(&issuer).await, [third.id()]);
    assert_eq!(issuer.key_set_fetches(), 3);

    let claims =
        issuer.minter().claims(&Grant::new("acme", "auditor").role("data-loader").subject("members.test"));
    assert_eq!(claims["roles"], serde_json::json!(["auditor", "data-loader"]));
    assert_eq!(claims["sub"], "members.test");
    assert_eq!(claims["iss"], issuer.url());
}
