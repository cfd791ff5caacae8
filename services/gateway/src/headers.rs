//! Which headers reach the services, how long a call may take, and the id of a request.

use std::{net::IpAddr, time::Duration};

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, TE, USER_AGENT},
};
use tokio::time::Instant;
use trato_platform::{rpc, telemetry::propagate};
use trato_types::Error;
use uuid::Uuid;

/// `x-request-id`
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// `grpc-timeout`
pub const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
/// Milliseconds an HTTP client wants to wait.
pub const TIMEOUT_MS: HeaderName = HeaderName::from_static("x-trato-timeout-ms");
/// `idempotency-key`
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// `last-event-id`
pub const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// `application/grpc`
pub const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

const PURPOSE: HeaderName = HeaderName::from_static(rpc::PURPOSE);
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
const FORWARDED_AGENT: HeaderName = HeaderName::from_static("x-forwarded-user-agent");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");

/// The client's id of the request when it can be sent back safely, else one of our own.
pub fn request_id(headers: &HeaderMap) -> HeaderValue {
    let own =
        || HeaderValue::try_from(Uuid::now_v7().to_string()).unwrap_or(HeaderValue::from_static("unknown"));
    let given = headers
        .get(REQUEST_ID)
        .filter(|id| !id.is_empty() && id.len() <= 128 && id.as_bytes().iter().all(u8::is_ascii_graphic));
    given.cloned().unwrap_or_else(own)
}

/// What a call to an upstream carries: an explicit list, so that nothing a client makes up is believed behind us.
pub fn forwarded(
    from: &HeaderMap,
    request_id: &HeaderValue,
    traceparent: &str,
    deadline: Option<Instant>,
) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(12);
    headers.insert(CONTENT_TYPE, GRPC);
    headers.insert(TE, HeaderValue::from_static("trailers"));
    headers.insert(REQUEST_ID, request_id.clone());
    for name in [AUTHORIZATION, ACCEPT_LANGUAGE] {
        if let Some(value) = from.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    // Several are as wrong as one that is too long, which is for the service to say.
    for purpose in from.get_all(PURPOSE) {
        headers.append(PURPOSE, purpose.clone());
    }
    if let Some(agent) = from.get(USER_AGENT) {
        headers.insert(FORWARDED_AGENT, agent.clone());
    }
    propagate::inject(&mut headers, traceparent);
    // It belongs to the trace that it came with.
    if propagate::traceparent_in(from).is_some()
        && let Some(state) = from.get(TRACESTATE)
    {
        headers.insert(TRACESTATE, state.clone());
    }
    if let Some(deadline) = deadline {
        let left = deadline.saturating_duration_since(Instant::now()).as_millis().max(1);
        if let Ok(value) = HeaderValue::try_from(format!("{}m", left.min(99_999_999))) {
            headers.insert(GRPC_TIMEOUT, value);
        }
    }
    headers
}

/// For calls that are passed through: how their frames are compressed is between client and service.
pub fn forward_encoding(from: &HeaderMap, to: &mut HeaderMap) {
    for name in [GRPC_ENCODING, GRPC_ACCEPT_ENCODING] {
        if let Some(value) = from.get(&name) {
            to.insert(name, value.clone());
        }
    }
}

/// How long the client wants to wait; an error when it says so in a way that cannot be read.
pub fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, Error> {
    let wrong = |name: &HeaderName, form: &str| {
        Error::invalid(name.as_str(), "INVALID_TIMEOUT", format!("must be {form}"))
    };
    if let Some(value) = headers.get(GRPC_TIMEOUT) {
        let parsed = value.to_str().ok().and_then(rpc::parse_timeout);
        return parsed
            .map(Some)
            .ok_or_else(|| wrong(&GRPC_TIMEOUT, "up to eight digits and one of H M S m u n"));
    }
    let Some(value) = headers.get(TIMEOUT_MS) else { return Ok(None) };
    let millis = value.to_str().ok().filter(|text| text.len() <= 9).and_then(|text| text.parse().ok());
    millis
        .map(|millis| Some(Duration::from_millis(millis)))
        .ok_or_else(|| wrong(&TIMEOUT_MS, "whole milliseconds"))
}

