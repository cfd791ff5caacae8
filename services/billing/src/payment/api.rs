//! `PaymentService`. A payment on the wire is in `wire.rs`, what the verbs do in `requests.rs`, what is
//! looked up in `references.rs`.

use futures::{FutureExt as _, future::BoxFuture};
use prost::Message;
use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Facts, NewEvent, Record, RequestKey, Resource, Tx},
    rpc::Caller,
    standard::{Draft as _, Drafts, Reply, Store, answer, new_record, once, require_living},
};
use trato_proto::billing::v1::{self as pb, payment_service_server::PaymentService};
use trato_query::Field;
use trato_types::{Context, Result, standard::VerbRequest};
use uuid::Uuid;

use super::{
    allocations::parse_wishes,
    model::{Payment, State},
    references::References,
    requests::{self, Moved},
    store,
    till::Till,
    wire,
};
use crate::bank_statement::Importer;

/// Serves payments.
pub struct Api {
    payments: Store<Payment>,
    drafts: Drafts<Payment>,
    references: References,
    till: Till,
    entries: Importer,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        let references = References::new(app);
        Self {
            payments: Store::new(&app.database),
            drafts: Drafts::new(&app.database, references.clone()),
            references,
            till: Till::new(&app.database),
            entries: Importer::new(&app.database),
        }
    }
}

#[tonic::async_trait]
impl PaymentService for Api {
    async fn get_payment(&self, request: Request<pb::GetPaymentRequest>) -> Reply<pb::Payment> {
        self.payments.get(request).await
    }
    async fn list_payments(
        &self,
        request: Request<pb::ListPaymentsRequest>,
    ) -> Reply<pb::ListPaymentsResponse> {
        self.payments.list(request).await
    }
    async fn create_payment(&self, request: Request<pb::CreatePaymentRequest>) -> Reply<pb::Payment> {
        self.drafts.create(request).await
    }
    async fn update_payment(&self, request: Request<pb::UpdatePaymentRequest>) -> Reply<pb::Payment> {
        self.drafts.update(request).await
    }
    async fn delete_payment(&self, request: Request<pb::DeletePaymentRequest>) -> Reply<pb::Payment> {
        self.payments.delete(request).await
    }
    async fn undelete_payment(&self, request: Request<pb::UndeletePaymentRequest>) -> Reply<pb::Payment> {
        self.payments.undelete(request).await
    }
    async fn batch_get_payments(
        &self,
        request: Request<pb::BatchGetPaymentsRequest>,
    ) -> Reply<pb::BatchGetPaymentsResponse> {
        self.payments.batch_get(request).await
    }
    async fn batch_create_payments(
        &self,
        request: Request<pb::BatchCreatePaymentsRequest>,
    ) -> Reply<pb::BatchCreatePaymentsResponse> {
        self.drafts.batch_create(request).await
    }
    async fn upsert_payment(&self, request: Request<pb::UpsertPaymentRequest>) -> Reply<pb::Payment> {
        self.drafts.upsert(request).await
    }

    async fn record_payment(&self, request: Request<pb::RecordPaymentRequest>) -> Reply<pb::Payment> {
        let caller = Caller::of(&request);
        answer(request, async |cx, mut body| {
            let caller = caller?;
            let key = RequestKey::parse(&std::mem::take(&mut body.request_id), &body)?;
            let key = key.ok_or_else(requests::request_id_required)?;
            let attempt = self.record((cx, &caller), &key, &body);
            once(&self.till.database, cx, Some(&key), attempt).await
        })
        .await
    }
    async fn submit_payment(&self, request: Request<pb::SubmitPaymentRequest>) -> Reply<pb::Payment> {
        self.change(request, "submitted", |_, _, before, _| requests::submit(before).boxed()).await
    }
    async fn settle_payment(&self, request: Request<pb::SettlePaymentRequest>) -> Reply<pb::Payment> {
        let apply: Verb<_> = |till, tx, before, body| requests::settle(till, tx, before, body).boxed();
        self.change_as(request, requests::when_settled, apply).await
    }
    async fn reconcile_payment(&self, request: Request<pb::ReconcilePaymentRequest>) -> Reply<pb::Payment> {
        let apply: Verb<_> = |till, tx, before, body| requests::reconcile(till, tx, before, body).boxed();
        self.change_as(request, requests::when_settled, apply).await
    }
    async fn allocate_payment(&self, request: Request<pb::AllocatePaymentRequest>) -> Reply<pb::Payment> {
        self.change(request, "allocated", |till, tx, before, body| {
            requests::allocate(till, tx, before, body).boxed()
        })
        .await
    }
    async fn unallocate_payment(&self, request: Request<pb::UnallocatePaymentRequest>) -> Reply<pb::Payment> {
        self.change(request, "unallocated", |till, tx, before, body| {
            requests::unallocate(till, tx, before, body).boxed()
        })
        .await
    }
    async fn refund_payment(&self, request: Request<pb::RefundPaymentRequest>) -> Reply<pb::Payment> {
        self.change(request, "refunded", |till, tx, before, body| {
            requests::refund(till, tx, before, body).boxed()
        })
        .await
    }
    async fn charge_back_payment(
        &self,
        request: Request<pb::ChargeBackPaymentRequest>,
    ) -> Reply<pb::Payment> {
        self.change(request, "charged_back", |till, tx, before, body| {
            requests::charge_back(till, tx, before, body).boxed()
        })
        .await
    }
}

