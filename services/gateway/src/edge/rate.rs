//! How many requests a caller may make: by tenant and subject of the verified token, else by address.

use std::{hash::Hash, net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DefaultKeyedStateStore,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use trato_platform::auth::Identity;
use trato_types::{Error, Kind};
use uuid::Uuid;

use crate::config;

/// `ratelimit` and `ratelimit-policy` of the IETF's draft "RateLimit header fields for HTTP".
const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The limits of all callers.
#[derive(Debug)]
pub struct Rates {
    callers: Limit<(Uuid, Arc<str>)>,
    addresses: Limit<IpAddr>,
}

#[derive(Debug)]
struct Limit<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock, StateInformationMiddleware>,
    clock: DefaultClock,
    name: &'static str,
    policy: HeaderValue,
}

/// What is left to a caller, for the headers of the answer.
#[derive(Clone, Debug)]
pub struct Standing {
    policy: HeaderValue,
    state: HeaderValue,
}

impl Standing {
    /// Tells the client what it has left.
    pub fn write(self, headers: &mut HeaderMap) {
        headers.insert(POLICY, self.policy);
        headers.insert(RATELIMIT, self.state);
    }
}

impl Rates {
    /// Limits as configured.
    pub fn new(rate: &config::Rate) -> Self {
        Self {
            callers: Limit::new("caller", rate.per_caller, rate.burst_per_caller),
            addresses: Limit::new("address", rate.per_address, rate.burst_per_address),
        }
    }

    /// Counts a request of a verified caller.
    pub fn caller(&self, identity: &Identity) -> (Result<(), Error>, Standing) {
        self.callers.count(&(identity.tenant, Arc::clone(&identity.subject)))
    }

    /// Counts a request without a valid token.
    pub fn address(&self, address: IpAddr) -> (Result<(), Error>, Standing) {
        // One network of IPv6 has more addresses than could be counted apart.
        let address = match address {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::from([a, b, c, d, 0, 0, 0, 0])
            }
            address => address,
        };
        self.addresses.count(&address)
    }

    /// Forgets callers that have been quiet for so long that nothing is held against them. Call it now and then.
    pub fn forget_the_quiet(&self) {
        self.callers.limiter.retain_recent();
        self.addresses.limiter.retain_recent();
        self.callers.limiter.shrink_to_fit();
        self.addresses.limiter.shrink_to_fit();
    }
}

impl<K: Hash + Eq + Clone> Limit<K> {
    fn new(name: &'static str, per_second: u32, burst: u32) -> Self {
        let at_least_one = |count| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(per_second)).allow_burst(at_least_one(burst));
        let limiter = RateLimiter::dashmap(quota).with_middleware();
        let policy = format!("\"{name}\";q={burst};w={}", burst.div_ceil(per_second.max(1)));
        let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("\"\""));
        Self { limiter, clock: DefaultClock::default(), name, policy }
    }

    fn count(&self, key: &K) -> (Result<(), Error>, Standing) {
        let standing = |left: u32, seconds: u64| {
            let state = HeaderValue::try_from(format!("\"{}\";r={left};t={seconds}", self.name));
            Standing { policy: self.policy.clone(), state: state.unwrap_or(HeaderValue::from_static("\"\"")) }
        };
        match self.limiter.check_key(key) {
            Ok(state) => (Ok(()), standing(state.remaining_burst_capacity(), 0)),
            Err(refused) => {
                let wait = refused.wait_time_from(self.clock.now()).max(Duration::from_millis(1));
                let error = Error::new(Kind::Exhausted, "RATE_EXCEEDED", "too many requests; slow down")
                    .with("limit", self.name)
                    .retry_after(wait);
                (Err(error), standing(0, wait.as_secs().max(1)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_burst_and_is_told_when_to_come_back() {
        let rates = Rates::new(&config::Rate {
            per_caller: 1,
            burst_per_caller: 1,
            per_address: 1,
            burst_per_address: 2,
        });
        let count = |address: [u8; 4]| rates.address(IpAddr::from(address));

        assert!(count([1, 1, 1, 1]).0.is_ok());
        let (second, standing) = count([1, 1, 1, 1]);
        assert!(second.is_ok());
        assert_eq!(standing.state, "\"address\";r=0;t=0");
        let (third, standing) = count([1, 1, 1, 1]);
        let third = third.expect_err("the burst is used up");
        assert_eq!((third.kind(), third.reason()), (Kind::Exhausted, "RATE_EXCEEDED"));
        assert!(third.retry_delay().is_some_and(|delay| delay <= Duration::from_secs(1)));
        assert_eq!(
            (standing.policy, standing.state),
            (
                HeaderValue::from_static("\"address\";q=2;w=2"),
                HeaderValue::from_static("\"address\";r=0;t=1")
            )
        );
        assert!(count([2, 2, 2, 2]).0.is_ok());
    }
}
