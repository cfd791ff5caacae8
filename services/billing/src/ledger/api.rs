//! `LedgerService`. A ledger on the wire is in `wire.rs`, what is read off the books in `export.rs`.

use futures::FutureExt as _;
use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Facts, Record, Resource, Tx},
    standard::{Changed, Reply, Store, answer, require_living},
};
use trato_proto::{
    billing::v1::{self as pb, ledger_service_server::LedgerService},
    wire,
};
use trato_query::Field;
use trato_types::{Context, Error, Id, Result, Violations};

use super::{export, model::Ledger, store, wire as form};
use crate::{
    books::{Chart, Kind, Posting, Role, minus},
    fields::{self, require_request_id, word},
};

/// Serves ledgers.
pub struct Api {
    ledgers: Store<Ledger>,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self { ledgers: Store::new(&app.database) }
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
        self.ledgers.change_in(request, "closed", |tx, before, body| close(tx, before, body).boxed()).await
    }
    async fn reopen_period(&self, request: Request<pb::ReopenPeriodRequest>) -> Reply<pb::Ledger> {
        self.ledgers.change(request, "reopened", reopen).await
    }
    async fn open_balance(&self, request: Request<pb::OpenBalanceRequest>) -> Reply<pb::Ledger> {
        require_request_id(&request.get_ref().request_id)?;
        self.ledgers.change_in(request, "opened", |tx, before, body| open(tx, before, body).boxed()).await
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

/// Posts what is taken over from another system: a claim on the account against the account of openings.
async fn open(
    tx: &mut Tx,
    before: &Record<Ledger>,
    body: &pb::OpenBalanceRequest,
) -> Result<Changed<Ledger>> {
    require_living(before)?;
    let mut violations = Violations::new();
    let account = violations.keep("account", Id::parse(&body.account));
    let amount = violations.keep("amount", fields::amount(body.amount.as_ref()));
    let date = violations.keep("date", wire::require_date(body.date.as_ref()));
    let description = violations.keep("description", word(&body.description, 200));
    let given = account.zip(amount).zip(date).zip(description);
    let (((account, (amount, currency)), date), description) = violations.into_result(given)?;
    let chart = Chart::open(tx, before.value.legal_entity).await?;
    if amount.is_zero() {
        return Err(Error::invalid("amount", "OUT_OF_RANGE", "must not be zero"));
    }
    if date > chart.today(tx.cx()) {
        return Err(Error::invalid("date", "OUT_OF_RANGE", "must not be to come"));
    }
    let rate = chart.rate(tx, currency, date).await?;
    let base = trato_pricing::convert(amount, currency, chart.base, rate)?;
    let mut posting = Posting {
        kind: Kind::Opening,
        document: before.name(),
        account,
        currency,
        base: chart.base,
        rate,
        lines: Vec::new(),
    };
    posting.add(Role::Receivable, amount, base);
    posting.add(Role::Equity, minus(amount)?, minus(base)?);
    chart.post(tx, &posting, date, &description).await?;
    Ok((before.next(tx.cx(), before.value.clone()), Facts::default()))
}
