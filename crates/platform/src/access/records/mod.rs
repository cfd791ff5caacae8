//! Who read whose data, for what purpose: a record of every answer that holds data of a customer or a person.
//!
//! What an answer holds is read from its bytes as it leaves (`rpc::recording`). Its record goes into a bounded queue, from
//! which one writer stores many at once. Nothing is given away for which there is no place in the queue.

pub mod export;
pub mod list;
mod writer;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use http::HeaderValue;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    time::{Instant, timeout_at},
};
use tonic::Code;
use trato_types::{Actor, Error, Result, Timestamp, time::to_microseconds};
use uuid::Uuid;

pub use self::writer::Writer;
use crate::{
    config::{self, Recording},
    db::Pool,
    rpc::status::code_name,
    telemetry::metrics::metrics,
};

/// Names that may wait to be written; a record counts as one more than it names. A few megabytes.
const PLACES: u32 = 65_536;

/// Who makes a call, and what for.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The tenant of the token.
    pub tenant: Uuid,
    /// Who calls.
    pub actor: Actor,
    /// Full name of the method.
    pub method: Arc<str>,
    /// The method may change something.
    pub is_change: bool,
    /// What the caller says it is for.
    pub purpose: Option<HeaderValue>,
    /// The caller's `x-request-id`.
    pub request_id: Option<HeaderValue>,
    /// W3C trace id of the call.
    pub trace_id: Option<String>,
}

/// What became of a visit.
#[derive(Clone, Debug)]
struct Record {
    id: Uuid,
    visit: Visit,
    time: Timestamp,
    outcome: &'static str,
    resources: BTreeSet<String>,
}

/// A record on its way to the writer.
#[derive(Debug)]
struct Queued {
    record: Record,
    /// Told when the record is stored; dropped when it will not be. Nobody waits when records are written behind.
    stored: Option<oneshot::Sender<()>>,
    /// Given back when the record is stored or given up.
    _place: OwnedSemaphorePermit,
}

/// Takes records. Cheap to clone; the writer ends when it is told to, not when the last clone goes.
#[derive(Clone, Debug)]
pub struct Recorder {
    queue: mpsc::UnboundedSender<Queued>,
    places: Arc<Semaphore>,
    awaits: bool,
}

impl Recorder {
    /// A recorder and what its writer reads from.
    fn new(mode: Recording, places: u32) -> (Self, mpsc::UnboundedReceiver<Queued>) {
        let (queue, queued) = mpsc::unbounded_channel();
        let places = Arc::new(Semaphore::new(places as usize));
        (Self { queue, places, awaits: mode == Recording::BeforeAnswer }, queued)
    }

    /// Records that a visit ended like this: with data of these resources, or with a refusal of these. When it returns,
    /// the answer may be given: the record has its place in the queue, or is stored, as the settings say. UNAVAILABLE
    /// `ACCESS_NOT_RECORDED` when neither can be had until `by`.
    pub async fn record(
        &self,
        visit: &Visit,
        code: Code,
        resources: BTreeSet<String>,
        by: Instant,
    ) -> Result<()> {
        let weight = u32::try_from(resources.len() + 1).unwrap_or(u32::MAX).min(PLACES);
        let place = timeout_at(by, Arc::clone(&self.places).acquire_many_owned(weight)).await;
        let place = place.map_err(|_| not_recorded())?.map_err(|_| not_recorded())?;
        let record = Record {
            id: Uuid::now_v7(),
            visit: visit.clone(),
            time: to_microseconds(chrono::Utc::now()),
            outcome: code_name(code),
            resources,
        };
        let (stored, storing) = self.awaits.then(oneshot::channel).unzip();
        self.queue.send(Queued { record, stored, _place: place }).map_err(|_| not_recorded())?;
        match storing {
            None => Ok(()),
            Some(storing) => match timeout_at(by, storing).await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) | Err(_) => Err(not_recorded()),
            },
        }
    }
}

fn not_recorded() -> Error {
    let message = "the answer cannot be recorded now, and is not given without that";
    Error::unavailable("ACCESS_NOT_RECORDED", message)
}

/// A recorder, and the writer that stores what it takes. `system` logs in as the system role: a batch holds records of
/// several tenants.
pub fn recorder(settings: &config::Access, system: &Pool) -> (Recorder, Writer) {
    let (recorder, queued) = Recorder::new(settings.record, PLACES);
    let places = recorder.places.clone();
    metrics().watch_access_records(move || (PLACES as usize).saturating_sub(places.available_permits()));
    let interval = match settings.record {
        Recording::Behind => settings.flush_interval(),
        // What came while the last batch was stored is batch enough.
        Recording::BeforeAnswer => Duration::ZERO,
    };
    (recorder, Writer::new(queued, system.clone(), interval))
}
