//! How a service stands with the broker as long as its queue is not declared: whether nobody is there, which passes, or
//! somebody who refuses it, which somebody has to mend.

use tokio::time::Instant;
use trato_types::error::chain;

use super::broker::BrokerError;

/// What came of the attempts to declare the queue so far.
#[derive(Clone, Debug)]
pub enum Standing {
    /// The first attempt is under way.
    Pending,
    /// The broker cannot be reached.
    Away {
        /// When the first of the attempts began that found nobody, one after the other.
        since: Instant,
        /// What the last one met.
        why: String,
    },
    /// The broker is there, and what it is asked for is refused: by itself, or on this side for its certificate.
    Refused(String),
    /// This process found or made the queue: from then on no event passes the service by. For good.
    Declared,
}

impl Standing {
    /// True once the queue is declared.
    pub fn is_declared(&self) -> bool {
        matches!(self, Self::Declared)
    }

    /// Notes what ended an attempt that began at `started`.
    pub(super) fn fail(&mut self, error: &BrokerError, started: Instant) {
        let why = chain(error);
        *self = match &*self {
            Self::Declared => return,
            Self::Away { since, .. } if error.is_away() => Self::Away { since: *since, why },
            _ if error.is_away() => Self::Away { since: started, why },
            _ => Self::Refused(why),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::{io, time::Duration};

    use super::*;

    fn broken(kind: io::ErrorKind) -> BrokerError {
        BrokerError::Broken(io::Error::from(kind).into())
    }

    /// CRD-03: only who was away for long enough is done without; a refusal begins the count anew.
    #[test]
    fn a_broker_is_away_since_the_first_attempt_of_an_unbroken_row() {
        let mut standing = Standing::Pending;
        let begun = Instant::now();
        let since = |standing: &Standing| match standing {
            Standing::Away { since, .. } => Some(since.duration_since(begun).as_secs()),
            _ => None,
        };
        let mut fail = |error: BrokerError, after: u64| {
            standing.fail(&error, begun + Duration::from_secs(after));
            since(&standing)
        };

        assert_eq!(fail(broken(io::ErrorKind::ConnectionRefused), 1), Some(1));
        assert_eq!(fail(BrokerError::Silent, 2), Some(1));
        assert_eq!(fail(broken(io::ErrorKind::InvalidData), 3), None, "its certificate is not believed");
        assert_eq!(fail(broken(io::ErrorKind::ConnectionReset), 4), Some(4));
        assert_eq!(fail(BrokerError::Url("no scheme".to_owned()), 5), None);
        standing = Standing::Declared;
        standing.fail(&BrokerError::Silent, begun);
        assert!(standing.is_declared());
    }
}
