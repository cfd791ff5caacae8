//! Aging: what is open on a day, by the days since it was due.

use sqlx::{Row as _, postgres::PgRow};
use trato_platform::db::{Database, Tx, from_sqlx};
use trato_proto::{billing::v1 as pb, wire};
use trato_types::{Context, Currency, Date, Error, Id, Minor, Ref, Result, Violations};
use uuid::Uuid;

use crate::{
    foreign::Account,
    legal_entity::{LegalEntity, TimeZone},
};

/// Rows of a page, unless said.
const PAGE: i32 = 200;
/// Most rows of a page.
const MOST: i32 = 1000;

struct Asked {
    account: Option<Ref<Account>>,
    legal_entity: Option<Id<LegalEntity>>,
    as_of: Date,
    zone: TimeZone,
    size: i32,
    after: Option<(Uuid, String)>,
}

/// The page that is asked for, and what all pages come to.
pub async fn query(
    database: &Database,
    cx: &Context,
    body: &pb::QueryAgingRequest,
) -> Result<pb::QueryAgingResponse> {
    let asked = parse(cx, body)?;
    let mut tx = Tx::of(database, cx).await?;
    let after = asked.after.clone();
    let rows = read(&mut tx, &asked, true, after, i64::from(asked.size) + 1).await?;
    let totals = read(&mut tx, &asked, false, None, i64::from(MOST)).await?;
    tx.roll_back().await?;
    let shown = usize::try_from(asked.size).unwrap_or_default().min(rows.len());
    let mut found = Vec::with_capacity(shown);
    let mut last = String::new();
    for row in &rows[..shown] {
        let account: Uuid = row.try_get(0).map_err(from_sqlx)?;
        let currency: String = row.try_get(1).map_err(from_sqlx)?;
        last = format!("{account}/{currency}");
        let account = Ref::<Account>::from_uuid(account).name();
        found.push(pb::query_aging_response::Row { account, buckets: Some(buckets(row)?) });
    }
    Ok(pb::QueryAgingResponse {
        as_of: Some(wire::date(asked.as_of)),
        time_zone: asked.zone.to_string(),
        rows: found,
        totals: totals.iter().map(buckets).collect::<Result<_>>()?,
        next_page_token: if rows.len() > shown { last } else { String::new() },
    })
}

async fn read(
    tx: &mut Tx,
    asked: &Asked,
    by_account: bool,
    after: Option<(Uuid, String)>,
    limit: i64,
) -> Result<Vec<PgRow>> {
    let tenant = tx.cx().tenant;
    let (after_account, after_currency) = after.unzip();
    sqlx::query(include_str!("../../sql/sum_open_items.sql"))
        .bind(tenant)
        .bind(asked.account.map(Ref::uuid))
        .bind(asked.legal_entity.map(Id::uuid))
        .bind(asked.as_of)
        .bind(by_account)
        .bind(after_account)
        .bind(after_currency)
        .bind(limit)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)
}

fn buckets(row: &PgRow) -> Result<pb::query_aging_response::Buckets> {
    let currency: String = row.try_get(1).map_err(from_sqlx)?;
    let currency = Currency::parse(&currency).map_err(Error::internal)?;
    let amount = |at: usize| row.try_get::<i64, _>(at).map_err(from_sqlx);
    let money = |amount: i64| Some(wire::money(Minor(amount), currency));
    let mut open: i64 = 0;
    for at in 2..7 {
        open = open.saturating_add(amount(at)?);
    }
    let unallocated = amount(7)?;
    Ok(pb::query_aging_response::Buckets {
        not_due: money(amount(2)?),
        days_1_to_30: money(amount(3)?),
        days_31_to_60: money(amount(4)?),
        days_61_to_90: money(amount(5)?),
        days_over_90: money(amount(6)?),
        open: money(open),
        unallocated: money(unallocated),
        balance: money(open.saturating_sub(unallocated)),
    })
}

fn parse(cx: &Context, body: &pb::QueryAgingRequest) -> Result<Asked> {
    let mut violations = Violations::new();
    let account = violations.keep("account", Id::parse_optional(&body.account));
    let legal_entity = violations.keep("legal_entity", Id::parse_optional(&body.legal_entity));
    let zone = if body.time_zone.is_empty() { "UTC" } else { &body.time_zone };
    let zone = violations.keep("time_zone", zone.parse::<TimeZone>());
    let as_of = body.as_of.as_ref().and_then(|date| violations.keep("as_of", wire::parse_date(date)));
    let size = match body.page_size {
        ..0 => {
            violations.add("page_size", "INVALID_PAGE_SIZE", "must not be negative");
            PAGE
        }
        0 => PAGE,
        size => size.min(MOST),
    };
    let after = body.page_token.split_once('/').and_then(|(account, currency)| {
        let currency = Currency::parse(currency).ok()?;
        Some((Uuid::parse_str(account).ok()?, currency.to_string()))
    });
    if after.is_none() && !body.page_token.is_empty() {
        violations.add("page_token", "INVALID_PAGE_TOKEN", "is no token of this method");
    }
    let asked = account.zip(legal_entity).zip(zone).map(|((account, legal_entity), zone)| Asked {
        account,
        legal_entity,
        as_of: as_of.unwrap_or_else(|| zone.day_of(cx.now)),
        zone,
        size,
        after,
    });
    violations.into_result(asked)
}
