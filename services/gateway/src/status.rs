//! The outcome of a gRPC call, as it stands in trailers: code, message and the encoded `google.rpc.Status`.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use prost::Message;
use prost_reflect::prost_types::Any;
use tonic::Code;
use tonic_types::pb;
use trato_platform::rpc::status::to_wire;
use trato_types::Error;

/// Domain of the gateway's own reasons.
pub const DOMAIN: &str = "gateway.trato";

/// `grpc-status`
pub const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
/// `grpc-message`
pub const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// `grpc-status-details-bin`
pub const GRPC_DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// Writes without padding, as gRPC asks, and reads both.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A code, a sentence and details.
#[derive(Clone, Debug)]
pub struct Status {
    /// The code of gRPC.
    pub code: Code,
    /// Sentence for people.
    pub message: String,
    /// An encoded `google.rpc.Status`, or nothing.
    pub details: Bytes,
}

impl Status {
    /// Success.
    pub fn ok() -> Self {
        Self { code: Code::Ok, message: String::new(), details: Bytes::new() }
    }

    /// An error of the gateway's own, with its details. Causes are logged by the platform, once, here.
    pub fn of(error: &Error, request_id: &str) -> Self {
        let mut status = to_wire(error);
        for detail in &mut status.details {
            if detail.type_url.ends_with("/google.rpc.ErrorInfo")
                && let Ok(mut info) = pb::ErrorInfo::decode(detail.value.as_slice())
            {
                info.domain = DOMAIN.to_owned();
                detail.value = info.encode_to_vec();
            }
        }
        let info = pb::RequestInfo { request_id: request_id.to_owned(), serving_data: String::new() };
        let type_url = "type.googleapis.com/google.rpc.RequestInfo".to_owned();
        status.details.push(Any { type_url, value: info.encode_to_vec() });
        Self {
            code: Code::from(status.code),
            details: status.encode_to_vec().into(),
            message: status.message,
        }
    }

    /// True where a service does not accept the token; this code says nothing else.
    pub fn refuses_token(&self) -> bool {
        self.code == Code::Unauthenticated
    }

    /// How long the error asks to wait before the next attempt, in whole seconds, at least one.
    pub fn retry_after_seconds(&self) -> Option<i64> {
        let status = pb::Status::decode(self.details.clone()).ok()?;
        let detail =
            status.details.iter().find(|detail| detail.type_url.ends_with("/google.rpc.RetryInfo"))?;
        let delay = pb::RetryInfo::decode(detail.value.as_slice()).ok()?.retry_delay?;
        Some((delay.seconds + i64::from(delay.nanos > 0)).max(1))
    }

    /// The outcome in headers or trailers; `None` when they carry none.
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let code = headers.get(GRPC_STATUS)?;
        let code = Code::from_bytes(code.as_bytes());
        if code == Code::Ok {
            return Some(Self::ok());
        }
        let message =
            headers.get(GRPC_MESSAGE).map(|message| unescape(message.as_bytes())).unwrap_or_default();
        let details = headers.get(GRPC_DETAILS).and_then(|details| BASE64.decode(details.as_bytes()).ok());
        Some(Self { code, message, details: details.unwrap_or_default().into() })
    }

    /// Writes the outcome into headers or trailers.
    pub fn write(&self, headers: &mut HeaderMap) {
        headers.insert(GRPC_STATUS, HeaderValue::from(i32::from(self.code)));
        if !self.message.is_empty()
            && let Ok(message) = HeaderValue::from_str(&escape(&self.message))
        {
            headers.insert(GRPC_MESSAGE, message);
        }
        if !self.details.is_empty()
            && let Ok(details) = HeaderValue::from_str(&BASE64.encode(&self.details))
        {
            headers.insert(GRPC_DETAILS, details);
        }
    }
}

/// Percent-encoding of everything but visible ASCII, as gRPC has it for messages.
fn escape(message: &str) -> String {
    let mut escaped = String::with_capacity(message.len());
    for byte in message.bytes() {
        if (b' '..=b'~').contains(&byte) && byte != b'%' {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

fn unescape(message: &[u8]) -> String {
    let mut decoded = Vec::with_capacity(message.len());
    let mut rest = message;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let escaped = match (byte, after) {
            (b'%', [high, low, ..]) => crate::routes::hex(*high).zip(crate::routes::hex(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                decoded.push(high << 4 | low);
                rest = &after[2..];
            }
            None => decoded.push(*byte),
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_survives_its_headers() {
        let status = Status {
            code: Code::NotFound,
            message: "50 % of «años»\n".to_owned(),
            details: Bytes::from_static(b"\x08\x05"),
        };
        let mut headers = HeaderMap::new();
        status.write(&mut headers);
        let read = Status::read(&headers).expect("an outcome");

        assert_eq!((read.code, read.message, read.details), (status.code, status.message, status.details));
        assert!(headers[GRPC_MESSAGE].to_str().expect("ASCII").contains("%25 of %C2%AB"));
    }

    #[test]
    fn headers_without_a_status_are_no_outcome() {
        assert!(Status::read(&HeaderMap::new()).is_none());
    }
}
