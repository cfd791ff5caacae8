//! Create, update, upsert, delete, undelete and custom verbs of one resource.

use futures::future::BoxFuture;
use tonic::Request;
use trato_types::{
    Context, Error, Kind, Result, Violations,
    standard::{CreateRequest, Fields as _, ResourceMessage as _, UpdateRequest, VerbRequest},
};
use uuid::Uuid;

use super::{Reply, Store, answer, once, prepare};
use crate::{
    db::{External, Facts, NewEvent, Record, RequestKey, Resource, Tx, constrained, recorded, statement},
    rpc::Caller,
};

/// How often a change without etag is tried again when others change the same resource meanwhile.
const MAX_ATTEMPTS: usize = 16;

/// What a change makes of a record: its next revision, and what that means to the business.
pub type Changed<T> = (Record<T>, Facts);

impl<T: Resource> Store<T> {
    /// `CreateX`. ALREADY_EXISTS `EXTERNAL_ID_TAKEN` when the source has a living resource of that id.
    pub async fn create<R>(&self, request: Request<R>) -> Reply<T::Message>
    where
        R: CreateRequest<Message = T::Message> + prost::Message,
    {
        answer(request, async |cx, mut body| {
            let key = RequestKey::parse(&body.take_request_id(), &body)?;
            let (message, options) = body.into_parts();
            let attempt = self.create_one(cx, key.as_ref(), R::FIELD, message, options.validate_only);
            once(&self.database, cx, key.as_ref(), attempt).await
        })
        .await
    }

    /// What `create` attempts `once`, for handlers that fill in before what the client left open. `field` holds the
    /// message in the request.
    pub async fn create_one(
        &self,
        cx: &Context,
        key: Option<&RequestKey>,
        field: &str,
        message: Option<T::Message>,
        validate_only: bool,
    ) -> Result<T::Message> {
        let record = prepare::new_record::<T>(cx, message, field)?;
        self.insert(cx, key, &record, validate_only).await?;
        Ok(T::render(&record))
    }

    /// `UpdateX`. ABORTED `ETAG_MISMATCH` when the etag sent is not the stored one; without an etag the mask is
    /// applied to whatever is there.
    pub async fn update<R>(&self, request: Request<R>) -> Reply<T::Message>
    where
        R: UpdateRequest<Message = T::Message> + prost::Message,
    {
        answer(request, async |cx, mut body| {
            let key = RequestKey::parse(&body.take_request_id(), &body)?;
            let (message, mask, options) = body.into_parts();
            let attempt =
                self.update_one(cx, key.as_ref(), R::FIELD, message, mask.as_deref(), options.validate_only);
            once(&self.database, cx, key.as_ref(), attempt).await
        })
        .await
    }

    /// What `update` attempts `once`; see `create_one`.
    pub async fn update_one(
        &self,
        cx: &Context,
        key: Option<&RequestKey>,
        field: &str,
        message: Option<T::Message>,
        mask: Option<&[String]>,
        validate_only: bool,
    ) -> Result<T::Message> {
        let message = message.ok_or_else(|| Error::invalid(field, "REQUIRED", "is required"))?;
        let change = |before: &Record<T>| self.merge(cx, before, &message, mask, field);
        self.modify(cx, key, message.name(), message.etag(), validate_only, "updated", change).await
    }

    /// `UpsertX`: creates, or updates the living resource of the same source and external id.
    pub async fn upsert<R>(&self, request: Request<R>) -> Reply<T::Message>
    where
        R: UpdateRequest<Message = T::Message> + prost::Message,
    {
        answer(request, async |cx, mut body| {
            let key = RequestKey::parse(&body.take_request_id(), &body)?;
            let (message, mask, options) = body.into_parts();
            let attempt =
                self.upsert_one(cx, key.as_ref(), R::FIELD, message, mask.as_deref(), options.validate_only);
            once(&self.database, cx, key.as_ref(), attempt).await
        })
        .await
    }

