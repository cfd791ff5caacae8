//! The instruments of every program. Without an endpoint recording is a branch on a constant.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram, Meter},
};
use opentelemetry_semantic_conventions::attribute::{
    ERROR_TYPE, HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE, HTTP_ROUTE, MESSAGING_CONSUMER_GROUP_NAME,
    MESSAGING_DESTINATION_NAME, MESSAGING_OPERATION_NAME, MESSAGING_SYSTEM, RPC_METHOD,
    RPC_RESPONSE_STATUS_CODE, RPC_SYSTEM_NAME, URL_SCHEME,
};

use super::{
    board::Board,
    catalogue::{self as all, EVENT_TYPE, INBOX_STATE, JOB_NAME, Metric},
    process,
};
/// Records what every service has in common; get it with [`metrics`].
#[derive(Debug)]
pub struct Metrics {
    pub(super) instruments: Option<Instruments>,
}

#[derive(Debug)]
pub(super) struct Instruments {
    pub(super) board: Board,
    http_request: Histogram<f64>,
    server_call: Histogram<f64>,
    client_call: Histogram<f64>,
    pub(super) repeated: Counter<u64>,
    pub(super) not_repeated: Counter<u64>,
    barred: Counter<u64>,
    recorded: Counter<u64>,
    relay_lag: Histogram<f64>,
    sent: Counter<u64>,
    consumed: Counter<u64>,
    process: Histogram<f64>,
    duplicates: Counter<u64>,
    retries: Counter<u64>,
    parked: Counter<u64>,
    pub(super) database_operation: Histogram<f64>,
    pub(super) database_failures: Counter<u64>,
    access_stored: Counter<u64>,
    access_lost: Counter<u64>,
    job: Histogram<f64>,
    job_failures: Counter<u64>,
}

static METRICS: OnceLock<Metrics> = OnceLock::new();
static OFF: Metrics = Metrics { instruments: None };

/// The instruments of this process; they do nothing before [`init`](super::init) and without an endpoint.
pub fn metrics() -> &'static Metrics {
    METRICS.get().unwrap_or(&OFF)
}

/// Makes the instruments; the first call in a process wins.
pub(super) fn enable(meter: &Meter) {
    METRICS.get_or_init(|| Metrics::new(meter));
}

/// Bounds in seconds from 0.5 ms to 10 s, where calls and events of this suite live.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

const OK: &str = "OK";
const RABBITMQ: &str = "rabbitmq";

impl Instruments {
    fn new(meter: &Meter) -> Self {
        let seconds = |metric: &Metric| {
            meter
                .f64_histogram(metric.name)
                .with_unit(metric.unit)
                .with_description(metric.about)
                .with_boundaries(SECONDS.to_vec())
                .build()
        };
        let counter = |metric: &Metric| {
            meter.u64_counter(metric.name).with_unit(metric.unit).with_description(metric.about).build()
        };
        let board = Board::new(meter);
        let started = Instant::now();
        board.ask(&all::UPTIME, &[], move || Some(started.elapsed().as_secs_f64()));
        board.ask(&all::CPU, &[], process::cpu_seconds);
        board.ask(&all::MEMORY, &[], process::memory_bytes);
        Self {
            board,
            http_request: seconds(&all::HTTP_REQUEST),
            server_call: seconds(&all::SERVER_CALL),
            client_call: seconds(&all::CLIENT_CALL),
            repeated: counter(&all::REPEATED),
            not_repeated: counter(&all::NOT_REPEATED),
            barred: counter(&all::BARRED),
            recorded: counter(&all::RECORDED),
            relay_lag: seconds(&all::RELAY_LAG),
            sent: counter(&all::SENT),
            consumed: counter(&all::CONSUMED),
            process: seconds(&all::PROCESS),
            duplicates: counter(&all::DUPLICATES),
            retries: counter(&all::RETRIES),
            parked: counter(&all::PARKED),
            database_operation: seconds(&all::DATABASE_OPERATION),
            database_failures: counter(&all::DATABASE_FAILURES),
            access_stored: counter(&all::ACCESS_STORED),
            access_lost: counter(&all::ACCESS_LOST),
            job: seconds(&all::JOB),
            job_failures: counter(&all::JOB_FAILURES),
        }
    }
}

