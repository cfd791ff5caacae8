//! What waits for somebody to see to: tasks that jobs could not do, by job and reason; what is in a state for too long; and chains of
//! documents that stand still, by what they wait for.

use std::time::{Duration, Instant};

use opentelemetry_semantic_conventions::attribute::ERROR_TYPE;

use super::{
    board::Labels,
    catalogue::{
        CHAINS_STALLED, Metric, RESOURCE_COLLECTION, RESOURCE_STATE, RESOURCES_OVERDUE, TASK_KIND,
        TASKS_PARKED, WAITING_FOR,
    },
    metrics::{Instruments, Metrics},
};

impl Metrics {
    /// How many tasks are parked now, by kind and reason; told anew within `valid`, or no more: another process may have counted
    /// since then.
    pub fn tasks_parked(&self, counts: &[(String, String, i64)], valid: Duration) {
        let Some(instruments) = &self.instruments else { return };
        instruments.board.clear(&TASKS_PARKED);
        for (kind, reason, count) in counts {
            let labels = [(TASK_KIND, kind.as_str()), (ERROR_TYPE, reason.as_str())];
            instruments.tell_for(&TASKS_PARKED, &labels, *count, valid);
        }
    }

    /// How many chains of documents stand still now, by what they wait for; told anew within `valid`, or no more.
    pub fn chains_stalled(&self, counts: &[(String, i64)], valid: Duration) {
        let Some(instruments) = &self.instruments else { return };
        instruments.board.clear(&CHAINS_STALLED);
        for (waiting_for, count) in counts {
            instruments.tell_for(&CHAINS_STALLED, &[(WAITING_FOR, waiting_for.as_str())], *count, valid);
        }
    }

    /// How many resources of a collection are in a state for longer than they should, by state; told anew within `valid`, or no
    /// more: another process may have counted since then. A process tells it of one collection.
    pub fn resources_overdue(&self, collection: &str, counts: &[(String, i64)], valid: Duration) {
        let Some(instruments) = &self.instruments else { return };
        instruments.board.clear(&RESOURCES_OVERDUE);
        for (state, count) in counts {
            let labels = [(RESOURCE_COLLECTION, collection), (RESOURCE_STATE, state.as_str())];
            instruments.tell_for(&RESOURCES_OVERDUE, &labels, *count, valid);
        }
    }
}

impl Instruments {
    /// Tells a count that ends by itself.
    fn tell_for(&self, metric: &Metric, labels: Labels<'_>, count: i64, valid: Duration) {
        let (count, until) = (count as f64, Instant::now() + valid);
        self.board.ask(metric, labels, move || (Instant::now() < until).then_some(count));
    }
}
