//! `LedgerService`. A ledger on the wire is in `wire.rs`, what is read off the books in `export.rs`, what is taken over from
//! another system in `opening.rs`.

use futures::{FutureExt as _, future::BoxFuture};
use prost::Message;
use tonic::{Request, Status};
use trato_platform::{
    App,
    db::{Constraint, Facts, NewEvent, Record, RequestKey, Resource, Tx, from_sqlx},
    rpc::{Caller, status::to_status},
    standard::{Changed, Reply, Store, answer, once, require_living},
};
use trato_proto::{
    billing::v1::{self as pb, ledger_service_server::LedgerService},
    wire,
};
use trato_query::Field;
use trato_types::{Context, Error, Id, Result, Violations, standard::VerbRequest};
use uuid::Uuid;

use super::{export, model::Ledger, opening::Openings, store, wire as form};
use crate::{
    books::{Chart, Turn},
    fields::require_request_id,
    foreign::Accounts,
    legal_entity::LegalEntity,
};

/// Serves ledgers.
pub struct Api {
    ledgers: Store<Ledger>,
    accounts: Accounts,
    openings: Openings,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self {
            ledgers: Store::new(&app.database),
            accounts: Accounts::new(app),
            openings: Openings::new(app),
        }
    }
}

#[tonic::async_trait]
impl LedgerService for Api {
    async fn get_ledger(&self, request: Request<pb::GetLedgerRequest>) -> Reply<pb::Ledger> {
        self.ledgers.get(request).await
    }
    async fn list_ledgers(&self, request: Request<pb::ListLedgersRequest>) -> Reply<pb::ListLedgersResponse> {
        self.ledgers.list(request).await
    }
    async fn create_ledger(&self, request: Request<pb::CreateLedgerRequest>) -> Reply<pb::Ledger> {
        self.ledgers.create(request).await
    }
    async fn update_ledger(&self, request: Request<pb::UpdateLedgerRequest>) -> Reply<pb::Ledger> {
        self.ledgers.update(request).await
    }
    async fn delete_ledger(&self, request: Request<pb::DeleteLedgerRequest>) -> Reply<pb::Ledger> {
        self.ledgers.delete(request).await
    }
    async fn undelete_ledger(&self, request: Request<pb::UndeleteLedgerRequest>) -> Reply<pb::Ledger> {
        self.ledgers.undelete(request).await
    }
    async fn batch_get_ledgers(
        &self,
        request: Request<pb::BatchGetLedgersRequest>,
    ) -> Reply<pb::BatchGetLedgersResponse> {
        self.ledgers.batch_get(request).await
    }
    async fn batch_create_ledgers(
        &self,
        request: Request<pb::BatchCreateLedgersRequest>,
    ) -> Reply<pb::BatchCreateLedgersResponse> {
        self.ledgers.batch_create(request).await
    }
    async fn upsert_ledger(&self, request: Request<pb::UpsertLedgerRequest>) -> Reply<pb::Ledger> {
        self.ledgers.upsert(request).await
    }

    async fn close_period(&self, request: Request<pb::ClosePeriodRequest>) -> Reply<pb::Ledger> {
        self.change_in_turn(request, "closed", Turn::Alone, |tx, before, body| {
            close(tx, before, body).boxed()
        })
        .await
    }
    async fn reopen_period(&self, request: Request<pb::ReopenPeriodRequest>) -> Reply<pb::Ledger> {
        self.ledgers.change(request, "reopened", reopen).await
    }
    async fn open_balance(&self, request: Request<pb::OpenBalanceRequest>) -> Reply<pb::Ledger> {
        require_request_id(&request.get_ref().request_id)?;
        self.learn(&request).await?;
        self.change_in_turn(request, "opened", Turn::Shared, |tx, before, body| {
            let openings = self.openings.clone();
            async move { openings.open(tx, before, body).await }.boxed()
        })
        .await
    }
    async fn export_postings(
        &self,
        request: Request<pb::ExportPostingsRequest>,
    ) -> Reply<pb::ExportPostingsResponse> {
        answer(request, async |cx, body| export::postings(self.ledgers.database(), cx, &body).await).await
    }
    async fn query_trial_balance(
        &self,
        request: Request<pb::QueryTrialBalanceRequest>,
    ) -> Reply<pb::QueryTrialBalanceResponse> {
        answer(request, async |cx, body| export::trial_balance(self.ledgers.database(), cx, &body).await)
            .await
    }
}

