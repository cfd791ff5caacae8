//! The two ways in: JSON over HTTP and gRPC, both through the gateway unless a test says otherwise.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::Interceptor,
    transport::{Channel, Endpoint},
};

use super::answer::Answer;

/// Longest time any single call of a test may take; a call that hangs fails its test.
const PATIENCE: Duration = Duration::from_secs(60);

/// The gateway's reason for a caller that is too fast. Many tests share one address, and its allowance.
pub const RATE_LIMITED: &str = "RATE_EXCEEDED";
/// What a caller then waits, and how often at most.
pub const PAUSE: Duration = Duration::from_millis(500);
/// See `PAUSE`.
pub const MOST_PAUSES: usize = 40;

/// A caller of JSON with or without a token.
#[derive(Clone, Debug)]
pub struct Http {
    base: String,
    token: Option<String>,
    client: reqwest::Client,
}

impl Http {
    /// A caller of `base`, such as `http://127.0.0.1:8080`.
    pub fn new(base: &str, token: Option<&str>) -> Self {
        // It installs the TLS provider that every client of the process needs, plain http or not.
        trato_devstack::http::client().expect("an HTTP client can be made");
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build();
        Self {
            base: base.to_owned(),
            token: token.map(str::to_owned),
            client: client.expect("an HTTP client can be made"),
        }
    }

    /// The same caller with another token, over the same connections.
    #[must_use]
    pub fn with_token(&self, token: Option<&str>) -> Self {
        Self { token: token.map(str::to_owned), ..self.clone() }
    }

    /// Address of the gateway.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A request that the test may still change.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request and reads its answer. Fails only when there is none. Who is told to slow down does.
    pub async fn try_send(&self, request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
        let mut request = request;
        for _ in 0..MOST_PAUSES {
            let Some(again) = request.try_clone() else { break };
            let answer = self.send_once(request).await?;
            if answer.status != 429 || answer.refused().reason != RATE_LIMITED {
                return Ok(answer);
            }
            tokio::time::sleep(PAUSE).await;
            request = again;
        }
        self.send_once(request).await
    }

    /// GET, once: who is told to slow down is told so.
    pub async fn once(&self, path: &str) -> reqwest::Result<Answer> {
        self.send_once(self.request(Method::GET, path)).await
    }

    /// Sends a request once; fails only when there is no answer.
    pub async fn send_once(&self, request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
        let request = request.build()?;
        let asked = format!("{} {}", request.method(), request.url().path());
        let answer = self.client.execute(request).await?;
        let status = answer.status().as_u16();
        Ok(Answer { asked, status, bytes: answer.bytes().await? })
    }

    /// Sends a request that must be answered.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        self.try_send(request).await.unwrap_or_else(|error| panic!("the gateway gave no answer: {error:?}"))
    }

    /// A call with a JSON body, or without one.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request = self.request(method, path);
        self.send(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    /// GET with query parameters.
    pub async fn query(&self, path: &str, parameters: &[(&str, &str)]) -> Answer {
        self.get(&format!("{path}?{}", encode(parameters))).await
    }

    /// POST.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(&body)).await
    }

    /// PATCH.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, Some(&body)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }
}

/// Query parameters with every byte escaped that is not plainly safe.
pub fn encode<K: AsRef<str>, V: AsRef<str>>(parameters: &[(K, V)]) -> String {
    let pairs =
        parameters.iter().map(|(key, value)| format!("{}={}", escape(key.as_ref()), escape(value.as_ref())));
    pairs.collect::<Vec<_>>().join("&")
}

/// Percent-encodes what is not a letter, digit or one of `-._~`.
pub fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// A connection for gRPC; it is opened at the first call and again when it breaks.
pub fn channel(url: &str) -> Channel {
    let endpoint = Endpoint::from_shared(url.to_owned()).expect("a stack's addresses are URLs");
    endpoint.timeout(PATIENCE).connect_lazy()
}

/// Puts the token on every gRPC call.
#[derive(Clone, Debug)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

impl Bearer {
    /// With this token, or with none.
    pub fn new(token: Option<&str>) -> Self {
        Self(token.map(|token| format!("Bearer {token}").parse().expect("a token is plain text")))
    }
}

impl Bearer {
    /// A request with the token on it.
    pub fn on<M>(&self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        if let Some(value) = &self.0 {
            request.metadata_mut().insert("authorization", value.clone());
        }
        request
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            request.metadata_mut().insert("authorization", value.clone());
        }
        Ok(request)
    }
}
