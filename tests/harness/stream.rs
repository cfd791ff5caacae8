//! Streams over HTTP, as a browser or a script reads them: newline-delimited JSON and server-sent events.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::Value;

use super::client::{Http, encode};

/// How the gateway shall write the stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// `{"result": …}` a line.
    Lines,
    /// Server-sent events.
    Events,
}

/// One message of a stream.
#[derive(Clone, Debug)]
pub struct Message {
    /// The message as JSON.
    pub body: Value,
    /// `id:` of a server-sent event; empty for lines.
    pub id: String,
}

/// An open stream.
#[derive(Debug)]
pub struct HttpStream {
    answer: Response,
    form: Form,
    /// Bytes of messages that are not complete yet.
    waiting: Vec<u8>,
    is_over: bool,
}

impl HttpStream {
    /// Opens a stream. Panics when it is refused.
    pub async fn open(http: &Http, path: &str, parameters: &[(&str, &str)], form: Form) -> Self {
        Self::open_after(http, path, parameters, form, None).await
    }

    /// Opens a stream that goes on after the event with this id, as a browser does by itself.
    pub async fn open_after(
        http: &Http,
        path: &str,
        parameters: &[(&str, &str)],
        form: Form,
        last_event_id: Option<&str>,
    ) -> Self {
        let accept = match form {
            Form::Lines => "application/x-ndjson",
            Form::Events => "text/event-stream",
        };
        let path = format!("{path}?{}", encode(parameters));
        let mut request = http.request(Method::GET, &path).header("accept", accept);
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let answer = request.send().await.expect("the gateway answers");
        let kind =
            answer.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        assert!(kind.starts_with(accept), "{path} was answered {} {kind}", answer.status());
        Self { answer, form, waiting: Vec::new(), is_over: false }
    }

    /// The next message; none when the stream has ended, or when nothing came `within` that time.
    pub async fn next(&mut self, within: Duration) -> Option<Message> {
        tokio::time::timeout(within, self.read()).await.ok().flatten()
    }

    /// Messages until there are `count` of them. Panics when they do not come in time.
    pub async fn take(&mut self, count: usize, within: Duration) -> Vec<Message> {
        let mut taken = Vec::new();
        while taken.len() < count {
            match self.next(within).await {
                Some(message) => taken.push(message),
                None => panic!("only {} of {count} messages came: {taken:#?}", taken.len()),
            }
        }
        taken
    }

    /// All messages to the stream's end.
    pub async fn until_end(mut self, within: Duration) -> Vec<Message> {
        let mut taken = Vec::new();
        while let Some(message) = self.next(within).await {
            taken.push(message);
        }
        assert!(self.is_over, "the stream did not end");
        taken
    }

    async fn read(&mut self) -> Option<Message> {
        let separator: &[u8] = if self.form == Form::Lines { b"\n" } else { b"\n\n" };
        loop {
            while let Some(at) = self.waiting.windows(separator.len()).position(|bytes| bytes == separator) {
                let block: Vec<u8> = self.waiting.drain(..at + separator.len()).collect();
                let block = String::from_utf8(block).expect("a stream is UTF-8");
                if let Some(message) = self.message(&block) {
                    return Some(message);
                }
            }
            match self.answer.chunk().await.expect("the stream is not cut off") {
                Some(bytes) => self.waiting.extend_from_slice(&bytes),
                None => {
                    self.is_over = true;
                    return None;
                }
            }
        }
    }

    /// None for comments, which keep a quiet stream open.
    fn message(&self, block: &str) -> Option<Message> {
        if self.form == Form::Lines {
            let line: Value = serde_json::from_str(block).expect("a line is JSON");
            assert!(line["error"].is_null(), "the stream failed: {line}");
            return Some(Message { body: line["result"].clone(), id: String::new() });
        }
        let field = |name: &str| {
            let lines = block.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            lines.map(|value| value.strip_prefix(' ').unwrap_or(value)).collect::<Vec<_>>().join("\n")
        };
        let (data, event) = (field("data"), field("event"));
        assert_ne!(event, "error", "the stream failed: {data}");
        if data.is_empty() {
            return None;
        }
        Some(Message { body: serde_json::from_str(&data).expect("the data is JSON"), id: field("id") })
    }
}