/// The client's address: the peer's, or, behind `trusted_hops` proxies of our own, what the outermost of them noted.
pub fn client_address(headers: &HeaderMap, peer: IpAddr, trusted_hops: usize) -> IpAddr {
    if trusted_hops == 0 {
        return peer;
    }
    let noted = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let noted: Vec<&str> = noted.flat_map(|value| value.split(',')).map(str::trim).collect();
    let place = noted.len().checked_sub(trusted_hops);
    place.and_then(|place| noted[place].parse().ok()).unwrap_or(peer)
}

/// Bytes of all names and values.
pub fn size(headers: &HeaderMap) -> usize {
    // As HTTP/2 counts a header list (RFC 9113, 6.5.2).
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_the_listed_headers_reach_a_service() {
        let from = headers(&[
            ("authorization", "Bearer a"),
            ("accept-language", "es"),
            ("user-agent", "curl"),
            ("x-purpose", "dispute 4711"),
            ("cookie", "a=b"),
            ("connection", "x-tenant"),
            ("x-tenant", "other"),
            ("transfer-encoding", "chunked"),
            ("grpc-encoding", "gzip"),
            ("traceparent", TRACEPARENT),
            ("tracestate", "a=b"),
        ]);

        let sent = forwarded(&from, &HeaderValue::from_static("r1"), TRACEPARENT, None);

        let mut names: Vec<_> = sent.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        let expected = [
            "accept-language",
            "authorization",
            "content-type",
            "te",
            "traceparent",
            "tracestate",
            "x-forwarded-user-agent",
            "x-purpose",
            "x-request-id",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn the_state_of_a_trace_is_passed_on_with_that_trace_only() {
        let state = |from: &[(&'static str, &'static str)]| {
            let sent = forwarded(&headers(from), &HeaderValue::from_static("r1"), TRACEPARENT, None);
            assert_eq!(sent["traceparent"], TRACEPARENT);
            sent.contains_key("tracestate")
        };

        assert!(state(&[("traceparent", TRACEPARENT), ("tracestate", "a=b")]));
        assert!(!state(&[("traceparent", "00"), ("tracestate", "a=b")]));
        assert!(!state(&[("tracestate", "a=b")]));
    }

    #[test]
    fn a_timeout_is_read_in_both_forms_and_refused_when_malformed() {
        assert_eq!(
            timeout(&headers(&[("grpc-timeout", "250m")])).expect("a timeout"),
            Some(Duration::from_millis(250))
        );
        assert_eq!(
            timeout(&headers(&[("x-trato-timeout-ms", "9")])).expect("a timeout"),
            Some(Duration::from_millis(9))
        );
        assert_eq!(timeout(&HeaderMap::new()).expect("none"), None);
        for wrong in [("grpc-timeout", "1"), ("grpc-timeout", "123456789S"), ("x-trato-timeout-ms", "1s")] {
            assert_eq!(timeout(&headers(&[wrong])).expect_err("malformed").reason(), "INVALID_TIMEOUT");
        }
    }

    #[test]
    fn an_id_that_cannot_be_sent_back_is_replaced() {
        assert_eq!(request_id(&headers(&[("x-request-id", "abc-1")])), "abc-1");
        assert_eq!(request_id(&headers(&[("x-request-id", "a b")])).len(), 36);
        assert_eq!(request_id(&HeaderMap::new()).len(), 36);
    }

    #[test]
    fn a_client_is_believed_about_its_address_only_by_way_of_our_own_proxies() {
        let peer = IpAddr::from([10, 0, 0, 1]);
        let forwarded = headers(&[("x-forwarded-for", "1.1.1.1, 2.2.2.2"), ("x-forwarded-for", "3.3.3.3")]);

        assert_eq!(client_address(&forwarded, peer, 0), peer);
        assert_eq!(client_address(&forwarded, peer, 1), IpAddr::from([3, 3, 3, 3]));
        assert_eq!(client_address(&forwarded, peer, 2), IpAddr::from([2, 2, 2, 2]));
        assert_eq!(client_address(&forwarded, peer, 4), peer);
    }
}