impl Resource for Ledger {
    type Message = pb::Ledger;
    const TABLE: &'static str = "ledger";
    const COLLECTION: &'static str = "ledgers";
    const EVENT: &'static str = "trato.billing.v1.ledger";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = false;

    fn parse(message: &pb::Ledger, _: &Context) -> Result<Self> {
        form::parse(message)
    }

    fn render(record: &Record<Self>) -> pb::Ledger {
        form::render(record)
    }
}

impl Api {
    /// Finds out about the account of an opening, before any transaction.
    async fn learn(&self, request: &Request<pb::OpenBalanceRequest>) -> Result<(), Status> {
        let cx = request.extensions().get::<Context>();
        let cx = cx.ok_or_else(|| to_status(Error::internal("the call has no context")))?;
        let caller = Caller::of(request).map_err(to_status)?;
        let account = std::iter::once(request.get_ref().account.as_str());
        self.accounts.learn(cx, &caller, "account", account).await.map_err(to_status)
    }

    /// A verb of the books, whose turn comes before the lock of the ledger; `verb` is the participle of its event.
    async fn change_in_turn<R, F>(
        &self,
        request: Request<R>,
        verb: &'static str,
        turn: Turn,
        apply: F,
    ) -> Reply<pb::Ledger>
    where
        R: VerbRequest + Message,
        F: for<'a> Fn(&'a mut Tx, &'a Record<Ledger>, &'a R) -> BoxFuture<'a, Result<Changed<Ledger>>>,
    {
        let database = self.ledgers.database();
        answer(request, async |cx, mut body| {
            let key = RequestKey::parse(&body.take_request_id(), &body)?;
            let attempt = async {
                let mut tx = Tx::of(database, cx).await?;
                if let Some(legal_entity) = legal_entity_of(&mut tx, body.name()).await? {
                    turn.take(&mut tx, legal_entity).await?;
                }
                let before = tx.lock::<Ledger>(self.ledgers.statements(), body.name()).await?;
                before.require_etag(body.etag())?;
                let (after, facts) = apply(&mut tx, &before, &body).await?;
                let event = NewEvent::with_facts(cx, verb, Some(&before), &after, facts);
                let event_id = event.id;
                tx.save(self.ledgers.statements(), &after, event).await?;
                if let Some(key) = &key {
                    tx.remember_event(key, event_id).await?;
                }
                if body.validate_only() {
                    tx.roll_back().await?
                } else {
                    tx.commit().await?
                }
                Ok(Ledger::render(&after))
            };
            once(database, cx, key.as_ref(), attempt).await
        })
        .await
    }
}

/// Whose ledger this is, if there is one of this name. It never changes.
async fn legal_entity_of(tx: &mut Tx, name: &str) -> Result<Option<Id<LegalEntity>>> {
    let Ok(ledger) = Id::<Ledger>::parse(name) else { return Ok(None) };
    let tenant = tx.cx().tenant;
    let found: Option<Uuid> =
        sqlx::query_scalar("select legal_entity from ledger where tenant_id = $1 and id = $2")
            .bind(tenant)
            .bind(ledger.uuid())
            .fetch_optional(tx.connection())
            .await
            .map_err(from_sqlx)?;
    Ok(found.map(Id::from_uuid))
}

async fn close(
    tx: &mut Tx,
    before: &Record<Ledger>,
    body: &pb::ClosePeriodRequest,
) -> Result<Changed<Ledger>> {
    require_living(before)?;
    let mut violations = Violations::new();
    let through = violations.keep("through_date", wire::require_date(body.through_date.as_ref()));
    let through = violations.into_result(through)?;
    let today = Chart::open(tx, before.value.legal_entity).await?.today(tx.cx());
    let mut ledger = before.value.clone();
    ledger.close(through, today)?;
    Ok((before.next(tx.cx(), ledger), Facts::default()))
}

fn reopen(ledger: &mut Ledger, body: &pb::ReopenPeriodRequest, _: &Context) -> Result<Facts> {
    let mut violations = Violations::new();
    let through = body.through_date.as_ref().map(wire::parse_date);
    let through = through.and_then(|through| violations.keep("through_date", through));
    violations.into_result(Some(()))?;
    ledger.reopen(through, &body.reason)?;
    Ok(Facts::default())
}