    /// What `upsert` attempts `once`; see `create_one`.
    pub async fn upsert_one(
        &self,
        cx: &Context,
        key: Option<&RequestKey>,
        field: &str,
        message: Option<T::Message>,
        mask: Option<&[String]>,
        validate_only: bool,
    ) -> Result<T::Message> {
        let message = message.ok_or_else(|| Error::invalid(field, "REQUIRED", "is required"))?;
        let Some(found) = self.read_meant(cx, &message, field).await? else {
            return self.create_one(cx, key, field, Some(message), validate_only).await;
        };
        let change = |before: &Record<T>| self.merge(cx, before, &message, mask, field);
        self.modify(cx, key, &found.name(), message.etag(), validate_only, "updated", change).await
    }

    /// `DeleteX`: soft, answered with the deleted resource (AIP-164).
    pub async fn delete<R: VerbRequest + prost::Message>(&self, request: Request<R>) -> Reply<T::Message> {
        self.change_record(request, "deleted", |before, _, cx| {
            if before.delete_time.is_some() {
                return Err(state_error(before, "ALREADY_DELETED", "the resource is deleted already"));
            }
            Ok((
                Record { delete_time: Some(cx.now), ..before.next(cx, before.value.clone()) },
                Facts::default(),
            ))
        })
        .await
    }

    /// `UndeleteX`.
    pub async fn undelete<R: VerbRequest + prost::Message>(&self, request: Request<R>) -> Reply<T::Message> {
        self.change_record(request, "undeleted", |before, _, cx| {
            if before.delete_time.is_none() {
                return Err(state_error(before, "NOT_DELETED", "the resource is not deleted"));
            }
            Ok((Record { delete_time: None, ..before.next(cx, before.value.clone()) }, Facts::default()))
        })
        .await
    }

    /// A custom verb that only changes the resource itself; `verb` is the participle of its event, `apply` returns what
    /// the event tells beside the change.
    pub async fn change<R, F>(&self, request: Request<R>, verb: &str, apply: F) -> Reply<T::Message>
    where
        R: VerbRequest + prost::Message,
        F: Fn(&mut T, &R, &Context) -> Result<Facts>,
    {
        self.change_record(request, verb, |before, body, cx| {
            require_living(before)?;
            let mut value = before.value.clone();
            let facts = apply(&mut value, body, cx)?;
            cx.require_admits(value.owner(), value.team())?;
            Ok((before.next(cx, value), facts))
        })
        .await
    }

