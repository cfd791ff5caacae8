//! Create, update, upsert and batch of documents that are drafts first: what the server computes is put in within the
//! transaction that writes, and nothing is changed any more once the document is issued.

use futures::future::BoxFuture;
use prost::Message;
use tonic::Request;
use trato_platform::{
    db::{Database, External, NewEvent, Record, RequestKey, Resource, Tx},
    rpc::status::to_wire,
    standard::{
        Prepared, Reply, Store, Stored, answer, merged, new_record, once, require_batch, require_living,
    },
};
use trato_types::{
    Context, Error, Kind, Result, Violations,
    standard::{
        BatchCreateRequest, BatchCreateResponse, CreateRequest, Fields as _, Outcome, ResourceMessage as _,
        UpdateRequest, WriteOptions,
    },
};
use uuid::Uuid;

/// A document that is a draft first.
pub trait Draft: Resource {
    /// What it takes to complete one.
    type References: Send + Sync + 'static;

    /// FAILED_PRECONDITION once it is issued.
    fn require_draft(&self) -> Result<()>;

    /// Puts in what the server computes, for each document by itself.
    fn complete<'a>(
        references: &'a Self::References,
        tx: &'a mut Tx,
        drafts: Vec<&'a mut Self>,
    ) -> BoxFuture<'a, Result<Vec<Result<()>>>>;
}

/// Writes drafts.
pub struct Drafts<T: Draft> {
    store: Store<T>,
    references: T::References,
}

impl<T: Draft> Drafts<T> {
    /// Over a database, with what it takes to complete a draft.
    pub fn new(database: &Database, references: T::References) -> Self {
        Self { store: Store::new(database), references }
    }

    /// `CreateX`.
    pub async fn create<R>(&self, request: Request<R>) -> Reply<T::Message>
    where
        R: CreateRequest<Message = T::Message> + Message,
    {
        answer(request, async |cx, mut body| {
            let key = RequestKey::parse(&body.take_request_id(), &body)?;
            let (message, options) = body.into_parts();
            let attempt = self.create_one(cx, key.as_ref(), R::FIELD, message, &options);
            once(self.store.database(), cx, key.as_ref(), attempt).await
        })
        .await
    }

    /// `UpdateX`.
    pub async fn update<R>(&self, request: Request<R>) -> Reply<T::Message>
    where
        R: UpdateRequest<Message = T::Message> + Message,
    {
        answer(request, async |cx, mut body| {
            let key = RequestKey::parse(&body.take_request_id(), &body)?;
            let (message, mask, options) = body.into_parts();
            let message = message.ok_or_else(|| Error::invalid(R::FIELD, "REQUIRED", "is required"))?;
            let name = message.name().to_owned();
            let change = Change { field: R::FIELD, message: &message, mask: mask.as_deref() };
            let attempt = self.update_one(cx, key.as_ref(), &name, change, &options);
            once(self.store.database(), cx, key.as_ref(), attempt).await
        })
        .await
    }

    /// `UpsertX`.
    pub async fn upsert<R>(&self, request: Request<R>) -> Reply<T::Message>
    where
        R: UpdateRequest<Message = T::Message> + Message,
    {
        answer(request, async |cx, mut body| {
            let key = RequestKey::parse(&body.take_request_id(), &body)?;
            let (message, mask, options) = body.into_parts();
            let message = message.ok_or_else(|| Error::invalid(R::FIELD, "REQUIRED", "is required"))?;
            let attempt = async {
                let Some(twin) = self.stored_twin(cx, R::FIELD, &message).await? else {
                    return self.create_one(cx, key.as_ref(), R::FIELD, Some(message), &options).await;
                };
                let change = Change { field: R::FIELD, message: &message, mask: mask.as_deref() };
                self.update_one(cx, key.as_ref(), &twin.name(), change, &options).await
            };
            once(self.store.database(), cx, key.as_ref(), attempt).await
        })
        .await
    }

    /// `BatchCreateX`: the valid ones are recorded, and every item is answered.
    pub async fn batch_create<R, P>(&self, request: Request<R>) -> Reply<P>
    where
        R: BatchCreateRequest + Message,
        R::Item: CreateRequest<Message = T::Message>,
        P: BatchCreateResponse<T::Message, tonic_types::Status> + Message + Default,
    {
        answer(request, async |cx, mut body| {
            let key = RequestKey::parse(&body.take_request_id(), &body)?;
            let (items, options) = body.into_parts();
            require_batch("requests", items.len())?;
            let attempt = async {
                let prepared = self.prepare(cx, items).await?;
                let answer = |stored: Vec<Stored<T>>| P::each(stored.into_iter().map(outcome).collect());
                self.store.store_batch(cx, key.as_ref(), prepared, options.validate_only, answer).await
            };
            once(self.store.database(), cx, key.as_ref(), attempt).await
        })
        .await
    }

