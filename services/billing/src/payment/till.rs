//! What a payment does to invoices and to the books, in the transaction that writes it.

use trato_platform::{
    choice_column,
    db::{Constraint, Database, Facts, NewEvent, Record, Tx, constrained, from_sqlx, statement::Statements},
};
use trato_types::{Date, Error, Id, Kind as Failure, Minor, Result};
use uuid::Uuid;

use super::{
    allocations::Wish,
    model::{Direction, Payment, PaymentError},
};
use crate::{
    books::{Books, Chart, Claim, Kind, NotPosted, Posting, Role, minus},
    invoice::Invoice,
};

const CONSTRAINTS: &[Constraint] = &[Constraint::missing(
    "allocation_suits",
    "INVOICE_UNSUITED",
    "the invoice is of another account, legal entity or currency than the payment",
)];

/// Why something is written of what a payment pays.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cause {
    /// It pays.
    Allocated,
    /// It pays no longer.
    Unallocated,
    /// It is given back.
    Refunded,
    /// The bank has taken it back.
    ChargedBack,
}

choice_column!(Cause {
    Allocated = "ALLOCATED",
    Unallocated = "UNALLOCATED",
    Refunded = "REFUNDED",
    ChargedBack = "CHARGED_BACK",
});

/// What is written of an invoice that is paid, or no longer is, after the payment itself.
#[derive(Clone, Debug)]
pub struct Row {
    invoice: Uuid,
    date: Date,
    cause: Cause,
    /// Below zero where it takes back.
    amount: Minor,
}

/// Writes what payments do.
#[derive(Clone, Debug)]
pub struct Till {
    /// Where.
    pub database: Database,
    /// Of payments.
    pub payments: Statements,
    invoices: Statements,
}

impl Till {
    /// Over a database.
    pub fn new(database: &Database) -> Self {
        Self {
            database: database.clone(),
            payments: Statements::of::<Payment>(),
            invoices: Statements::of::<Invoice>(),
        }
    }

    /// Posts a payment that was made on a day: against the bank, or against what was taken over where another system received it.
    pub async fn post(
        &self,
        tx: &mut Tx,
        chart: &Chart,
        id: Uuid,
        payment: &mut Payment,
        date: Date,
    ) -> Result<()> {
        let rate = chart.rate(tx, payment.currency_code, date).await?;
        let claim = Claim::of(payment.amount, payment.currency_code, chart.base, rate)?;
        payment.date = Some(date);
        payment.books = Books(Some(claim.clone()));
        let (kind, from) = match payment.takeover_date {
            None => (Kind::Payment, Role::Bank),
            Some(_) => (Kind::Opening, Role::Equity),
        };
        let mut posting = payment.posting(kind, id)?;
        let (amount, base) = match payment.direction {
            Direction::In => (payment.amount, claim.open),
            Direction::Out => (minus(payment.amount)?, minus(claim.open)?),
        };
        posting.add(from, amount, base);
        posting.add(Role::Unallocated, minus(amount)?, minus(base)?);
        chart.post(tx, &posting, date, payment.known_as()).await
    }

    /// Pays invoices with what is left of a payment, on a day, and not before the last of them was posted.
    pub async fn allocate(
        &self,
        tx: &mut Tx,
        chart: &Chart,
        id: Uuid,
        payment: &mut Payment,
        wishes: &[Wish],
        date: Date,
    ) -> Result<Vec<Row>> {
        payment.require_here()?;
        let mut posting = payment.posting(Kind::Allocation, id)?;
        let mut paid = Vec::with_capacity(wishes.len());
        for wish in wishes {
            let before = self.lock(tx, wish.invoice).await?;
            payment.require_suited(&before.value)?;
            let mut invoice = before.value.clone();
            let amount = wish.amount.unwrap_or_else(|| invoice.open().min(payment.left()));
            if payment.left().is_zero() {
                return Err(PaymentError::AllocationExceeds.into());
            }
            let receivable = invoice.pay(amount)?;
            let taken = payment.allocate(before.id, amount, receivable)?;
            posting.add(Role::Unallocated, amount, taken.unallocated);
            posting.claim(before.id, minus(amount)?, minus(receivable)?);
            paid.push((before.id, amount, invoice.post_date()));
            let event = invoice.when_paid();
            self.save(tx, &before, invoice, event).await?;
        }
        posting.level()?;
        let date = paid.iter().filter_map(|(.., posted)| *posted).fold(date, Date::max);
        chart.post(tx, &posting, date, payment.known_as()).await?;
        let row = |(invoice, amount, _)| Row { invoice, date, cause: Cause::Allocated, amount };
        Ok(paid.into_iter().map(row).collect())
    }

