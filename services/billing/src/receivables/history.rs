//! What an account paid, and how long it takes to.

use std::collections::HashMap;

use trato_platform::db::{Database, Tx, from_sqlx};
use trato_proto::{billing::v1 as pb, wire};
use trato_types::{Context, Currency, Date, Error, Id, Minor, Ref, Result, Violations};
use uuid::Uuid;

use crate::{fields::day, foreign::Account, invoice::Invoice, legal_entity::TimeZone, payment::Payment};

/// Payments of an answer, unless said.
const PAGE: i32 = 50;
/// Most payments of an answer.
const MOST: i32 = 1000;

/// How long an account takes to pay.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Figures {
    /// Invoices that were paid by a payment.
    pub count: i64,
    /// Those that were due before.
    pub late: i64,
    /// Days from issue to payment, in hundredths, by amounts.
    pub days_to_pay: i64,
    /// Days from the day it was due to payment, in hundredths, by amounts; below zero when early.
    pub days_late: i64,
}

/// The figures of an account as far as was known on a day.
pub async fn figures(tx: &mut Tx, account: Ref<Account>, as_of: Date) -> Result<Figures> {
    let tenant = tx.cx().tenant;
    let (count, late, days_to_pay, days_late) =
        sqlx::query_as(include_str!("../../sql/describe_payments.sql"))
            .bind(tenant)
            .bind(account.uuid())
            .bind(as_of)
            .fetch_one(tx.connection())
            .await
            .map_err(from_sqlx)?;
    Ok(Figures { count, late, days_to_pay, days_late })
}

/// What is asked for.
pub async fn query(
    database: &Database,
    cx: &Context,
    body: &pb::QueryPaymentHistoryRequest,
) -> Result<pb::QueryPaymentHistoryResponse> {
    let Asked { account, as_of, size, after } = parse(cx, body)?;
    let (after_date, after) = after.unzip();
    let mut tx = Tx::of(database, cx).await?;
    let figures = figures(&mut tx, account, as_of).await?;
    let rows: Vec<(Uuid, Date, String, i64, i64)> =
        sqlx::query_as(include_str!("../../sql/list_payments_until.sql"))
            .bind(cx.tenant)
            .bind(account.uuid())
            .bind(as_of)
            .bind(i64::from(size) + 1)
            .bind(after_date)
            .bind(after)
            .fetch_all(tx.connection())
            .await
            .map_err(from_sqlx)?;
    let shown = usize::try_from(size).unwrap_or_default().min(rows.len());
    let next_page_token = match rows[..shown].last() {
        Some((id, date, ..)) if rows.len() > shown => format!("{date}/{id}"),
        _ => String::new(),
    };
    let ids = rows.iter().take(shown).map(|(id, ..)| *id).collect();
    let mut paid = allocations(&mut tx, ids, as_of).await?;
    tx.roll_back().await?;
    let mut payments = Vec::with_capacity(shown);
    for (id, date, currency, amount, left) in rows.into_iter().take(shown) {
        let currency = Currency::parse(&currency).map_err(Error::internal)?;
        let money = |amount: i64| Some(wire::money(Minor(amount), currency));
        let paid = paid.remove(&id).unwrap_or_default();
        let allocated: i64 = paid.iter().map(|(_, amount)| amount).sum();
        let allocation = |(invoice, amount)| pb::payment::Allocation {
            invoice: Id::<Invoice>::from_uuid(invoice).name(),
            amount: money(amount),
        };
        payments.push(pb::query_payment_history_response::Entry {
            payment: Id::<Payment>::from_uuid(id).name(),
            date: Some(wire::date(date)),
            amount: money(amount),
            returned: money(amount - left - allocated),
            unallocated: money(left),
            allocations: paid.into_iter().map(allocation).collect(),
        });
    }
    Ok(pb::QueryPaymentHistoryResponse {
        account: account.name(),
        payments,
        average_hundredth_days_to_pay: figures.days_to_pay,
        average_hundredth_days_late: figures.days_late,
        allocation_count: figures.count,
        late_count: figures.late,
        next_page_token,
    })
}

/// What payments had paid of which invoice by a day.
async fn allocations(
    tx: &mut Tx,
    payments: Vec<Uuid>,
    as_of: Date,
) -> Result<HashMap<Uuid, Vec<(Uuid, i64)>>> {
    let tenant = tx.cx().tenant;
    let rows: Vec<(Uuid, Uuid, i64)> = sqlx::query_as(
        "select allocation.payment, allocation.invoice, sum(allocation.amount)::bigint
         from allocation
         where allocation.tenant_id = $1 and allocation.payment = any($2) and allocation.date <= $3
         group by allocation.payment, allocation.invoice
         having sum(allocation.amount) <> 0
         order by allocation.payment, allocation.invoice",
    )
    .bind(tenant)
    .bind(payments)
    .bind(as_of)
    .fetch_all(tx.connection())
    .await
    .map_err(from_sqlx)?;
    let mut found: HashMap<Uuid, Vec<(Uuid, i64)>> = HashMap::new();
    for (payment, invoice, amount) in rows {
        found.entry(payment).or_default().push((invoice, amount));
    }
    Ok(found)
}

struct Asked {
    account: Ref<Account>,
    as_of: Date,
    size: i32,
    after: Option<(Date, Uuid)>,
}

fn parse(cx: &Context, body: &pb::QueryPaymentHistoryRequest) -> Result<Asked> {
    let mut violations = Violations::new();
    let account = violations.keep("account", Ref::parse(&body.account));
    let as_of = body.as_of.as_ref().and_then(|date| violations.keep("as_of", wire::parse_date(date)));
    if body.page_size < 0 {
        violations.add("page_size", "INVALID_PAGE_SIZE", "must not be negative");
    }
    let size = if body.page_size == 0 { PAGE } else { body.page_size.min(MOST) };
    let as_of = as_of.unwrap_or_else(|| TimeZone::FIRST.day_of(cx.now));
    let after = body.page_token.split_once('/');
    let after = after.and_then(|(date, id)| Some((day(date)?, Uuid::parse_str(id).ok()?)));
    if after.is_none() && !body.page_token.is_empty() {
        violations.add("page_token", "INVALID_PAGE_TOKEN", "is no token of this method");
    }
    violations.into_result(account.map(|account| Asked { account, as_of, size, after }))
}
