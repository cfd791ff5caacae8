//! Issuing: an invoice gets its number, its days and its place in the chain.
//!
//! The number of a gap-free series is taken in the transaction of the invoice, as the last thing that can be waited for. That
//! of a plain series is taken before, by a transaction of its own, so that nobody waits for the commit of another invoice.

use tonic::{Request, Status};
use trato_platform::{
    App,
    db::{Facts, Record, Tx},
    rpc::status::to_status,
    standard::{Changed, Store, require_living},
};
use trato_proto::billing::v1 as pb;
use trato_types::{Context, Date, Error, Id, Kind, Result, error::FieldError as _};

use super::{
    chain,
    counter::{self, Taken},
    model::{Invoice, Issue, State},
    references::References,
};
use crate::number_series::{DocumentKind, NumberSeries};

/// Issues invoices.
#[derive(Clone, Debug)]
pub struct Issuing {
    invoices: Store<Invoice>,
    references: References,
}

impl Issuing {
    /// Over the app's database.
    pub fn new(app: &App) -> Self {
        Self { invoices: Store::new(&app.database), references: References::new() }
    }

    /// Takes the number of a plain series; none when it is to be taken with the invoice. What is wrong with the request is
    /// for the transaction of the invoice to find out.
    pub async fn take_before(
        &self,
        request: &Request<pb::IssueInvoiceRequest>,
    ) -> Result<Option<Taken>, Status> {
        let cx = request.extensions().get::<Context>();
        let cx = cx.ok_or_else(|| to_status(Error::internal("the call has no context")))?;
        let body = request.get_ref();
        if body.request_id.is_empty() {
            let error =
                Error::invalid("request_id", "REQUIRED", "a lost answer must not cost a second number");
            return Err(to_status(error));
        }
        let Ok(series) = Id::parse(&body.number_series) else { return Ok(None) };
        if body.validate_only {
            return Ok(None);
        }
        self.take_plain(cx, &body.name, series).await.map_err(to_status)
    }

    async fn take_plain(&self, cx: &Context, name: &str, id: Id<NumberSeries>) -> Result<Option<Taken>> {
        let mut tx = Tx::of(self.invoices.database(), cx).await?;
        let series = self.references.series(&mut tx, id).await?;
        let Some(series) = series.filter(|series| !series.gap_free) else { return Ok(None) };
        let draft = match tx.lock::<Invoice>(self.invoices.statements(), name).await {
            Ok(record) => Some(record.value).filter(|invoice| invoice.state == State::Draft),
            Err(error) if error.kind() == Kind::NotFound => None,
            Err(error) => return Err(error),
        };
        let Some(draft) = draft.filter(|draft| suits(&series, draft)) else { return Ok(None) };
        let found = self.references.find(&mut tx, &[&draft]).await?;
        let Ok(legal_entity) = found.legal_entity(&draft) else { return Ok(None) };
        let today = legal_entity.time_zone.day_of(cx.now);
        let taken = take(&mut tx, id, &series, today).await?;
        tx.commit().await?;
        Ok(Some(taken))
    }

    /// Issues the locked draft, with the number that was taken before or with the next one.
    pub async fn issue(
        &self,
        tx: &mut Tx,
        before: &Record<Invoice>,
        body: &pb::IssueInvoiceRequest,
        taken: Option<Taken>,
    ) -> Result<Changed<Invoice>> {
        require_living(before)?;
        before.value.require_draft()?;
        let (id, series) = self.series_of(tx, &before.value, &body.number_series).await?;
        let found = self.references.find(tx, &[&before.value]).await?;
        let today = found.legal_entity(&before.value)?.time_zone.day_of(tx.cx().now);
        let term = found.payment_term(&before.value)?;
        let taken = match taken {
            Some(taken) => taken,
            None => take(tx, id, &series, today).await?,
        };
        let due_date = term.map_or(Some(taken.issue_date), |term| term.due_date(taken.issue_date));
        let due_date = due_date.ok_or_else(|| Error::internal("a due date is beyond the calendar"))?;
        let mut invoice = before.value.clone();
        invoice.issue(Issue {
            number_series: id,
            number: series.number(&taken.period, taken.ordinal),
            ordinal: taken.ordinal,
            issue_date: taken.issue_date,
            due_date,
            period: taken.period.clone(),
        })?;
        if series.gap_free {
            let hash = chain::hash(before.id, &invoice, taken.previous_hash).map_err(Error::internal)?;
            invoice.previous_hash = Some(taken.previous_hash);
            invoice.hash = Some(hash);
            counter::seal(tx, id, &taken.period, hash).await?;
        }
        Ok((before.next(tx.cx(), invoice), Facts::default()))
    }

    async fn series_of(
        &self,
        tx: &mut Tx,
        invoice: &Invoice,
        name: &str,
    ) -> Result<(Id<NumberSeries>, NumberSeries)> {
        if name.is_empty() {
            return Err(Error::invalid("number_series", "REQUIRED", "is required"));
        }
        let id = Id::parse(name)
            .map_err(|error| Error::invalid("number_series", error.reason(), error.to_string()))?;
        let refused = |reason, message: &'static str| {
            Error::new(Kind::Precondition, reason, message).with("number_series", name)
        };
        let series = self.references.series(tx, id).await?;
        let series = series.ok_or_else(|| refused("SERIES_NOT_FOUND", "there is no such number series"))?;
        if !suits(&series, invoice) {
            let message = "the series is of other documents, or of another legal entity";
            return Err(refused("SERIES_UNSUITED", message));
        }
        Ok((id, series))
    }
}

fn suits(series: &NumberSeries, invoice: &Invoice) -> bool {
    series.document_kind == DocumentKind::Invoice && series.legal_entity == invoice.legal_entity
}

async fn take(tx: &mut Tx, id: Id<NumberSeries>, series: &NumberSeries, today: Date) -> Result<Taken> {
    let period = series.period_of(Some(today))?;
    counter::take(tx, id, period, today).await
}
