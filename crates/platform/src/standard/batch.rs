//! `BatchCreateX`: an answer per item, one transaction, one statement for all that is valid.

use std::collections::{HashMap, HashSet};

use tonic::Request;
use tonic_types::Status as WireStatus;
use trato_types::{
    Context, Error, Kind, Result,
    standard::{BatchCreateRequest, BatchCreateResponse, CreateRequest, Outcome, WriteOptions},
};
use uuid::Uuid;

use super::{Reply, Store, answer, once, prepare, require_batch, write::external_id_taken};
use crate::{
    db::{External, NewEvent, Record, RequestKey, Resource, Tx, constrained, statement},
    rpc,
};

/// A valid item of a batch, ready to be stored with its event.
pub type Prepared<T> = (Record<T>, NewEvent);

/// What became of one item: the record and whether it was made now, or why not.
pub type Stored<T> = Result<(Record<T>, bool)>;

impl<T: Resource> Store<T> {
    /// `BatchCreateX`. An item whose source and external id are taken is answered with what is there.
    pub async fn batch_create<R, P>(&self, request: Request<R>) -> Reply<P>
    where
        R: BatchCreateRequest + prost::Message,
        R::Item: CreateRequest<Message = T::Message>,
        P: BatchCreateResponse<T::Message, WireStatus> + prost::Message + Default,
    {
        answer(request, async |cx, mut body| {
            let key = RequestKey::parse(&body.take_request_id(), &body)?;
            let (items, options) = body.into_parts();
            require_batch("requests", items.len())?;
            let attempt = async {
                let prepared =
                    items.into_iter().map(|item| item_record(cx, item).map(|new| created(cx, new)));
                let prepared = prepared.collect();
                self.store_batch(cx, key.as_ref(), prepared, options.validate_only, each).await
            };
            once(&self.database, cx, key.as_ref(), attempt).await
        })
        .await
    }

    /// Stores the valid ones of `prepared`; one transaction holds rows, events, and the answer by its request id.
    pub async fn store_batch<P: prost::Message>(
        &self,
        cx: &Context,
        key: Option<&RequestKey>,
        prepared: Vec<Result<Prepared<T>>>,
        validate_only: bool,
        answer: impl FnOnce(Vec<Stored<T>>) -> P,
    ) -> Result<P> {
        let tx = Tx::of(&self.database, cx).await?;
        self.store_batch_in(tx, key, prepared, validate_only, answer).await
    }

    /// `store_batch` in a transaction that was begun, which ends here.
    pub(super) async fn store_batch_in<P: prost::Message>(
        &self,
        mut tx: Tx,
        key: Option<&RequestKey>,
        prepared: Vec<Result<Prepared<T>>>,
        validate_only: bool,
        answer: impl FnOnce(Vec<Stored<T>>) -> P,
    ) -> Result<P> {
        let response = answer(self.store_each(&mut tx, prepared).await?);
        if let Some(key) = key.filter(|_| !validate_only) {
            tx.remember(key, response.encode_to_vec()).await?;
        }
        tx.end(validate_only).await?;
        Ok(response)
    }

    async fn store_each(&self, tx: &mut Tx, prepared: Vec<Result<Prepared<T>>>) -> Result<Vec<Stored<T>>> {
        // Two items may be one resource, where the identifier follows from the content; the second one is refused.
        let mut ids = HashSet::new();
        let first_of_its_id = |item: Result<Prepared<T>>| match item {
            Ok((record, _)) if !ids.insert(record.id) => {
                Err(Error::invalid("requests", "DUPLICATE", "stands twice in the batch"))
            }
            item => item,
        };
        let prepared: Vec<Result<Prepared<T>>> = prepared.into_iter().map(first_of_its_id).collect();
        let valid: Vec<&Prepared<T>> = prepared.iter().filter_map(|item| item.as_ref().ok()).collect();
        let (stored, mut refused) = self.insert_all(tx, &valid).await?;
        let left_out =
            |(record, event): &Prepared<T>| !stored.contains(&event.id) && !refused.contains_key(&record.id);
        let taken =
            valid.iter().filter(|item| left_out(item)).filter_map(|(record, _)| record.external.clone());
        let existing = self.existing(tx, taken.collect()).await?;
        let mut become_of = |(record, event): Prepared<T>| {
            if stored.contains(&event.id) {
                return Ok((record, true));
            }
            if let Some(error) = refused.remove(&record.id) {
                return Err(error);
            }
            // Taken by a twin in this very batch, by another transaction, or by something the caller may not see.
            let twin = record.external.as_ref().and_then(|external| existing.get(external));
            twin.cloned().map(|found| (found, false)).ok_or_else(|| external_id_taken(&record))
        };
        Ok(prepared.into_iter().map(|item| item.and_then(&mut become_of)).collect())
    }