    async fn create_one(
        &self,
        cx: &Context,
        key: Option<&RequestKey>,
        field: &str,
        message: Option<T::Message>,
        options: &WriteOptions,
    ) -> Result<T::Message> {
        let mut record = new_record::<T>(cx, message, field)?;
        let mut tx = Tx::of(self.store.database(), cx).await?;
        self.complete(&mut tx, &mut record.value).await?;
        let event = NewEvent::of(cx, "created", None, &record);
        let event_id = event.id;
        if tx.insert(self.store.statements(), &[&record], vec![event]).await?.is_empty() {
            let message = "the source has a resource of this external id";
            return Err(Error::new(Kind::AlreadyExists, "EXTERNAL_ID_TAKEN", message));
        }
        finish(tx, key, event_id, options.validate_only).await?;
        Ok(T::render(&record))
    }

    async fn update_one(
        &self,
        cx: &Context,
        key: Option<&RequestKey>,
        name: &str,
        change: Change<'_, T>,
        options: &WriteOptions,
    ) -> Result<T::Message> {
        let mut tx = Tx::of(self.store.database(), cx).await?;
        let before = tx.lock::<T>(self.store.statements(), name).await?;
        before.require_etag(change.message.etag())?;
        require_living(&before)?;
        before.value.require_draft()?;
        let mut value = merged(cx, &before, change.message, change.mask, change.field)?;
        self.complete(&mut tx, &mut value).await?;
        let after = before.next(cx, value);
        let answer = T::render(&after);
        if key.is_none() && answer.changed(&T::render(&before)).is_empty() {
            return Ok(T::render(&before));
        }
        let event = NewEvent::of(cx, "updated", Some(&before), &after);
        let event_id = event.id;
        tx.save(self.store.statements(), &after, event).await?;
        finish(tx, key, event_id, options.validate_only).await?;
        Ok(answer)
    }

    async fn stored_twin(
        &self,
        cx: &Context,
        field: &str,
        message: &T::Message,
    ) -> Result<Option<Record<T>>> {
        let mut violations = Violations::new();
        let external = violations.absorb(&format!("{field}."), External::parse(message.external()))?;
        let external = violations.into_result(external)?.ok_or_else(|| {
            let sentence = "source and external_id say which resource is meant";
            Error::invalid(format!("{field}.external_id"), "REQUIRED", sentence)
        })?;
        let ids = std::slice::from_ref(&external.id);
        Ok(self.store.read_external(cx, &external.source, ids).await?.into_iter().next())
    }

    async fn complete(&self, tx: &mut Tx, draft: &mut T) -> Result<()> {
        T::complete(&self.references, tx, vec![draft]).await?.into_iter().collect()
    }

    async fn prepare<R>(&self, cx: &Context, items: Vec<R>) -> Result<Vec<Result<Prepared<T>>>>
    where
        R: CreateRequest<Message = T::Message>,
    {
        let mut records: Vec<Result<Record<T>>> =
            items.into_iter().map(|item| parse_item(cx, item)).collect();
        let drafts = records.iter_mut().flatten().map(|record| &mut record.value).collect();
        let mut tx = Tx::of(self.store.database(), cx).await?;
        let mut completed = T::complete(&self.references, &mut tx, drafts).await?.into_iter();
        tx.roll_back().await?;
        let mut prepare = |record: Result<Record<T>>| {
            let record = record?;
            completed.next().unwrap_or(Ok(()))?;
            let event = NewEvent::of(cx, "created", None, &record);
            Ok((record, event))
        };
        Ok(records.into_iter().map(&mut prepare).collect())
    }
}

/// What an update says.
struct Change<'a, T: Resource> {
    field: &'static str,
    message: &'a T::Message,
    mask: Option<&'a [String]>,
}

fn parse_item<T, R>(cx: &Context, item: R) -> Result<Record<T>>
where
    T: Draft,
    R: CreateRequest<Message = T::Message>,
{
    let (message, options) = item.into_parts();
    if !options.request_id.is_empty() || options.validate_only {
        let message = "only the batch itself has request_id and validate_only";
        return Err(Error::invalid("request_id", "NOT_ALLOWED", message));
    }
    new_record::<T>(cx, message, R::FIELD)
}

fn outcome<T: Draft>(stored: Stored<T>) -> Outcome<T::Message, tonic_types::Status> {
    match stored {
        Ok((record, true)) => Outcome::Created(T::render(&record)),
        Ok((record, false)) => Outcome::Existing(T::render(&record)),
        Err(error) => Outcome::Refused(to_wire(&error)),
    }
}

async fn finish(mut tx: Tx, key: Option<&RequestKey>, event_id: Uuid, validate_only: bool) -> Result<()> {
    if let Some(key) = key {
        tx.remember_event(key, event_id).await?;
    }
    if validate_only { tx.roll_back().await } else { tx.commit().await }
}
