//! `QueryCartAbandonment`: which carts are counted, the one statement that does it, and the figures on the wire.

use sqlx::{Arguments as _, AssertSqlSafe, Row as _, postgres::PgArguments, types::Json};
use trato_platform::{
    db::{
        Database, Resource as _, Tx, from_sqlx,
        statement::{bind_scope, scope_condition},
    },
    standard::bind,
};
use trato_proto::{
    sales::v1::{self as pb, query_cart_abandonment_response::Figure},
    wire,
};
use trato_query::{Filter, STANDARD};
use trato_types::{Context, Error, Result, Timestamp, Violations};

use super::{
    figures::{Slice, Tally, open},
    model::{Cart, Step},
    render::render_step,
};
use crate::funnel::rate;

const SQL: &str = include_str!("../../sql/query_cart_abandonment.sql");
/// Where the conditions of the caller go; as they stand there, they admit everything.
const SCOPE: &str = "$2::text is null /* scope */";
const FILTER: &str = "true /* filter */";
/// The first placeholder of the filter.
const FIRST: usize = 5;

/// Which carts are counted.
#[derive(Clone, Debug)]
pub struct Question {
    start_time: Option<Timestamp>,
    end_time: Option<Timestamp>,
    filter: Filter,
}

/// What was counted.
#[derive(Clone, Debug)]
pub struct Answer {
    read_time: Timestamp,
    slices: Vec<Slice>,
}

impl Question {
    /// Reads a request, or lists every violation.
    pub fn parse(request: &pb::QueryCartAbandonmentRequest) -> Result<Self> {
        let mut violations = Violations::new();
        let start_time = parse_time(request.start_time.as_ref(), "start_time", &mut violations);
        let end_time = parse_time(request.end_time.as_ref(), "end_time", &mut violations);
        if start_time.zip(end_time).is_some_and(|(start, end)| end < start) {
            violations.add("end_time", "END_BEFORE_START", "must not be before start_time");
        }
        let filter = violations.absorb("", Filter::parse(&[Cart::FIELDS, STANDARD], &request.filter))?;
        let filter = violations.into_result(filter)?;
        Ok(Self { start_time, end_time, filter })
    }

    /// Counts what the caller's scope admits.
    pub async fn ask(&self, database: &Database, cx: &Context) -> Result<Answer> {
        let filter = self.filter.condition("r", FIRST);
        let scope = scope_condition::<Cart>(cx.scope, "r", 2);
        let sql = SQL.replace(SCOPE, &scope).replace(FILTER, &filter.sql);

        let mut arguments = PgArguments::default();
        arguments.add(cx.tenant).map_err(Error::internal)?;
        bind_scope(cx, &mut arguments)?;
        arguments.add(self.start_time).map_err(Error::internal)?;
        arguments.add(self.end_time).map_err(Error::internal)?;
        for value in filter.values {
            bind(&mut arguments, value)?;
        }
        // The transaction sets the tenant for the table of the statement.
        let mut tx = Tx::begin(&database.pool, cx).await?;
        // The text holds constants and placeholders only: the file, and the fragments of the platform and trato-query.
        let row = sqlx::query_with(AssertSqlSafe(sql), arguments)
            .fetch_one(tx.connection())
            .await
            .map_err(from_sqlx)?;
        tx.roll_back().await?;
        let slices: Json<Vec<Slice>> = row.try_get(1).map_err(from_sqlx)?;
        Ok(Answer { read_time: row.try_get(0).map_err(from_sqlx)?, slices: slices.0 })
    }
}

impl Answer {
    /// The figures as clients get them.
    pub fn render(&self) -> pb::QueryCartAbandonmentResponse {
        let figure = |step| render_figure(step, Tally::of(&self.slices, step));
        pb::QueryCartAbandonmentResponse {
            steps: Step::ALL.into_iter().map(|step| figure(Some(step))).collect(),
            total: Some(figure(None)),
            open_count: open(&self.slices),
            read_time: Some(wire::timestamp(self.read_time)),
        }
    }
}

fn render_figure(step: Option<Step>, tally: Tally) -> Figure {
    Figure {
        step: step.map_or(0, |step| render_step(step).into()),
        reached_count: tally.reached,
        checked_out_count: tally.checked_out,
        abandoned_count: tally.abandoned,
        recovered_count: tally.recovered,
        checkout_rate: rate(tally.checked_out, tally.reached),
        abandonment_rate: rate(tally.abandoned, tally.reached),
        recovery_rate: rate(tally.recovered, tally.abandoned),
    }
}

fn parse_time(
    time: Option<&prost_types::Timestamp>,
    field: &str,
    violations: &mut Violations,
) -> Option<Timestamp> {
    time.and_then(|time| violations.keep(field, wire::parse_timestamp(time)))
}
