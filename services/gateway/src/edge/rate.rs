//! How much may be asked: by a caller and its whole tenant, known by the verified token, or else by an address.
//!
//! Each limit is a bucket that fills at a steady rate. A request takes from every bucket it is counted by or from none,
//! so that what one limit refuses uses up nothing of another. One lock holds all buckets of a tenant together.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::OwnedSemaphorePermit;
use trato_platform::{auth::Identity, rpc::Places};
use trato_types::{Error, Kind};
use uuid::Uuid;

use super::bucket::{Bucket, Policy, Shared};
use crate::config;

/// `ratelimit` and `ratelimit-policy` of the IETF's draft "RateLimit header fields for HTTP".
const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The limits of all callers.
#[derive(Debug)]
pub struct Rates {
    standard: Limits,
    /// Limits of tenants that have their own.
    own: HashMap<Uuid, Limits>,
    tenants: RwLock<HashMap<Uuid, Arc<Mutex<Tenant>>>>,
    /// Processes of the gateway, among which the rate of a tenant is divided.
    gateways: AtomicU32,
    address: Policy,
    addresses: Mutex<HashMap<IpAddr, Bucket>>,
}

/// What a tenant and each caller in it may have.
#[derive(Debug)]
struct Limits {
    caller: Policy,
    tenant: Policy,
    concurrent_per_caller: usize,
    concurrent_per_tenant: usize,
}

/// What a tenant and its callers have used.
#[derive(Debug)]
struct Tenant {
    bucket: Bucket,
    places: Places,
    callers: HashMap<Arc<str>, Caller>,
}

#[derive(Debug)]
struct Caller {
    bucket: Bucket,
    places: Places,
}

/// The room a call takes up in what its caller and its tenant may have at once, until it is dropped.
#[derive(Debug)]
pub struct Share {
    _of_caller: OwnedSemaphorePermit,
    _of_tenant: OwnedSemaphorePermit,
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
        let own = rate.tenants.iter().map(|(tenant, own)| (*tenant, Limits::new(&rate.with(own))));
        Self {
            standard: Limits::new(rate),
            own: own.collect(),
            tenants: RwLock::default(),
            gateways: AtomicU32::new(1),
            address: Policy::new("address", rate.per_address, rate.burst_per_address),
            addresses: Mutex::default(),
        }
    }

    /// So many processes of the gateway there are now.
    pub fn divide(&self, gateways: u32) {
        self.gateways.store(gateways, Relaxed);
    }

    /// Counts a request of a verified caller, and gives it room beside the other calls of its caller and tenant.
    pub fn caller(&self, identity: &Identity) -> (Result<Share, Error>, Standing) {
        let limits = self.own.get(&identity.tenant).unwrap_or(&self.standard);
        let tenant = self.tenant(identity.tenant, limits);
        let mut tenant = tenant.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let Tenant { bucket, places, callers } = &mut *tenant;
        let caller = callers.entry(Arc::clone(&identity.subject)).or_insert_with(|| Caller {
            bucket: Bucket::full(now),
            places: Places::new(limits.concurrent_per_caller),
        });
        let share = share(&caller.places, places);
        let share_of_tenant = limits.tenant.among(self.gateways.load(Relaxed));
        let mut buckets = [(limits.caller.alone(), &mut caller.bucket), (share_of_tenant, bucket)];
        match share {
            Ok(share) => {
                let counted = take(&mut buckets, now);
                (counted.map(|()| share), standing(&buckets, now))
            }
            Err(error) => (Err(error), standing(&buckets, now)),
        }
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
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let bucket = addresses.entry(address).or_insert_with(|| Bucket::full(now));
        let mut buckets = [(self.address.alone(), bucket)];
        let counted = take(&mut buckets, now);
        (counted, standing(&buckets, now))
    }

    /// Forgets callers that have been quiet for so long that nothing is held against them. Call it now and then.
    pub fn forget_the_quiet(&self) {
        let now = Instant::now();
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        addresses.retain(|_, bucket| !bucket.is_full(now));
        addresses.shrink_to_fit();
        drop(addresses);
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        tenants.retain(|_, shared| {
            let mut tenant = shared.lock().unwrap_or_else(PoisonError::into_inner);
            tenant.callers.retain(|_, caller| !(caller.bucket.is_full(now) && caller.places.is_idle()));
            tenant.callers.shrink_to_fit();
            // Whoever looked the tenant up is about to count in it.
            let is_held = Arc::strong_count(shared) > 1;
            is_held || !tenant.callers.is_empty() || !tenant.bucket.is_full(now)
        });
        tenants.shrink_to_fit();
    }

    fn tenant(&self, id: Uuid, limits: &Limits) -> Arc<Mutex<Tenant>> {
        let known = self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        known.unwrap_or_else(|| {
            let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
            let fresh = || Tenant {
                bucket: Bucket::full(Instant::now()),
                places: Places::new(limits.concurrent_per_tenant),
                callers: HashMap::new(),
            };
            Arc::clone(tenants.entry(id).or_insert_with(|| Arc::new(Mutex::new(fresh()))))
        })
    }
}

