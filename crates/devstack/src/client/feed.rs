//! Places any number of resources in batches: as many calls in flight as answers allow, until each item has its answer.
//!
//! A server that is away only delays it. A repeated call carries the request id of the first, so that nothing is done
//! twice; an item that asks to be tried again goes into a new call, since the old one has its answer on record.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use futures::{StreamExt as _, stream::FuturesUnordered};
use indicatif::ProgressBar;
use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Client, Endpoint, Failure, Placed, Remedy, Stopped,
    pace::{Pace, Ticket},
};

/// Tries of a call that meets faults of the server.
const TRIES: u32 = 5;

/// A run of calls with one pace.
#[derive(Debug)]
pub struct Feed {
    client: Client,
    pace: Pace,
    patience: Duration,
    stop: CancellationToken,
    bar: ProgressBar,
    /// Keeps request ids of different runs apart, so that a run tells what it made from what was there.
    run: Uuid,
    calls: u64,
    peak: usize,
}

struct Batch {
    items: Vec<(usize, Value)>,
    round: u32,
    faults: u32,
}

impl Feed {
    /// Without any success for `patience` it stops. `bar` goes one on with each item that has its answer.
    pub fn new(client: Client, patience: Duration, stop: CancellationToken, bar: ProgressBar) -> Self {
        Self {
            client,
            pace: Pace::new(Instant::now()),
            patience,
            stop,
            bar,
            run: Uuid::new_v4(),
            calls: 0,
            peak: 0,
        }
    }

    /// The pace so far.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Calls so far.
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// Most calls that were in flight at once.
    pub fn peak(&self) -> usize {
        self.peak
    }

    /// An identifier for a request of this run: the same content has the same one.
    pub fn request_id(&self, content: &str) -> String {
        Uuid::new_v5(&self.run, content.as_bytes()).to_string()
    }