    /// A custom verb that reads or writes more than the resource: the record is locked, `apply` works in the
    /// transaction and returns the next revision.
    pub async fn change_in<R, F>(&self, request: Request<R>, verb: &str, apply: F) -> Reply<T::Message>
    where
        R: VerbRequest + prost::Message,
        F: for<'a> Fn(&'a mut Tx, &'a Record<T>, &'a R) -> BoxFuture<'a, Result<Changed<T>>>,
    {
        answer(request, async |cx, mut body| {
            let key = RequestKey::parse(&body.take_request_id(), &body)?;
            let attempt = async {
                let mut tx = Tx::of(&self.database, cx).await?;
                let before = tx.lock::<T>(&self.statements, body.name()).await?;
                before.require_etag(body.etag())?;
                self.change_locked(tx, key.as_ref(), &before, &body, verb, &apply).await
            };
            once(&self.database, cx, key.as_ref(), attempt).await
        })
        .await
    }

    /// A custom verb that asks another service before: `ask` gets the record as the caller may see it, outside of any
    /// transaction, and `apply` works like that of `change_in`, on the revision that `ask` has seen. When the revision moved
    /// on between them, both are done once more, so what `ask` causes must be the same however often it is asked for.
    pub async fn change_after<R, A, F>(
        &self,
        request: Request<R>,
        verb: &str,
        ask: A,
        apply: F,
    ) -> Reply<T::Message>
    where
        R: VerbRequest + prost::Message,
        A: for<'a> Fn(&'a Context, &'a Caller, &'a Record<T>, &'a R) -> BoxFuture<'a, Result<()>>,
        F: for<'a> Fn(&'a mut Tx, &'a Record<T>, &'a R) -> BoxFuture<'a, Result<Changed<T>>>,
    {
        let caller = Caller::of(&request);
        answer(request, async |cx, mut body| {
            let caller = caller?;
            let key = RequestKey::parse(&body.take_request_id(), &body)?;
            let attempt = async {
                for _ in 0..MAX_ATTEMPTS {
                    let seen = self.read(cx, body.name()).await?;
                    seen.require_etag(body.etag())?;
                    ask(cx, &caller, &seen, &body).await?;
                    let mut tx = Tx::of(&self.database, cx).await?;
                    let before = tx.lock::<T>(&self.statements, body.name()).await?;
                    before.require_etag(body.etag())?;
                    if before.revision == seen.revision {
                        return self.change_locked(tx, key.as_ref(), &before, &body, verb, &apply).await;
                    }
                    tx.roll_back().await?;
                }
                Err(concurrent_change(body.name()))
            };
            once(&self.database, cx, key.as_ref(), attempt).await
        })
        .await
    }

    /// Stores what `apply` makes of a locked record, and ends the transaction.
    async fn change_locked<R, F>(
        &self,
        mut tx: Tx,
        key: Option<&RequestKey>,
        before: &Record<T>,
        body: &R,
        verb: &str,
        apply: &F,
    ) -> Result<T::Message>
    where
        R: VerbRequest,
        F: for<'a> Fn(&'a mut Tx, &'a Record<T>, &'a R) -> BoxFuture<'a, Result<Changed<T>>>,
    {
        let (after, facts) = apply(&mut tx, before, body).await?;
        tx.cx().require_admits(after.value.owner(), after.value.team())?;
        let event = NewEvent::with_facts(tx.cx(), verb, Some(before), &after, facts);
        let event_id = event.id;
        tx.save(&self.statements, &after, event).await?;
        finish(tx, key, event_id, body.validate_only()).await?;
        Ok(T::render(&after))
    }

    async fn change_record<R, F>(&self, request: Request<R>, verb: &str, apply: F) -> Reply<T::Message>
    where
        R: VerbRequest + prost::Message,
        F: Fn(&Record<T>, &R, &Context) -> Result<Changed<T>>,
    {
        answer(request, async |cx, mut body| {
            let key = RequestKey::parse(&body.take_request_id(), &body)?;
            let change = |before: &Record<T>| apply(before, &body, cx);
            let attempt =
                self.modify(cx, key.as_ref(), body.name(), body.etag(), body.validate_only(), verb, change);
            once(&self.database, cx, key.as_ref(), attempt).await
        })
        .await
    }

    fn merge(
        &self,
        cx: &Context,
        before: &Record<T>,
        message: &T::Message,
        mask: Option<&[String]>,
        field: &str,
    ) -> Result<Changed<T>> {
        require_living(before)?;
        let value = prepare::merged(cx, before, message, mask, field)?;
        Ok((before.next(cx, value), Facts::default()))
    }

    /// Reads the living record that an upsert means by source and external id, which must be there.
    pub(super) async fn read_meant(
        &self,
        cx: &Context,
        message: &T::Message,
        field: &str,
    ) -> Result<Option<Record<T>>> {
        let mut violations = Violations::new();
        let external = violations.absorb(&format!("{field}."), External::parse(message.external()))?;
        let external = violations.into_result(external)?.ok_or_else(|| {
            let field = format!("{field}.external_id");
            Error::invalid(field, "REQUIRED", "source and external_id say which resource is meant")
        })?;
        let found = self.read_external(cx, &external.source, std::slice::from_ref(&external.id)).await?;
        Ok(found.into_iter().next())
    }

    /// Stores a new record, its event and the request id in one statement.
    async fn insert(
        &self,
        cx: &Context,
        key: Option<&RequestKey>,
        record: &Record<T>,
        validate_only: bool,
    ) -> Result<()> {
        let event = NewEvent::of(cx, "created", None, record);
        let stored = self.write(cx, key, self.statements.insert, record, event, validate_only).await?;
        if stored.is_empty() { Err(external_id_taken(record)) } else { Ok(()) }
    }

    /// Reads, changes and stores in two statements; when the revision moved on between them, once more.
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of every change; a struct would only rename them"
    )]
    async fn modify(
        &self,
        cx: &Context,
        key: Option<&RequestKey>,
        name: &str,
        etag: &str,
        validate_only: bool,
        verb: &str,
        change: impl Fn(&Record<T>) -> Result<Changed<T>>,
    ) -> Result<T::Message> {
        for _ in 0..MAX_ATTEMPTS {
            let before = self.read(cx, name).await?;
            before.require_etag(etag)?;
            let (after, facts) = change(&before)?;
            let message = T::render(&after);
            // With a request id the answer must be kept, so a revision is written even when nothing differs.
            if key.is_none() && message.changed(&T::render(&before)).is_empty() {
                return Ok(T::render(&before));
            }
            let event = NewEvent::with_facts(cx, verb, Some(&before), &after, facts);
            if !self.write(cx, key, self.statements.save, &after, event, validate_only).await?.is_empty() {
                return Ok(message);
            }
        }
        Err(concurrent_change(name))
    }

    async fn write(
        &self,
        cx: &Context,
        key: Option<&RequestKey>,
        sql: &'static str,
        record: &Record<T>,
        event: NewEvent,
        validate_only: bool,
    ) -> Result<Vec<Uuid>> {
        let key = if validate_only { None } else { key };
        let arguments = statement::bind_write(cx, key, &[record], &[event])?;
        let query = sqlx::query_scalar_with(sql, arguments);
        let failed = |error| constrained(error, T::CONSTRAINTS);
        if validate_only {
            // The very same statement, so that constraints speak; then nothing of it stays.
            let mut connection = self.database.pool.begin().await.map_err(failed)?;
            let stored = query.fetch_all(&mut connection).await.map_err(failed)?;
            connection.roll_back().await.map_err(failed)?;
            return Ok(stored);
        }
        let stored = async { query.fetch_all(&self.database.pool).await.map_err(failed) };
        let stored = recorded(cx, "insert", T::TABLE, stored).await?;
        if !stored.is_empty() {
            self.database.wake.notify_one();
        }
        Ok(stored)
    }
}

