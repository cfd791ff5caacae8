//! What jobs could not do and keep for somebody to mend: how much it is, by job and reason.

use std::time::{Duration, Instant};

use opentelemetry_semantic_conventions::attribute::ERROR_TYPE;

use super::{
    catalogue::{TASK_KIND, TASKS_PARKED},
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
}
