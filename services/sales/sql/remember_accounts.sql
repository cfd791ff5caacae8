-- Puts accounts ($2) in their revisions ($3) with their times of deletion ($4) into the projection, where that is news.
with c as materialized (select set_config('trato.tenant_id', $1, true) as tenant)
insert into account (tenant_id, id, revision, delete_time)
select c.tenant::uuid, known.id, known.revision, known.delete_time
from c, unnest($2::uuid[], $3::bigint[], $4::timestamptz[]) as known (id, revision, delete_time)
on conflict (tenant_id, id) do update
set revision = excluded.revision, delete_time = excluded.delete_time
where account.revision < excluded.revision