impl Api {
    async fn record(
        &self,
        (cx, caller): (&Context, &Caller),
        key: &RequestKey,
        body: &pb::RecordPaymentRequest,
    ) -> Result<pb::Payment> {
        let mut record = new_record::<Payment>(cx, body.payment.clone(), "payment")?;
        let wishes = parse_wishes(&body.allocations, record.value.currency_code)?;
        let accounts = body.payment.iter().map(|payment| payment.account.as_str());
        self.references.learn(cx, caller, accounts).await?;
        let mut tx = Tx::of(&self.till.database, cx).await?;
        let drafts = vec![&mut record.value];
        Payment::complete(&self.references, &mut tx, drafts).await?.into_iter().collect::<Result<()>>()?;
        let rows = requests::record(&self.till, &mut tx, &mut record, &wishes).await?;
        let event = NewEvent::of(cx, "succeeded", None, &record);
        let event_id = event.id;
        if tx.insert(&self.till.payments, &[&record], vec![event]).await?.is_empty() {
            return Err(requests::external_id_taken());
        }
        self.till.write(&mut tx, record.id, &rows).await?;
        self.entries.note_payment(&mut tx, &record.value).await?;
        finish(tx, key, event_id, body.validate_only).await?;
        Ok(Payment::render(&record))
    }

    /// A verb that moves money; `verb` is the participle of its event.
    async fn change<R: VerbRequest + Message>(
        &self,
        request: Request<R>,
        verb: &'static str,
        apply: Verb<R>,
    ) -> Reply<pb::Payment> {
        self.change_as(request, |_| (verb, Facts::default()), apply).await
    }

    /// A verb whose event the payment says. The payment is locked, then what it pays; and it is written before what it pays,
    /// which the table compares with it.
    async fn change_as<R: VerbRequest + Message>(
        &self,
        request: Request<R>,
        verb: impl Fn(&Payment) -> (&'static str, Facts),
        apply: Verb<R>,
    ) -> Reply<pb::Payment> {
        answer(request, async |cx, mut body| {
            let key = RequestKey::parse(&body.take_request_id(), &body)?;
            let key = key.ok_or_else(requests::request_id_required)?;
            let attempt = async {
                let mut tx = Tx::of(&self.till.database, cx).await?;
                let before = tx.lock::<Payment>(&self.till.payments, body.name()).await?;
                before.require_etag(body.etag())?;
                require_living(&before)?;
                let moved = apply(&self.till, &mut tx, &before, &body).await?;
                let after = before.next(cx, moved.payment);
                let (verb, facts) = verb(&after.value);
                let event = NewEvent::with_facts(cx, verb, Some(&before), &after, facts);
                let event_id = event.id;
                tx.save(&self.till.payments, &after, event).await?;
                self.till.write(&mut tx, after.id, &moved.rows).await?;
                if before.value.state != State::Succeeded && after.value.state == State::Succeeded {
                    self.entries.note_payment(&mut tx, &after.value).await?;
                }
                finish(tx, &key, event_id, body.validate_only()).await?;
                Ok(Payment::render(&after))
            };
            once(&self.till.database, cx, Some(&key), attempt).await
        })
        .await
    }
}

/// What a verb makes of a locked payment, in the transaction.
type Verb<R> = for<'a> fn(&'a Till, &'a mut Tx, &'a Record<Payment>, &'a R) -> BoxFuture<'a, Result<Moved>>;

async fn finish(mut tx: Tx, key: &RequestKey, event_id: Uuid, validate_only: bool) -> Result<()> {
    tx.remember_event(key, event_id).await?;
    if validate_only { tx.roll_back().await } else { tx.commit().await }
}

impl Resource for Payment {
    type Message = pb::Payment;
    const TABLE: &'static str = "payment";
    const COLLECTION: &'static str = "payments";
    const EVENT: &'static str = "trato.billing.v1.payment";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = false;

    fn parse(message: &pb::Payment, _: &Context) -> Result<Self> {
        wire::parse(message)
    }

    fn render(record: &Record<Self>) -> pb::Payment {
        wire::render(record)
    }
}
