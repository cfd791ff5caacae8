//! `ListAccessRecords`: pages of a tenant's records, of one resource where one is named.

use serde::Serialize;
use sqlx::{
    Arguments as _, AssertSqlSafe, FromRow, Row as _,
    postgres::{PgArguments, PgRow},
};
use tonic::Request;
use trato_contract::access::v1::{AccessRecord, ListAccessRecordsRequest, ListAccessRecordsResponse};
use trato_query::{Field, Listing, ListingRequest, Value, choice, text, timestamp};
use trato_types::{Context, Error, Result, Scope, Timestamp};
use uuid::Uuid;

use crate::{
    access::require_name,
    db::{Database, Pool, from_sqlx, statement::SET_TENANT},
    descriptors::subjects::whole,
    standard::{Reply, answer, bind},
};

/// What records can be filtered and sorted by.
const FIELDS: &[Field] = &[
    text("actor"),
    text("method"),
    choice("operation", &["READ", "CHANGE"]),
    text("purpose").nullable(),
    choice("outcome", &["OK", "NOT_FOUND", "PERMISSION_DENIED"]),
    text("request_id").nullable(),
    text("trace_id").nullable(),
    timestamp("create_time").sortable(),
];

/// Most records of a page, for one may name a thousand resources.
const MAX_PAGE_SIZE: i32 = 200;
/// Bytes of names after which a page ends; messages end at four megabytes.
const MAX_NAME_BYTES: usize = 2 << 20;

/// A record as it is stored.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    pub id: Uuid,
    pub create_time: Timestamp,
    pub actor: String,
    pub method: String,
    pub operation: String,
    pub purpose: Option<String>,
    pub outcome: String,
    pub resources: Vec<String>,
    pub request_id: Option<String>,
    pub trace_id: Option<String>,
}

impl<'r> FromRow<'r, PgRow> for Row {
    fn from_row(row: &'r PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            create_time: row.try_get("create_time")?,
            actor: row.try_get("actor")?,
            method: row.try_get("method")?,
            operation: row.try_get("operation")?,
            purpose: row.try_get("purpose")?,
            outcome: row.try_get("outcome")?,
            resources: row.try_get("resources")?,
            request_id: row.try_get("request_id")?,
            trace_id: row.try_get("trace_id")?,
        })
    }
}

/// The columns of a `Row`.
pub(super) const COLUMNS: &str = "r.id, r.create_time, r.actor, r.method, r.operation, r.purpose, r.outcome, \
     r.resources, r.request_id, r.trace_id";

/// The tenant's records `r` and the condition that makes them so; only those of a resource, which is the parameter of the
/// given number and else null.
pub(super) fn source(is_of_resource: bool, parameter: usize) -> String {
    let (source, resource) = if is_of_resource {
        (format!("platform.access_records_of(c.tenant::uuid, ${parameter})"), "true".to_owned())
    } else {
        ("platform.access_record".to_owned(), format!("${parameter}::text is null"))
    };
    format!("{source} r where r.tenant_id = c.tenant::uuid and {resource}")
}

/// Answers a page. With a scope narrower than ALL, of what the caller itself did.
pub async fn list(
    database: &Database,
    request: Request<ListAccessRecordsRequest>,
) -> Reply<ListAccessRecordsResponse> {
    answer(request, async |cx, body| {
        if !body.resource.is_empty() {
            require_name("resource", &body.resource)?;
        }
        let resource = whole(&body.resource);
        let listing = Listing::parse(&ListingRequest {
            fields: &[FIELDS],
            filter: &body.filter,
            order_by: if body.order_by.trim().is_empty() { "create_time desc" } else { &body.order_by },
            page_size: body.page_size.min(MAX_PAGE_SIZE),
            page_token: &body.page_token,
            binding: &[&cx.tenant.to_string(), "accessRecords", resource],
            now: cx.now,
        })?;
        page(&listing, read(&database.pool, cx, resource, &listing).await?)
    })
    .await
}

async fn read(pool: &Pool, cx: &Context, resource: &str, listing: &Listing) -> Result<Vec<Row>> {
    let actor = match cx.scope {
        Scope::All => None,
        Scope::Own | Scope::Team => Some(cx.actor.to_string()),
    };
    let mut arguments = PgArguments::default();
    arguments.add(cx.tenant.to_string()).map_err(Error::internal)?;
    arguments.add(actor).map_err(Error::internal)?;
    arguments.add(listing.limit()).map_err(Error::internal)?;
    let named = Some(resource.to_owned()).filter(|resource| !resource.is_empty());
    arguments.add(named).map_err(Error::internal)?;
    let condition = listing.condition("r", 5);
    for value in condition.values {
        bind(&mut arguments, value)?;
    }
    let sql = format!(
        "{SET_TENANT} select found.* from c, lateral (select {COLUMNS} from {source} \
         and ($2::text is null or r.actor = $2) and {filter} \
         order by {inner_order} limit $3) found order by {outer_order} limit $3",
        source = source(!resource.is_empty(), 4),
        filter = condition.sql,
        inner_order = listing.order_sql("r"),
        outer_order = listing.order_sql("found"),
    );
    // The text holds constants and placeholders only: the columns above and the fragments of trato-query.
    sqlx::query_as_with(AssertSqlSafe(sql), arguments).fetch_all(pool).await.map_err(from_sqlx)
}

/// The rows of a page and the token of the next one. A page ends early where its records name many resources.
fn page(listing: &Listing, rows: Vec<Row>) -> Result<ListAccessRecordsResponse> {
    let read = rows.len();
    let mut bytes = 0;
    let fits = |row: &Row| {
        let fits = bytes < MAX_NAME_BYTES;
        bytes += row.resources.iter().map(String::len).sum::<usize>();
        fits
    };
    let shown: Vec<Row> = rows.into_iter().take(listing.page_size()).take_while(fits).collect();
    let next_page_token = match shown.last() {
        Some(last) if read > shown.len() => {
            let keys = listing.sort_keys().iter().map(|_| Some(Value::Timestamp(last.create_time)));
            listing.next_page_token(&keys.collect::<Vec<_>>(), last.id)
        }
        _ => String::new(),
    };
    Ok(ListAccessRecordsResponse { access_records: shown.into_iter().map(render).collect(), next_page_token })
}

fn render(row: Row) -> AccessRecord {
    let nanos = i32::try_from(row.create_time.timestamp_subsec_nanos()).unwrap_or_default();
    AccessRecord {
        record_id: row.id.to_string(),
        create_time: Some(prost_types::Timestamp { seconds: row.create_time.timestamp(), nanos }),
        actor: row.actor,
        method: row.method,
        operation: row.operation,
        purpose: row.purpose.unwrap_or_default(),
        outcome: row.outcome,
        resources: row.resources,
        request_id: row.request_id.unwrap_or_default(),
        trace_id: row.trace_id.unwrap_or_default(),
    }
}
