//! How entries are stored and listed. They are rows of a read model: no revisions, no external ids, no soft deletes.

use sqlx::{Arguments as _, AssertSqlSafe, Row as _, postgres::PgArguments, postgres::PgRow};
use trato_platform::{
    db::{
        Column as _, Database, Tx, from_sqlx, recorded,
        statement::{SET_TENANT, bind_scope},
    },
    standard::{bind, key_value},
};
use trato_query::{Field, Listing, member, reference, text, timestamp};
use trato_types::{Context, Error, MemberRef, Result, Scope};

use super::model::Entry;

/// What entries can be filtered and sorted by.
pub const FIELDS: &[Field] = &[
    text("type"),
    text("subject"),
    text("actor"),
    member("owner").nullable(),
    reference("team", "teams").nullable(),
    timestamp("event_time").sortable(),
    timestamp("create_time").sortable(),
];

/// What a page is made of: its entries, and the token of the next one, empty on the last.
pub type Page = (Vec<Entry>, String);

/// Adds entries; those that are there already stay as they are, so that an event may come again.
pub async fn insert(tx: &mut Tx, entries: &[Entry]) -> Result<()> {
    let tenant = tx.cx().tenant;
    for entry in entries {
        sqlx::query(include_str!("../../sql/extend_timeline.sql"))
            .bind(tenant)
            .bind(&entry.parent)
            .bind(entry.id)
            .bind(&entry.kind)
            .bind(&entry.subject)
            .bind(&entry.summary)
            .bind(entry.event_time)
            .bind(entry.create_time)
            .bind(&entry.actor)
            .bind(entry.owner.to_sql())
            .bind(entry.team)
            .execute(tx.connection())
            .await
            .map_err(from_sqlx)?;
    }
    Ok(())
}

/// One page of the timeline of `parent`, as far as the caller's scope admits.
pub async fn list(database: &Database, cx: &Context, parent: &str, listing: &Listing) -> Result<Page> {
    let mut arguments = PgArguments::default();
    arguments.add(cx.tenant.to_string()).map_err(Error::internal)?;
    bind_scope(cx, &mut arguments)?;
    arguments.add(listing.limit()).map_err(Error::internal)?;
    arguments.add(parent.to_owned()).map_err(Error::internal)?;
    let condition = listing.condition("r", 5);
    for value in condition.values {
        bind(&mut arguments, value)?;
    }
    let sql = format!(
        "{SET_TENANT} select found.* from c, lateral (select r.parent, r.id, r.type, r.subject, r.summary, \
         r.event_time, r.create_time, r.actor, r.owner, r.team from timeline_entry r \
         where r.tenant_id = c.tenant::uuid and r.parent = $4 and {scope} and {filter} \
         order by {inner_order} limit $3) found order by {outer_order} limit $3",
        scope = admitted(cx.scope),
        filter = condition.sql,
        inner_order = listing.order_sql("r"),
        outer_order = listing.order_sql("found"),
    );
    // The text holds constants and placeholders only: the columns above and the fragments of trato-query.
    let statement = sqlx::query_with(AssertSqlSafe(sql), arguments);
    let rows = async { statement.fetch_all(&database.pool).await.map_err(from_sqlx) };
    let rows = recorded(cx, "select", "timeline_entry", rows).await?;
    page(listing, &rows)
}

/// The condition by which a scope admits entries; its value is `$2`.
fn admitted(scope: Scope) -> &'static str {
    match scope {
        // The parameter is there in every scope, so that all statements bind alike.
        Scope::All => "$2::text is null",
        Scope::Own => "r.owner = $2::text",
        Scope::Team => "r.team = any($2::uuid[])",
    }
}

fn page(listing: &Listing, rows: &[PgRow]) -> Result<Page> {
    let shown = &rows[..rows.len().min(listing.page_size())];
    let entries = shown.iter().map(read).collect::<Result<Vec<_>>>()?;
    let next_page_token = match (entries.last(), shown.last()) {
        (Some(entry), Some(row)) if rows.len() > shown.len() => {
            let keys =
                listing.sort_keys().iter().map(|key| key_value(row, key)).collect::<Result<Vec<_>>>()?;
            listing.next_page_token(&keys, entry.id)
        }
        _ => String::new(),
    };
    Ok((entries, next_page_token))
}

fn read(row: &PgRow) -> Result<Entry> {
    let owner: Option<String> = row.try_get("owner").map_err(from_sqlx)?;
    let owner = owner.map(|subject| MemberRef::from_sql(Some(subject))).transpose()?;
    let entry = || {
        Ok(Entry {
            parent: row.try_get("parent")?,
            id: row.try_get("id")?,
            kind: row.try_get("type")?,
            subject: row.try_get("subject")?,
            summary: row.try_get("summary")?,
            event_time: row.try_get("event_time")?,
            create_time: row.try_get("create_time")?,
            actor: row.try_get("actor")?,
            owner,
            team: row.try_get("team")?,
        })
    };
    entry().map_err(from_sqlx)
}
