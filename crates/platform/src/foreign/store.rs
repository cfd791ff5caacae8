//! The projection. Whoever writes to it brings the revision he speaks of; an older one changes nothing, so that events,
//! their replays and the answers of the other service may come in any order.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, PgExecutor, Row as _, postgres::PgRow};
use trato_types::{Ref, Result, Timestamp};
use uuid::Uuid;

use super::{Existence, Foreign, Known};
use crate::db::from_sqlx;

/// Puts in what is known, where it is news.
pub(super) async fn remember<T: Foreign>(
    executor: impl PgExecutor<'_>,
    tenant: Uuid,
    known: &[Known<T>],
) -> Result<()> {
    let ids: Vec<Uuid> = known.iter().map(|known| known.resource.uuid()).collect();
    let revisions: Vec<i64> = known.iter().map(|known| known.revision).collect();
    let delete_times: Vec<Option<Timestamp>> = known.iter().map(|known| known.delete_time).collect();
    let table = T::NOUN;
    let statement = format!(
        "with c as materialized (select set_config('trato.tenant_id', $1, true) as tenant)
        insert into {table} (tenant_id, id, revision, delete_time)
        select c.tenant::uuid, known.id, known.revision, known.delete_time
        from c, unnest($2::uuid[], $3::bigint[], $4::timestamptz[]) as known (id, revision, delete_time)
        on conflict (tenant_id, id) do update
        set revision = excluded.revision, delete_time = excluded.delete_time
        where {table}.revision < excluded.revision"
    );
    sqlx::query(AssertSqlSafe(statement))
        .bind(tenant.to_string())
        .bind(ids)
        .bind(revisions)
        .bind(delete_times)
        .execute(executor)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

/// Whether these are there; those that nobody here has heard of are left out.
pub(super) async fn find<T: Foreign>(
    executor: impl PgExecutor<'_>,
    tenant: Uuid,
    resources: &[Ref<T>],
) -> Result<HashMap<Ref<T>, Existence>> {
    let ids: Vec<Uuid> = resources.iter().map(|resource| resource.uuid()).collect();
    let table = T::NOUN;
    let statement = format!(
        "with c as materialized (select set_config('trato.tenant_id', $1, true) as tenant)
        select found.id, found.is_deleted
        from c, lateral (
          select {table}.id, {table}.delete_time is not null as is_deleted
          from {table}
          where {table}.tenant_id = c.tenant::uuid and {table}.id = any($2::uuid[])
          offset 0
        ) found"
    );
    let rows = sqlx::query(AssertSqlSafe(statement))
        .bind(tenant.to_string())
        .bind(ids)
        .fetch_all(executor)
        .await
        .map_err(from_sqlx)?;
    rows.iter().map(read).collect()
}

fn read<T: Foreign>(row: &PgRow) -> Result<(Ref<T>, Existence)> {
    let is_deleted = row.try_get(1).map_err(from_sqlx)?;
    let existence = if is_deleted { Existence::Deleted } else { Existence::Living };
    Ok((Ref::from_uuid(row.try_get(0).map_err(from_sqlx)?), existence))
}
