//! What is remembered of the service's queue: that it was declared once, at this broker and with what is bound to it now.
//! Queue and bindings are durable, so that from then on no event passes the service by, whether the broker can be reached or
//! not.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};
use sqlx::PgExecutor;
use trato_types::Result;

use super::{broker, event::Subscription, topology};
use crate::{config, db::from_sqlx};

/// Remembers that the queue is declared. Repeatable.
pub(crate) async fn remember(
    executor: impl PgExecutor<'_>,
    broker: &config::Broker,
    service: &str,
    subscriptions: &[Subscription],
) -> Result<()> {
    let place = broker::place(broker).map_err(broker::unavailable)?;
    let sql = "insert into platform.declared_queue (bindings) values ($1) on conflict do nothing";
    let bindings = bindings(&place, service, subscriptions);
    sqlx::query(sql).bind(bindings).execute(executor).await.map_err(from_sqlx)?;
    Ok(())
}

/// Whether the queue was ever declared at this broker with these bindings. Others that were added since do not matter: none is
/// taken away.
pub(crate) async fn is_remembered(
    executor: impl PgExecutor<'_>,
    broker: &config::Broker,
    service: &str,
    subscriptions: &[Subscription],
) -> Result<bool> {
    let place = broker::place(broker).map_err(broker::unavailable)?;
    let sql = "select exists (select from platform.declared_queue where bindings = $1)";
    let bindings = bindings(&place, service, subscriptions);
    sqlx::query_scalar(sql).bind(bindings).fetch_one(executor).await.map_err(from_sqlx)
}

/// Names a queue by where it is, for another broker knows nothing of it, and by all that decides what comes into it.
fn bindings(place: &str, service: &str, subscriptions: &[Subscription]) -> Vec<u8> {
    let types: BTreeSet<&str> =
        subscriptions.iter().flat_map(|subscription| subscription.types).copied().collect();
    let mut digest = Sha256::new();
    digest.update(topology::queue(service));
    for kind in types {
        // Neither names of queues nor types hold a line's end.
        digest.update("\n");
        digest.update(kind);
    }
    // Last, as a virtual host may be called anything.
    digest.update("\n\n");
    digest.update(place);
    digest.finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::FutureExt as _;

    use super::*;

    fn listening(consumer: &'static str, types: &'static [&'static str]) -> Subscription {
        Subscription::new(consumer, types, Arc::new(|_, _| async { Ok(()) }.boxed()))
    }

    /// One more type is bound by nobody yet; who listens to it, and in which order, the broker does not see.
    #[test]
    fn a_queue_is_another_with_other_bindings_only() {
        let of = |service, subscriptions: &[Subscription]| bindings("mq:5672//", service, subscriptions);
        let known = of("sales", &[listening("a", &["x.made", "y.made"])]);

        let regrouped = [listening("b", &["y.made"]), listening("c", &["x.made", "y.made"])];
        assert_eq!(of("sales", &regrouped), known);
        assert_ne!(of("sales", &[listening("a", &["x.made", "y.made", "z.made"])]), known);
        assert_ne!(of("billing", &[listening("a", &["x.made", "y.made"])]), known);
    }

    /// A broker that moved may be an empty one; who logs in, the queue does not see.
    #[test]
    fn a_queue_at_another_broker_is_another() {
        let at = |url: &str| {
            let broker = config::Broker { url: url.into(), authority: String::new(), prefetch: 1, batch: 1 };
            bindings(&broker::place(&broker).expect("an address"), "sales", &[listening("a", &["x.made"])])
        };
        let known = at("amqp://ana:one@mq:5672/%2f");

        assert_eq!(at("amqp://bob:two@mq:5672/%2f?heartbeat=7"), known);
        for other in
            ["amqp://ana:one@mq2:5672/%2f", "amqp://ana:one@mq:5673/%2f", "amqp://ana:one@mq:5672/new"]
        {
            assert_ne!(at(other), known, "{other}");
        }
    }
}
