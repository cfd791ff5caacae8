//! `ListX`: keyset pages of what the caller's scope admits, filtered and ordered by declared fields.

use sqlx::{Arguments as _, AssertSqlSafe, Row as _, postgres::PgArguments, postgres::PgRow};
use tonic::Request;
use trato_query::{Listing, ListingRequest, STANDARD, SortKey, Type, Value};
use trato_types::{
    Context, Error, Result, Scope,
    standard::{ListRequest, ListResponse},
};
use uuid::Uuid;

use super::{Reply, Store, answer};
use crate::db::{
    Record, Resource, from_sqlx, recorded,
    statement::{SET_TENANT, bind_scope, column_list, scope_condition},
};

/// Narrows a list to the children of one parent.
#[derive(Clone, Copy, Debug)]
pub struct Within {
    /// A condition on the row `r`; `$4` is the parent's identifier.
    pub condition: &'static str,
    /// The parent.
    pub parent: Uuid,
}

impl<T: Resource> Store<T> {
    /// `ListX` of a top-level collection.
    pub async fn list<R, P>(&self, request: Request<R>) -> Reply<P>
    where
        R: ListRequest<Message = T::Message>,
        P: ListResponse<T::Message>,
    {
        answer(request, async |cx, body| self.list_within(cx, &body, None).await).await
    }

    /// One page, narrowed to a parent where there is one.
    pub async fn list_within<R, P>(&self, cx: &Context, body: &R, within: Option<Within>) -> Result<P>
    where
        R: ListRequest<Message = T::Message>,
        P: ListResponse<T::Message>,
    {
        let (tenant, show_deleted) = (cx.tenant.to_string(), body.show_deleted());
        let listing = Listing::parse(&ListingRequest {
            fields: &[T::FIELDS, STANDARD],
            filter: body.filter(),
            order_by: body.order_by(),
            page_size: body.page_size(),
            page_token: body.page_token(),
            binding: &[&tenant, T::COLLECTION, body.parent(), if show_deleted { "deleted" } else { "" }],
            now: cx.now,
        })?;
        let (sql, arguments) = statement::<T>(cx, &listing, show_deleted, within)?;
        // The text holds constants and placeholders only: columns of `T` and the fragments of trato-query.
        // Values are bound, so that a client's filters share one statement; the pool keeps the latest of them prepared.
        let statement = sqlx::query_with(AssertSqlSafe(sql), arguments);
        let rows = async { statement.fetch_all(&self.database.pool).await.map_err(from_sqlx) };
        let rows = recorded(cx, "select", T::TABLE, rows).await?;
        page::<T, P>(&listing, &rows)
    }
}

fn statement<T: Resource>(
    cx: &Context,
    listing: &Listing,
    show_deleted: bool,
    within: Option<Within>,
) -> Result<(String, PgArguments)> {
    let mut arguments = PgArguments::default();
    arguments.add(cx.tenant.to_string()).map_err(Error::internal)?;
    bind_scope(cx, &mut arguments)?;
    arguments.add(listing.limit()).map_err(Error::internal)?;
    arguments.add(within.map(|within| within.parent)).map_err(Error::internal)?;
    let ranges = listing.ranges("r", 5);
    let values: Vec<Value> = ranges.iter().flat_map(|range| range.condition.values.clone()).collect();
    for value in values {
        bind(&mut arguments, value)?;
    }
    // One index range per team, merged: a single `team = any(…)` could not keep the order of the index.
    let (teams, scope) = match cx.scope {
        Scope::Team if T::OWNABLE => {
            (", unnest($2::uuid[]) as member_of (team)", "r.team = member_of.team".to_owned())
        }
        scope => ("", scope_condition::<T>(scope, "r", 2)),
    };
    let columns = column_list::<T>("r");
    let within = within.map_or("$4::uuid is null", |within| within.condition);
    let living = if show_deleted { "true" } else { "r.delete_time is null" };
    let outer_order = listing.order_sql("found");
    // Several ranges of one index, each read in order and merged, where one condition could not use the index.
    let selects = ranges.iter().map(|range| {
        format!(
            "(select {columns} from {table} r where r.tenant_id = c.tenant::uuid and {scope} and {within} \
             and {living} and {range} order by {order} limit $3)",
            table = T::TABLE,
            range = range.condition.sql,
            order = range.order,
        )
    });
    let sql = format!(
        "{SET_TENANT} select found.* from c{teams}, lateral ({}) found order by {outer_order} limit $3",
        selects.collect::<Vec<_>>().join(" union all ")
    );
    Ok((sql, arguments))
}

fn page<T: Resource, P: ListResponse<T::Message>>(listing: &Listing, rows: &[PgRow]) -> Result<P> {
    let shown = &rows[..rows.len().min(listing.page_size())];
    let records = shown.iter().map(Record::<T>::read).collect::<Result<Vec<_>>>()?;
    let next_page_token = match (records.last(), shown.last()) {
        (Some(record), Some(row)) if rows.len() > shown.len() => {
            let keys =
                listing.sort_keys().iter().map(|key| key_value(row, key)).collect::<Result<Vec<_>>>()?;
            listing.next_page_token(&keys, record.id)
        }
        _ => String::new(),
    };
    Ok(P::page(records.iter().map(T::render).collect(), next_page_token))
}

/// Binds one value of a filter or page token.
pub fn bind(arguments: &mut PgArguments, value: Value) -> Result<()> {
    match value {
        Value::Text(text) => arguments.add(text),
        Value::Integer(number) => arguments.add(number),
        Value::Boolean(truth) => arguments.add(truth),
        Value::Uuid(id) => arguments.add(id),
        Value::Date(date) => arguments.add(date),
        Value::Timestamp(time) => arguments.add(time),
    }
    .map_err(Error::internal)
}

/// The value of a sort key in a row that was read.
pub fn key_value(row: &PgRow, key: &SortKey) -> Result<Option<Value>> {
    let column = key.field().column_name();
    let value = match key.field().kind() {
        Type::Text | Type::Choice(_) | Type::Member => {
            row.try_get::<Option<_>, _>(column).map(|text| text.map(Value::Text))
        }
        Type::Integer | Type::Minor => {
            row.try_get::<Option<_>, _>(column).map(|number| number.map(Value::Integer))
        }
        Type::Boolean => row.try_get::<Option<_>, _>(column).map(|truth| truth.map(Value::Boolean)),
        Type::Date => row.try_get::<Option<_>, _>(column).map(|date| date.map(Value::Date)),
        Type::Timestamp => row.try_get::<Option<_>, _>(column).map(|time| time.map(Value::Timestamp)),
        Type::Uuid | Type::Reference(_) => row.try_get::<Option<_>, _>(column).map(|id| id.map(Value::Uuid)),
    };
    value.map_err(from_sqlx)
}
