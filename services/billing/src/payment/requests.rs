//! The verbs of payments: what is asked for, and what it makes of a locked payment.

use trato_platform::db::{Facts, Record, Tx};
use trato_proto::{billing::v1 as pb, google::value::Date as WireDate, wire};
use trato_types::{Context, Date, Error, Id, Kind as Failure, Minor, Result, Violations};
use uuid::Uuid;

use super::{
    allocations::{Wish, parse_wishes, positive},
    model::{Outcome, Payment, State},
    till::{Cause, Row, Till},
    wire::parse_outcome,
};
use crate::{
    books::{Chart, Kind, Role, minus},
    fields::{reason, remark},
};

/// What a verb makes of a payment.
pub struct Moved {
    /// The payment after it.
    pub payment: Payment,
    /// What is written of invoices.
    pub rows: Vec<Row>,
}

/// Records that a payment was made already, and what it pays.
pub async fn record(
    till: &Till,
    tx: &mut Tx,
    record: &mut Record<Payment>,
    wishes: &[Wish],
) -> Result<Vec<Row>> {
    let payment = &mut record.value;
    let chart = Chart::open(tx, payment.legal_entity).await?;
    let date = past("payment.date", payment.date, None, &chart, tx.cx())?;
    payment.state = State::Succeeded;
    till.post(tx, &chart, record.id, payment, date).await?;
    if wishes.is_empty() {
        return Ok(Vec::new());
    }
    till.allocate(tx, &chart, record.id, payment, wishes, date).await
}

pub async fn submit(before: &Record<Payment>) -> Result<Moved> {
    let mut payment = before.value.clone();
    payment.submit()?;
    Ok(Moved { payment, rows: Vec::new() })
}

pub async fn settle(
    till: &Till,
    tx: &mut Tx,
    before: &Record<Payment>,
    body: &pb::SettlePaymentRequest,
) -> Result<Moved> {
    let outcome = parse_outcome(body.outcome)?;
    let why = remark("reason", &body.reason)?;
    let mut payment = before.value.clone();
    payment.settle(outcome, why)?;
    done(till, tx, before, payment, (outcome, body.date.as_ref())).await
}

pub async fn reconcile(
    till: &Till,
    tx: &mut Tx,
    before: &Record<Payment>,
    body: &pb::ReconcilePaymentRequest,
) -> Result<Moved> {
    let outcome = parse_outcome(body.outcome)?;
    if outcome == Outcome::Unknown {
        return Err(Error::invalid("outcome", "UNKNOWN_VALUE", "must be SUCCEEDED or FAILED"));
    }
    let evidence = reason("evidence", &body.evidence)?;
    let mut payment = before.value.clone();
    payment.reconcile(outcome == Outcome::Succeeded, evidence)?;
    done(till, tx, before, payment, (outcome, body.date.as_ref())).await
}

/// What it is called that the outcome of a payment is known, or is not.
pub fn when_settled(payment: &Payment) -> (&'static str, Facts) {
    match payment.state {
        State::Succeeded => ("succeeded", Facts::default()),
        State::Failed => ("failed", Facts::default()),
        _ => ("unknown", Facts::default()),
    }
}

/// Posts what succeeded.
async fn done(
    till: &Till,
    tx: &mut Tx,
    before: &Record<Payment>,
    mut payment: Payment,
    (outcome, date): (Outcome, Option<&WireDate>),
) -> Result<Moved> {
    let date = parse_date(date)?;
    if outcome == Outcome::Succeeded {
        let chart = Chart::open(tx, payment.legal_entity).await?;
        // A day that was meant and is still to come does not hold against money that is here.
        let today = chart.today(tx.cx());
        let meant = payment.date.map(|meant| meant.min(today));
        let date = past("date", date.or(meant), None, &chart, tx.cx())?;
        till.post(tx, &chart, before.id, &mut payment, date).await?;
    }
    Ok(Moved { payment, rows: Vec::new() })
}

pub async fn allocate(
    till: &Till,
    tx: &mut Tx,
    before: &Record<Payment>,
    body: &pb::AllocatePaymentRequest,
) -> Result<Moved> {
    let mut payment = before.value.clone();
    let wishes = some_wishes(&body.allocations, &payment)?;
    payment.require_here()?;
    let chart = Chart::open(tx, payment.legal_entity).await?;
    let today = chart.today(tx.cx());
    let rows = till.allocate(tx, &chart, before.id, &mut payment, &wishes, today).await?;
    Ok(Moved { payment, rows })
}

pub async fn unallocate(
    till: &Till,
    tx: &mut Tx,
    before: &Record<Payment>,
    body: &pb::UnallocatePaymentRequest,
) -> Result<Moved> {
    let mut payment = before.value.clone();
    let wishes = some_wishes(&body.allocations, &payment)?;
    payment.require_here()?;
    let chart = Chart::open(tx, payment.legal_entity).await?;
    let today = chart.today(tx.cx());
    let mut posting = payment.posting(Kind::Allocation, before.id)?;
    let rows = till.take_back(tx, &mut posting, &mut payment, &wishes, (Cause::Unallocated, today)).await?;
    posting.level()?;
    chart.post(tx, &posting, today, payment.known_as()).await?;
    Ok(Moved { payment, rows })
}