impl Metrics {
    pub(super) fn new(meter: &Meter) -> Self {
        Self { instruments: Some(Instruments::new(meter)) }
    }

    /// True when somebody collects; lets callers skip the work of finding a value.
    pub fn is_enabled(&self) -> bool {
        self.instruments.is_some()
    }

    /// The head of an answer was sent to a request of `route`, the template of its path, or empty when there is none.
    pub fn request_answered(
        &self,
        verb: &'static str,
        route: &Arc<str>,
        status: http::StatusCode,
        duration: Duration,
    ) {
        let Some(instruments) = &self.instruments else { return };
        let code = i64::from(status.as_u16());
        let fault = status.is_server_error().then(|| KeyValue::new(ERROR_TYPE, code.to_string()));
        let route = (!route.is_empty()).then(|| KeyValue::new(HTTP_ROUTE, Arc::clone(route)));
        let [verb, code, scheme] = [
            KeyValue::new(HTTP_REQUEST_METHOD, verb),
            KeyValue::new(HTTP_RESPONSE_STATUS_CODE, code),
            KeyValue::new(URL_SCHEME, "http"),
        ];
        let seconds = duration.as_secs_f64();
        match (route, fault) {
            (Some(route), None) => instruments.http_request.record(seconds, &[verb, code, scheme, route]),
            (Some(route), Some(fault)) => {
                instruments.http_request.record(seconds, &[verb, code, scheme, route, fault]);
            }
            (None, None) => instruments.http_request.record(seconds, &[verb, code, scheme]),
            (None, Some(fault)) => instruments.http_request.record(seconds, &[verb, code, scheme, fault]),
        }
    }

    /// A call of `method` (`trato.sales.v1.OpportunityService/WinOpportunity`) was answered with `code` (`OK`);
    /// `fault` says that the code is the server's fault.
    pub fn call_served(&self, method: &Arc<str>, code: &'static str, fault: bool, duration: Duration) {
        if let Some(instruments) = &self.instruments {
            call(&instruments.server_call, method, code, fault, duration);
        }
    }

    /// A call made to another service was answered with `code`.
    pub fn call_made(&self, method: &Arc<str>, code: &'static str, duration: Duration) {
        if let Some(instruments) = &self.instruments {
            call(&instruments.client_call, method, code, code != OK, duration);
        }
    }

    /// A call was refused, or a stream ended, although its token is good: `token_revoked`, `tenant_suspended`.
    pub fn call_barred(&self, why: &'static str) {
        if let Some(instruments) = &self.instruments {
            instruments.barred.add(1, &[KeyValue::new(ERROR_TYPE, why)]);
        }
    }

    /// Has the number of streams that clients hold open asked for.
    pub fn watch_subscribers(&self, count: impl Fn() -> usize + Send + Sync + 'static) {
        if let Some(instruments) = &self.instruments {
            instruments.board.ask(&all::SUBSCRIBERS, &[], move || Some(count() as f64));
        }
    }

