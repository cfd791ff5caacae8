//! What this process asks of others: statements of its database, and calls that it sends again.

use std::{sync::Arc, time::Duration};

use opentelemetry::{KeyValue, metrics::Counter};
use opentelemetry_semantic_conventions::attribute::{
    DB_COLLECTION_NAME, DB_NAMESPACE, DB_OPERATION_NAME, DB_SYSTEM_NAME, ERROR_TYPE,
};

use super::{catalogue::UPSTREAM_NAME, metrics::Metrics};

impl Metrics {
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
