//! What an account owes and has ordered: the sum of three parts that have nothing in common. What is reserved for an order is
//! less by what of it is invoiced, so that nothing counts twice.

use trato_platform::db::{Tx, from_sqlx};
use trato_pricing::{PricingError, convert};
use trato_types::{Currency, Error, Minor, Ref, Result};

use crate::{books::rate, foreign::Account, legal_entity::TimeZone};

/// What an account owes and has ordered, in one currency.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Exposure {
    /// Reserved for orders, less what of them is invoiced.
    pub reserved: Minor,
    /// Open of invoices.
    pub invoiced: Minor,
    /// Paid and not allocated.
    pub unallocated: Minor,
}

/// How far an account may go.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Limit {
    /// The limit and its currency; none where there is no limit.
    pub amount: Option<(Minor, Currency)>,
    /// Nothing more is reserved for it.
    pub hold: bool,
}

impl Exposure {
    /// All of it.
    pub fn total(&self) -> Result<Minor, PricingError> {
        let total =
            i128::from(self.reserved.0) + i128::from(self.invoiced.0) - i128::from(self.unallocated.0);
        i64::try_from(total).map(Minor).map_err(|_| PricingError::TooLarge)
    }
}

/// The limit of an account by its credit profile, if it has one.
pub async fn limit_of(tx: &mut Tx, account: Ref<Account>) -> Result<Limit> {
    let tenant = tx.cx().tenant;
    let found: Option<(Option<i64>, Option<String>, bool)> = sqlx::query_as(
        "select credit_limit, currency_code, hold from credit_profile
         where tenant_id = $1 and account = $2 and delete_time is null",
    )
    .bind(tenant)
    .bind(account.uuid())
    .fetch_optional(tx.connection())
    .await
    .map_err(from_sqlx)?;
    let Some((limit, currency, hold)) = found else { return Ok(Limit::default()) };
    let currency = currency.map(|code| Currency::parse(&code)).transpose().map_err(Error::internal)?;
    Ok(Limit { amount: limit.map(Minor).zip(currency), hold })
}

/// What an account owes and has ordered, in a currency, by the rates of today. FAILED_PRECONDITION
/// `EXCHANGE_RATE_NOT_FOUND`.
pub async fn exposure(tx: &mut Tx, account: Ref<Account>, into: Currency) -> Result<Exposure> {
    let cx = tx.cx().clone();
    let reserved: Vec<(String, i64)> = sqlx::query_as(include_str!("../../sql/sum_reservations.sql"))
        .bind(cx.tenant)
        .bind(account.uuid())
        .bind(cx.now)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    let claims: Vec<(String, i64, i64)> = sqlx::query_as(include_str!("../../sql/sum_claims.sql"))
        .bind(cx.tenant)
        .bind(account.uuid())
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    let mut exposure = Exposure::default();
    for (currency, amount) in reserved {
        add(tx, &mut exposure.reserved, &currency, amount, into).await?;
    }
    for (currency, invoiced, unallocated) in claims {
        add(tx, &mut exposure.invoiced, &currency, invoiced, into).await?;
        add(tx, &mut exposure.unallocated, &currency, unallocated, into).await?;
    }
    Ok(exposure)
}

async fn add(tx: &mut Tx, to: &mut Minor, currency: &str, amount: i64, into: Currency) -> Result<()> {
    if amount == 0 {
        return Ok(());
    }
    let currency = Currency::parse(currency).map_err(Error::internal)?;
    let today = TimeZone::UTC.day_of(tx.cx().now);
    let rate = rate(tx, currency, into, today, "").await?;
    let converted = convert(Minor(amount), currency, into, rate)?;
    *to = to.0.checked_add(converted.0).map(Minor).ok_or(PricingError::TooLarge)?;
    Ok(())
}
