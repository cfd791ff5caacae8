//! What dunning reads: of which legal entities, on which day, by which policy; and what an account owes there.

use std::collections::BTreeMap;

use trato_platform::db::{Record, Tx, from_sqlx, statement::column_list};
use trato_types::{Context, Currency, Date, Error, Id, Kind, Minor, Ref, Result};
use uuid::Uuid;

use super::{
    model::{Claim, DunningState, State},
    rules::{Item, Open},
};
use crate::{
    dunning_policy::DunningPolicy,
    foreign::Account,
    invoice::Party,
    legal_entity::{LegalEntity, TimeZone},
};

/// Most legal entities, and most policies, of a tenant.
const MOST: i64 = 10_000;
/// Accounts that one statement looks at.
const LOOKED_AT: i64 = 500;
/// Most items of an account: what is left out would make dunning wrong, so that more are refused.
const MOST_OPEN: usize = 50_000;

/// The books of a tenant's legal entities, each on a day.
#[derive(Clone, Debug)]
pub struct Books {
    entities: Vec<(Uuid, Date)>,
    policies: Vec<Record<DunningPolicy>>,
}

impl Books {
    /// The books on a day; on today, as the zone of each legal entity has it, where none is said, and where something will be
    /// done and the day is to come there.
    pub async fn open(tx: &mut Tx, as_of: Option<Date>, is_trial: bool) -> Result<Self> {
        let cx = tx.cx().clone();
        let rows: Vec<(Uuid, String)> = sqlx::query_as(
            "select id, time_zone from legal_entity where tenant_id = $1 order by id limit $2",
        )
        .bind(cx.tenant)
        .bind(MOST)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
        let mut entities = Vec::with_capacity(rows.len());
        for (id, zone) in rows {
            let today = zone.parse::<TimeZone>().map_err(Error::internal)?.day_of(cx.now);
            let day = as_of.map_or(today, |day| if is_trial { day } else { day.min(today) });
            entities.push((id, day));
        }
        // Only names that the service itself lists.
        let sql = format!(
            "select {} from dunning_policy policy where tenant_id = $1 and delete_time is null limit $2",
            column_list::<DunningPolicy>("policy")
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(cx.tenant)
            .bind(MOST)
            .fetch_all(tx.connection())
            .await
            .map_err(from_sqlx)?;
        let policies = rows.iter().map(Record::read).collect::<Result<_>>()?;
        Ok(Self { entities, policies })
    }

    /// Notes that dunning is brought to these days. FAILED_PRECONDITION `DUNNED_LATER` where a day is asked for, and it was brought
    /// to a later one.
    pub async fn advance(&self, tx: &mut Tx, as_of: Option<Date>) -> Result<()> {
        let tenant = tx.cx().tenant;
        let later = self.later(tx).await?;
        if let (Some(_), Some(latest)) = (as_of, later.values().max()) {
            return Err(dunned_later(*latest));
        }
        let (ids, days) = self.columns();
        sqlx::query(include_str!("../../sql/advance_dunning_run.sql"))
            .bind(tenant)
            .bind(ids)
            .bind(days)
            .execute(tx.connection())
            .await
            .map_err(from_sqlx)?;
        Ok(())
    }

    /// The same without those that another run has brought to a later day: what that one has seen is newer. And the latest such
    /// day, where there are any.
    pub async fn current(&self, tx: &mut Tx) -> Result<(Self, Option<Date>)> {
        let later = self.later(tx).await?;
        let entities = self.entities.iter().filter(|(id, _)| !later.contains_key(id)).copied().collect();
        let latest = later.values().max().copied();
        Ok((Self { entities, policies: self.policies.clone() }, latest))
    }

    /// The first accounts after `after` that owe something overdue, or whose dunning is active. Each statement looks at some
    /// accounts, so that none adds up the whole journal of a tenant.
    pub async fn accounts(
        &self,
        tx: &mut Tx,
        only: Option<Ref<Account>>,
        mut after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Uuid>> {
        let tenant = tx.cx().tenant;
        let (ids, days) = self.columns();
        let mut found = Vec::new();
        loop {
            let looked_at: Vec<(Uuid, bool)> =
                sqlx::query_as(include_str!("../../sql/find_dunning_accounts.sql"))
                    .bind(tenant)
                    .bind(&ids)
                    .bind(&days)
                    .bind(after)
                    .bind(only.map(Ref::uuid))
                    .bind(LOOKED_AT)
                    .fetch_all(tx.connection())
                    .await
                    .map_err(from_sqlx)?;
            after = looked_at.last().map(|(account, _)| *account);
            found.extend(looked_at.into_iter().filter(|(_, is_late)| *is_late).map(|(account, _)| account));
            if after.is_none() || found.len() >= limit {
                found.truncate(limit);
                return Ok(found);
            }
        }
    }

    /// What an account owes in each book and currency; nothing where only its dunning is active.
    pub async fn claims(
        &self,
        tx: &mut Tx,
        account: Ref<Account>,
        states: &[Record<DunningState>],
    ) -> Result<Vec<Claim>> {
        type Row = (Uuid, String, Option<Uuid>, String, Option<Date>, i64);
        let tenant = tx.cx().tenant;
        let (ids, days) = self.columns();
        let rows: Vec<Row> = sqlx::query_as(include_str!("../../sql/read_dunning_items.sql"))
            .bind(tenant)
            .bind(account.uuid())
            .bind(ids)
            .bind(days)
            .fetch_all(tx.connection())
            .await
            .map_err(from_sqlx)?;
        require_whole(rows.len())?;
        let mut open: BTreeMap<(Uuid, String), Open> = BTreeMap::new();
        for state in states.iter().filter(|state| state.value.state == State::Active) {
            let key = (state.value.legal_entity.uuid(), state.value.currency_code.to_string());
            open.entry(key).or_default();
        }
        for (legal_entity, currency, invoice, number, due_date, amount) in rows {
            let open = open.entry((legal_entity, currency)).or_default();
            match due_date {
                Some(due_date) => {
                    let invoice = invoice.map(Id::from_uuid);
                    open.items.push(Item { invoice, number, due_date, open: Minor(amount) });
                }
                None => open.unallocated = Minor(open.unallocated.0.saturating_sub(amount)),
            }
        }
        let day_of = |id: &Uuid| self.entities.iter().find(|(known, _)| known == id).map(|(_, day)| *day);
        let mut claims = Vec::with_capacity(open.len());
        for ((legal_entity, currency), open) in open {
            let Some(day) = day_of(&legal_entity) else { continue };
            claims.push(Claim {
                account,
                legal_entity: Id::from_uuid(legal_entity),
                currency_code: Currency::parse(&currency).map_err(Error::internal)?,
                day,
                open,
            });
        }
        Ok(claims)
    }

    /// The policy that holds for a legal entity: its own, else the default.
    pub fn policy(&self, legal_entity: Id<LegalEntity>) -> Option<&Record<DunningPolicy>> {
        let of = |whose| self.policies.iter().find(move |policy| policy.value.legal_entity == whose);
        of(Some(legal_entity)).or_else(|| of(None))
    }

    /// Books that were brought to a later day, and to which.
    async fn later(&self, tx: &mut Tx) -> Result<BTreeMap<Uuid, Date>> {
        let tenant = tx.cx().tenant;
        let (ids, days) = self.columns();
        let rows: Vec<(Uuid, Date)> = sqlx::query_as(
            "select run.legal_entity, run.as_of
             from unnest($2::uuid[], $3::date[]) as book (legal_entity, as_of)
             join dunning_run run on run.tenant_id = $1 and run.legal_entity = book.legal_entity
             where run.as_of > book.as_of",
        )
        .bind(tenant)
        .bind(ids)
        .bind(days)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
        Ok(rows.into_iter().collect())
    }

    fn columns(&self) -> (Vec<Uuid>, Vec<Date>) {
        self.entities.iter().copied().unzip()
    }
}

/// The latest day it is anywhere: a day after it is to come everywhere.
pub fn latest_today(cx: &Context) -> Date {
    (cx.now + chrono::Duration::hours(14)).date_naive()
}

/// FAILED_PRECONDITION `DUNNED_LATER` where dunning was brought to a later day.
pub fn dunned_later(latest: Date) -> Error {
    Error::new(Kind::Precondition, "DUNNED_LATER", "dunning was brought to a later day").with("as_of", latest)
}

/// To whom a letter about a claim is written: as on the newest of its invoices, which are all that are asked for, the oldest first;
/// nobody where that was taken over without a name.
pub async fn bill_to(tx: &mut Tx, items: &[Item]) -> Result<Option<Party>> {
    let tenant = tx.cx().tenant;
    let Some(newest) = items.iter().rev().find_map(|item| item.invoice) else { return Ok(None) };
    let found: Option<sqlx::types::Json<Party>> =
        sqlx::query_scalar("select bill_to from invoice where tenant_id = $1 and id = $2")
            .bind(tenant)
            .bind(newest.uuid())
            .fetch_optional(tx.connection())
            .await
            .map_err(from_sqlx)?;
    Ok(found.map(|party| party.0).filter(|party| !party.display_name.is_empty()))
}

/// FAILED_PRECONDITION `TOO_MANY_ITEMS` where an account has more items than are read.
fn require_whole(count: usize) -> Result<()> {
    if count > MOST_OPEN {
        let message = "the account has more than 50,000 items that are open";
        return Err(Error::new(Kind::Precondition, "TOO_MANY_ITEMS", message));
    }
    Ok(())
}

/// FAILED_PRECONDITION `ACCOUNT_DELETED` for an account that customers has deleted: whom to write to, a person must say.
pub async fn require_living(tx: &mut Tx, account: Ref<Account>) -> Result<()> {
    let tenant = tx.cx().tenant;
    let is_deleted: Option<bool> =
        sqlx::query_scalar("select delete_time is not null from account where tenant_id = $1 and id = $2")
            .bind(tenant)
            .bind(account.uuid())
            .fetch_optional(tx.connection())
            .await
            .map_err(from_sqlx)?;
    if is_deleted == Some(true) {
        let error = Error::new(Kind::Precondition, "ACCOUNT_DELETED", "the account is deleted");
        return Err(error.with("account", account.name()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parked_task::is_parked;

    /// XTR-05: of an account with more items than are read nothing is dunned, rather than by a part of them.
    #[test]
    fn a_part_of_the_items_is_not_dunned() {
        let refused = require_whole(MOST_OPEN + 1).expect_err("one is left out");

        assert_eq!((refused.kind(), refused.reason()), (Kind::Precondition, "TOO_MANY_ITEMS"));
        assert!(is_parked(&refused), "it is parked for the account, and others are done");
        assert!(require_whole(MOST_OPEN).is_ok());
        let read = include_str!("../../sql/read_dunning_items.sql");
        assert!(read.contains(&format!("limit {}", MOST_OPEN + 1)), "one more is read, to know");
    }
}