    /// One call, repeated until it has an answer that will not change.
    pub async fn call(
        &mut self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Result<Value, Failure>, Stopped> {
        let mut faults = 0;
        loop {
            self.pause().await?;
            let ticket = self.pace.start();
            self.calls += 1;
            let failure = match self.client.call(method.clone(), path, query, body).await {
                Ok(answer) => {
                    self.pace.succeeded(Instant::now());
                    return Ok(Ok(answer));
                }
                Err(failure) => failure,
            };
            match failure.remedy() {
                Remedy::GiveUp => return Err(Stopped::hopeless(failure)),
                Remedy::Change => return Ok(Err(failure)),
                Remedy::TryAgain if faults + 1 == TRIES => return Ok(Err(failure)),
                Remedy::TryAgain => faults += 1,
                Remedy::SlowDown => {}
            }
            self.refused(ticket, &failure)?;
        }
    }

    /// Places every item and tells `settle` what became of it, by its position in `items`.
    pub async fn place(
        &mut self,
        endpoint: Endpoint,
        items: Vec<Value>,
        batch: usize,
        mut settle: impl FnMut(usize, Placed),
    ) -> Result<(), Stopped> {
        let mut waiting = in_batches(items, batch);
        let mut flying = FuturesUnordered::new();
        let mut stopped = None;
        loop {
            let pause = self.pace.resume().filter(|resume| *resume > Instant::now());
            let start = stopped.is_none() && !self.stop.is_cancelled() && pause.is_none();
            while start && flying.len() < self.pace.window() {
                let Some(batch) = waiting.pop_front() else { break };
                flying.push(self.fly(endpoint, batch));
                self.calls += 1;
                self.peak = self.peak.max(flying.len());
            }
            if start {
                self.bar.set_message(format!("{} calls in flight", flying.len()));
            }
            if flying.is_empty() && (stopped.is_some() || waiting.is_empty() || self.stop.is_cancelled()) {
                break;
            }
            tokio::select! {
                Some((batch, ticket, answer)) = flying.next(), if !flying.is_empty() => {
                    let landed = match answer {
                        Ok(answer) => self.land(endpoint, batch, ticket, &answer, &mut waiting, &mut settle),
                        Err(failure) => self.miss(batch, ticket, failure, &mut waiting, &mut settle),
                    };
                    stopped = stopped.or(landed.err());
                }
                () = until(pause), if pause.is_some() && stopped.is_none() => {}
                () = self.stop.cancelled(), if !self.stop.is_cancelled() => {}
            }
        }
        match stopped {
            Some(stopped) => Err(stopped),
            None if waiting.is_empty() => Ok(()),
            None => Err(Stopped::Interrupted),
        }
    }

    fn fly(
        &self,
        endpoint: Endpoint,
        batch: Batch,
    ) -> impl Future<Output = (Batch, Ticket, Result<Value, Failure>)> + use<> {
        let items: Vec<&Value> = batch.items.iter().map(|(_, item)| item).collect();
        let mut body = json!({ endpoint.list: items });
        body["requestId"] = self.request_id(&format!("{} {body}", batch.round)).into();
        let (client, ticket) = (self.client.clone(), self.pace.start());
        async move { (batch, ticket, client.call(Method::POST, endpoint.path, &[], Some(&body)).await) }
    }

    /// Settles the items of a call that was answered; those with a passing failure go back to the queue.
    fn land(
        &mut self,
        endpoint: Endpoint,
        batch: Batch,
        ticket: Ticket,
        answer: &Value,
        waiting: &mut VecDeque<Batch>,
        settle: &mut impl FnMut(usize, Placed),
    ) -> Result<(), Stopped> {
        let results = answer["results"].as_array().map_or(&[][..], Vec::as_slice);
        if results.len() != batch.items.len() {
            let failure =
                Failure::unexpected(format!("{} items got {} results", batch.items.len(), results.len()));
            return self.miss(batch, ticket, failure, waiting, settle);
        }
        let count = batch.items.len();
        let mut again = Batch { items: Vec::new(), round: batch.round + 1, faults: batch.faults };
        let mut passing = None;
        for ((index, item), result) in batch.items.into_iter().zip(results) {
            if !result["error"].is_object() {
                let resource = result[endpoint.noun].clone();
                let created = result["created"] == true;
                self.bar.inc(1);
                settle(index, if created { Placed::Created(resource) } else { Placed::Existing(resource) });
                continue;
            }
            let failure = Failure::of_status(&result["error"]);
            match failure.remedy() {
                Remedy::SlowDown => {}
                Remedy::TryAgain if again.faults < TRIES => {}
                _ => {
                    self.bar.inc(1);
                    settle(index, Placed::Refused(failure));
                    continue;
                }
            }
            passing = Some(failure);
            again.items.push((index, item));
        }
        if again.items.len() < count {
            self.pace.succeeded(Instant::now());
        }
        let Some(failure) = passing else { return Ok(()) };
        again.faults += u32::from(failure.remedy() == Remedy::TryAgain);
        waiting.push_front(again);
        self.refused(ticket, &failure)
    }

    /// Puts a call that failed as a whole back into the queue, or looks for the item that is to blame.
    fn miss(
        &mut self,
        mut batch: Batch,
        ticket: Ticket,
        failure: Failure,
        waiting: &mut VecDeque<Batch>,
        settle: &mut impl FnMut(usize, Placed),
    ) -> Result<(), Stopped> {
        match failure.remedy() {
            Remedy::GiveUp => return Err(Stopped::hopeless(failure)),
            // The items do not name what a call as a whole can fail to find.
            Remedy::Change if failure.code == "NOT_FOUND" => return Err(Stopped::hopeless(failure)),
            Remedy::SlowDown => {
                waiting.push_front(batch);
                return self.refused(ticket, &failure);
            }
            Remedy::TryAgain if batch.faults + 1 < TRIES => {
                batch.faults += 1;
                waiting.push_front(batch);
                return self.refused(ticket, &failure);
            }
            Remedy::TryAgain | Remedy::Change => {}
        }
        // It was answered, so somebody is there.
        self.pace.succeeded(Instant::now());
        if let [(index, _)] = batch.items[..] {
            self.bar.inc(1);
            settle(index, Placed::Refused(failure));
            return Ok(());
        }
        let second = batch.items.split_off(batch.items.len() / 2);
        waiting.push_front(Batch { items: second, round: batch.round, faults: batch.faults });
        waiting.push_front(batch);
        Ok(())
    }

    fn refused(&mut self, ticket: Ticket, failure: &Failure) -> Result<(), Stopped> {
        let now = Instant::now();
        self.pace.refused(ticket, failure.retry_after, now);
        self.bar.set_message(format!("waiting: {failure}"));
        if self.pace.idle(now) < self.patience {
            return Ok(());
        }
        Err(Stopped::Impatient(self.patience, Box::new(failure.clone())))
    }

    async fn pause(&self) -> Result<(), Stopped> {
        let wait = self.pace.resume().filter(|resume| *resume > Instant::now());
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Stopped::Interrupted),
            () = until(wait) => Ok(()),
        }
    }
}

async fn until(moment: Option<Instant>) {
    if let Some(moment) = moment {
        tokio::time::sleep_until(moment.into()).await;
    }
}

fn in_batches(items: Vec<Value>, size: usize) -> VecDeque<Batch> {
    let mut items = items.into_iter().enumerate().peekable();
    let mut batches = VecDeque::new();
    while items.peek().is_some() {
        batches.push_back(Batch { items: items.by_ref().take(size.max(1)).collect(), round: 0, faults: 0 });
    }
    batches
}
