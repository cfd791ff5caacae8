//! The chart of a legal entity: its accounts, its rates, how far its books are closed; and what writes a posting.

use rust_decimal::Decimal;
use trato_platform::db::{Constraint, Tx, constrained, from_sqlx};
use trato_pricing::ExchangeRate;
use trato_types::{Context, Currency, Date, Error, Id, Kind as Failure, Result, Timestamp};
use uuid::Uuid;

use super::posting::Posting;
use crate::{
    ledger::Accounts,
    legal_entity::{LegalEntity, TimeZone},
};

/// Days back for which a rate holds: over weekends and holidays.
const PATIENCE: u64 = 7;

const CONSTRAINTS: &[Constraint] = &[Constraint {
    name: "posting_period_open",
    kind: Failure::Precondition,
    reason: "PERIOD_CLOSED",
    message: "the books are closed on this day",
}];

/// Whose turn the books of a legal entity are. It comes before the lock of the ledger, for everybody.
#[derive(Clone, Copy, Debug)]
pub enum Turn {
    /// Of all who post.
    Shared,
    /// Of who closes the books: nothing is being posted, and nobody who comes later posts before.
    Alone,
}

impl Turn {
    /// Takes the turn until the transaction ends.
    pub async fn take(self, tx: &mut Tx, legal_entity: Id<LegalEntity>) -> Result<()> {
        let tenant = tx.cx().tenant;
        let statement = match self {
            Self::Shared => "select pg_advisory_xact_lock_shared(posting_turn($1, $2))",
            Self::Alone => "select pg_advisory_xact_lock(posting_turn($1, $2))",
        };
        let taken =
            sqlx::query(statement).bind(tenant).bind(legal_entity.uuid()).execute(tx.connection()).await;
        taken.map(drop).map_err(from_sqlx)
    }
}

/// How the books of a legal entity are kept.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Whose books.
    pub legal_entity: Id<LegalEntity>,
    /// Their currency.
    pub base: Currency,
    time_zone: TimeZone,
    accounts: Accounts,
    rate_origin: String,
    closed_through: Option<Date>,
}

