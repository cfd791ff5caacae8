//! How long a call may take: the caller's `grpc-timeout`, within the server's bounds.

use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, header::HeaderName};
use trato_types::{Error, Kind};

const HEADER: HeaderName = HeaderName::from_static("grpc-timeout");
/// Least and most time that is kept from a neighbour, unless half of what is left is less.
const KEPT: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// The caller's timeout. A malformed header counts as none, as gRPC's own servers have it.
pub(super) fn timeout(headers: &HeaderMap) -> Option<Duration> {
    parse_timeout(headers.get(HEADER)?.to_str().ok()?)
}

/// A `grpc-timeout`: up to eight digits and a unit.
pub fn parse_timeout(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    // At most eight digits and no sign, says the protocol; that also keeps the arithmetic below from overflowing.
    if number.is_empty() || number.len() > 8 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = number.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

/// The `grpc-timeout` of a call made on behalf of another, `None` when no time is left.
pub(super) fn header(deadline: Instant) -> Option<HeaderValue> {
    let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
    let micros = left.as_micros();
    let text = match micros {
        0..100_000_000 => format!("{}u", micros.max(1)),
        100_000_000..100_000_000_000 => format!("{}m", micros / 1_000),
        _ => format!("{}S", left.as_secs().min(99_999_999)),
    };
    HeaderValue::try_from(text).ok()
}

/// Puts what a neighbour may take of the time until `deadline` into the headers of an outgoing call.
pub(super) fn inject(headers: &mut HeaderMap, deadline: Instant) -> Result<(), Error> {
    let left = deadline.saturating_duration_since(Instant::now());
    headers.insert(HEADER, header(deadline - kept(left)).ok_or_else(exceeded)?);
    Ok(())
}

/// How much of what is left is kept from a neighbour: the caller is to hear that it did not answer while it still waits.
fn kept(left: Duration) -> Duration {
    (left / 10).clamp(KEPT.0, KEPT.1).min(left / 2)
}

/// DEADLINE_EXCEEDED, whichever of caller and server set the deadline.
pub fn exceeded() -> Error {
    Error::new(Kind::DeadlineExceeded, "DEADLINE_EXCEEDED", "the call took longer than its deadline allows")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &'static str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_static(text));
        timeout(&headers)
    }

    #[test]
    fn the_timeout_is_read_in_every_unit() {
        assert_eq!(parse("2H"), Some(Duration::from_secs(7200)));
        assert_eq!(parse("3M"), Some(Duration::from_secs(180)));
        assert_eq!(parse("99999999S"), Some(Duration::from_secs(99_999_999)));
        assert_eq!(parse("250m"), Some(Duration::from_millis(250)));
        assert_eq!(parse("0n"), Some(Duration::ZERO));
        for wrong in ["", "S", "1", "1s", "-1S", "+1S", "1.5S", "123456789S", "1 S"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_left_is_passed_on() {
        let header = |left| header(Instant::now() + left).map(|value| value.to_str().map(str::to_owned));
        let left = |left| header(left).expect("time is left").expect("text");

        assert!(left(Duration::from_secs(2)).starts_with("1999"));
        assert!(left(Duration::from_secs(2)).ends_with('u'));
        assert!(left(Duration::from_secs(200)).ends_with('m'));
        assert!(left(Duration::from_secs(1_000_000)).ends_with('S'));
        assert!(header(Duration::ZERO).is_none());
    }

    /// CRD-02: a neighbour that hangs leaves time to say so.
    #[test]
    fn a_neighbour_gets_less_than_what_is_left() {
        let of = |left| kept(Duration::from_millis(left)).as_millis();

        assert_eq!(of(30_000), 1_000);
        assert_eq!(of(2_000), 200);
        assert_eq!(of(100), 20);
        assert_eq!(of(20), 10);
        assert_eq!(of(0), 0);
        let mut headers = HeaderMap::new();
        inject(&mut headers, Instant::now() + Duration::from_secs(2)).expect("time is left");
        let told = timeout(&headers).expect("a timeout");
        assert!(told <= Duration::from_millis(1_800), "{told:?}");
        assert!(inject(&mut headers, Instant::now()).is_err(), "nobody waits any more");
    }
}
