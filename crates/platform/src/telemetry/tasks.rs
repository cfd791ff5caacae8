//! What jobs found that waits for somebody: what they could not do and keep to be mended, and what is in a state for too long.

use std::time::{Duration, Instant};

use opentelemetry_semantic_conventions::attribute::ERROR_TYPE;

use super::{
    catalogue::{RESOURCE_COLLECTION, RESOURCE_STATE, RESOURCES_OVERDUE, TASK_KIND, TASKS_PARKED},
    metrics::Metrics,
};

impl Metrics {
    /// How many tasks are parked now, by kind and reason; told anew within `valid`, or no more: another process may have counted
    /// since then.
    pub fn tasks_parked(&self, counts: &[(String, String, i64)], valid: Duration) {
        let Some(instruments) = &self.instruments else { return };
        let until = Instant::now() + valid;
        instruments.board.clear(&TASKS_PARKED);
        for (kind, reason, count) in counts {
            let labels = [(TASK_KIND, kind.as_str()), (ERROR_TYPE, reason.as_str())];
            let count = *count as f64;
            let ask = move || (Instant::now() < until).then_some(count);
            instruments.board.ask(&TASKS_PARKED, &labels, ask);
        }
    }

    /// How many resources of a collection are in a state for longer than they should, by state; told anew within `valid`, or no
    /// more: another process may have counted since then. A process tells it of one collection.
    pub fn resources_overdue(&self, collection: &str, counts: &[(String, i64)], valid: Duration) {
        let Some(instruments) = &self.instruments else { return };
        let until = Instant::now() + valid;
        instruments.board.clear(&RESOURCES_OVERDUE);
        for (state, count) in counts {
            let labels = [(RESOURCE_COLLECTION, collection), (RESOURCE_STATE, state.as_str())];
            let count = *count as f64;
            let ask = move || (Instant::now() < until).then_some(count);
            instruments.board.ask(&RESOURCES_OVERDUE, &labels, ask);
        }
    }
}
