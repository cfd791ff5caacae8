//! Values that hold at the moment: told when they change or asked when metrics are sent, and gone when they are cleared.
//!
//! An instrument of OpenTelemetry repeats what it was last told for ever. What only a leader knows must end with its
//! term, so such values are kept here and observed from here.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use opentelemetry::{
    KeyValue,
    metrics::{AsyncInstrument, Meter},
};

use super::catalogue::{self, Kind, Metric};

/// Attributes of one value.
pub(super) type Labels<'a> = &'a [(&'static str, &'a str)];

type Key = (&'static str, Vec<(&'static str, String)>);
type Asked = Box<dyn Fn() -> Option<f64> + Send + Sync>;

enum Value {
    Told(f64),
    Asked(Asked),
}

/// The values of this process; all clones share them.
#[derive(Clone, Default)]
pub(super) struct Board(Arc<Mutex<BTreeMap<Key, Value>>>);

impl Board {
    /// A board whose values are sent: one instrument for each metric that holds at the moment.
    pub fn new(meter: &Meter) -> Self {
        let board = Self::default();
        for metric in catalogue::all() {
            let values = board.clone();
            let observe = move |observer: &dyn AsyncInstrument<f64>| values.observe(metric, observer);
            match metric.kind {
                Kind::Gauge => {
                    let gauge = meter.f64_observable_gauge(metric.name).with_unit(metric.unit);
                    gauge.with_description(metric.about).with_callback(observe).build();
                }
                Kind::UpDownCounter => {
                    let counter = meter.f64_observable_up_down_counter(metric.name).with_unit(metric.unit);
                    counter.with_description(metric.about).with_callback(observe).build();
                }
                Kind::Total => {
                    let counter = meter.f64_observable_counter(metric.name).with_unit(metric.unit);
                    counter.with_description(metric.about).with_callback(observe).build();
                }
                Kind::Counter | Kind::Histogram => {}
            }
        }
        board
    }

    /// Tells a value, which holds until it is told anew or cleared.
    pub fn tell(&self, metric: &Metric, labels: Labels<'_>, value: f64) {
        self.lock().insert(key(metric, labels), Value::Told(value));
    }

    /// Has a value asked for whenever metrics are sent; there is none while the answer is none.
    pub fn ask(
        &self,
        metric: &Metric,
        labels: Labels<'_>,
        ask: impl Fn() -> Option<f64> + Send + Sync + 'static,
    ) {
        self.lock().insert(key(metric, labels), Value::Asked(Box::new(ask)));
    }

    /// Forgets all values of a metric.
    pub fn clear(&self, metric: &Metric) {
        self.lock().retain(|(name, _), _| *name != metric.name);
    }

    fn observe(&self, metric: &Metric, observer: &dyn AsyncInstrument<f64>) {
        let values = self.lock();
        for ((_, labels), value) in values.iter().filter(|((name, _), _)| *name == metric.name) {
            let value = match value {
                Value::Told(value) => Some(*value),
                Value::Asked(ask) => ask(),
            };
            if let Some(value) = value {
                let labels: Vec<_> =
                    labels.iter().map(|(name, value)| KeyValue::new(*name, value.clone())).collect();
                observer.observe(value, &labels);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.lock().keys()).finish()
    }
}

fn key(metric: &Metric, labels: Labels<'_>) -> Key {
    (metric.name, labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect())
}
