//! Create, update, upsert and batch of documents that are drafts first: what the server computes is put in within the
//! transaction that writes, and nothing is changed any more once the document is issued.

use futures::{FutureExt as _, future::BoxFuture};
use prost::Message;
use tonic::Request;
use trato_types::{
    Context, Error, Result,
    standard::{
        BatchCreateRequest, BatchCreateResponse, CreateRequest, Fields as _, ResourceMessage as _,
        UpdateRequest, WriteOptions,
    },
};

use super::{
    Prepared, Reply, Store, answer,
    batch::{created, each, part_record},
    finish, once,
    prepare::{merged, new_record},
    require_batch, require_living,
    write::external_id_taken,
};
use crate::{
    db::{Database, Facts, NewEvent, Record, RequestKey, Resource, Tx},
    rpc::Caller,
};

/// A document that is a draft first.
pub trait Draft: Resource {
    /// What it takes to complete one.
    type References: Send + Sync + 'static;

    /// FAILED_PRECONDITION once it is issued.
    fn require_draft(&self) -> Result<()>;

    /// Participle of the event by which an update of this one is told, and what it tells beside the change: where the
    /// state before gives it a meaning of its own.
    fn update_event(&self) -> (&'static str, Facts) {
        ("updated", Facts::default())
    }

    /// Fills in what clients left open of documents that are new, and finds out what is not known here yet: before any
    /// transaction, so that neighbours can be asked. What fails here fails for all of them.
    fn prepare<'a>(
        references: &'a Self::References,
        cx: &'a Context,
        caller: &'a Caller,
        messages: Vec<&'a mut Self::Message>,
        are_new: bool,
    ) -> BoxFuture<'a, Result<()>> {
        let _ = (references, cx, caller, messages, are_new);
        std::future::ready(Ok(())).boxed()
    }

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
        let caller = Caller::of(&request);
        answer(request, async |cx, mut body| {
            let caller = caller?;
            let key = RequestKey::parse(&body.take_request_id(), &body)?;
            let (message, options) = body.into_parts();
            let by = By { cx, caller: &caller, key: key.as_ref(), validate_only: options.validate_only };
            let attempt = self.create_one(&by, R::FIELD, message);
            once(self.store.database(), cx, key.as_ref(), attempt).await
        })
        .await
    }

    /// `UpdateX`.
    pub async fn update<R>(&self, request: Request<R>) -> Reply<T::Message>
    where
        R: UpdateRequest<Message = T::Message> + Message,
    {
        let caller = Caller::of(&request);
        answer(request, async |cx, mut body| {
            let caller = caller?;
            let key = RequestKey::parse(&body.take_request_id(), &body)?;
            let (message, mask, options) = body.into_parts();
            let message = message.ok_or_else(|| Error::invalid(R::FIELD, "REQUIRED", "is required"))?;
            let name = message.name().to_owned();
            let by = By { cx, caller: &caller, key: key.as_ref(), validate_only: options.validate_only };
            let attempt = self.update_one(&by, &name, Change { field: R::FIELD, message, mask });
            once(self.store.database(), cx, key.as_ref(), attempt).await
        })
        .await
    }

    /// `UpsertX`.
    pub async fn upsert<R>(&self, request: Request<R>) -> Reply<T::Message>
    where
        R: UpdateRequest<Message = T::Message> + Message,
    {
        let caller = Caller::of(&request);
        answer(request, async |cx, mut body| {
            let caller = caller?;
            let key = RequestKey::parse(&body.take_request_id(), &body)?;
            let (message, mask, options) = body.into_parts();
            let message = message.ok_or_else(|| Error::invalid(R::FIELD, "REQUIRED", "is required"))?;
            let by = By { cx, caller: &caller, key: key.as_ref(), validate_only: options.validate_only };
            let attempt = async {
                match self.store.read_meant(cx, &message, R::FIELD).await? {
                    None => self.create_one(&by, R::FIELD, Some(message)).await,
                    Some(meant) => {
                        self.update_one(&by, &meant.name(), Change { field: R::FIELD, message, mask }).await
                    }
                }
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
        let caller = Caller::of(&request);
        answer(request, async |cx, mut body| {
            let caller = caller?;
            let key = RequestKey::parse(&body.take_request_id(), &body)?;
            let (items, options) = body.into_parts();
            require_batch("requests", items.len())?;
            let attempt = async {
                let mut parts: Vec<Part<T>> = items.into_iter().map(CreateRequest::into_parts).collect();
                let messages = parts.iter_mut().filter_map(|(message, _)| message.as_mut()).collect();
                T::prepare(&self.references, cx, &caller, messages, true).await?;
                let mut tx = Tx::of(self.store.database(), cx).await?;
                let prepared = self.prepare(cx, &mut tx, <R::Item as CreateRequest>::FIELD, parts).await?;
                self.store.store_batch_in(tx, key.as_ref(), prepared, options.validate_only, each).await
            };
            once(self.store.database(), cx, key.as_ref(), attempt).await
        })
        .await
    }

    async fn create_one(
        &self,
        by: &By<'_>,
        field: &str,
        mut message: Option<T::Message>,
    ) -> Result<T::Message> {
        let cx = by.cx;
        T::prepare(&self.references, cx, by.caller, message.iter_mut().collect(), true).await?;
        let mut record = new_record::<T>(cx, message, field)?;
        let mut tx = Tx::of(self.store.database(), cx).await?;
        self.complete(&mut tx, &mut record.value).await?;
        let event = NewEvent::of(cx, "created", None, &record);
        let event_id = event.id;
        if tx.insert(self.store.statements(), &[&record], vec![event]).await?.is_empty() {
            return Err(external_id_taken(&record));
        }
        finish(tx, by.key, event_id, by.validate_only).await?;
        Ok(T::render(&record))
    }

    async fn update_one(&self, by: &By<'_>, name: &str, mut change: Change<T>) -> Result<T::Message> {
        let cx = by.cx;
        T::prepare(&self.references, cx, by.caller, vec![&mut change.message], false).await?;
        let mut tx = Tx::of(self.store.database(), cx).await?;
        let before = tx.lock::<T>(self.store.statements(), name).await?;
        before.require_etag(change.message.etag())?;
        require_living(&before)?;
        before.value.require_draft()?;
        let mut value = merged(cx, &before, &change.message, change.mask.as_deref(), change.field)?;
        self.complete(&mut tx, &mut value).await?;
        let after = before.next(cx, value);
        let answer = T::render(&after);
        if by.key.is_none() && answer.changed(&T::render(&before)).is_empty() {
            return Ok(T::render(&before));
        }
        let (verb, facts) = before.value.update_event();
        let event = NewEvent::with_facts(cx, verb, Some(&before), &after, facts);
        let event_id = event.id;
        tx.save(self.store.statements(), &after, event).await?;
        finish(tx, by.key, event_id, by.validate_only).await?;
        Ok(answer)
    }

    async fn complete(&self, tx: &mut Tx, draft: &mut T) -> Result<()> {
        T::complete(&self.references, tx, vec![draft]).await?.into_iter().collect()
    }

    async fn prepare(
        &self,
        cx: &Context,
        tx: &mut Tx,
        field: &str,
        parts: Vec<Part<T>>,
    ) -> Result<Vec<Result<Prepared<T>>>> {
        let mut records: Vec<Result<Record<T>>> =
            parts.into_iter().map(|part| part_record(cx, part, field)).collect();
        let drafts = records.iter_mut().flatten().map(|record| &mut record.value).collect();
        let mut completed = T::complete(&self.references, tx, drafts).await?.into_iter();
        let mut prepare = |record: Result<Record<T>>| {
            let record = record?;
            completed.next().unwrap_or(Ok(()))?;
            Ok(created(cx, record))
        };
        Ok(records.into_iter().map(&mut prepare).collect())
    }
}

/// Who writes, and what was said beside the content.
struct By<'a> {
    cx: &'a Context,
    caller: &'a Caller,
    key: Option<&'a RequestKey>,
    validate_only: bool,
}

/// An item of a batch.
type Part<T> = (Option<<T as Resource>::Message>, WriteOptions);

/// What an update says.
struct Change<T: Resource> {
    field: &'static str,
    message: T::Message,
    mask: Option<Vec<String>>,
}
