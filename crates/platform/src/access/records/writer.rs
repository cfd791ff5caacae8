//! Stores records, many in one statement, until it is told to stop; then what is left.

use std::time::Duration;

use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use trato_types::{Error, Kind, Result, Timestamp, error::chain};
use uuid::Uuid;

use super::{Queued, Record};
use crate::{
    db::{Pool, from_sqlx},
    telemetry::metrics::metrics,
};

/// Most records of one statement.
const BATCH: usize = 4_096;
/// Pauses between tries while the database is away.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Tries that are left once the process is told to stop.
const LAST_TRIES: u32 = 5;

/// The one that stores.
#[derive(Debug)]
pub struct Writer {
    queue: mpsc::UnboundedReceiver<Queued>,
    system: Pool,
    /// How long the first record of a batch waits for others.
    interval: Duration,
    /// Tries that are left after the stop.
    last_tries: u32,
}

impl Writer {
    pub(super) fn new(queue: mpsc::UnboundedReceiver<Queued>, system: Pool, interval: Duration) -> Self {
        Self { queue, system, interval, last_tries: LAST_TRIES }
    }

    /// Stores what is queued. After `stop` nothing more is taken, and it ends when all that was is stored.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut batch = Vec::new();
        while self.gather(&mut batch, &stop).await {
            self.store(std::mem::take(&mut batch), &stop).await;
        }
    }

    /// Fills an empty batch; false when nothing is left and nothing more will come.
    async fn gather(&mut self, batch: &mut Vec<Queued>, stop: &CancellationToken) -> bool {
        let first = tokio::select! {
            first = self.queue.recv() => first,
            () = stop.cancelled() => {
                self.queue.close();
                self.queue.recv().await
            }
        };
        let Some(first) = first else { return false };
        batch.push(first);
        if self.queue.len() < BATCH {
            // Ends early at the stop.
            let _ = timeout(self.interval, stop.cancelled()).await;
        }
        while batch.len() < BATCH
            && let Ok(next) = self.queue.try_recv()
        {
            batch.push(next);
        }
        true
    }

    /// Stores a batch, however often it takes. Whoever waits for its record is told at once that it is not stored.
    async fn store(&mut self, mut batch: Vec<Queued>, stop: &CancellationToken) {
        let mut pause = FIRST_PAUSE;
        loop {
            let records: Vec<&Record> = batch.iter().map(|queued| &queued.record).collect();
            let error = match insert(&self.system, &records).await {
                Ok(()) => {
                    metrics().access_stored(batch.len());
                    return batch.into_iter().for_each(Queued::tell_stored);
                }
                Err(error) => error,
            };
            if error.kind() == Kind::Internal {
                return self.store_each(batch, &error, stop).await;
            }
            batch.retain(|queued| queued.stored.is_none());
            if batch.is_empty() {
                return;
            }
            let count = batch.len();
            if stop.is_cancelled() {
                if self.last_tries == 0 {
                    metrics().access_lost(count);
                    tracing::error!(count, error = %chain(&error), "{count} access records are lost: the process stops");
                    return;
                }
                self.last_tries -= 1;
            }
            tracing::warn!(count, error = %chain(&error), "{count} access records wait for the database");
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// One by one, because the database refuses one of them: the others must not be lost for it.
    async fn store_each(&mut self, batch: Vec<Queued>, error: &Error, stop: &CancellationToken) {
        if let [Queued { record: Record { visit, resources, .. }, .. }] = batch.as_slice() {
            metrics().access_lost(1);
            tracing::error!(
                error = %chain(error),
                tenant = %visit.tenant,
                actor = %visit.actor,
                method = &*visit.method,
                ?resources,
                "an access record could not be stored and is lost"
            );
            return;
        }
        for queued in batch {
            Box::pin(self.store(vec![queued], stop)).await;
        }
    }
}

impl Queued {
    fn tell_stored(self) {
        if let Some(stored) = self.stored {
            // Whoever waited may have given up meanwhile.
            let _ = stored.send(());
        }
    }
}

/// Stores records of any tenants in one statement; one that is there already, since the answer to an earlier try was lost,
/// stays as it is.
pub(super) async fn insert(system: &Pool, records: &[&Record]) -> Result<()> {
    let texts =
        |text: &dyn Fn(&Record) -> String| -> Vec<String> { records.iter().copied().map(text).collect() };
    let ids: Vec<Uuid> = records.iter().map(|record| record.id).collect();
    let tenants: Vec<Uuid> = records.iter().map(|record| record.visit.tenant).collect();
    let times: Vec<Timestamp> = records.iter().map(|record| record.time).collect();
    let header = |value: &Option<http::HeaderValue>| -> Option<String> {
        value.as_ref().and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let purposes: Vec<Option<String>> = records.iter().map(|record| header(&record.visit.purpose)).collect();
    let request_ids: Vec<Option<String>> =
        records.iter().map(|record| header(&record.visit.request_id)).collect();
    let trace_ids: Vec<Option<String>> = records.iter().map(|record| record.visit.trace_id.clone()).collect();
    let operation = |record: &Record| {
        let word = if record.visit.is_change { "CHANGE" } else { "READ" };
        word.to_owned()
    };
    sqlx::query(include_str!("../../../sql/record_access.sql"))
        .bind(tenants)
        .bind(ids)
        .bind(times)
        .bind(texts(&|record| record.visit.actor.to_string()))
        .bind(texts(&|record| record.visit.method.to_string()))
        .bind(texts(&operation))
        .bind(purposes)
        .bind(texts(&|record| record.outcome.to_owned()))
        .bind(texts(&joined))
        .bind(request_ids)
        .bind(trace_ids)
        .execute(system)
        .await
        .map(drop)
        .map_err(from_sqlx)
}

/// A record's resources, a line each.
fn joined(record: &Record) -> String {
    let names: Vec<&str> = record.resources.iter().map(String::as_str).collect();
    names.join("\n")
}