/// ABORTED when others change a resource whenever it is looked at.
fn concurrent_change(name: &str) -> Error {
    Error::new(Kind::Stale, "CONCURRENT_CHANGE", "others keep changing the resource").about(name)
}

/// Ends the transaction of a write whose answer is the after-image of an event.
pub async fn finish(mut tx: Tx, key: Option<&RequestKey>, event_id: Uuid, validate_only: bool) -> Result<()> {
    if let Some(key) = key {
        tx.remember_event(key, event_id).await?;
    }
    tx.end(validate_only).await
}

/// ALREADY_EXISTS for a record whose source has a living one of its external id.
pub(super) fn external_id_taken<T>(record: &Record<T>) -> Error {
    let message = "the source has a resource of this external id";
    let error = Error::new(Kind::AlreadyExists, "EXTERNAL_ID_TAKEN", message);
    match &record.external {
        Some(external) => error.with("source", &external.source).with("external_id", &external.id),
        None => error,
    }
}

/// FAILED_PRECONDITION for a deleted record.
pub fn require_living<T: Resource>(record: &Record<T>) -> Result<()> {
    if record.delete_time.is_some() {
        return Err(state_error(record, "DELETED", "the resource is deleted"));
    }
    Ok(())
}

fn state_error<T: Resource>(record: &Record<T>, reason: &'static str, message: &'static str) -> Error {
    Error::new(Kind::Precondition, reason, message).about(record.name())
}