impl Chart {
    /// Reads how the books are kept, and keeps them from being closed until the transaction ends. FAILED_PRECONDITION
    /// `LEGAL_ENTITY_NOT_FOUND`; one that is deleted still has books.
    pub async fn open(tx: &mut Tx, legal_entity: Id<LegalEntity>) -> Result<Self> {
        let tenant = tx.cx().tenant;
        Turn::Shared.take(tx, legal_entity).await?;
        let entity: Option<(String, String)> = sqlx::query_as(
            "select base_currency_code, time_zone from legal_entity where tenant_id = $1 and id = $2",
        )
        .bind(tenant)
        .bind(legal_entity.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(from_sqlx)?;
        let (base, time_zone) = entity.ok_or_else(|| {
            Error::new(Failure::Precondition, "LEGAL_ENTITY_NOT_FOUND", "there is no such legal entity")
        })?;
        let ledger: Option<(sqlx::types::Json<Accounts>, Option<String>, Option<Date>)> = sqlx::query_as(
            "select accounts, rate_origin, closed_through from ledger
             where tenant_id = $1 and legal_entity = $2 and delete_time is null
             for share",
        )
        .bind(tenant)
        .bind(legal_entity.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(from_sqlx)?;
        let (accounts, rate_origin, closed_through) = ledger.unwrap_or_default();
        Ok(Self {
            legal_entity,
            base: Currency::parse(&base).map_err(Error::internal)?,
            time_zone: time_zone.parse().map_err(Error::internal)?,
            accounts: accounts.0,
            rate_origin: rate_origin.unwrap_or_default(),
            closed_through,
        })
    }

    /// The day it is for the legal entity.
    pub fn today(&self, cx: &Context) -> Date {
        self.day_of(cx.now)
    }

    /// The day it was for the legal entity at a time.
    pub fn day_of(&self, time: Timestamp) -> Date {
        self.time_zone.day_of(time)
    }

    /// FAILED_PRECONDITION `PERIOD_CLOSED` when nothing can be posted on this day.
    pub fn require_open(&self, date: Date) -> Result<()> {
        if self.closed_through.is_some_and(|through| date <= through) {
            return Err(Error::new(
                Failure::Precondition,
                "PERIOD_CLOSED",
                "the books are closed on this day",
            )
            .with("date", date));
        }
        Ok(())
    }

    /// What a unit of a currency is worth in that of the books. FAILED_PRECONDITION `EXCHANGE_RATE_NOT_FOUND`.
    pub async fn rate(&self, tx: &mut Tx, from: Currency, date: Date) -> Result<ExchangeRate> {
        rate(tx, from, self.base, date, &self.rate_origin).await
    }

    /// Writes a posting. Nothing is written of one without lines.
    pub async fn post(&self, tx: &mut Tx, posting: &Posting, date: Date, description: &str) -> Result<()> {
        self.require_open(date)?;
        if posting.lines.is_empty() {
            return Ok(());
        }
        let cx = tx.cx().clone();
        let lines = &posting.lines;
        let roles: Vec<&str> = lines.iter().map(|line| line.role.as_str()).collect();
        let codes: Vec<&str> =
            lines.iter().map(|line| self.accounts.code(line.role, line.tax.as_ref())).collect();
        let taxes: Vec<String> =
            lines.iter().map(|line| line.tax.as_ref().map(ToString::to_string).unwrap_or_default()).collect();
        let invoices: Vec<Option<Uuid>> = lines.iter().map(|line| line.invoice).collect();
        let amounts: Vec<i64> = lines.iter().map(|line| line.amount.0).collect();
        let base: Vec<i64> = lines.iter().map(|line| line.base.0).collect();
        sqlx::query(include_str!("../../sql/insert_posting.sql"))
            .bind(cx.tenant)
            .bind(Uuid::now_v7())
            .bind(self.legal_entity.uuid())
            .bind(date)
            .bind(posting.kind.as_str())
            .bind(&posting.document)
            .bind(description)
            .bind(posting.account.uuid())
            .bind(posting.currency.code())
            .bind(posting.base.code())
            .bind(Decimal::from(posting.rate))
            .bind(cx.now)
            .bind(cx.actor.to_string())
            .bind(roles)
            .bind(codes)
            .bind(taxes)
            .bind(invoices)
            .bind(amounts)
            .bind(base)
            .execute(tx.connection())
            .await
            .map_err(|error| constrained(error, CONSTRAINTS))?;
        Ok(())
    }
}

/// What a unit of one currency is worth in another on a day, or was within the week before it; by the account of `origin`, or
/// of anybody where that is empty. FAILED_PRECONDITION `EXCHANGE_RATE_NOT_FOUND`.
pub async fn rate(
    tx: &mut Tx,
    from: Currency,
    into: Currency,
    date: Date,
    origin: &str,
) -> Result<ExchangeRate> {
    if from == into {
        return Ok(ExchangeRate::ONE);
    }
    let tenant = tx.cx().tenant;
    let since = date.checked_sub_days(chrono::Days::new(PATIENCE)).unwrap_or(date);
    let found: Option<Decimal> = sqlx::query_scalar(include_str!("../../sql/find_rate.sql"))
        .bind(tenant)
        .bind(from.code())
        .bind(into.code())
        .bind(date)
        .bind(since)
        .bind(origin)
        .fetch_optional(tx.connection())
        .await
        .map_err(from_sqlx)?;
    let found = found.ok_or_else(|| {
        Error::new(
            Failure::Precondition,
            "EXCHANGE_RATE_NOT_FOUND",
            "there is no exchange rate of the last 7 days",
        )
        .with("from_currency_code", from)
        .with("to_currency_code", into)
        .with("date", date)
    })?;
    found.try_into().map_err(Error::internal)
}
