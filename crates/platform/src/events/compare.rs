//! Whether a read model says what the logs say: it is made anew from the events, compared, and the new one thrown away.
//!
//! All happens in one transaction that is rolled back. The handlers are the consumer's own, so that nothing can differ
//! but what is stored.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Row as _};
use trato_types::{Context, Error, Kind, Result};
use uuid::Uuid;

use super::{
    inbox::Item,
    listing::Line,
    processor::{Processor, handle},
    replay::{empty_tables, subscription_of},
};
use crate::db::{Connection, Tx, from_sqlx};

/// Most differences that are named; all are counted.
const MOST: usize = 1_000;

/// What a comparison found in one tenant.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// The consumer.
    pub consumer: &'static str,
    /// The tenant.
    pub tenant: Uuid,
    /// Events that were applied.
    pub events: usize,
    /// Rows that are stored.
    pub stored_rows: usize,
    /// Rows by the logs.
    pub expected_rows: usize,
    /// SHA-256 of the stored rows, in the order of their keys.
    pub stored_hash: String,
    /// The same of the rows by the logs.
    pub expected_hash: String,
    /// How many rows differ.
    pub differing: usize,
    /// The first of them.
    pub differences: Vec<Difference>,
}

/// A row that is not what the logs say.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// The table.
    pub table: &'static str,
    /// The row's primary key.
    pub key: String,
    /// The revision that is stored, where rows have one.
    pub stored_revision: Option<i64>,
    /// The revision by the logs.
    pub expected_revision: Option<i64>,
    /// `missing`, `unexpected` or `different`.
    pub fault: &'static str,
}

impl Comparison {
    /// The comparison for people.
    pub fn text(&self) -> String {
        let Self { consumer, tenant, events, stored_rows, expected_rows, differing, .. } = self;
        let mut text = format!(
            "{consumer}, tenant {tenant}: {stored_rows} rows stored, {expected_rows} by {events} events, {differing} differ\n"
        );
        for one in &self.differences {
            let revision =
                |revision: Option<i64>| revision.map_or_else(|| "-".to_owned(), |r| format!("r{r}"));
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "  {} {} {} (stored {}, by the logs {})",
                one.table,
                one.key,
                one.fault,
                revision(one.stored_revision),
                revision(one.expected_revision)
            );
        }
        text
    }
}

/// A row by its table and key: what is in it, and its revision.
type Rows = BTreeMap<(&'static str, String), ([u8; 32], Option<i64>)>;

/// Compares a tenant's part of a consumer's read model with what events make: all that it listens to, of which `next`
/// gives some at a time, and none at the end.
pub async fn compare(
    processor: &Processor,
    consumer: &str,
    tenant: Uuid,
    mut next: impl AsyncFnMut() -> Result<Vec<Line>>,
) -> Result<Comparison> {
    let subscription = subscription_of(processor, consumer)?;
    let now = super::now();
    let cx = Context::of_system(tenant, subscription.consumer, now);
    let mut tx = Tx::of(processor.database(), &cx).await?;
    let stored = rows(tx.connection(), subscription.tables, tenant).await?;
    empty_tables(&mut tx, subscription, tenant).await?;
    let mut applied = 0;
    loop {
        let lines = next().await?;
        if lines.is_empty() {
            break;
        }
        for line in lines {
            let incoming = line.into_incoming()?;
            if incoming.event.tenant != tenant {
                let message = "an event on standard input is of another tenant";
                return Err(Error::new(Kind::Invalid, "INVALID_INPUT", message));
            }
            if subscription.listens_to(&incoming.event.kind) {
                tx.set_cx(incoming.event.context(subscription.consumer, now));
                handle(&mut tx, &Item { incoming: &incoming, subscription }).await?;
                applied += 1;
            }
        }
    }
    let expected = rows(tx.connection(), subscription.tables, tenant).await?;
    tx.roll_back().await?;
    Ok(judge(subscription.consumer, tenant, applied, &stored, &expected))
}

fn judge(consumer: &'static str, tenant: Uuid, events: usize, stored: &Rows, expected: &Rows) -> Comparison {
    let mut differences = Vec::new();
    for (key, (hash, revision)) in stored {
        let expected = expected.get(key);
        let fault = match expected {
            None => "unexpected",
            Some((other, _)) if other != hash => "different",
            Some(_) => continue,
        };
        differences.push(Difference {
            table: key.0,
            key: key.1.clone(),
            stored_revision: *revision,
            expected_revision: expected.and_then(|(_, revision)| *revision),
            fault,
        });
    }
    for (key, (_, revision)) in expected.iter().filter(|(key, _)| !stored.contains_key(*key)) {
        let (table, key) = (key.0, key.1.clone());
        let fault = "missing";
        differences.push(Difference {
            table,
            key,
            stored_revision: None,
            expected_revision: *revision,
            fault,
        });
    }
    let differing = differences.len();
    differences.truncate(MOST);
    Comparison {
        consumer,
        tenant,
        events,
        stored_rows: stored.len(),
        expected_rows: expected.len(),
        stored_hash: hash(stored),
        expected_hash: hash(expected),
        differing,
        differences,
    }
}

fn hash(rows: &Rows) -> String {
    let mut hash = Sha256::new();
    for ((table, key), (content, _)) in rows {
        hash.update(table);
        hash.update([0]);
        hash.update(key);
        hash.update([0]);
        hash.update(content);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn rows(connection: &mut Connection, tables: &[&'static str], tenant: Uuid) -> Result<Rows> {
    let mut all = Rows::new();
    for table in tables {
        let keys: Vec<String> = sqlx::query_scalar(
            "select attribute.attname::text
             from pg_index index
             join pg_attribute attribute on attribute.attrelid = index.indrelid and attribute.attnum = any(index.indkey)
             where index.indrelid = $1::text::regclass and index.indisprimary and attribute.attname <> 'tenant_id'
             order by attribute.attnum",
        )
        .bind(*table)
        .fetch_all(&mut *connection)
        .await
        .map_err(from_sqlx)?;
        // Names of the table and of its own columns; nothing comes from outside.
        let key = keys.iter().map(|key| format!("r.\"{key}\"::text")).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "select concat_ws(' ', {key}) as key, to_jsonb(r)::text as content, (to_jsonb(r)->>'revision')::bigint as revision
             from {table} r
             where r.tenant_id = $1"
        );
        let found = sqlx::query(AssertSqlSafe(sql))
            .bind(tenant)
            .fetch_all(&mut *connection)
            .await
            .map_err(from_sqlx)?;
        for row in &found {
            let content: String = row.try_get("content").map_err(from_sqlx)?;
            let key: String = row.try_get("key").map_err(from_sqlx)?;
            let revision: Option<i64> = row.try_get("revision").map_err(from_sqlx)?;
            all.insert((*table, key), (Sha256::digest(content).into(), revision));
        }
    }
    Ok(all)
}
