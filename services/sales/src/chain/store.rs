//! How chains that stand still are found among quotes, orders, delivery notes and returns.

use chrono::TimeDelta;
use sqlx::{
    Arguments as _, AssertSqlSafe, Row as _,
    postgres::{PgArguments, PgRow},
};
use trato_platform::{
    choice_column,
    db::{
        Column, Database, Tx, from_sqlx,
        statement::{bind_scope, scope_condition},
    },
    standard::{bind, key_value},
};
use trato_query::{Field, Listing, choice, member, reference, timestamp};
use trato_types::{Context, Error, Result, Timestamp};
use uuid::Uuid;

use super::model::{StalledChain, Wait};
use crate::order::Order;

choice_column!(Wait {
    Order = "ORDER",
    Confirmation = "CONFIRMATION",
    Release = "RELEASE",
    Delivery = "DELIVERY",
    Proof = "PROOF",
    Invoice = "INVOICE",
    Credit = "CREDIT",
    Settlement = "SETTLEMENT",
    Authorisation = "AUTHORISATION",
    Arrival = "ARRIVAL",
});

/// Fields to filter by.
pub const FIELDS: &[Field] = &[
    choice("waiting_for", Wait::NAMES).sortable(),
    timestamp("since").sortable(),
    reference("account", "accounts"),
    member("owner").nullable(),
    reference("team", "teams").nullable(),
];
/// The order of a list. A document that waits for two things is told apart by what it waits for.
pub const OLDEST_FIRST: &str = "since, waiting_for";

/// What a page is made of: its chains, and the token of the next one, empty on the last.
pub type Page = (Vec<StalledChain>, String);

/// One part for each thing that is waited for, with `BETWEEN` them.
const PARTS: &str = include_str!("../../sql/find_stalled_chains.sql");
const BETWEEN: &str = "\nunion all\n";
/// What each part answers.
const COLUMNS: &str = "waiting_for, tenant_id, id, document, since, owner, team, account, quote, order_id";
/// The page, and where the parts go.
const PAGE: &str = include_str!("../../sql/list_stalled_chains.sql");
const MARK: &str = "/* parts */";
/// The placeholder of the scope, and the first one of filter and page.
const SCOPE: usize = 5;
const FIRST: usize = 6;

/// One page of what has stood still for so long, as far as the caller's scope admits.
pub async fn list(
    database: &Database,
    cx: &Context,
    stalled_for: TimeDelta,
    listing: &Listing,
) -> Result<Page> {
    let condition = listing.condition("r", FIRST);
    // All documents have owner and team in columns of the same names.
    let scope = scope_condition::<Order>(cx.scope, "r", SCOPE);
    let order = listing.order_sql("r");
    // Each part is read in the order of an index of its own, no further than the page goes.
    let parts = PARTS.split(BETWEEN).map(|part| {
        format!(
            "(select r.* from ({part}) r ({COLUMNS}) where {scope} and {filter} order by {order} limit $4)",
            filter = condition.sql
        )
    });
    let parts = parts.collect::<Vec<_>>().join(" union all ");
    let parts = format!("select r.* from ({parts}) r order by {order} limit $4");
    let sql = PAGE.replace(MARK, &parts);

    let mut arguments = PgArguments::default();
    arguments.add(cx.tenant).map_err(Error::internal)?;
    arguments.add(cx.now - stalled_for).map_err(Error::internal)?;
    arguments.add(cx.now.date_naive()).map_err(Error::internal)?;
    arguments.add(listing.limit()).map_err(Error::internal)?;
    bind_scope(cx, &mut arguments)?;
    for value in condition.values {
        bind(&mut arguments, value)?;
    }
    // The transaction sets the tenant for all the tables of the statement.
    let mut tx = Tx::begin(&database.pool, cx).await?;
    // The text holds constants and placeholders only: the files, and the fragments of the platform and trato-query.
    let rows = sqlx::query_with(AssertSqlSafe(sql), arguments)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    tx.roll_back().await?;
    page(listing, &rows)
}

/// How many chains of all tenants have stood still for so long at a time, by what they wait for. What none waits for is left out.
pub async fn count(
    database: &Database,
    now: Timestamp,
    stalled_for: TimeDelta,
) -> Result<Vec<(String, i64)>> {
    let sql = format!(
        "select r.waiting_for, count(*) from ({PARTS}) r group by r.waiting_for order by r.waiting_for"
    );
    sqlx::query_as(AssertSqlSafe(sql))
        .bind(None::<Uuid>)
        .bind(now - stalled_for)
        .bind(now.date_naive())
        .fetch_all(&database.system)
        .await
        .map_err(from_sqlx)
}

fn page(listing: &Listing, rows: &[PgRow]) -> Result<Page> {
    let shown = &rows[..rows.len().min(listing.page_size())];
    let chains = shown.iter().map(read).collect::<Result<Vec<_>>>()?;
    let next_page_token = match (chains.last(), shown.last()) {
        (Some(chain), Some(row)) if rows.len() > shown.len() => {
            let keys =
                listing.sort_keys().iter().map(|key| key_value(row, key)).collect::<Result<Vec<_>>>()?;
            listing.next_page_token(&keys, chain.id)
        }
        _ => String::new(),
    };
    Ok((chains, next_page_token))
}

fn read(row: &PgRow) -> Result<StalledChain> {
    Ok(StalledChain {
        id: column(row, "id")?,
        document: column(row, "document")?,
        waiting_for: column(row, "waiting_for")?,
        since: column(row, "since")?,
        owner: column(row, "owner")?,
        team: column(row, "team")?,
        account: column(row, "account")?,
        quote: column(row, "quote")?,
        order: column(row, "order_id")?,
        opportunity: column(row, "opportunity")?,
        gross: column(row, "gross")?,
        currency: column(row, "currency")?,
        traceparent: column(row, "traceparent")?,
    })
}

fn column<C: Column>(row: &PgRow, name: &str) -> Result<C> {
    C::from_sql(row.try_get(name).map_err(from_sqlx)?)
}
