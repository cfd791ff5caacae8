//! Rules of the schema that hold for every table: keys by tenant, names, comments, what a deleted row may not block.

use sqlx::{PgConnection, Row as _};

use super::checkout::DATA_SERVICES;
use crate::harness::{database, stack};

/// Keys that do not begin with the tenant, each with its reason.
const OTHER_KEYS: [(&str, &str); 1] =
    [("event_pkey", "an event's identifier is unique over all tenants, and the log is partitioned by time")];

async fn rows(service: &str, sql: &'static str) -> Vec<(String, String)> {
    let mut connection: PgConnection = database::superuser(stack::shared(), service).await;
    let rows = sqlx::query(sql).fetch_all(&mut connection).await.expect("the catalogue can be read");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test]
async fn every_key_and_reference_of_a_tenants_table_holds_the_tenant() {
    for service in DATA_SERVICES {
        let sql = "select con.conname::text, pg_get_constraintdef(con.oid)
                   from pg_constraint con
                   join pg_class class on class.oid = con.conrelid
                   join pg_attribute attribute on attribute.attrelid = class.oid and attribute.attname = 'tenant_id'
                   where con.contype in ('p', 'u', 'f') and not class.relispartition and con.conparentid = 0
                     and pg_get_constraintdef(con.oid) !~ '^(PRIMARY KEY|UNIQUE|FOREIGN KEY) \\(tenant_id[,)]'";
        for (name, definition) in rows(service, sql).await {
            assert!(OTHER_KEYS.iter().any(|(known, _)| *known == name), "{service}: {name} is {definition}");
        }
        let sql = "select con.conname::text, pg_get_constraintdef(con.oid)
                   from pg_constraint con
                   where con.contype = 'f' and pg_get_constraintdef(con.oid) !~ 'REFERENCES [a-z_.]+\\(tenant_id, '";
        assert_eq!(rows(service, sql).await, Vec::new(), "{service}: a reference could leave its tenant");
    }
}

#[tokio::test]
async fn every_unique_index_lets_go_of_deleted_rows() {
    for service in DATA_SERVICES {
        let sql = "select index.indexrelid::regclass::text, pg_get_indexdef(index.indexrelid)
                   from pg_index index
                   join pg_attribute attribute on attribute.attrelid = index.indrelid
                     and attribute.attname = 'delete_time'
                   join pg_class class on class.oid = index.indrelid
                   join pg_namespace space on space.oid = class.relnamespace and space.nspname = 'public'
                   where index.indisunique and not index.indisprimary
                     and coalesce(pg_get_expr(index.indpred, index.indrelid), '') !~ 'delete_time IS NULL'";
        assert_eq!(rows(service, sql).await, Vec::new(), "{service}: a deleted row blocks a value");
    }
}

#[tokio::test]
async fn every_table_is_commented_and_every_constraint_named_by_its_table() {
    for service in DATA_SERVICES {
        let sql = "select class.relname::text, space.nspname::text
                   from pg_class class join pg_namespace space on space.oid = class.relnamespace
                   where class.relkind in ('r', 'p') and not class.relispartition
                     and space.nspname in ('public', 'platform')
                     and obj_description(class.oid, 'pg_class') is null";
        assert_eq!(rows(service, sql).await, Vec::new(), "{service}: a table says nothing of itself");
        // What the template gives is named by the template.
        let sql = "select con.conname::text, class.relname::text
                   from pg_constraint con join pg_class class on class.oid = con.conrelid
                   join pg_namespace space on space.oid = class.relnamespace
                   where space.nspname in ('public', 'platform') and not class.relispartition
                     and not starts_with(con.conname::text, class.relname || '_')
                     and not starts_with(con.conname::text, 'resource_')";
        assert_eq!(rows(service, sql).await, Vec::new(), "{service}: a constraint is not named by its table");
    }
}

/// D17: columns that callers filter and sort by have operators that row-level security can pass to an index.
#[tokio::test]
async fn texts_in_indexes_are_compared_byte_by_byte() {
    for service in DATA_SERVICES {
        let sql = "select index.indexrelid::regclass::text, attribute.attname::text
                   from pg_index index
                   join pg_class class on class.oid = index.indrelid
                   join pg_namespace space on space.oid = class.relnamespace and space.nspname = 'public'
                   join unnest(index.indkey) key on true
                   join pg_attribute attribute on attribute.attrelid = index.indrelid and attribute.attnum = key
                   join pg_collation rule on rule.oid = attribute.attcollation
                   where rule.collname <> 'C'";
        assert_eq!(rows(service, sql).await, Vec::new(), "{service}: an index compares by language");
    }
}
