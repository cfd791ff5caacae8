//! Every metric of the suite: what it is called, counted in and told apart by, and what it means.
//!
//! Where OpenTelemetry's semantic conventions have a name, it is theirs; the rest begins with `trato.`. The instruments
//! are made from this list, and `docs/reference/metrics.md` is written from it.

use std::fmt;

use opentelemetry_semantic_conventions::{
    attribute::{
        DB_CLIENT_CONNECTION_POOL_NAME, DB_CLIENT_CONNECTION_STATE, DB_COLLECTION_NAME, DB_NAMESPACE,
        DB_OPERATION_NAME, DB_SYSTEM_NAME, ERROR_TYPE, HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE,
        HTTP_ROUTE, MESSAGING_CONSUMER_GROUP_NAME, MESSAGING_DESTINATION_NAME, MESSAGING_OPERATION_NAME,
        MESSAGING_SYSTEM, RPC_METHOD, RPC_RESPONSE_STATUS_CODE, RPC_SYSTEM_NAME, URL_SCHEME,
    },
    metric,
};

/// Type of an event: `trato.sales.v1.opportunity.won`.
pub(super) const EVENT_TYPE: &str = "event.type";
/// Whether a held event is parked itself or waits behind one that is.
pub(super) const INBOX_STATE: &str = "trato.inbox.state";
/// What a parked task is: the name of the job that could not do it.
pub(super) const TASK_KIND: &str = "trato.task.kind";
/// What a chain of documents waits for.
pub(super) const WAITING_FOR: &str = "trato.chain.waiting_for";
/// Collection of a resource.
pub(super) const RESOURCE_COLLECTION: &str = "trato.resource.collection";
/// State of a resource, as the contract names it.
pub(super) const RESOURCE_STATE: &str = "trato.resource.state";
/// What another service is called in the settings: the package of its contract.
pub(super) const UPSTREAM_NAME: &str = "trato.upstream.name";
/// Name of a periodic job.
pub(super) const JOB_NAME: &str = "trato.job.name";

/// One metric.
#[derive(Debug)]
pub(super) struct Metric {
    /// Name by OpenTelemetry.
    pub name: &'static str,
    /// How it is counted.
    pub kind: Kind,
    /// Unit by UCUM; in braces what is counted.
    pub unit: &'static str,
    /// Attributes that may stand at a measurement; which of them do depends on its outcome.
    #[cfg_attr(not(test), expect(dead_code, reason = "what the reference and its test are for"))]
    pub attributes: &'static [&'static str],
    /// What it means, as far as the name does not say it.
    pub about: &'static str,
}

/// Kinds of metrics.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// Grows with what happens.
    Counter,
    /// Distribution of what is measured.
    Histogram,
    /// Holds at the moment, asked when metrics are sent.
    Gauge,
    /// Holds at the moment and adds up over processes.
    UpDownCounter,
    /// Grows, and is asked when metrics are sent.
    Total,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter | Self::Total => "counter",
            Self::Histogram => "histogram",
            Self::Gauge => "gauge",
            Self::UpDownCounter => "up-down counter",
        })
    }
}

const fn gauge(
    name: &'static str,
    unit: &'static str,
    attributes: &'static [&'static str],
    about: &'static str,
) -> Metric {
    Metric { name, kind: Kind::Gauge, unit, attributes, about }
}

const fn counter(
    name: &'static str,
    unit: &'static str,
    attributes: &'static [&'static str],
    about: &'static str,
) -> Metric {
    Metric { name, kind: Kind::Counter, unit, attributes, about }
}

