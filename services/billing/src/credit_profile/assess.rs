//! How an account stands: what it owes and has ordered against its limit, and how well it has paid.

use trato_platform::db::{Database, Tx, from_sqlx};
use trato_proto::{
    billing::v1::{
        self as pb,
        assess_credit_response::{factor::Code, part},
    },
    wire,
};
use trato_types::{Context, Currency, Error, Minor, Ref, Result, Violations};

use super::{
    exposure::{Kind, Limit, exposure, limit_of},
    model::ExposureBasis,
    score,
};
use crate::{books::rate, foreign::Account, legal_entity::TimeZone, receivables::figures};

/// How the account that is asked for stands.
pub async fn assess(
    database: &Database,
    cx: &Context,
    body: &pb::AssessCreditRequest,
) -> Result<pb::AssessCreditResponse> {
    let (account, currency) = parse(body)?;
    let mut tx = Tx::of(database, cx).await?;
    let limit = limit_of(&mut tx, account).await?;
    let currency = currency.or(limit.amount.map(|(_, currency)| currency));
    let currency = currency.ok_or_else(|| {
        Error::invalid("currency_code", "REQUIRED", "is required where the account has no limit")
    })?;
    let exposure = exposure(&mut tx, account, currency).await?;
    let counted = exposure.counted(limit.basis)?;
    let limited = converted(&mut tx, &limit, currency).await?;
    let (score, factors) = record(&mut tx, account).await?.score();
    tx.roll_back().await?;
    let money = |amount| Some(wire::money(amount, currency));
    let factor = |factor: score::Factor| pb::assess_credit_response::Factor {
        code: Code::from_str_name(factor.code).unwrap_or_default().into(),
        points: factor.points,
        description: factor.description,
    };
    let parts = exposure.parts(limit.basis).map(|part| pb::assess_credit_response::Part {
        kind: render_kind(part.kind).into(),
        amount: money(part.amount),
        counts: part.counts,
    });
    Ok(pb::AssessCreditResponse {
        account: account.name(),
        credit_limit: limited.and_then(money),
        hold: limit.hold,
        reserved: money(exposure.reserved()?),
        invoiced: money(exposure.invoiced),
        unallocated: money(exposure.unallocated),
        exposure: money(counted),
        available: limited.and_then(|limit| money(Minor(limit.0.saturating_sub(counted.0)))),
        score,
        factors: factors.into_iter().map(factor).collect(),
        exposure_basis: render_basis(limit.basis).into(),
        parts: parts.into(),
    })
}

fn parse(body: &pb::AssessCreditRequest) -> Result<(Ref<Account>, Option<Currency>)> {
    let mut violations = Violations::new();
    let account = violations.keep("account", Ref::parse(&body.account));
    let currency = match body.currency_code.as_str() {
        "" => Some(None),
        code => violations.keep("currency_code", Currency::parse_existing(code)).map(Some),
    };
    violations.into_result(account.zip(currency))
}

/// The limit in a currency, by the rate of today.
async fn converted(tx: &mut Tx, limit: &Limit, into: Currency) -> Result<Option<Minor>> {
    let Some((amount, own)) = limit.amount else { return Ok(None) };
    let today = TimeZone::UTC.day_of(tx.cx().now);
    let rate = rate(tx, own, into, today, "").await?;
    Ok(Some(trato_pricing::convert(amount, own, into, rate)?))
}

/// What is known of how an account pays.
async fn record(tx: &mut Tx, account: Ref<Account>) -> Result<score::Record> {
    let (tenant, today) = (tx.cx().tenant, TimeZone::UTC.day_of(tx.cx().now));
    let figures = figures(tx, account, TimeZone::FIRST.day_of(tx.cx().now)).await?;
    let (overdue, written_off, charged_back) = sqlx::query_as(include_str!("../../sql/count_failures.sql"))
        .bind(tenant)
        .bind(account.uuid())
        .bind(today)
        .fetch_one(tx.connection())
        .await
        .map_err(from_sqlx)?;
    Ok(score::Record { figures, overdue, written_off, charged_back })
}

/// A basis on the wire.
pub fn render_basis(basis: ExposureBasis) -> pb::credit_profile::ExposureBasis {
    match basis {
        ExposureBasis::Order => pb::credit_profile::ExposureBasis::Order,
        ExposureBasis::Delivery => pb::credit_profile::ExposureBasis::Delivery,
        ExposureBasis::Invoice => pb::credit_profile::ExposureBasis::Invoice,
    }
}

fn render_kind(kind: Kind) -> part::Kind {
    match kind {
        Kind::Ordered => part::Kind::Ordered,
        Kind::Delivered => part::Kind::Delivered,
        Kind::Invoiced => part::Kind::Invoiced,
        Kind::Unallocated => part::Kind::Unallocated,
    }
}
