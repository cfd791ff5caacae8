//! What an account owes and has ordered, in parts that have nothing in common: what is reserved for an order is less by what of it
//! is invoiced, so that nothing counts twice. Which of them count against a limit says the basis of the credit profile.

use trato_platform::db::{Tx, from_sqlx};
use trato_pricing::{PricingError, convert};
use trato_types::{Currency, Error, Minor, Ref, Result};

use super::model::ExposureBasis;
use crate::{books::rate, foreign::Account, legal_entity::TimeZone};

/// What an account owes and has ordered, in one currency.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Exposure {
    /// Reserved for orders and not delivered, less what of that is invoiced ahead.
    pub ordered: Minor,
    /// Delivered of orders and not invoiced.
    pub delivered: Minor,
    /// Open of invoices.
    pub invoiced: Minor,
    /// Paid and not allocated.
    pub unallocated: Minor,
}

/// Which part of an exposure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Reserved and not delivered.
    Ordered,
    /// Delivered and not invoiced.
    Delivered,
    /// Open of invoices.
    Invoiced,
    /// Paid and not allocated.
    Unallocated,
}

/// A part of an exposure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Part {
    /// Which one.
    pub kind: Kind,
    /// How much; what is taken off is below zero.
    pub amount: Minor,
    /// It counts against the limit.
    pub counts: bool,
}

/// How far an account may go.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Limit {
    /// The limit and its currency; none where there is no limit.
    pub amount: Option<(Minor, Currency)>,
    /// Nothing more is reserved for it.
    pub hold: bool,
    /// What counts against it.
    pub basis: ExposureBasis,
    /// The limit itself has set the hold.
    pub held_by_limit: bool,
}

impl Exposure {
    /// What is reserved for orders, less what of them is invoiced, delivered or not.
    pub fn reserved(&self) -> Result<Minor, PricingError> {
        add(self.ordered, self.delivered)
    }

    /// All parts, in the order in which an order goes through them.
    pub fn parts(&self, basis: ExposureBasis) -> [Part; 4] {
        let part = |kind, amount, counts| Part { kind, amount, counts };
        [
            part(Kind::Ordered, self.ordered, basis == ExposureBasis::Order),
            part(Kind::Delivered, self.delivered, basis != ExposureBasis::Invoice),
            part(Kind::Invoiced, self.invoiced, true),
            part(Kind::Unallocated, Minor(self.unallocated.0.saturating_neg()), true),
        ]
    }

    /// The sum of the parts that count.
    pub fn counted(&self, basis: ExposureBasis) -> Result<Minor, PricingError> {
        let counting = self.parts(basis).into_iter().filter(|part| part.counts);
        let total: i128 = counting.map(|part| i128::from(part.amount.0)).sum();
        i64::try_from(total).map(Minor).map_err(|_| PricingError::TooLarge)
    }
}

/// The limit of an account by its credit profile, if it has one.
pub async fn limit_of(tx: &mut Tx, account: Ref<Account>) -> Result<Limit> {
    type Found = (Option<i64>, Option<String>, bool, String, bool);
    let tenant = tx.cx().tenant;
    let found: Option<Found> = sqlx::query_as(
        "select credit_limit, currency_code, hold, exposure_basis, held_by_limit from credit_profile
         where tenant_id = $1 and account = $2 and delete_time is null",
    )
    .bind(tenant)
    .bind(account.uuid())
    .fetch_optional(tx.connection())
    .await
    .map_err(from_sqlx)?;
    let Some((limit, currency, hold, basis, held_by_limit)) = found else { return Ok(Limit::default()) };
    let currency = currency.map(|code| Currency::parse(&code)).transpose().map_err(Error::internal)?;
    let basis = ExposureBasis::from_name(&basis).ok_or_else(|| Error::internal("an unknown basis"))?;
    Ok(Limit { amount: limit.map(Minor).zip(currency), hold, basis, held_by_limit })
}

/// A limit that is exceeded, and what counts against it, in its currency; none where there is no limit, or the account is within.
/// FAILED_PRECONDITION `EXCHANGE_RATE_NOT_FOUND`.
pub async fn beyond(tx: &mut Tx, account: Ref<Account>, limit: &Limit) -> Result<Option<(Minor, Minor)>> {
    let Some((amount, currency)) = limit.amount else { return Ok(None) };
    let counted = exposure(tx, account, currency).await?.counted(limit.basis)?;
    Ok(Some((amount, counted)).filter(|(amount, counted)| counted > amount))
}

/// What an account owes and has ordered, in a currency, by the rates of today. FAILED_PRECONDITION
/// `EXCHANGE_RATE_NOT_FOUND`.
pub async fn exposure(tx: &mut Tx, account: Ref<Account>, into: Currency) -> Result<Exposure> {
    let cx = tx.cx().clone();
    let reserved: Vec<(String, i64, i64)> = sqlx::query_as(include_str!("../../sql/sum_reservations.sql"))
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
    for (currency, ordered, delivered) in reserved {
        exposure.ordered = add(exposure.ordered, converted(tx, &currency, ordered, into).await?)?;
        exposure.delivered = add(exposure.delivered, converted(tx, &currency, delivered, into).await?)?;
    }
    for (currency, invoiced, unallocated) in claims {
        exposure.invoiced = add(exposure.invoiced, converted(tx, &currency, invoiced, into).await?)?;
        exposure.unallocated = add(exposure.unallocated, converted(tx, &currency, unallocated, into).await?)?;
    }
    Ok(exposure)
}

async fn converted(tx: &mut Tx, currency: &str, amount: i64, into: Currency) -> Result<Minor> {
    if amount == 0 {
        return Ok(Minor(0));
    }
    let currency = Currency::parse(currency).map_err(Error::internal)?;
    let today = TimeZone::UTC.day_of(tx.cx().now);
    let rate = rate(tx, currency, into, today, "").await?;
    Ok(convert(Minor(amount), currency, into, rate)?)
}

fn add(one: Minor, other: Minor) -> Result<Minor, PricingError> {
    one.0.checked_add(other.0).map(Minor).ok_or(PricingError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XTR-05: the later an order counts, the fewer parts do; what is invoiced and what was paid always do.
    #[test]
    fn the_basis_says_which_parts_count() {
        let exposure = Exposure {
            ordered: Minor(1000),
            delivered: Minor(200),
            invoiced: Minor(30),
            unallocated: Minor(4),
        };
        for (basis, counted, counts) in [
            (ExposureBasis::Order, 1226, [true, true, true, true]),
            (ExposureBasis::Delivery, 226, [false, true, true, true]),
            (ExposureBasis::Invoice, 26, [false, false, true, true]),
        ] {
            assert_eq!(exposure.counted(basis), Ok(Minor(counted)), "{basis:?}");
            let parts = exposure.parts(basis);
            assert_eq!(parts.map(|part| part.counts), counts, "{basis:?}");
            assert_eq!(parts.map(|part| part.amount.0), [1000, 200, 30, -4], "{basis:?}");
        }
        assert_eq!(exposure.reserved(), Ok(Minor(1200)));
    }
}