const fn seconds(name: &'static str, attributes: &'static [&'static str], about: &'static str) -> Metric {
    Metric { name, kind: Kind::Histogram, unit: "s", attributes, about }
}

const CALL: &[&str] = &[RPC_SYSTEM_NAME, RPC_METHOD, RPC_RESPONSE_STATUS_CODE, ERROR_TYPE];
const REPETITION: &[&str] = &[UPSTREAM_NAME, ERROR_TYPE];
const MESSAGES: &[&str] = &[MESSAGING_SYSTEM, MESSAGING_OPERATION_NAME, MESSAGING_DESTINATION_NAME];
const CONSUMER: &[&str] = &[MESSAGING_CONSUMER_GROUP_NAME];

pub(super) const HTTP_REQUEST: Metric = seconds(
    metric::HTTP_SERVER_REQUEST_DURATION,
    &[HTTP_REQUEST_METHOD, HTTP_ROUTE, HTTP_RESPONSE_STATUS_CODE, URL_SCHEME, ERROR_TYPE],
    "Time from a request's arrival at the gateway to the head of its answer. Requests of gRPC are among them, with \
     status 200 whatever their outcome; that of a path that leads nowhere has no route",
);
pub(super) const SERVER_CALL: Metric = seconds(
    metric::RPC_SERVER_CALL_DURATION,
    CALL,
    "Time to the end of an answer, in the service and in the gateway. `error.type` stands at codes that are the \
     server's fault. Method `_OTHER` is what no contract has",
);
pub(super) const CLIENT_CALL: Metric = seconds(
    metric::RPC_CLIENT_CALL_DURATION,
    CALL,
    "Time to the head of the answer of a call that one service made to another",
);
pub(super) const REPEATED: Metric = counter(
    "trato.call.retries",
    "{attempt}",
    REPETITION,
    "Calls that were sent again, by service and by what became of the attempt before: `unreachable` for nobody was there, \
     `not_begun` for it was not accepted, `no_answer` for the connection broke, `unserved` for something in between said \
     that nobody is there",
);
pub(super) const NOT_REPEATED: Metric = counter(
    "trato.call.retries_refused",
    "{attempt}",
    REPETITION,
    "Calls that were not sent again although they might have been, for `transport.retry_percent` was used up",
);
pub(super) const BARRED: Metric = counter(
    "trato.call.barred",
    "{call}",
    &[ERROR_TYPE],
    "Calls that were refused and streams that were ended although their token is good, by why: `token_revoked` or \
     `tenant_suspended`",
);
pub(super) const SUBSCRIBERS: Metric =
    gauge("trato.stream.subscribers", "{stream}", &[], "Streams of events that clients hold open");

pub(super) const RECORDED: Metric = counter(
    "trato.events.recorded",
    "{event}",
    &[EVENT_TYPE],
    "Events that were committed and got their number: what happens in the business, by type",
);
pub(super) const LOG_DEPTH: Metric = gauge(
    "trato.event_log.depth",
    "{event}",
    &[],
    "Committed events that the broker has not confirmed. Told by the relay that leads",
);
pub(super) const LOG_AGE: Metric = gauge(
    "trato.event_log.age",
    "s",
    &[],
    "Age of the oldest committed event that the broker has not confirmed; 0 when there is none. Told by the relay \
     that leads",
);
pub(super) const RELAY_LEADER: Metric = gauge(
    "trato.relay.leader",
    "{relay}",
    &[],
    "1 in the process whose relay leads, 0 in the others of its service",
);
pub(super) const RELAY_LAG: Metric = seconds(
    "trato.relay.lag",
    &[],
    "Time from recording the oldest event of a window to the broker's confirm of the whole window",
);
pub(super) const SENT: Metric = counter(
    metric::MESSAGING_CLIENT_SENT_MESSAGES,
    "{message}",
    MESSAGES,
    "Events that the broker confirmed",
);

pub(super) const CONSUMED: Metric = counter(
    metric::MESSAGING_CLIENT_CONSUMED_MESSAGES,
    "{message}",
    MESSAGES,
    "Deliveries taken from the service's queue, repeated ones among them",
);
pub(super) const PROCESS: Metric = seconds(
    metric::MESSAGING_PROCESS_DURATION,
    &[MESSAGING_SYSTEM, MESSAGING_OPERATION_NAME, MESSAGING_CONSUMER_GROUP_NAME, ERROR_TYPE],
    "Time of one handler with one event; `error.type` is the reason of a failure",
);
pub(super) const DUPLICATES: Metric = counter(
    "trato.inbox.duplicates",
    "{event}",
    CONSUMER,
    "Deliveries whose event had taken effect before, or was held already",
);
pub(super) const RETRIES: Metric =
    counter("trato.inbox.retries", "{attempt}", CONSUMER, "Handlings repeated after a failure that may pass");
pub(super) const PARKED: Metric =
    counter("trato.inbox.parked", "{event}", CONSUMER, "Events parked because their handler failed");
pub(super) const HELD: Metric = gauge(
    "trato.inbox.held",
    "{event}",
    &[MESSAGING_CONSUMER_GROUP_NAME, INBOX_STATE],
    "Events held now: `parked` ones, and those `waiting` behind one. Told by the relay that leads",
);
pub(super) const QUEUE: Metric = gauge(
    "trato.queue.messages",
    "{message}",
    &[MESSAGING_DESTINATION_NAME],
    "Messages in the service's queue that are not on their way to a consumer, and in its dead queue. Every process \
     tells the same number",
);
pub(super) const CONSUMER_CONNECTED: Metric = gauge(
    "trato.consumer.connected",
    "{connection}",
    &[],
    "1 while the process is subscribed to the service's queue, else 0",
);

pub(super) const CONNECTIONS: Metric = Metric {
    name: metric::DB_CLIENT_CONNECTION_COUNT,
    kind: Kind::UpDownCounter,
    unit: "{connection}",
    attributes: &[DB_CLIENT_CONNECTION_POOL_NAME, DB_CLIENT_CONNECTION_STATE],
    about: "Open connections of the pools `serving` (calls and consumers) and `system` (relay and jobs), by state \
            `used` or `idle`",
};
pub(super) const MOST_CONNECTIONS: Metric = Metric {
    name: metric::DB_CLIENT_CONNECTION_MAX,
    kind: Kind::UpDownCounter,
    unit: "{connection}",
    attributes: &[DB_CLIENT_CONNECTION_POOL_NAME],
    about: "Most connections the pool may open",
};
pub(super) const DATABASE_OPERATION: Metric = seconds(
    metric::DB_CLIENT_OPERATION_DURATION,
    &[DB_SYSTEM_NAME, DB_NAMESPACE, DB_OPERATION_NAME, DB_COLLECTION_NAME, ERROR_TYPE],
    "Time of a statement on a table, or of a whole transaction (`transaction`, without a table), the wait for a connection \
     included; `error.type` is the reason of a failure, `given_up` for what its caller left in the midst, and `rolled_back` for \
     a transaction that failed nothing and was not committed: a look, a trial (`validate_only`), or what was refused for a \
     reason of the business. What relay and jobs do outside of transactions is not among them",
);
pub(super) const DATABASE_FAILURES: Metric = counter(
    "trato.database.failures",
    "{failure}",
    &[ERROR_TYPE],
    "Statements that the database failed: `pool_timeout` for no free connection in time, else the reason",
);

pub(super) const ACCESS_STORED: Metric = counter(
    "trato.access_records.stored",
    "{record}",
    &[],
    "Records of who read or changed what that were stored",
);
pub(super) const ACCESS_LOST: Metric = counter(
    "trato.access_records.lost",
    "{record}",
    &[],
    "Such records that could not be stored; 0 from the start of the process",
);
pub(super) const ACCESS_WAITING: Metric = gauge(
    "trato.access_records.waiting",
    "{place}",
    &[],
    "Places that records take which wait to be stored; with all 65,536 taken, answers wait for their record",
);

pub(super) const JOB: Metric = seconds(
    "trato.job.duration",
    &[JOB_NAME, ERROR_TYPE],
    "Time of one run of a periodic job; `error.type` is the reason of a failure",
);
pub(super) const JOB_FAILURES: Metric = counter(
    "trato.job.failures",
    "{run}",
    &[JOB_NAME],
    "Runs of a periodic job that failed; 0 from the start of the process",
);
pub(super) const JOB_SUCCESS: Metric = gauge(
    "trato.job.last_success",
    "s",
    &[JOB_NAME],
    "When a run of the job last succeeded in this process, in seconds of Unix time",
);

pub(super) const TASKS_PARKED: Metric = gauge(
    "trato.tasks.parked",
    "{task}",
    &[TASK_KIND, ERROR_TYPE],
    "What jobs and calls could not do and keep for somebody to mend it, by what they do and the reason. Told by the \
     process that counted last",
);

pub(super) const CHAINS_STALLED: Metric = gauge(
    "trato.chains.stalled",
    "{chain}",
    &[WAITING_FOR],
    "Chains of documents of which none has changed for as long as the service is set to, by what they wait for. Told by the \
     process that counted last",
);

pub(super) const RESOURCES_OVERDUE: Metric = gauge(
    "trato.resources.overdue",
    "{resource}",
    &[RESOURCE_COLLECTION, RESOURCE_STATE],
    "Resources that are in a state for longer than they should, by collection and state. Told by the process that counted \
     last",
);

pub(super) const READY: Metric =
    gauge("trato.ready", "{process}", &[], "1 while the process is ready for calls, else 0");
pub(super) const START: Metric =
    gauge("trato.start.duration", "s", &[], "Time from the start of the process until it was first ready");
pub(super) const CERTIFICATE_EXPIRY: Metric = gauge(
    "trato.tls.certificate.expiry",
    "s",
    &[],
    "Time until the process' own certificate expires; there only with `[tls]`",
);
pub(super) const UPTIME: Metric =
    gauge(metric::PROCESS_UPTIME, "s", &[], "Time since the start of the process");
pub(super) const CPU: Metric = Metric {
    name: metric::PROCESS_CPU_TIME,
    kind: Kind::Total,
    unit: "s",
    attributes: &[],
    about: "CPU time used, in user and system mode together",
};
pub(super) const MEMORY: Metric = Metric {
    name: metric::PROCESS_MEMORY_USAGE,
    kind: Kind::UpDownCounter,
    unit: "By",
    attributes: &[],
    about: "Resident memory",
};

/// All of them under headings, as the reference shows them.
pub(super) const ALL: &[(&str, &[&Metric])] = &[
    ("Calls", &[&HTTP_REQUEST, &SERVER_CALL, &CLIENT_CALL, &REPEATED, &NOT_REPEATED, &BARRED, &SUBSCRIBERS]),
    ("Events on their way out", &[&RECORDED, &LOG_DEPTH, &LOG_AGE, &RELAY_LEADER, &RELAY_LAG, &SENT]),
    (
        "Events coming in",
        &[&CONSUMED, &PROCESS, &DUPLICATES, &RETRIES, &PARKED, &HELD, &QUEUE, &CONSUMER_CONNECTED],
    ),
    ("Database", &[&DATABASE_OPERATION, &CONNECTIONS, &MOST_CONNECTIONS, &DATABASE_FAILURES]),
    ("Access records", &[&ACCESS_STORED, &ACCESS_LOST, &ACCESS_WAITING]),
    ("Jobs", &[&JOB, &JOB_FAILURES, &JOB_SUCCESS, &TASKS_PARKED, &RESOURCES_OVERDUE, &CHAINS_STALLED]),
    ("Process", &[&READY, &START, &CERTIFICATE_EXPIRY, &UPTIME, &CPU, &MEMORY]),
];

/// Every metric.
pub(super) fn all() -> impl Iterator<Item = &'static Metric> {
    ALL.iter().flat_map(|(_, metrics)| metrics.iter().copied())
}