    /// Events of these types were numbered.
    pub fn recorded<'a>(&self, kinds: impl Iterator<Item = &'a str>) {
        let Some(instruments) = &self.instruments else { return };
        let mut counts: Vec<(&str, u64)> = Vec::new();
        for kind in kinds {
            match counts.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, count)) => *count += 1,
                None => counts.push((kind, 1)),
            }
        }
        for (kind, count) in counts {
            instruments.recorded.add(count, &[KeyValue::new(EVENT_TYPE, kind.to_owned())]);
        }
    }

    /// Whether this process' relay leads. What only a leader knows is forgotten when it does not.
    pub fn leads(&self, leads: bool) {
        let Some(instruments) = &self.instruments else { return };
        instruments.board.tell(&all::RELAY_LEADER, &[], f64::from(leads));
        if !leads {
            for metric in [&all::LOG_DEPTH, &all::LOG_AGE, &all::HELD] {
                instruments.board.clear(metric);
            }
        }
    }

    /// How many committed events wait to be published, and how old the oldest is; told by the leader.
    pub fn event_log(&self, depth: u64, age: Duration) {
        if let Some(instruments) = &self.instruments {
            instruments.board.tell(&all::LOG_DEPTH, &[], depth as f64);
            instruments.board.tell(&all::LOG_AGE, &[], age.as_secs_f64());
        }
    }

    /// The broker confirmed `count` events sent to an exchange, the oldest of which was recorded `lag` ago.
    pub fn published(&self, exchange: &'static str, count: u64, lag: Duration) {
        if let Some(instruments) = &self.instruments {
            instruments.sent.add(count, &messages("send", exchange));
            instruments.relay_lag.record(lag.as_secs_f64(), &[]);
        }
    }

    /// `count` deliveries came in from a queue.
    pub fn consumed(&self, queue: &str, count: usize) {
        if let Some(instruments) = &self.instruments {
            instruments.consumed.add(count as u64, &messages("receive", queue.to_owned()));
        }
    }

    /// A consumer handled an event, or failed at it for a `reason`.
    pub fn handled(&self, consumer: &'static str, reason: Option<&'static str>, duration: Duration) {
        let Some(instruments) = &self.instruments else { return };
        let attributes = [
            KeyValue::new(MESSAGING_SYSTEM, RABBITMQ),
            KeyValue::new(MESSAGING_OPERATION_NAME, "process"),
            KeyValue::new(MESSAGING_CONSUMER_GROUP_NAME, consumer),
            KeyValue::new(ERROR_TYPE, reason.unwrap_or_default()),
        ];
        let used = if reason.is_some() { 4 } else { 3 };
        instruments.process.record(duration.as_secs_f64(), &attributes[..used]);
    }

    /// A delivery to a consumer had taken effect before.
    pub fn duplicate(&self, consumer: &'static str) {
        if let Some(instruments) = &self.instruments {
            instruments.duplicates.add(1, &[KeyValue::new(MESSAGING_CONSUMER_GROUP_NAME, consumer)]);
        }
    }

    /// A consumer repeated a handler's call.
    pub fn retried(&self, consumer: &'static str) {
        if let Some(instruments) = &self.instruments {
            instruments.retries.add(1, &[KeyValue::new(MESSAGING_CONSUMER_GROUP_NAME, consumer)]);
        }
    }

    /// A consumer parked an event.
    pub fn parked(&self, consumer: &'static str) {
        if let Some(instruments) = &self.instruments {
            instruments.parked.add(1, &[KeyValue::new(MESSAGING_CONSUMER_GROUP_NAME, consumer)]);
        }
    }

    /// How many events are held for each consumer, by state (`parked`, `waiting`); told by the leader.
    pub fn held(&self, counts: &[(String, String, i64)]) {
        let Some(instruments) = &self.instruments else { return };
        instruments.board.clear(&all::HELD);
        for (consumer, state, count) in counts {
            let labels = [(MESSAGING_CONSUMER_GROUP_NAME, consumer.as_str()), (INBOX_STATE, state.as_str())];
            instruments.board.tell(&all::HELD, &labels, *count as f64);
        }
    }

    /// How many messages wait in a queue.
    pub fn queue(&self, queue: &str, messages: u32) {
        if let Some(instruments) = &self.instruments {
            instruments.board.tell(&all::QUEUE, &[(MESSAGING_DESTINATION_NAME, queue)], f64::from(messages));
        }
    }

    /// Whether this process is subscribed to the service's queue.
    pub fn consumer_connected(&self, connected: bool) {
        if let Some(instruments) = &self.instruments {
            instruments.board.tell(&all::CONSUMER_CONNECTED, &[], f64::from(connected));
        }
    }

    /// Has it asked how many places records of access take; those that are lost count from 0.
    pub fn watch_access_records(&self, waiting: impl Fn() -> usize + Send + Sync + 'static) {
        let Some(instruments) = &self.instruments else { return };
        instruments.access_lost.add(0, &[]);
        instruments.board.ask(&all::ACCESS_WAITING, &[], move || Some(waiting() as f64));
    }

    /// Access records were stored.
    pub fn access_stored(&self, records: usize) {
        if let Some(instruments) = &self.instruments {
            instruments.access_stored.add(records as u64, &[]);
        }
    }

    /// Access records could not be stored, and will not be.
    pub fn access_lost(&self, records: usize) {
        if let Some(instruments) = &self.instruments {
            instruments.access_lost.add(records as u64, &[]);
        }
    }

    /// A job is about to be run by the clock; its failures count from 0.
    pub fn job_planned(&self, job: &'static str) {
        if let Some(instruments) = &self.instruments {
            instruments.job_failures.add(0, &[KeyValue::new(JOB_NAME, job)]);
        }
    }

    /// A run of a job succeeded, or failed for a `reason`.
    pub fn job_ran(&self, job: &'static str, reason: Option<&'static str>, duration: Duration) {
        let Some(instruments) = &self.instruments else { return };
        let name = KeyValue::new(JOB_NAME, job);
        if let Some(reason) = reason {
            instruments.job_failures.add(1, std::slice::from_ref(&name));
            instruments.job.record(duration.as_secs_f64(), &[name, KeyValue::new(ERROR_TYPE, reason)]);
            return;
        }
        instruments.job.record(duration.as_secs_f64(), &[name]);
        instruments.board.tell(&all::JOB_SUCCESS, &[(JOB_NAME, job)], unix_seconds());
    }

    /// Has it asked whether the process is ready, and how long it took to be so first.
    pub fn watch_readiness(
        &self,
        is_ready: impl Fn() -> bool + Send + Sync + 'static,
        ready_after: impl Fn() -> Option<Duration> + Send + Sync + 'static,
    ) {
        if let Some(instruments) = &self.instruments {
            instruments.board.ask(&all::READY, &[], move || Some(f64::from(is_ready())));
            instruments.board.ask(&all::START, &[], move || ready_after().map(|time| time.as_secs_f64()));
        }
    }

    /// Has it asked when the process' own certificate expires, in seconds of Unix time.
    pub fn watch_certificate(&self, expires: impl Fn() -> Option<i64> + Send + Sync + 'static) {
        if let Some(instruments) = &self.instruments {
            // Below zero once it has expired.
            let left = move || expires().map(|expires| expires as f64 - unix_seconds());
            instruments.board.ask(&all::CERTIFICATE_EXPIRY, &[], left);
        }
    }
}

fn unix_seconds() -> f64 {
    // A clock before 1970 has worse consequences than this.
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

fn call(instrument: &Histogram<f64>, method: &Arc<str>, code: &'static str, fault: bool, duration: Duration) {
    let attributes = [
        KeyValue::new(RPC_SYSTEM_NAME, "grpc"),
        KeyValue::new(RPC_METHOD, Arc::clone(method)),
        KeyValue::new(RPC_RESPONSE_STATUS_CODE, code),
        KeyValue::new(ERROR_TYPE, code),
    ];
    instrument.record(duration.as_secs_f64(), &attributes[..if fault { 4 } else { 3 }]);
}

fn messages(operation: &'static str, destination: impl Into<opentelemetry::Value>) -> [KeyValue; 3] {
    [
        KeyValue::new(MESSAGING_SYSTEM, RABBITMQ),
        KeyValue::new(MESSAGING_OPERATION_NAME, operation),
        KeyValue::new(MESSAGING_DESTINATION_NAME, destination),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instruments_do_nothing_without_an_endpoint() {
        assert!(!OFF.is_enabled());
        OFF.published("trato.events", 3, Duration::from_millis(2));
        OFF.call_served(&"a.B/C".into(), OK, false, Duration::from_millis(2));
    }
}
