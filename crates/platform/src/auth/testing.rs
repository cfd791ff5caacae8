//! A small issuer for tests: discovery, keys that can be rotated, withdrawn or made unreachable, and tokens of any kind.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, jwk::Jwk};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Verifier, issuer::Pauses};
use crate::config;

/// The audience of its tokens.
pub const AUDIENCE: &str = "trato";
/// The tenant its tokens call `acme`.
pub const ACME: Uuid = Uuid::from_u128(0xACE);

/// A P-256 key pair that lives as long as the test.
#[derive(Clone)]
pub struct TestKey(Arc<EncodingKey>);

impl TestKey {
    /// A new pair.
    pub fn generate() -> Self {
        let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        Self(Arc::new(EncodingKey::from_ec_der(pair.expect("random numbers").as_ref())))
    }

    /// The public half as a JWK with this id.
    pub fn public(&self, id: &str) -> Value {
        let jwk = Jwk::from_encoding_key(&self.0, Algorithm::ES256).expect("a public key");
        let mut jwk = serde_json::to_value(jwk).expect("JSON");
        jwk["kid"] = id.into();
        jwk["use"] = "sig".into();
        jwk
    }

    /// Signs any header and claims with ES256, whatever the header says.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    /// Like `sign`, for texts that need not be JSON.
    pub fn sign_text(&self, header: &str, claims: &str) -> String {
        let signed = unsigned(header, claims);
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &self.0, Algorithm::ES256);
        format!("{signed}.{}", signature.expect("signed"))
    }
}

/// The issuer; all clones share its keys.
#[derive(Clone)]
pub struct TestIssuer {
    /// Where it answers; also the `iss` of its tokens.
    pub url: String,
    /// The key it signs with, published as `one`.
    pub key: TestKey,
    shared: Arc<Shared>,
}

struct Shared {
    url: String,
    keys: Mutex<Vec<Value>>,
    down: AtomicBool,
    fetches: AtomicUsize,
}

impl TestIssuer {
    /// Listens on a free port of loopback, with one key under the id `one`.
    pub async fn start() -> Self {
        super::tls::install();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let key = TestKey::generate();
        let shared = Arc::new(Shared {
            url: url.clone(),
            keys: Mutex::new(vec![key.public("one")]),
            down: AtomicBool::new(false),
            fetches: AtomicUsize::new(0),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, key, shared }
    }

    /// Publishes exactly these keys from now on.
    pub fn publish(&self, keys: Vec<Value>) {
        *self.shared.keys.lock().expect("not poisoned") = keys;
    }

    /// Answers everything with 503 while it is down.
    pub fn set_down(&self, down: bool) {
        self.shared.down.store(down, Ordering::SeqCst);
    }

    /// How often the keys were fetched.
    pub fn fetches(&self) -> usize {
        self.shared.fetches.load(Ordering::SeqCst)
    }

    /// A configuration that trusts this issuer for the tenant `acme`.
    pub fn settings(&self) -> config::Auth {
        let issuer = config::Issuer {
            url: self.url.clone(),
            audience: AUDIENCE.to_owned(),
            tenants: HashMap::from([("acme".to_owned(), ACME)]),
            any_tenant: true,
            ..config::Issuer::default()
        };
        config::Auth {
            issuers: vec![issuer],
            leeway_seconds: 60,
            jwks_refresh_seconds: 300,
            token_cache_capacity: 100,
            allow_insecure_issuers: false,
            claims: config::Claims { tenant: "tenant".to_owned(), roles: "roles".to_owned() },
        }
    }

    /// A verifier that trusts this issuer and asks it as often as it likes.
    pub fn verifier(&self) -> Verifier {
        let pauses = Pauses { unknown_key: Duration::ZERO, failure: Duration::ZERO };
        Verifier::build(&self.settings(), pauses).expect("a verifier")
    }

    /// The claims of a good token for `ana`, with some of them replaced; `null` takes a claim out.
    pub fn claims(&self, changes: Value) -> Value {
        let now = chrono::Utc::now().timestamp();
        let mut claims = json!({
            "iss": self.url, "aud": AUDIENCE, "sub": "ana", "tenant": "acme", "roles": ["sales"], "exp": now + 600, "iat": now,
            "jti": Uuid::new_v4(),
        });
        for (name, value) in changes.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        claims.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
        claims
    }

    /// A good token, but for the changes, signed with the key called `one`.
    pub fn token(&self, changes: Value) -> String {
        self.key.sign(&json!({ "alg": "ES256", "typ": "JWT", "kid": "one" }), &self.claims(changes))
    }
}

async fn discovery(State(shared): State<Arc<Shared>>) -> Result<Json<Value>, StatusCode> {
    if shared.down.load(Ordering::SeqCst) {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    Ok(Json(json!({ "issuer": shared.url, "jwks_uri": format!("{}/keys", shared.url) })))
}

async fn keys(State(shared): State<Arc<Shared>>) -> Result<Json<Value>, StatusCode> {
    shared.fetches.fetch_add(1, Ordering::SeqCst);
    if shared.down.load(Ordering::SeqCst) {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    Ok(Json(json!({ "keys": *shared.keys.lock().expect("not poisoned") })))
}

/// Header and claims without a signature.
pub fn unsigned(header: &str, claims: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}
