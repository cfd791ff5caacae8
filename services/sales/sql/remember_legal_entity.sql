-- Puts a legal entity of tenant $1 into the projection, where that is news.
insert into legal_entity (tenant_id, id, revision, delete_time, issuer, time_zone)
values ($1, $2, $3, $4, $5, $6)
on conflict (tenant_id, id) do update
set revision = excluded.revision, delete_time = excluded.delete_time, issuer = excluded.issuer,
  time_zone = excluded.time_zone
where legal_entity.revision < excluded.revision
