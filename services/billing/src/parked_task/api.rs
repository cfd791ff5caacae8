//! `ParkedTaskService`, a parked task on the wire, and how each kind is tried again.

use futures::future::BoxFuture;
use prost::Message as _;
use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Facts, NewEvent, Record, RequestKey, Resource, Tx},
    rpc::Caller,
    standard::{Reply, Store, answer, once},
};
use trato_proto::{
    billing::v1::{self as pb, parked_task_service_server::ParkedTaskService},
    wire,
};
use trato_query::Field;
use trato_types::{Context, Error, Result};

use super::{
    asked::Ask,
    model::{ParkedTask, State},
    park::is_parked,
    store,
};
use crate::{bank_statement, credit_note::Returns, dunning_state, invoice::Sourcing};

/// Who tries a task: for which tenant, and with whose token others are asked.
pub type By<'a> = (&'a Context, &'a Caller);

/// Tries what a task of a kind is about, as the job or the call does that parks it.
pub trait Attempt: Send + Sync {
    /// Does it in the name of who tries it, or answers why not.
    fn attempt<'a>(&'a self, by: By<'a>, task: &'a ParkedTask) -> BoxFuture<'a, Result<()>>;
}

/// Serves parked tasks.
pub struct Api {
    parked_tasks: Store<ParkedTask>,
    kinds: Vec<(&'static str, Box<dyn Attempt>)>,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        let database = &app.database;
        Self {
            parked_tasks: Store::new(database),
            kinds: vec![
                (dunning_state::JOB, Box::new(dunning_state::Runner::new(database))),
                (bank_statement::KIND, Box::new(bank_statement::Importer::new(database))),
                (pb::CreateInvoiceFromSourceRequest::KIND, Box::new(Sourcing::new(app))),
                (pb::CreateCreditNoteFromReturnRequest::KIND, Box::new(Returns::new(app))),
            ],
        }
    }
}

#[tonic::async_trait]
impl ParkedTaskService for Api {
    async fn get_parked_task(&self, request: Request<pb::GetParkedTaskRequest>) -> Reply<pb::ParkedTask> {
        self.parked_tasks.get(request).await
    }
    async fn list_parked_tasks(
        &self,
        request: Request<pb::ListParkedTasksRequest>,
    ) -> Reply<pb::ListParkedTasksResponse> {
        self.parked_tasks.list(request).await
    }

    async fn retry_parked_task(&self, request: Request<pb::RetryParkedTaskRequest>) -> Reply<pb::ParkedTask> {
        let caller = Caller::of(&request);
        answer(request, async |cx, mut body| {
            let caller = caller?;
            let key = RequestKey::parse(&std::mem::take(&mut body.request_id), &body)?;
            let attempt = self.retry((cx, &caller), key.as_ref(), &body);
            once(self.parked_tasks.database(), cx, key.as_ref(), attempt).await
        })
        .await
    }
    async fn drop_parked_task(&self, request: Request<pb::DropParkedTaskRequest>) -> Reply<pb::ParkedTask> {
        self.parked_tasks
            .change(request, "dropped", |task, body, _| {
                task.drop_for(&body.reason)?;
                Ok(Facts::default())
            })
            .await
    }
}

impl Api {
    /// The task has transactions of its own, and may be done twice without harm; what came of it is noted by one more.
    async fn retry(
        &self,
        (cx, caller): By<'_>,
        key: Option<&RequestKey>,
        body: &pb::RetryParkedTaskRequest,
    ) -> Result<pb::ParkedTask> {
        let database = self.parked_tasks.database();
        if let Some(key) = key
            && let Some(answer) = key.answered(&database.pool, cx).await?
        {
            return answer.decode();
        }
        let found = self.parked_tasks.read(cx, &body.name).await?;
        found.require_etag(&body.etag)?;
        found.value.require_parked()?;
        if body.validate_only {
            return Ok(ParkedTask::render(&found));
        }
        let kind = self.kinds.iter().find(|(kind, _)| *kind == found.value.kind);
        let (_, kind) = kind.ok_or_else(|| Error::internal("a parked task is of no kind that is known"))?;
        let outcome = kind.attempt((cx, caller), &found.value).await;
        if let Err(error) = outcome.as_ref()
            && !is_parked(error)
        {
            return outcome.map(|()| pb::ParkedTask::default());
        }
        let mut tx = Tx::of(database, cx).await?;
        let before = tx.lock::<ParkedTask>(self.parked_tasks.statements(), &body.name).await?;
        let is_noted = outcome.is_ok() && before.value.state == State::Done;
        if is_noted || before.value.is_for_another_than(&found.value) {
            // Meanwhile a run has noted what this try has done, or another request was parked, which was not tried.
            let answer = ParkedTask::render(&before);
            if let Some(key) = key {
                tx.remember(key, answer.encode_to_vec()).await?;
            }
            tx.commit().await?;
            return Ok(answer);
        }
        let mut value = before.value.clone();
        let (after, event) = match outcome {
            Ok(()) => {
                value.finish(cx.now)?;
                let after = before.next(cx, value);
                let event = NewEvent::of(cx, "done", Some(&before), &after);
                (after, event)
            }
            Err(error) => {
                value.fail(&error, cx.now)?;
                let after = before.next(cx, value);
                let event = NewEvent::of(cx, "parked", Some(&before), &after);
                (after, event)
            }
        };
        let event_id = event.id;
        tx.save(self.parked_tasks.statements(), &after, event).await?;
        if let Some(key) = key {
            tx.remember_event(key, event_id).await?;
        }
        tx.commit().await?;
        Ok(ParkedTask::render(&after))
    }
}

impl Resource for ParkedTask {
    type Message = pb::ParkedTask;
    const TABLE: &'static str = "parked_task";
    const COLLECTION: &'static str = "parkedTasks";
    const EVENT: &'static str = "trato.billing.v1.parked_task";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = false;

    fn parse(_: &pb::ParkedTask, _: &Context) -> Result<Self> {
        Err(Error::internal("no caller writes a parked task"))
    }

    fn render(record: &Record<Self>) -> pb::ParkedTask {
        let task = &record.value;
        let (source, external_id) = record.external_fields();
        let state = match task.state {
            State::Parked => pb::parked_task::State::Parked,
            State::Done => pb::parked_task::State::Done,
            State::Dropped => pb::parked_task::State::Dropped,
        };
        pb::ParkedTask {
            name: record.name(),
            create_time: Some(wire::timestamp(record.create_time)),
            update_time: Some(wire::timestamp(record.update_time)),
            delete_time: record.delete_time.map(wire::timestamp),
            creator: record.creator.clone(),
            etag: record.etag(),
            source,
            external_id,
            kind: task.kind.clone(),
            subject: task.subject.clone(),
            state: state.into(),
            reason: task.reason.clone(),
            message: task.message.clone(),
            first_try_time: Some(wire::timestamp(task.first_try_time)),
            last_try_time: Some(wire::timestamp(task.last_try_time)),
            try_count: task.try_count,
            drop_reason: task.drop_reason.clone(),
            bank_entry: task.bank_entry.as_ref().map(bank_statement::render_entry),
        }
    }
}
