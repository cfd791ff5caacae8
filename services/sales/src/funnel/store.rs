//! The one question the funnel asks the database.

use sqlx::{Arguments as _, AssertSqlSafe, Row as _, postgres::PgArguments, types::Json};
use trato_platform::{
    db::{
        Database, Resource, Tx, from_sqlx,
        statement::{bind_scope, scope_condition},
    },
    standard::bind,
};
use trato_query::{Filter, STANDARD};
use trato_types::{Context, Date, Error, Id, Result, Timestamp};

use super::model::{Counted, Dimension};
use crate::{opportunity::Opportunity, pipeline::Pipeline};

/// Which opportunities are counted, and how they are split.
#[derive(Clone, Debug)]
pub struct Question {
    /// Only those that walk it.
    pub pipeline: Option<Id<Pipeline>>,
    /// What they are split by.
    pub dimension: Dimension,
    /// First close date counted.
    pub start_date: Option<Date>,
    /// Last close date counted.
    pub end_date: Option<Date>,
    /// Only those that meet it.
    pub filter: Filter,
}

impl Question {
    /// Parses a filter over the fields of opportunities.
    pub fn parse_filter(filter: &str) -> Result<Filter> {
        Filter::parse(&[Opportunity::FIELDS, STANDARD], filter)
    }
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// When it was counted.
    pub read_time: Timestamp,
    /// Into how many groups the opportunities fall; with more than `MAX_GROUPS` nothing is counted.
    pub groups: i64,
    /// The parts of all figures.
    pub counted: Counted,
}

/// Most groups of one answer.
pub const MAX_GROUPS: i64 = 1000;

const SQL: &str = include_str!("../../sql/query_funnel.sql");
/// Where the conditions of the caller go; as they stand there, they admit everything.
const SCOPE: &str = "$2::text is null /* scope */";
const FILTER: &str = "true /* filter */";
/// The first placeholder of the filter.
const FIRST: usize = 8;

/// Counts what the caller's scope admits.
pub async fn query(database: &Database, cx: &Context, question: &Question) -> Result<Found> {
    let filter = question.filter.condition("r", FIRST);
    let scope = scope_condition::<Opportunity>(cx.scope, "r", 2);
    let sql = SQL.replace(SCOPE, &scope).replace(FILTER, &filter.sql);

    let mut arguments = PgArguments::default();
    arguments.add(cx.tenant).map_err(Error::internal)?;
    bind_scope(cx, &mut arguments)?;
    arguments.add(question.pipeline.map(Id::uuid)).map_err(Error::internal)?;
    arguments.add(question.start_date).map_err(Error::internal)?;
    arguments.add(question.end_date).map_err(Error::internal)?;
    arguments.add(question.dimension.as_str()).map_err(Error::internal)?;
    arguments.add(MAX_GROUPS).map_err(Error::internal)?;
    for value in filter.values {
        bind(&mut arguments, value)?;
    }
    // The transaction sets the tenant for all the tables of the statement; one statement is one snapshot.
    let mut tx = Tx::begin(&database.pool, cx).await?;
    // The text holds constants and placeholders only: the file, and the fragments of the platform and trato-query.
    let row = sqlx::query_with(AssertSqlSafe(sql), arguments)
        .fetch_one(tx.connection())
        .await
        .map_err(from_sqlx)?;
    tx.roll_back().await?;
    let counted: Json<Counted> = row.try_get(2).map_err(from_sqlx)?;
    Ok(Found {
        read_time: row.try_get(0).map_err(from_sqlx)?,
        groups: row.try_get(1).map_err(from_sqlx)?,
        counted: counted.0,
    })
}

impl Dimension {
    /// The word by which the statement knows the dimension.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "",
            Self::Owner => "OWNER",
            Self::Team => "TEAM",
            Self::Region => "REGION",
            Self::Product => "PRODUCT",
            Self::CloseMonth => "CLOSE_MONTH",
            Self::CloseQuarter => "CLOSE_QUARTER",
        }
    }
}
