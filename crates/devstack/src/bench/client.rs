//! The load client's connections: JSON over HTTP/1.1 and gRPC over HTTP/2, as lean as pgbench so that the limit and we
//! are driven alike.
//!
//! Requests of gRPC are encoded by hand: they hold a few texts and numbers, and the runner links no contract.

use anyhow::{Context as _, Result, bail};
use bytes::{BufMut as _, Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request,
    client::conn::{http1, http2},
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, TE},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use uuid::Uuid;

/// Calls in flight that share one HTTP/2 connection.
const STREAMS: usize = 8;

/// Whom calls go to, and as whom.
#[derive(Clone, Debug)]
pub struct Target {
    /// Host and port.
    authority: String,
    bearer: HeaderValue,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Of HTTP; gRPC is always POST.
    pub method: Method,
    /// Path and query, or `/package.Service/Method`.
    pub path: String,
    /// JSON, or the encoded message.
    pub body: Bytes,
    /// The request id of JSON where neither path nor body says it.
    pub key: Option<Uuid>,
    /// Whose call it is, where it is not the target's.
    bearer: Option<HeaderValue>,
}

/// How calls travel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wire {
    /// A connection a caller.
    Json,
    /// Eight callers a connection.
    Grpc,
}

/// A caller's connection, perhaps shared with others.
#[derive(Debug)]
pub enum Link {
    /// HTTP/1.1.
    Json(http1::SendRequest<Full<Bytes>>),
    /// HTTP/2.
    Grpc(http2::SendRequest<Full<Bytes>>),
}

impl Target {
    /// The server of this URL, `http://127.0.0.1:8080`.
    pub fn new(url: &str, token: &str) -> Result<Self> {
        let authority = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        Ok(Self { authority, bearer: format!("Bearer {token}").parse()? })
    }

    /// Connections for so many callers.
    pub async fn links(&self, wire: Wire, callers: usize) -> Result<Vec<Link>> {
        let mut links = Vec::new();
        let mut shared: Option<http2::SendRequest<Full<Bytes>>> = None;
        for caller in 0..callers {
            links.push(match (wire, &shared) {
                (Wire::Json, _) => {
                    let (sender, connection) = http1::handshake(TokioIo::new(self.connect().await?)).await?;
                    tokio::spawn(connection);
                    Link::Json(sender)
                }
                (Wire::Grpc, Some(sender)) if caller % STREAMS != 0 => Link::Grpc(sender.clone()),
                (Wire::Grpc, _) => {
                    let stream = TokioIo::new(self.connect().await?);
                    let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await?;
                    tokio::spawn(connection);
                    shared = Some(sender.clone());
                    Link::Grpc(sender)
                }
            });
        }
        Ok(links)
    }

    async fn connect(&self) -> Result<TcpStream> {
        let stream = TcpStream::connect(&self.authority)
            .await
            .with_context(|| format!("nobody answers at {}", self.authority))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl Link {
    /// Makes one call and answers the body; anything but success is an error.
    pub async fn call(&mut self, target: &Target, call: Call) -> Result<Bytes> {
        let bearer = call.bearer.as_ref().unwrap_or(&target.bearer).clone();
        match self {
            Self::Json(sender) => {
                sender.ready().await?;
                let mut request = Request::builder()
                    .method(call.method)
                    .uri(call.path)
                    .header(HOST, &target.authority)
                    .header(AUTHORIZATION, bearer)
                    .header(CONTENT_TYPE, "application/json");
                if let Some(key) = call.key {
                    request = request.header("idempotency-key", key.to_string());
                }
                let request = request.body(Full::new(call.body))?;
                let answer = sender.send_request(request).await?;
                let status = answer.status();
                let body = answer.into_body().collect().await?.to_bytes();
                if !status.is_success() {
                    bail!("{status}: {}", String::from_utf8_lossy(&body));
                }
                Ok(body)
            }
            Self::Grpc(sender) => {
                sender.ready().await?;
                let request = Request::builder()
                    .method(Method::POST)
                    .uri(format!("http://{}{}", target.authority, call.path))
                    .header(AUTHORIZATION, bearer)
                    .header(CONTENT_TYPE, "application/grpc")
                    .header(TE, "trailers")
                    .body(Full::new(framed(&call.body)))?;
                let (head, body) = sender.send_request(request).await?.into_parts();
                let body = body.collect().await?;
                let trailers = body.trailers().unwrap_or(&head.headers);
                if status_of(trailers) != Some("0") {
                    let message = trailers.get("grpc-message").and_then(|text| text.to_str().ok());
                    bail!("{}: {}", status_of(trailers).unwrap_or("no status"), message.unwrap_or_default());
                }
                Ok(body.to_bytes().slice(5..))
            }
        }
    }
}

impl Call {
    /// A call without a body.
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), body: Bytes::new(), key: None, bearer: None }
    }

    /// A call with a body of JSON.
    pub fn post(path: impl Into<String>, body: &serde_json::Value) -> Self {
        Self {
            method: Method::POST,
            path: path.into(),
            body: body.to_string().into(),
            key: None,
            bearer: None,
        }
    }

    /// The same under a request id.
    #[must_use]
    pub fn under(self, key: Uuid) -> Self {
        Self { key: Some(key), ..self }
    }

    /// The same as that target's caller, whosever connection it takes.
    #[must_use]
    pub fn by(self, target: &Target) -> Self {
        Self { bearer: Some(target.bearer.clone()), ..self }
    }

    /// A call of gRPC.
    pub fn grpc(path: &str, message: BytesMut) -> Self {
        Self { method: Method::POST, path: path.into(), body: message.freeze(), key: None, bearer: None }
    }
}

/// Adds a text field to a message.
pub fn put_text(message: &mut BytesMut, field: u8, text: &str) {
    message.put_u8((field << 3) | 2);
    put_varint(message, text.len());
    message.put_slice(text.as_bytes());
}

/// Adds a number field to a message.
pub fn put_number(message: &mut BytesMut, field: u8, number: usize) {
    message.put_u8(field << 3);
    put_varint(message, number);
}

fn put_varint(message: &mut BytesMut, mut number: usize) {
    while number >= 0x80 {
        message.put_u8((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    message.put_u8(number as u8);
}

fn framed(message: &Bytes) -> Bytes {
    let mut frame = BytesMut::with_capacity(message.len() + 5);
    frame.put_u8(0);
    frame.put_u32(message.len() as u32);
    frame.put_slice(message);
    frame.freeze()
}

fn status_of(headers: &HeaderMap) -> Option<&str> {
    headers.get("grpc-status")?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_encoded_as_protobuf_wants_them() {
        let mut message = BytesMut::new();
        put_number(&mut message, 1, 300);
        put_text(&mut message, 2, "ab");

        assert_eq!(&message[..], [0x08, 0xac, 0x02, 0x12, 0x02, b'a', b'b']);
        assert_eq!(&framed(&message.freeze())[..6], [0, 0, 0, 0, 7, 0x08]);
    }
}
