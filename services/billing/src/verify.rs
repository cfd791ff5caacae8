//! `VerifyChain`: reads the documents of a series in their order and follows the chain; then compares its end with how far
//! the series says it has come, so that the last ones cannot be taken away either.

use std::collections::HashSet;

use sqlx::{AssertSqlSafe, postgres::PgRow};
use trato_platform::{
    App,
    db::{
        Database, Record, Resource, Tx, from_sqlx,
        statement::{Statements, column_list},
    },
};
use trato_proto::billing::v1::{self as pb, verify_chain_response};
use trato_types::{Context, Error, Id, Kind, Result, Violations, error::FieldError as _, text::line};

use crate::{
    chain::{Chained, Fault, Hash, Walk},
    credit_note::CreditNote,
    invoice::Invoice,
    lookup::living,
    number_series::{DocumentKind, NumberSeries},
};

/// Most documents that one call looks at.
const MOST: i64 = 10_000;
/// Documents read at once.
const PAGE: i64 = 500;

/// Follows the chains of series.
pub struct Chains {
    database: Database,
    number_series: Statements,
}

impl Chains {
    /// Over the app's database.
    pub fn new(app: &App) -> Self {
        Self { database: app.database.clone(), number_series: Statements::of::<NumberSeries>() }
    }

    /// Follows the part of a chain that is asked for.
    pub async fn verify(
        &self,
        cx: &Context,
        body: &pb::VerifyChainRequest,
    ) -> Result<pb::VerifyChainResponse> {
        let (period, range) = parse(body)?;
        let series = Id::<NumberSeries>::parse(&body.number_series)
            .map_err(|error| Error::invalid("number_series", error.reason(), error.to_string()))?;
        let mut tx = Tx::of(&self.database, cx).await?;
        let refused = |reason, message: &'static str| {
            Error::new(Kind::Precondition, reason, message).with("number_series", &body.number_series)
        };
        let found =
            living::<NumberSeries>(&mut tx, &self.number_series, HashSet::from([series.uuid()])).await?;
        let found = found.into_values().next();
        let found = found.ok_or_else(|| refused("SERIES_NOT_FOUND", "there is no such number series"))?;
        if !found.gap_free {
            return Err(refused("SERIES_NOT_CHAINED", "the series is not gap-free"));
        }
        match found.document_kind {
            DocumentKind::Invoice => follow::<Invoice>(&mut tx, series, &period, range).await,
            DocumentKind::CreditNote => follow::<CreditNote>(&mut tx, series, &period, range).await,
        }
    }
}

async fn follow<T: Resource + Chained>(
    tx: &mut Tx,
    series: Id<NumberSeries>,
    period: &str,
    (first, last): (i64, i64),
) -> Result<pb::VerifyChainResponse> {
    // Read before the documents: what is issued meanwhile lies beyond it.
    let (end, end_hash) = counter(tx, series, period).await?;
    let last = last.min(end);
    let until = last.min(first.saturating_add(MOST - 1));
    let mut walk = Walk::from(first);
    while walk.ordinal <= until {
        let page = read::<T>(tx, series, period, walk.ordinal, until).await?;
        for record in &page {
            if let Some(fault) = walk.step(record.id, &record.value)? {
                return Ok(faulty(&walk, fault));
            }
        }
        if page.is_empty() {
            return Ok(faulty(&walk, Fault::Missing));
        }
    }
    if until == end && walk.previous.is_some_and(|hash| hash != end_hash) {
        return Ok(faulty(&Walk { ordinal: until, ..walk }, Fault::Unchained));
    }
    let next_ordinal = if until < last { until + 1 } else { 0 };
    Ok(pb::VerifyChainResponse { verified: walk.verified, next_ordinal, ..Default::default() })
}

/// The period, and the first and last place in it, that are asked for.
fn parse(body: &pb::VerifyChainRequest) -> Result<(String, (i64, i64))> {
    let mut violations = Violations::new();
    let period = violations.keep("period", line(&body.period, 20));
    for (field, ordinal) in [("first_ordinal", body.first_ordinal), ("last_ordinal", body.last_ordinal)] {
        if ordinal < 0 {
            violations.add(field, "OUT_OF_RANGE", "must not be negative");
        }
    }
    let last = if body.last_ordinal == 0 { i64::MAX } else { body.last_ordinal };
    violations.into_result(period.map(|period| (period, (body.first_ordinal.max(1), last))))
}

async fn counter(tx: &mut Tx, series: Id<NumberSeries>, period: &str) -> Result<(i64, Hash)> {
    let tenant = tx.cx().tenant;
    let row: Option<(i64, Option<Vec<u8>>)> = sqlx::query_as(
        "select last_ordinal, last_hash from series_counter where tenant_id = $1 and series = $2 and period = $3",
    )
    .bind(tenant)
    .bind(series.uuid())
    .bind(period)
    .fetch_optional(tx.connection())
    .await
    .map_err(from_sqlx)?;
    let (end, hash) = row.unwrap_or_default();
    Ok((end, hash.and_then(|bytes| bytes.try_into().ok()).map_or(Hash::START, Hash)))
}

async fn read<T: Resource>(
    tx: &mut Tx,
    series: Id<NumberSeries>,
    period: &str,
    from: i64,
    until: i64,
) -> Result<Vec<Record<T>>> {
    let tenant = tx.cx().tenant;
    // Only names that the service itself lists.
    let sql = format!(
        "select {} from {} document where tenant_id = $1 and number_series = $2 and period = $3
           and ordinal between $4 and $5
         order by ordinal
         limit $6",
        column_list::<T>("document"),
        T::TABLE
    );
    let rows: Vec<PgRow> = sqlx::query(AssertSqlSafe(sql))
        .bind(tenant)
        .bind(series.uuid())
        .bind(period)
        .bind(from)
        .bind(until)
        .bind(PAGE)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    rows.iter().map(Record::read).collect()
}

fn faulty(walk: &Walk, fault: Fault) -> pb::VerifyChainResponse {
    let fault = match fault {
        Fault::Missing => verify_chain_response::Fault::Missing,
        Fault::Changed => verify_chain_response::Fault::Changed,
        Fault::Unchained => verify_chain_response::Fault::Unchained,
    };
    pb::VerifyChainResponse {
        verified: walk.verified,
        fault: fault.into(),
        fault_ordinal: walk.ordinal,
        next_ordinal: 0,
    }
}
