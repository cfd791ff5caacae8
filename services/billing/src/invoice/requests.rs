//! Create, update, upsert, batch and preview: an invoice is priced in the transaction that writes it.

use tonic::Request;
use trato_platform::{
    App,
    db::{External, NewEvent, Record, RequestKey, Resource as _, Tx},
    rpc::status::to_wire,
    standard::{
        Prepared, Reply, Store, Stored, answer, merged, new_record, once, require_batch, require_living,
    },
};
use trato_proto::billing::v1 as pb;
use trato_types::{
    Context, Error, Kind, Result, Violations,
    standard::{
        BatchCreateRequest as _, BatchCreateResponse as _, CreateRequest as _, Fields as _, Outcome,
        ResourceMessage as _, UpdateRequest as _, WriteOptions,
    },
};

use super::{model::Invoice, references::References, render};

/// The field that holds the invoice, in every request that brings one.
const FIELD: &str = "invoice";

/// Writes invoices.
pub struct Requests {
    invoices: Store<Invoice>,
    references: References,
}

impl Requests {
    /// Over the app's database.
    pub fn new(app: &App) -> Self {
        Self { invoices: Store::new(&app.database), references: References::new() }
    }

    /// Records a draft.
    pub async fn create(&self, request: Request<pb::CreateInvoiceRequest>) -> Reply<pb::Invoice> {
        answer(request, async |cx, mut body| {
            let key = RequestKey::parse(&body.take_request_id(), &body)?;
            let (message, options) = body.into_parts();
            let attempt = self.create_one(cx, key.as_ref(), message, &options);
            once(self.invoices.database(), cx, key.as_ref(), attempt).await
        })
        .await
    }

    /// Changes a draft.
    pub async fn update(&self, request: Request<pb::UpdateInvoiceRequest>) -> Reply<pb::Invoice> {
        answer(request, async |cx, mut body| {
            let key = RequestKey::parse(&body.take_request_id(), &body)?;
            let (message, mask, options) = body.into_parts();
            let message = message.ok_or_else(|| Error::invalid(FIELD, "REQUIRED", "is required"))?;
            let name = message.name.clone();
            let attempt = self.update_one(cx, key.as_ref(), &name, &message, mask.as_deref(), &options);
            once(self.invoices.database(), cx, key.as_ref(), attempt).await
        })
        .await
    }

    /// Changes the draft of the same source and external id, or records one.
    pub async fn upsert(&self, request: Request<pb::UpsertInvoiceRequest>) -> Reply<pb::Invoice> {
        answer(request, async |cx, mut body| {
            let key = RequestKey::parse(&body.take_request_id(), &body)?;
            let (message, mask, options) = body.into_parts();
            let message = message.ok_or_else(|| Error::invalid(FIELD, "REQUIRED", "is required"))?;
            let attempt = async {
                match self.stored_twin(cx, &message).await? {
                    Some(twin) => {
                        let name = twin.name();
                        self.update_one(cx, key.as_ref(), &name, &message, mask.as_deref(), &options).await
                    }
                    None => self.create_one(cx, key.as_ref(), Some(message), &options).await,
                }
            };
            once(self.invoices.database(), cx, key.as_ref(), attempt).await
        })
        .await
    }

    /// Records the valid ones of a batch; every item is answered.
    pub async fn batch_create(
        &self,
        request: Request<pb::BatchCreateInvoicesRequest>,
    ) -> Reply<pb::BatchCreateInvoicesResponse> {
        answer(request, async |cx, mut body| {
            let key = RequestKey::parse(&body.take_request_id(), &body)?;
            let (items, options) = body.into_parts();
            require_batch("requests", items.len())?;
            let attempt = async {
                let prepared = self.prepare(cx, items).await?;
                let answer = |stored: Vec<Stored<Invoice>>| {
                    pb::BatchCreateInvoicesResponse::each(stored.into_iter().map(outcome).collect())
                };
                self.invoices.store_batch(cx, key.as_ref(), prepared, options.validate_only, answer).await
            };
            once(self.invoices.database(), cx, key.as_ref(), attempt).await
        })
        .await
    }

    /// Computes an invoice and records nothing.
    pub async fn preview(
        &self,
        request: Request<pb::PreviewInvoiceRequest>,
    ) -> Reply<pb::PreviewInvoiceResponse> {
        answer(request, async |cx, body| {
            let mut record = new_record::<Invoice>(cx, body.invoice, FIELD)?;
            let mut tx = Tx::of(self.invoices.database(), cx).await?;
            let trace = self.references.price(&mut tx, &mut record.value).await?;
            tx.roll_back().await?;
            Ok(render::preview(&record.value, &trace))
        })
        .await
    }

