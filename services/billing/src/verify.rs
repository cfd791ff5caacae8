//! `VerifyChain`: reads the documents of a series in their order and follows the chain; then compares its end with how far
//! the series says it has come, so that the last ones cannot be taken away alone. Who owns the database can make all of it
//! anew, with other hashes: only those that are kept elsewhere, such as in the events, tell then.

use std::collections::HashSet;

use prost::Message as _;
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
/// Most bytes of documents that one call looks at, but for its last page.
const MOST_BYTES: usize = 64 << 20;
/// Documents read at once. One can have 1,000 lines.
const PAGE: i64 = 20;

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
        let asked = parse(body)?;
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
        let answer = match found.document_kind {
            DocumentKind::Invoice => follow::<Invoice>(&mut tx, series, &asked).await,
            DocumentKind::CreditNote => follow::<CreditNote>(&mut tx, series, &asked).await,
        }?;
        tx.roll_back().await?;
        Ok(answer)
    }
}

/// The part of a chain that is asked for.
struct Asked {
    period: String,
    first: i64,
    last: i64,
    most: i64,
}

async fn follow<T: Resource + Chained>(
    tx: &mut Tx,
    series: Id<NumberSeries>,
    asked: &Asked,
) -> Result<pb::VerifyChainResponse> {
    // Read before the documents: what is issued meanwhile lies beyond it.
    let (end, end_hash) = counter(tx, series, &asked.period).await?;
    let last = asked.last.min(end);
    if asked.first > end {
        return Ok(pb::VerifyChainResponse::default());
    }
    let mut walk = match before::<T>(tx, series, asked).await? {
        Ok(previous) => Walk::from(asked.first, previous),
        Err(fault) => return Ok(faulty(&Walk::from(asked.first - 1, Hash::START), fault)),
    };
    let until = last.min(asked.first.saturating_add(asked.most - 1));
    let mut bytes = 0;
    while walk.ordinal <= until && bytes < MOST_BYTES {
        let page = read::<T>(tx, series, &asked.period, walk.ordinal, until).await?;
        for record in &page {
            bytes += T::render(record).encoded_len();
            if let Some(fault) = walk.step(record.id, &record.value)? {
                return Ok(faulty(&walk, fault));
            }
        }
        if page.is_empty() {
            return Ok(faulty(&walk, Fault::Missing));
        }
    }
    if walk.ordinal > end && end_hash != Some(walk.previous) {
        return Ok(faulty(&Walk { ordinal: end, ..walk }, Fault::Unchained));
    }
    let next_ordinal = if walk.ordinal <= last { walk.ordinal } else { 0 };
    Ok(pb::VerifyChainResponse { verified: walk.verified, next_ordinal, ..Default::default() })
}

/// What the first document that is asked for follows on: the hash of the one before it, as it is stored.
async fn before<T: Resource + Chained>(
    tx: &mut Tx,
    series: Id<NumberSeries>,
    asked: &Asked,
) -> Result<Result<Hash, Fault>> {
    if asked.first == 1 {
        return Ok(Ok(Hash::START));
    }
    let ordinal = asked.first - 1;
    let found = read::<T>(tx, series, &asked.period, ordinal, ordinal).await?;
    let Some(record) = found.first() else { return Ok(Err(Fault::Missing)) };
    Ok(record.value.hashes().map(|(_, own)| own).ok_or(Fault::Changed))
}

/// The part that is asked for, or every violation.
fn parse(body: &pb::VerifyChainRequest) -> Result<Asked> {
    let mut violations = Violations::new();
    let period = violations.keep("period", line(&body.period, 20));
    let most = i64::from(body.max_documents);
    for (field, number) in
        [("first_ordinal", body.first_ordinal), ("last_ordinal", body.last_ordinal), ("max_documents", most)]
    {
        if number < 0 {
            violations.add(field, "OUT_OF_RANGE", "must not be negative");
        }
    }
    let last = if body.last_ordinal == 0 { i64::MAX } else { body.last_ordinal };
    let most = if most == 0 { MOST } else { most.min(MOST) };
    let first = body.first_ordinal.max(1);
    violations.into_result(period.map(|period| Asked { period, first, last, most }))
}

async fn counter(tx: &mut Tx, series: Id<NumberSeries>, period: &str) -> Result<(i64, Option<Hash>)> {
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
    Ok((end, hash.map(Hash::try_from).transpose()?))
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
