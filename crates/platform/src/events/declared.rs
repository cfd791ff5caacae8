//! What is remembered of the service's queue: that it was declared once with what is bound to it now. Queue and bindings
//! are durable, so that from then on no event passes the service by, whether the broker can be reached or not.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};
use sqlx::PgExecutor;

use super::{event::Subscription, topology};

/// Remembers that the queue is declared. Repeatable.
pub(crate) async fn remember(
    executor: impl PgExecutor<'_>,
    service: &str,
    subscriptions: &[Subscription],
) -> sqlx::Result<()> {
    let sql = "insert into platform.declared_queue (bindings) values ($1) on conflict do nothing";
    sqlx::query(sql).bind(bindings(service, subscriptions)).execute(executor).await?;
    Ok(())
}

/// Whether the queue was ever declared with these bindings. Others that were added since do not matter: none is taken away.
pub(crate) async fn is_remembered(
    executor: impl PgExecutor<'_>,
    service: &str,
    subscriptions: &[Subscription],
) -> sqlx::Result<bool> {
    let sql = "select exists (select from platform.declared_queue where bindings = $1)";
    sqlx::query_scalar(sql).bind(bindings(service, subscriptions)).fetch_one(executor).await
}

/// Names a queue by all that decides what comes into it.
fn bindings(service: &str, subscriptions: &[Subscription]) -> Vec<u8> {
    let types: BTreeSet<&str> =
        subscriptions.iter().flat_map(|subscription| subscription.types).copied().collect();
    let mut digest = Sha256::new();
    digest.update(topology::queue(service));
    for kind in types {
        // Neither names of queues nor types hold a line's end.
        digest.update("\n");
        digest.update(kind);
    }
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
        let known = bindings("sales", &[listening("a", &["x.made", "y.made"])]);

        let regrouped = [listening("b", &["y.made"]), listening("c", &["x.made", "y.made"])];
        assert_eq!(bindings("sales", &regrouped), known);
        assert_ne!(bindings("sales", &[listening("a", &["x.made", "y.made", "z.made"])]), known);
        assert_ne!(bindings("billing", &[listening("a", &["x.made", "y.made"])]), known);
    }
}