    async fn create_one(
        &self,
        cx: &Context,
        key: Option<&RequestKey>,
        message: Option<pb::Invoice>,
        options: &WriteOptions,
    ) -> Result<pb::Invoice> {
        let mut record = new_record::<Invoice>(cx, message, FIELD)?;
        let mut tx = Tx::of(self.invoices.database(), cx).await?;
        self.references.price(&mut tx, &mut record.value).await?;
        let event = NewEvent::of(cx, "created", None, &record);
        let event_id = event.id;
        if tx.insert(self.invoices.statements(), &[&record], vec![event]).await?.is_empty() {
            let message = "the source has a resource of this external id";
            return Err(Error::new(Kind::AlreadyExists, "EXTERNAL_ID_TAKEN", message));
        }
        finish(tx, key, event_id, options.validate_only).await?;
        Ok(Invoice::render(&record))
    }

    async fn update_one(
        &self,
        cx: &Context,
        key: Option<&RequestKey>,
        name: &str,
        message: &pb::Invoice,
        mask: Option<&[String]>,
        options: &WriteOptions,
    ) -> Result<pb::Invoice> {
        let mut tx = Tx::of(self.invoices.database(), cx).await?;
        let before = tx.lock::<Invoice>(self.invoices.statements(), name).await?;
        before.require_etag(message.etag())?;
        require_living(&before)?;
        before.value.require_draft()?;
        let mut value = merged(cx, &before, message, mask, FIELD)?;
        self.references.price(&mut tx, &mut value).await?;
        let after = before.next(cx, value);
        let answer = Invoice::render(&after);
        if key.is_none() && answer.changed(&Invoice::render(&before)).is_empty() {
            return Ok(Invoice::render(&before));
        }
        let event = NewEvent::of(cx, "updated", Some(&before), &after);
        let event_id = event.id;
        tx.save(self.invoices.statements(), &after, event).await?;
        finish(tx, key, event_id, options.validate_only).await?;
        Ok(answer)
    }

    async fn stored_twin(&self, cx: &Context, message: &pb::Invoice) -> Result<Option<Record<Invoice>>> {
        let mut violations = Violations::new();
        let external = violations.absorb("invoice.", External::parse(message.external()))?;
        let external = violations.into_result(external)?.ok_or_else(|| {
            let sentence = "source and external_id say which resource is meant";
            Error::invalid("invoice.external_id", "REQUIRED", sentence)
        })?;
        let ids = std::slice::from_ref(&external.id);
        Ok(self.invoices.read_external(cx, &external.source, ids).await?.into_iter().next())
    }

    async fn prepare(
        &self,
        cx: &Context,
        items: Vec<pb::CreateInvoiceRequest>,
    ) -> Result<Vec<Result<Prepared<Invoice>>>> {
        let records: Vec<Result<Record<Invoice>>> =
            items.into_iter().map(|item| parse_item(cx, item)).collect();
        let valid: Vec<&Invoice> = records.iter().flatten().map(|record| &record.value).collect();
        let mut tx = Tx::of(self.invoices.database(), cx).await?;
        let found = self.references.find(&mut tx, &valid).await?;
        tx.roll_back().await?;
        let price = |record: Result<Record<Invoice>>| {
            let mut record = record?;
            found.price(cx, &mut record.value)?;
            let event = NewEvent::of(cx, "created", None, &record);
            Ok((record, event))
        };
        Ok(records.into_iter().map(price).collect())
    }
}

fn parse_item(cx: &Context, item: pb::CreateInvoiceRequest) -> Result<Record<Invoice>> {
    let (message, options) = item.into_parts();
    if !options.request_id.is_empty() || options.validate_only {
        let message = "only the batch itself has request_id and validate_only";
        return Err(Error::invalid("request_id", "NOT_ALLOWED", message));
    }
    new_record::<Invoice>(cx, message, FIELD)
}

fn outcome(stored: Stored<Invoice>) -> Outcome<pb::Invoice, tonic_types::Status> {
    match stored {
        Ok((record, true)) => Outcome::Created(Invoice::render(&record)),
        Ok((record, false)) => Outcome::Existing(Invoice::render(&record)),
        Err(error) => Outcome::Refused(to_wire(&error)),
    }
}

async fn finish(
    mut tx: Tx,
    key: Option<&RequestKey>,
    event_id: uuid::Uuid,
    validate_only: bool,
) -> Result<()> {
    if let Some(key) = key {
        tx.remember_event(key, event_id).await?;
    }
    if validate_only { tx.roll_back().await } else { tx.commit().await }
}
