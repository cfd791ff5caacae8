//! A gateway on a real port, in front of an upstream of the test's own, with an issuer of the test's own.

use std::{sync::Arc, time::Duration};

use http::HeaderMap;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use trato_gateway::{
    Contract, Running,
    config::{self, Config},
    edge::Gateway,
};
use trato_platform::{auth::testing::TestIssuer, config::Environment};

use crate::{contract::DESCRIPTORS, upstream::Upstream};

/// Everything of one test.
pub struct Edge {
    /// The gateway.
    pub running: Running,
    /// The service behind it.
    pub upstream: Upstream,
    /// Mints tokens.
    pub issuer: TestIssuer,
    /// A good token.
    pub token: String,
    client: Client,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// HTTP status, AIP-193 status and reason of an error; checks its form.
    pub fn error(&self) -> (u16, String, String) {
        let error = &self.json()["error"];
        assert_eq!(error["code"], self.status, "{self:?}");
        assert_eq!(self.headers["content-type"], "application/json");
        let reason = &self.detail("ErrorInfo")["reason"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (self.status, text(&error["status"]), text(reason))
    }

    /// A detail of an error, by the short name of its type.
    pub fn detail(&self, name: &str) -> Value {
        let json = self.json();
        let details = json["error"]["details"].as_array().cloned().unwrap_or_default();
        let kind = json!(format!("type.googleapis.com/google.rpc.{name}"));
        details.into_iter().find(|detail| detail["@type"] == kind).unwrap_or_default()
    }
}

impl Edge {
    /// With the settings as they come.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With some settings of the test's own, as variables.
    pub async fn with(variables: &[(&str, &str)]) -> Self {
        Self::in_front_of(Upstream::start().await, variables).await
    }

    /// In front of an upstream that is there already.
    pub async fn in_front_of(upstream: Upstream, variables: &[(&str, &str)]) -> Self {
        let issuer = TestIssuer::start().await;
        let issuers = format!(
            r#"[{{ url = "{}", audience = "trato", tenants = {{ acme = "0192f0c1-0000-7000-8000-000000000001" }} }}]"#,
            issuer.url
        );
        let upstreams = format!(r#"{{ "example.library" = "{}" }}"#, upstream.address);
        let own = [
            ("TRATO_SERVER__LISTEN", "127.0.0.1:0"),
            ("TRATO_AUTH__ISSUERS", &issuers),
            ("TRATO_UPSTREAMS", &upstreams),
        ];
        let variables =
            own.iter().chain(variables).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let loaded =
            config::loader().load(&Environment::of(variables)).expect("the test's settings are right");
        let config = Config::of(&loaded).expect("the gateway's sections");
        let contract = Contract { bare: &DESCRIPTORS, documented: &DESCRIPTORS };
        let gateway = Gateway::new(config, contract).expect("the contract can be served");
        let running = Running::start(Arc::new(gateway)).await.expect("free ports");
        let token = issuer.token(json!({}));
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self { running, upstream, issuer, token, client }
    }

    /// Where the gateway is.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.address)
    }

    /// A request with the good token.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.anonymous(method, path).bearer_auth(&self.token)
    }

    /// A request without token.
    pub fn anonymous(&self, method: &str, path: &str) -> RequestBuilder {
        self.client.request(method.parse().expect("a method"), self.url(path))
    }

    /// GET with the good token.
    pub async fn get(&self, path: &str) -> Answer {
        send(self.request("GET", path)).await
    }

    /// POST of JSON with the good token.
    pub async fn post(&self, path: &str, body: impl Into<String>) -> Answer {
        send(self.request("POST", path).header("content-type", "application/json").body(body.into())).await
    }
}

/// Sends a request and reads its answer.
pub async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.expect("a body");
    assert_ne!(status, StatusCode::SWITCHING_PROTOCOLS);
    Answer { status: status.as_u16(), headers, text }
}

/// Longest wait for what takes no time; shorter than the time a call has, so that waiting for its end is told from an end.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until something holds.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{what} did not happen"));
}
