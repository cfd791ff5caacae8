//! The standard instruments of every program. Without an endpoint recording is a branch on a constant.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge, Histogram, Meter},
};

/// Records what every service has in common; get it with [`metrics`].
#[derive(Debug)]
pub struct Metrics {
    instruments: Option<Instruments>,
}

#[derive(Debug)]
struct Instruments {
    server_call: Histogram<f64>,
    client_call: Histogram<f64>,
    log_depth: Gauge<u64>,
    log_age: Gauge<f64>,
    relay_lag: Histogram<f64>,
    published: Counter<u64>,
    inbox_duplicates: Counter<u64>,
    parked: Counter<u64>,
    retries: Counter<u64>,
    pool_in_use: Gauge<u64>,
}

static METRICS: OnceLock<Metrics> = OnceLock::new();
static OFF: Metrics = Metrics { instruments: None };

/// The instruments of this process; they do nothing before [`init`](super::init) and without an endpoint.
pub fn metrics() -> &'static Metrics {
    METRICS.get().unwrap_or(&OFF)
}

/// Makes the instruments; the first call in a process wins.
pub(super) fn enable(meter: &Meter) {
    METRICS.get_or_init(|| Metrics { instruments: Some(Instruments::new(meter)) });
}

/// Bounds in seconds from 0.5 ms to 10 s, where calls and events of this suite live.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

impl Instruments {
    fn new(meter: &Meter) -> Self {
        let seconds = |name: &'static str, text: &'static str| {
            meter
                .f64_histogram(name)
                .with_unit("s")
                .with_description(text)
                .with_boundaries(SECONDS.to_vec())
                .build()
        };
        let counter =
            |name: &'static str, text: &'static str| meter.u64_counter(name).with_description(text).build();
        Self {
            server_call: seconds("rpc.server.call.duration", "Duration of a call served, by method and code"),
            client_call: seconds("rpc.client.call.duration", "Duration of a call made, by method and code"),
            log_depth: meter
                .u64_gauge("trato.event_log.depth")
                .with_description("Committed events that are not published yet")
                .build(),
            log_age: meter
                .f64_gauge("trato.event_log.age")
                .with_unit("s")
                .with_description("Age of the oldest committed event that is not published yet")
                .build(),
            relay_lag: seconds("trato.relay.lag", "Time from recording an event to the broker's confirm"),
            published: counter("trato.relay.published", "Events the broker confirmed"),
            inbox_duplicates: counter(
                "trato.inbox.duplicates",
                "Deliveries whose event had taken effect before",
            ),
            parked: counter("trato.inbox.parked", "Events parked because their handler failed"),
            retries: counter("trato.consumer.retries", "Handler calls repeated after a failure"),
            pool_in_use: meter
                .u64_gauge("trato.pool.in_use")
                .with_description("Connections of a database pool that are at work")
                .build(),
        }
    }
}

impl Metrics {
    /// True when somebody collects; lets callers skip the work of finding a value.
    pub fn is_enabled(&self) -> bool {
        self.instruments.is_some()
    }

    /// A call of `method` (`trato.sales.v1.OpportunityService/WinOpportunity`) was answered with `code` (`OK`).
    pub fn call_served(&self, method: &Arc<str>, code: &'static str, duration: Duration) {
        if let Some(instruments) = &self.instruments {
            instruments.server_call.record(duration.as_secs_f64(), &call(method, code));
        }
    }

    /// A call made to another service was answered with `code`.
    pub fn call_made(&self, method: &Arc<str>, code: &'static str, duration: Duration) {
        if let Some(instruments) = &self.instruments {
            instruments.client_call.record(duration.as_secs_f64(), &call(method, code));
        }
    }

    /// How many committed events wait to be published, and how old the oldest is.
    pub fn event_log(&self, depth: u64, age: Duration) {
        if let Some(instruments) = &self.instruments {
            instruments.log_depth.record(depth, &[]);
            instruments.log_age.record(age.as_secs_f64(), &[]);
        }
    }

    /// The broker confirmed `count` events, the oldest of which was recorded `lag` ago.
    pub fn published(&self, count: u64, lag: Duration) {
        if let Some(instruments) = &self.instruments {
            instruments.published.add(count, &[]);
            instruments.relay_lag.record(lag.as_secs_f64(), &[]);
        }
    }

    /// `count` deliveries to a consumer had taken effect before.
    pub fn duplicates(&self, consumer: &'static str, count: u64) {
        if let Some(instruments) = &self.instruments {
            instruments.inbox_duplicates.add(count, &[KeyValue::new("consumer", consumer)]);
        }
    }

    /// A consumer parked an event.
    pub fn parked(&self, consumer: &'static str) {
        if let Some(instruments) = &self.instruments {
            instruments.parked.add(1, &[KeyValue::new("consumer", consumer)]);
        }
    }

    /// A consumer repeated a handler's call.
    pub fn retried(&self, consumer: &'static str) {
        if let Some(instruments) = &self.instruments {
            instruments.retries.add(1, &[KeyValue::new("consumer", consumer)]);
        }
    }

    /// Connections of the pool called `pool` that are at work.
    pub fn pool_in_use(&self, pool: &'static str, connections: u64) {
        if let Some(instruments) = &self.instruments {
            instruments.pool_in_use.record(connections, &[KeyValue::new("pool", pool)]);
        }
    }
}

fn call(method: &Arc<str>, code: &'static str) -> [KeyValue; 3] {
    [
        KeyValue::new("rpc.system.name", "grpc"),
        KeyValue::new("rpc.method", Arc::clone(method)),
        KeyValue::new("rpc.response.status_code", code),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instruments_do_nothing_without_an_endpoint() {
        assert!(!OFF.is_enabled());
        OFF.published(3, Duration::from_millis(2));
        OFF.call_served(&"a.B/C".into(), "OK", Duration::from_millis(2));
    }
}