impl Limits {
    fn new(rate: &config::Rate) -> Self {
        Self {
            caller: Policy::new("caller", rate.per_caller, rate.burst_per_caller),
            tenant: Policy::new("tenant", rate.per_tenant, rate.burst_per_tenant),
            concurrent_per_caller: rate.concurrent_per_caller,
            concurrent_per_tenant: rate.concurrent_per_tenant,
        }
    }
}

fn share(caller: &Places, tenant: &Places) -> Result<Share, Error> {
    Ok(Share {
        _of_caller: caller.take().map_err(|error| error.with("limit", "caller"))?,
        _of_tenant: tenant.take().map_err(|error| error.with("limit", "tenant"))?,
    })
}

/// Takes one from each bucket, or from none when one of them is empty.
fn take(buckets: &mut [(Shared<'_>, &mut Bucket)], now: Instant) -> Result<(), Error> {
    let waits = buckets.iter().map(|(policy, bucket)| (bucket.wait(*policy, now), policy.name()));
    let (wait, limit) = waits.max().unwrap_or_default();
    if !wait.is_zero() {
        return Err(Error::new(Kind::Exhausted, "RATE_EXCEEDED", "too many requests; slow down")
            .with("limit", limit)
            .retry_after(wait.max(Duration::from_millis(1))));
    }
    for (policy, bucket) in buckets {
        bucket.take(*policy, now);
    }
    Ok(())
}

fn standing(buckets: &[(Shared<'_>, &mut Bucket)], now: Instant) -> Standing {
    let joined = |parts: Vec<String>| {
        HeaderValue::try_from(parts.join(", ")).unwrap_or(HeaderValue::from_static("\"\""))
    };
    Standing {
        policy: joined(buckets.iter().map(|(policy, _)| policy.written().into_owned()).collect()),
        state: joined(buckets.iter().map(|(policy, bucket)| bucket.written(*policy, now)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use trato_platform::auth::marks::Marks;

    use super::*;

    fn rates(change: impl FnOnce(&mut config::Rate)) -> Rates {
        let mut rate = config::Rate {
            per_caller: 100,
            burst_per_caller: 100,
            concurrent_per_caller: 100,
            per_tenant: 100,
            burst_per_tenant: 100,
            concurrent_per_tenant: 100,
            gateways: Vec::new(),
            per_address: 100,
            burst_per_address: 100,
            tenants: HashMap::new(),
        };
        change(&mut rate);
        Rates::new(&rate)
    }

    fn identity(tenant: u128, subject: &str) -> Identity {
        Identity {
            tenant: Uuid::from_u128(tenant),
            subject: subject.into(),
            roles: Arc::from([]),
            issuer: "issuer".into(),
            expires: chrono::DateTime::UNIX_EPOCH,
            marks: Marks::default(),
        }
    }

    /// The limit that refuses a request, as the error names it.
    fn refused_by(rates: &Rates, identity: &Identity) -> Option<String> {
        let error = rates.caller(identity).0.err()?;
        assert_eq!(error.kind(), Kind::Exhausted);
        assert!(error.retry_delay().is_some(), "it says when to come back");
        error.metadata().iter().find(|(key, _)| *key == "limit").map(|(_, value)| value.clone())
    }

    #[test]
    fn each_address_has_its_own_burst_and_is_told_when_to_come_back() {
        let rates = rates(|rate| (rate.per_address, rate.burst_per_address) = (1, 2));
        let count = |address: [u8; 4]| rates.address(IpAddr::from(address));

        assert!(count([1, 1, 1, 1]).0.is_ok());
        let (second, standing) = count([1, 1, 1, 1]);
        assert!(second.is_ok());
        assert_eq!(standing.state, "\"address\";r=0;t=1");
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

    #[test]
    fn a_tenant_is_limited_as_a_whole_and_another_is_not_affected() {
        let rates = rates(|rate| (rate.per_tenant, rate.burst_per_tenant) = (1, 2));

        assert_eq!(refused_by(&rates, &identity(1, "ana")), None);
        assert_eq!(refused_by(&rates, &identity(1, "ben")), None);
        assert_eq!(refused_by(&rates, &identity(1, "cem")), Some("tenant".to_owned()));
        assert_eq!(refused_by(&rates, &identity(2, "ana")), None);
    }

    #[test]
    fn each_of_several_gateways_gives_a_tenant_its_share_and_a_caller_all_of_its_own() {
        let rates = rates(|rate| (rate.per_tenant, rate.burst_per_tenant, rate.per_caller) = (1, 6, 1));
        rates.divide(3);

        let refused: Vec<_> = (0..3).map(|_| refused_by(&rates, &identity(1, "ana"))).collect();

        assert_eq!(refused, [None, None, Some("tenant".to_owned())]);
        rates.divide(100);
        assert_eq!(refused_by(&rates, &identity(2, "ana")), None, "each has room for one");
        assert_eq!(refused_by(&rates, &identity(2, "ana")), Some("tenant".to_owned()));
    }

    #[test]
    fn what_one_limit_refuses_uses_up_nothing_of_another() {
        let by_caller = rates(|rate| (rate.per_caller, rate.burst_per_caller) = (1, 1));
        let by_tenant = rates(|rate| (rate.per_tenant, rate.burst_per_tenant) = (1, 1));
        let by_room = rates(|rate| rate.concurrent_per_caller = 1);

        let held = by_room.caller(&identity(1, "ana")).0.expect("there is room");
        for _ in 0..50 {
            drop(by_caller.caller(&identity(1, "ana")));
            drop(by_tenant.caller(&identity(1, "ana")));
            assert_eq!(refused_by(&by_room, &identity(1, "ana")), Some("caller".to_owned()));
        }
        drop(held);

        // Of 100 at first at most two are taken; a moment gives some back, and what was refused took nothing.
        let has_nearly_all = |state: HeaderValue, name: &str| {
            let state = state.to_str().expect("text").to_owned();
            let nearly = (98..=100).any(|left| state.contains(&format!("\"{name}\";r={left};")));
            assert!(nearly, "{state}");
        };
        has_nearly_all(by_caller.caller(&identity(1, "ben")).1.state, "tenant");
        has_nearly_all(by_room.caller(&identity(1, "ben")).1.state, "tenant");
        has_nearly_all(by_tenant.caller(&identity(1, "ana")).1.state, "caller");
    }

    #[test]
    fn a_tenant_may_have_limits_of_its_own() {
        let own = config::TenantRate { per_tenant: Some(1), burst_per_tenant: Some(1), ..Default::default() };
        let rates = rates(|rate| rate.tenants = HashMap::from([(Uuid::from_u128(1), own)]));

        let policy = rates.caller(&identity(1, "ana")).1.policy;
        assert_eq!(policy, "\"caller\";q=100;w=1, \"tenant\";q=1;w=1");
        assert_eq!(refused_by(&rates, &identity(1, "ana")), Some("tenant".to_owned()));
        assert_eq!(refused_by(&rates, &identity(2, "ana")), None);
    }

    #[test]
    fn calls_at_once_are_limited_for_a_caller_and_for_a_tenant_until_they_end() {
        let rates = rates(|rate| (rate.concurrent_per_caller, rate.concurrent_per_tenant) = (1, 2));

        let ana = rates.caller(&identity(1, "ana")).0.expect("the first");
        assert_eq!(refused_by(&rates, &identity(1, "ana")), Some("caller".to_owned()));
        let _ben = rates.caller(&identity(1, "ben")).0.expect("the second");
        assert_eq!(refused_by(&rates, &identity(1, "cem")), Some("tenant".to_owned()));
        drop(ana);
        assert_eq!(refused_by(&rates, &identity(1, "cem")), None);
    }

    #[test]
    fn only_the_quiet_are_forgotten() {
        let rates = rates(|rate| (rate.per_caller, rate.burst_per_caller) = (1, 10));
        let busy = rates.caller(&identity(1, "ana")).0.expect("there is room");
        rates.address(IpAddr::from([1, 1, 1, 1])).0.expect("the first");

        rates.forget_the_quiet();
        assert_eq!(rates.tenants.read().expect("not poisoned").len(), 1);
        assert_eq!(rates.addresses.lock().expect("not poisoned").len(), 1);
        drop(busy);
    }
}