    /// Takes back what a payment paid of invoices, on a day; the lines go to a posting that is still to be written.
    pub async fn take_back(
        &self,
        tx: &mut Tx,
        posting: &mut Posting,
        payment: &mut Payment,
        wishes: &[Wish],
        (cause, date): (Cause, Date),
    ) -> Result<Vec<Row>> {
        let mut rows = Vec::with_capacity(wishes.len());
        for wish in wishes {
            let before = self.lock(tx, wish.invoice).await?;
            let taken = payment.unallocate(before.id, wish.amount)?;
            let mut invoice = before.value.clone();
            let residue = invoice.reopen(taken.amount, taken.receivable, cause == Cause::Refunded)?;
            posting.claim(before.id, taken.amount, taken.receivable);
            posting.add(Role::Unallocated, minus(taken.amount)?, minus(taken.unallocated)?);
            posting.settle(before.id, residue)?;
            rows.push(Row { invoice: before.id, date, cause, amount: minus(taken.amount)? });
            let event = invoice.when_reopened();
            self.save(tx, &before, invoice, event).await?;
        }
        Ok(rows)
    }

    /// Writes what a payment that is written already pays. The table compares both sides.
    pub async fn write(&self, tx: &mut Tx, payment: Uuid, rows: &[Row]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let cx = tx.cx().clone();
        sqlx::query(
            "insert into allocation (tenant_id, id, payment, invoice, date, kind, amount, create_time)
             select $1, given.id, $2, given.invoice, given.date, given.kind, given.amount, $3
             from unnest($4::uuid[], $5::uuid[], $6::date[], $7::text[], $8::bigint[])
               as given (id, invoice, date, kind, amount)",
        )
        .bind(cx.tenant)
        .bind(payment)
        .bind(cx.now)
        .bind(rows.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.invoice).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.date).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.cause.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.amount.0).collect::<Vec<_>>())
        .execute(tx.connection())
        .await
        .map_err(|error| constrained(error, CONSTRAINTS))?;
        Ok(())
    }

    /// The latest day on which something moved between a payment and any of these invoices, or came back from any to what is left
    /// of the payment where that is taken too; none where nothing did. What takes that back is of this day or a later one, or the
    /// books of the days between would say that less was paid, or left, than was.
    pub async fn last_moved(
        &self,
        tx: &mut Tx,
        payment: Uuid,
        invoices: &[Uuid],
        takes_rest: bool,
    ) -> Result<Option<Date>> {
        let tenant = tx.cx().tenant;
        sqlx::query_scalar(
            "select max(date)
             from allocation
             where tenant_id = $1 and payment = $2 and (invoice = any($3) or ($4 and kind = 'UNALLOCATED'))",
        )
        .bind(tenant)
        .bind(payment)
        .bind(invoices)
        .bind(takes_rest)
        .fetch_one(tx.connection())
        .await
        .map_err(from_sqlx)
    }

    async fn lock(&self, tx: &mut Tx, invoice: Id<Invoice>) -> Result<Record<Invoice>> {
        let locked = tx.lock::<Invoice>(&self.invoices, &invoice.name()).await;
        locked.map_err(|error| match error.kind() {
            Failure::NotFound => Error::from(PaymentError::InvoiceNotFound),
            _ => error,
        })
    }

    async fn save(
        &self,
        tx: &mut Tx,
        before: &Record<Invoice>,
        invoice: Invoice,
        (verb, facts): (&str, Facts),
    ) -> Result<()> {
        let after = before.next(tx.cx(), invoice);
        let event = NewEvent::with_facts(tx.cx(), verb, Some(before), &after, facts);
        tx.save(&self.invoices, &after, event).await
    }
}

impl Payment {
    /// A posting about this payment without lines.
    pub fn posting(&self, kind: Kind, id: Uuid) -> Result<Posting, NotPosted> {
        let claim = self.books.0.as_ref().ok_or(NotPosted)?;
        Ok(Posting {
            kind,
            document: Id::<Self>::from_uuid(id).name(),
            account: self.account,
            currency: self.currency_code,
            base: claim.currency,
            rate: claim.rate,
            lines: Vec::new(),
        })
    }

    /// What it is known by in the books.
    pub fn known_as(&self) -> &str {
        if self.external_key.is_empty() { &self.reference } else { &self.external_key }
    }

    fn require_suited(&self, invoice: &Invoice) -> Result<(), PaymentError> {
        let is_suited = self.account == invoice.account
            && self.legal_entity == invoice.legal_entity
            && self.currency_code == invoice.currency_code;
        if is_suited { Ok(()) } else { Err(PaymentError::InvoiceUnsuited) }
    }
}