pub async fn refund(
    till: &Till,
    tx: &mut Tx,
    before: &Record<Payment>,
    body: &pb::RefundPaymentRequest,
) -> Result<Moved> {
    let mut payment = before.value.clone();
    let why = remark("reason", &body.reason)?;
    let amount = body.amount.as_ref().map(|money| positive("amount", money, payment.currency_code));
    let amount = amount.transpose()?;
    let mut violations = Violations::new();
    let invoice = violations.keep("invoice", Id::parse_optional(&body.invoice)).flatten();
    violations.into_result(Some(()))?;
    let date = parse_date(body.date.as_ref())?;
    payment.require_here()?;
    let chart = Chart::open(tx, payment.legal_entity).await?;
    let paid: Vec<Uuid> = invoice.iter().map(|invoice| invoice.uuid()).collect();
    let since = till.last_moved(tx, before.id, &paid, invoice.is_none()).await?.max(payment.date);
    let date = past("date", date, since, &chart, tx.cx())?;
    let mut posting = payment.posting(Kind::Refund, before.id)?;
    let (rows, amount) = match invoice {
        Some(invoice) => {
            let wish = Wish { invoice, amount };
            let paid = payment.allocated;
            let rows =
                till.take_back(tx, &mut posting, &mut payment, &[wish], (Cause::Refunded, date)).await?;
            let taken = Minor(paid.0 - payment.allocated.0);
            (rows, taken)
        }
        None => (Vec::new(), amount.unwrap_or(payment.left())),
    };
    let base = payment.refund(amount, why)?;
    posting.add(Role::Unallocated, amount, base);
    posting.add(Role::Bank, minus(amount)?, minus(base)?);
    posting.level()?;
    chart.post(tx, &posting, date, payment.known_as()).await?;
    Ok(Moved { payment, rows })
}

pub async fn charge_back(
    till: &Till,
    tx: &mut Tx,
    before: &Record<Payment>,
    body: &pb::ChargeBackPaymentRequest,
) -> Result<Moved> {
    let mut payment = before.value.clone();
    let why = reason("reason", &body.reason)?;
    let fee = body.fee.as_ref().filter(|fee| (fee.units, fee.nanos) != (0, 0));
    let fee = fee.map(|fee| positive("fee", fee, payment.currency_code)).transpose()?;
    let date = parse_date(body.date.as_ref())?;
    payment.require_here()?;
    let chart = Chart::open(tx, payment.legal_entity).await?;
    let paid: Vec<Uuid> = payment.allocations.0.iter().map(|paid| paid.invoice).collect();
    let since = till.last_moved(tx, before.id, &paid, true).await?.max(payment.date);
    let date = past("date", date, since, &chart, tx.cx())?;
    let mut wishes: Vec<Wish> = paid.into_iter().map(Wish::all).collect();
    wishes.sort_by_key(|wish| wish.invoice.uuid());
    let mut posting = payment.posting(Kind::ChargeBack, before.id)?;
    let rows = till.take_back(tx, &mut posting, &mut payment, &wishes, (Cause::ChargedBack, date)).await?;
    let (amount, base) = payment.charge_back(why)?;
    posting.add(Role::Unallocated, amount, base);
    posting.add(Role::Bank, minus(amount)?, minus(base)?);
    if let Some(fee) = fee {
        let base = trato_pricing::convert(fee, payment.currency_code, chart.base, posting.rate)?;
        posting.add(Role::Fees, fee, base);
        posting.add(Role::Bank, minus(fee)?, minus(base)?);
    }
    posting.level()?;
    chart.post(tx, &posting, date, payment.known_as()).await?;
    Ok(Moved { payment, rows })
}

fn some_wishes(messages: &[pb::payment::Allocation], payment: &Payment) -> Result<Vec<Wish>> {
    if messages.is_empty() {
        return Err(Error::invalid("allocations", "REQUIRED", "must not be empty"));
    }
    parse_wishes(messages, payment.currency_code)
}

fn parse_date(date: Option<&WireDate>) -> Result<Option<Date>> {
    let mut violations = Violations::new();
    let date = date.and_then(|date| violations.keep("date", wire::parse_date(date)));
    violations.into_result(Some(date))
}

/// A day on which something happened, today unless said: not to come, and not before `since`.
fn past(field: &str, date: Option<Date>, since: Option<Date>, chart: &Chart, cx: &Context) -> Result<Date> {
    let today = chart.today(cx);
    let date = date.unwrap_or(today);
    if date > today || since.is_some_and(|since| date < since) {
        let message = "must not be to come, nor before the payment and what it takes back";
        return Err(Error::invalid(field, "OUT_OF_RANGE", message));
    }
    Ok(date)
}

impl Wish {
    /// All that was paid of an invoice.
    fn all(invoice: Uuid) -> Self {
        Self { invoice: Id::from_uuid(invoice), amount: None }
    }
}

/// INVALID_ARGUMENT `REQUIRED` for a request that could not be repeated.
pub fn request_id_required() -> Error {
    Error::invalid("request_id", "REQUIRED", "a lost answer must not move money twice")
}

/// ALREADY_EXISTS for a payment whose source has a living one of its external id.
pub fn external_id_taken() -> Error {
    let message = "the source has a payment of this external id";
    Error::new(Failure::AlreadyExists, "EXTERNAL_ID_TAKEN", message)
}
