//! What a failed handler means for its event.

use trato_types::{Error, Kind};

/// Tries of a failure that may pass by itself; with the waits in between they take less than half a second, which is
/// all that one event may delay the others.
pub(super) const TRIES: i32 = 5;

/// What is done about a failure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// The database is away, or has no room. No event is to blame: nothing is parked, everything waits.
    Wait,
    /// A concurrent change, a limit, a timeout: the same event may pass in a moment. Parked after `TRIES`.
    Retry,
    /// The same event would fail the same way again, as far as anybody can tell: parked at once.
    Park,
}

/// Judges a handler's error. A panic is `Park`.
pub(super) fn judge(error: &Error) -> Verdict {
    match (error.kind(), error.reason()) {
        (Kind::Unavailable, "DATABASE_UNAVAILABLE" | "DATABASE_EXHAUSTED") => Verdict::Wait,
        (Kind::Unavailable | Kind::Exhausted | Kind::DeadlineExceeded | Kind::Stale, _) => Verdict::Retry,
        _ => Verdict::Park,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_by_itself_is_tried_again() {
        let of = |kind, reason| judge(&Error::new(kind, reason, "failed"));

        assert_eq!(of(Kind::Unavailable, "DATABASE_UNAVAILABLE"), Verdict::Wait);
        assert_eq!(of(Kind::Unavailable, "DATABASE_CONFLICT"), Verdict::Retry);
        assert_eq!(of(Kind::Stale, "ETAG_MISMATCH"), Verdict::Retry);
        for kind in [Kind::Invalid, Kind::NotFound, Kind::Precondition, Kind::AlreadyExists, Kind::Internal] {
            assert_eq!(of(kind, "ANY"), Verdict::Park, "{kind:?}");
        }
    }
}