    /// Inserts all at once; where a constraint refuses one, one by one. Answers the events stored and the rows refused.
    async fn insert_all(
        &self,
        tx: &mut Tx,
        items: &[&Prepared<T>],
    ) -> Result<(HashSet<Uuid>, HashMap<Uuid, Error>)> {
        match self.insert_guarded(tx, items).await {
            Ok(stored) => return Ok((stored.into_iter().collect(), HashMap::new())),
            Err(error) if !is_refusal(&error) => return Err(error),
            Err(_) => {}
        }
        let (mut stored, mut refused) = (HashSet::new(), HashMap::new());
        for item in items {
            match self.insert_guarded(tx, &[item]).await {
                Ok(ids) => stored.extend(ids),
                Err(error) if is_refusal(&error) => {
                    refused.insert(item.0.id, error);
                }
                Err(error) => return Err(error),
            }
        }
        Ok((stored, refused))
    }

    /// Inserts behind a savepoint, so that a refusal leaves the transaction usable.
    async fn insert_guarded(&self, tx: &mut Tx, items: &[&Prepared<T>]) -> Result<Vec<Uuid>> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let records: Vec<&Record<T>> = items.iter().map(|(record, _)| record).collect();
        let events: Vec<NewEvent> = items.iter().map(|(_, event)| event.clone()).collect();
        let arguments = statement::bind_write(tx.cx(), None, &records, &events)?;
        let failed = |error| constrained(error, T::CONSTRAINTS);
        let connection = tx.connection();
        connection.say("savepoint items").await.map_err(failed)?;
        let result =
            sqlx::query_scalar_with(self.statements.insert, arguments).fetch_all(&mut *connection).await;
        if let Err(error @ sqlx::Error::Io(_)) = result {
            // The connection is lost, and the transaction with it.
            return Err(failed(error));
        }
        let end = if result.is_ok() { "release savepoint items" } else { "rollback to savepoint items" };
        connection.say(end).await.map_err(failed)?;
        result.map_err(failed)
    }

    /// Reads within the transaction, so that a twin in this very batch is found too.
    async fn existing(&self, tx: &mut Tx, taken: Vec<External>) -> Result<HashMap<External, Record<T>>> {
        let mut by_source: HashMap<String, Vec<String>> = HashMap::new();
        for external in taken {
            by_source.entry(external.source).or_default().push(external.id);
        }
        let mut found = HashMap::new();
        for (source, ids) in by_source {
            let cx = tx.cx().clone();
            for record in self.read_external_on(tx.connection(), &cx, &source, &ids).await? {
                found.extend(record.external.clone().map(|external| (external, record)));
            }
        }
        Ok(found)
    }
}

/// The record of an item, or every violation of it.
pub(super) fn item_record<T: Resource, R: CreateRequest<Message = T::Message>>(
    cx: &Context,
    item: R,
) -> Result<Record<T>> {
    part_record(cx, item.into_parts(), R::FIELD)
}

/// The same of the parts of an item, whose message is in `field`.
pub(super) fn part_record<T: Resource>(
    cx: &Context,
    (message, options): (Option<T::Message>, WriteOptions),
    field: &str,
) -> Result<Record<T>> {
    if !options.request_id.is_empty() || options.validate_only {
        return Err(Error::invalid(
            "request_id",
            "NOT_ALLOWED",
            "only the batch itself has request_id and validate_only",
        ));
    }
    prepare::new_record::<T>(cx, message, field)
}

/// A new record with the event that tells of it.
pub(super) fn created<T: Resource>(cx: &Context, record: Record<T>) -> Prepared<T> {
    let event = NewEvent::of(cx, "created", None, &record);
    (record, event)
}

/// The answer of a batch: what became of each item.
pub(super) fn each<T: Resource, P: BatchCreateResponse<T::Message, WireStatus>>(stored: Vec<Stored<T>>) -> P {
    P::each(stored.into_iter().map(outcome).collect())
}

fn outcome<T: Resource>(stored: Stored<T>) -> Outcome<T::Message, WireStatus> {
    match stored {
        Ok((record, true)) => Outcome::Created(T::render(&record)),
        Ok((record, false)) => Outcome::Existing(T::render(&record)),
        Err(error) => Outcome::Refused(rpc::status::to_wire(&error)),
    }
}

/// True for errors that may speak of one row only; the others are tried without it.
fn is_refusal(error: &Error) -> bool {
    !matches!(error.kind(), Kind::Unavailable | Kind::DeadlineExceeded)
}
