//! What this process asks of others: statements of its database, connections for them, and calls that it sends again.

use std::{sync::Arc, time::Duration};

use opentelemetry::{KeyValue, metrics::Counter};
use opentelemetry_semantic_conventions::attribute::{
    DB_CLIENT_CONNECTION_POOL_NAME, DB_CLIENT_CONNECTION_STATE, DB_COLLECTION_NAME, DB_NAMESPACE,
    DB_OPERATION_NAME, DB_SYSTEM_NAME, ERROR_TYPE,
};

use super::{
    catalogue::{self as all, UPSTREAM_NAME},
    metrics::Metrics,
};
use crate::db::Pool;

impl Metrics {
    /// Has the connections of a pool asked for.
    pub fn watch_pool(&self, name: &'static str, pool: &Pool) {
        let Some(instruments) = &self.instruments else { return };
        let labels = |state| [(DB_CLIENT_CONNECTION_POOL_NAME, name), (DB_CLIENT_CONNECTION_STATE, state)];
        let count = |connections: usize| Some(connections as f64);
        let board = &instruments.board;
        let (one, other) = (pool.clone(), pool.clone());
        board.ask(&all::CONNECTIONS, &labels("idle"), move || count(one.status().available));
        board.ask(&all::CONNECTIONS, &labels("used"), move || {
            let status = other.status();
            count(status.size.saturating_sub(status.available))
        });
        let most = pool.status().max_size as f64;
        board.tell(&all::MOST_CONNECTIONS, &[(DB_CLIENT_CONNECTION_POOL_NAME, name)], most);
    }

    /// The database failed a statement.
    pub fn database_failed(&self, reason: &'static str) {
        if let Some(instruments) = &self.instruments {
            instruments.database_failures.add(1, &[KeyValue::new(ERROR_TYPE, reason)]);
        }
    }

    /// A statement or a transaction of a database ended, or failed for a `reason`. No table is an empty one.
    pub fn database_operation(
        &self,
        database: &Arc<str>,
        operation: &'static str,
        table: &'static str,
        reason: Option<&'static str>,
        duration: Duration,
    ) {
        let Some(instruments) = &self.instruments else { return };
        // What may be missing stands at the ends, so that a slice leaves it out.
        let attributes = [
            KeyValue::new(DB_COLLECTION_NAME, table),
            KeyValue::new(DB_SYSTEM_NAME, "postgresql"),
            KeyValue::new(DB_NAMESPACE, Arc::clone(database)),
            KeyValue::new(DB_OPERATION_NAME, operation),
            KeyValue::new(ERROR_TYPE, reason.unwrap_or_default()),
        ];
        let used = usize::from(table.is_empty())..if reason.is_some() { 5 } else { 4 };
        instruments.database_operation.record(duration.as_secs_f64(), &attributes[used]);
    }

    /// A call to `upstream` is sent again, for what became of the attempt before.
    pub fn call_repeated(&self, upstream: &Arc<str>, cause: &'static str) {
        if let Some(instruments) = &self.instruments {
            repetition(&instruments.repeated, upstream, cause);
        }
    }

    /// A call to `upstream` might have been sent again, were there not too many of those.
    pub fn call_not_repeated(&self, upstream: &Arc<str>, cause: &'static str) {
        if let Some(instruments) = &self.instruments {
            repetition(&instruments.not_repeated, upstream, cause);
        }
    }
}

fn repetition(counter: &Counter<u64>, upstream: &Arc<str>, cause: &'static str) {
    counter.add(1, &[KeyValue::new(UPSTREAM_NAME, Arc::clone(upstream)), KeyValue::new(ERROR_TYPE, cause)]);
}
