//! Somebody with a token: calls by JSON, by generated clients and by descriptors.

use std::ops::Deref;

use prost::Message as _;
use prost_reflect::{DynamicMessage, MethodDescriptor};
use reqwest::Method;
use serde_json::Value;
use tonic::{Status, service::interceptor::InterceptedService, transport::Channel};
use trato_devstack::trade;
use trato_proto::customers::v1::account_service_client::AccountServiceClient;
use uuid::Uuid;

use super::{
    client::{Bearer, Http},
    dynamic,
};

/// A channel that puts the caller's token on every call.
pub type Authenticated = InterceptedService<Channel, Bearer>;

/// Somebody with a token. Calls of JSON stand on it directly: `caller.get("/v1/accounts")`.
#[derive(Clone, Debug)]
pub struct Caller {
    subject: String,
    token: String,
    http: Http,
    channel: Channel,
}

impl Deref for Caller {
    type Target = Http;

    fn deref(&self) -> &Http {
        &self.http
    }
}

impl Caller {
    /// A caller with this token over these connections.
    pub fn new(subject: &str, token: &str, http: &Http, channel: &Channel) -> Self {
        Self {
            subject: subject.to_owned(),
            token: token.to_owned(),
            http: http.with_token(Some(token)),
            channel: channel.clone(),
        }
    }

    /// The subject of the token.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The caller's name as a member.
    pub fn name(&self) -> String {
        format!("members/{}", self.subject)
    }

    /// The token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The channel of generated clients.
    pub fn channel(&self) -> Authenticated {
        InterceptedService::new(self.channel.clone(), Bearer::new(Some(&self.token)))
    }

    /// The generated client of accounts.
    pub fn accounts(&self) -> AccountServiceClient<Authenticated> {
        AccountServiceClient::new(self.channel())
    }

    /// A unary call by descriptor, with a request written as JSON.
    pub async fn unary(&self, method: &MethodDescriptor, request: &Value) -> Result<DynamicMessage, Status> {
        let message = dynamic::message(&method.input(), request);
        dynamic::unary(&self.channel, Some(&self.token), method, message).await
    }

    /// All messages of a stream that ends, by descriptor.
    pub async fn collect(&self, method: &MethodDescriptor, request: &Value) -> Result<Vec<Value>, Status> {
        let message = dynamic::message(&method.input(), request);
        let mut stream = dynamic::streaming(&self.channel, Some(&self.token), method, message).await?;
        let mut found = Vec::new();
        while let Some(message) = stream.message().await? {
            found.push(dynamic::json(&message));
        }
        Ok(found)
    }

    /// A call of a method of either kind by descriptor: whether it was accepted. Of a stream, only the beginning is read.
    pub async fn attempt(&self, method: &MethodDescriptor, request: &Value) -> Result<(), Status> {
        let message = dynamic::message(&method.input(), request);
        dynamic::bytes(&self.channel, Some(&self.token), method, message.encode_to_vec().into()).await
    }

    /// Every item of a list method of JSON, page by page.
    pub async fn list_all(&self, path: &str, items: &str, parameters: &[(&str, &str)]) -> Vec<Value> {
        let mut found = Vec::new();
        let mut token = String::new();
        loop {
            let mut all = parameters.to_vec();
            all.push(("pageToken", &token));
            let page = self.query(path, &all).await.ok();
            found.extend(page[items].as_array().cloned().unwrap_or_default());
            token = page["nextPageToken"].as_str().unwrap_or_default().to_owned();
            if token.is_empty() {
                return found;
            }
        }
    }
}

impl trade::Client for Caller {
    async fn ask(&mut self, path: String, body: Value) -> anyhow::Result<Value> {
        let request = self.request(Method::POST, &path).header("idempotency-key", Uuid::new_v4().to_string());
        self.send(request.json(&body)).await.acknowledged()
    }
}
